"""The map as the Tokens page shows it: every user and item as a point; UMAP where it is made already, PCA until then.

Where it stands: behind `seam.MapsLike`, over `projecting` and `llmrec.view`. What it does not know: Streamlit.
Areas drawn on the map are worked out here over all points, those that are not drawn too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from app import exhibits
from app.errands import Errand
from app.library import Kept, Library, told
from app.seam.maps import Area, Atlas, Change, Found, How, Lay, Quality
from app.seam.values import Side, Trouble
from app.tokens import projecting
from app.tokens.changes import change
from app.tokens.finding import Index
from app.tokens.names import Names
from app.world import World
from llmrec.ids.lookup import written
from llmrec.view.palette import palette
from llmrec.view.project import Projection

PCA = Lay("PCA")
ATLASES = 16  # one per click: they must not push what takes long out of the library


class Maps:
    """See `seam.MapsLike`."""

    def __init__(self, library: Library) -> None:
        self._library, self._names, self._atlases = library, Names(library), Kept(ATLASES)

    def atlas(
        self,
        run: str,
        focus: str | None = None,
        dark: bool = False,
        lay: Lay = Lay(),  # noqa: B008
        outline: tuple[Area, ...] = (),
    ) -> Atlas:
        """The map as it can be shown now. focus: the node to ring; outline: areas to draw around."""
        with told():
            lending = self._lending(run)
            if lending is not None:
                return Atlas(PCA.how, None, pd.DataFrame(), 0, waiting=_stage(lending))
            world = self._world(run)
            shown, errand = self._shown(run, world, lay)
            key = ("atlas", self._library.made(run), shown, focus, dark, outline)
            atlas = self._atlases.get(key, lambda: _atlas(world, self._laid(run, shown), (shown.how, focus, dark, outline)))
            bent = dataclasses.replace(lay, how="UMAP")
            scored = [bent, PCA] if projecting.held(bent, self._mark(run)) else [PCA]
            quality = [self._quality(run, each) for each in scored]
            trouble = f"{errand.reason}; the map stays PCA." if errand is not None and errand.state == "failed" else ""
            return dataclasses.replace(atlas, quality=tuple(quality), waiting=_stage(errand), trouble=trouble)

    def coordinates(self, run: str, lay: Lay) -> pd.DataFrame:
        """Every point with its name, those that are not drawn too."""
        with told():
            world = self._world(run)
            return _coordinates(world, self._laid(run, self._shown(run, world, lay)[0]))

    def within(self, run: str, lay: Lay, areas: Sequence[Area]) -> list[str]:
        """The nodes of all points inside any of the areas, items first, those that are not drawn too."""
        from llmrec.view import inside

        with told():
            world = self._world(run)
            laid = self._laid(run, self._shown(run, world, lay)[0])
            catalog = world.dataset.catalog
            out: list[str] = []
            for side, keys, plane in (("item", catalog.item_keys, laid.items), ("user", catalog.user_keys, laid.users)):
                found = np.zeros(len(plane), dtype=bool)
                for area in areas:
                    corners = list(zip(area.x, area.y, strict=True))
                    found |= inside.box(plane, area.x, area.y) if area.kind == "box" else inside.polygon(plane, corners)
                out += [f"{side}:{keys[row]}" for row in np.flatnonzero(found)]
            return out

    def find(self, run: str, words: str, k: int = 30) -> Found:
        """Nodes whose title, key or Token has these words."""
        with told():
            nodes = self._names.nodes(run)
            index = self._library.kept(("finding", self._library.made(run)), lambda: Index(nodes))
            return index.find(words, k)

    def change(self, run: str, other: str, focus: str | None = None, dark: bool = False, lay: Lay = Lay()) -> Change:  # noqa: B008
        """Two runs' names on the layout of the first."""
        with told():
            lending = self._lending(run)
            if lending is not None:
                return Change(None, pd.DataFrame(), pd.DataFrame(), (), waiting=_stage(lending))
            here, there = self._world(run), self._library.world(other)
            shown, errand = self._shown(run, here, lay)
            key = ("change", self._library.made(run), self._library.made(other), shown, focus, dark)
            found = self._library.kept(key, lambda: change(here, there, (run, other), self._laid(run, shown), focus, dark))
            return dataclasses.replace(found, how=shown.how, waiting=_stage(errand))

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""

    def _lending(self, run: str) -> Errand | None:
        """Who makes the space that is lent to a run without vectors, while it is not there. It takes a training's walks: nobody waits.
        Raises `Trouble` where that failed."""
        errand = projecting.lending(self._library.errands, self._library.world(run))
        if errand is not None and errand.state == "failed":
            raise Trouble(f"The space of walks, which this scheme's map needs, could not be made: {errand.reason}.")
        return errand

    def _world(self, run: str) -> World:
        world = self._library.world(run)
        if world.vectors is None:
            if world.lent:
                raise Trouble("The space of walks, which this scheme's map needs, is not made yet: wait for the map.")
            raise Trouble("There is no trained run yet, so there is no space to map.")
        return world

    def _mark(self, run: str) -> str:
        vectors = self._world(run).vectors
        assert vectors is not None
        return self._library.kept(("fingerprint", self._library.made(run)), lambda: projecting.fingerprint(vectors))

    def _shown(self, run: str, world: World, lay: Lay) -> tuple[Lay, Errand | None]:
        """What can be shown of what is asked for, and who makes the rest."""
        errand = projecting.ready(self._library.errands, run, lay, self._mark(run))
        return (lay if errand is None else PCA), errand

    def _laid(self, run: str, lay: Lay) -> Projection:
        vectors, mark = self._world(run).vectors, self._mark(run)
        assert vectors is not None
        return self._library.kept(("laid", self._library.made(run), lay), lambda: projecting.project(vectors, lay, mark))

    def _quality(self, run: str, lay: Lay) -> Quality:
        laid = self._laid(run, lay)
        return Quality(lay.how, laid.trustworthiness, laid.knn_overlap, laid.scored)


def _stage(errand: Errand | None) -> str:
    """How far it is; nothing where there is none, or where it gave up."""
    if errand is None or errand.state == "failed":
        return ""
    if errand.state == "waiting":
        return "waiting for the work before it" if errand.ahead else "starting"
    return f"{errand.stage or 'starting'}, {errand.seconds:.0f} s so far"


def _atlas(world: World, laid: Projection, asked: tuple[How, str | None, bool, tuple[Area, ...]]) -> Atlas:
    from llmrec.view import atlas as drawing

    how, focus, dark, outline = asked
    selected = point(world, focus)
    figure = drawing.atlas(laid, world.dataset.catalog, world.table, world.split, selected, dark)
    dressed(figure, 640, dark).update_layout(shapes=[_shape(area, dark) for area in outline])
    rows, points = drawing.sample(laid, drawing.LIMIT, 0, selected)
    notes = []
    if points > drawing.LIMIT:
        notes.append(f"{drawing.LIMIT:,} of {points:,} points are drawn, at random; the search and the lasso reach all.")
    if world.lent:
        notes.append("This scheme names without vectors: the map lies in the space of walks, where META ID finds its clusters.")
    if world.table is not None and len(drawing.tokens_first(world.table)):
        notes.append("Colours repeat where there are more Tokens than colours: point at one to see its name.")
    else:
        notes.append("No two items share a first Token here, so the map is coloured by what the catalogue knows.")
    return Atlas(how, figure, _coordinates(world, laid, rows), points, (), " ".join(notes))


def _shape(area: Area, dark: bool) -> dict[str, Any]:
    line = {"color": palette(dark).ink, "width": 1.5, "dash": "dot"}
    if area.kind == "box":
        return {"type": "rect", "x0": area.x[0], "x1": area.x[1], "y0": area.y[0], "y1": area.y[1], "line": line}
    path = "L".join(f"{x},{y}" for x, y in zip(area.x, area.y, strict=True))
    return {"type": "path", "path": f"M{path}Z", "line": line}


def point(world: World, node: str | None) -> tuple[Any, int] | None:
    """A node as a point of the map: (side, index); None for Tokens and for what is not there."""
    side, _, key = (node or "").partition(":")
    if side not in ("item", "user"):
        return None
    index = world.index("item" if side == "item" else "user", key)
    return None if index is None else (side, index)


def dressed(figure: Any, height: int, dark: bool) -> Any:
    """A map in the pages' font; its bar stands upright at the right and leaves the menu its room."""
    margin = {"l": 4, "r": 4, "t": 46, "b": 4}
    bar = {"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": palette(dark).missing, "activecolor": palette(dark).ink}
    return exhibits.dressed(figure, height).update_layout(margin=margin, modebar=bar)


def _coordinates(world: World, laid: Projection, rows: dict[Any, Any] | None = None) -> pd.DataFrame:
    """Points that are on the map with what they are called: all of them, or these rows of either side."""
    catalog, table = world.dataset.catalog, world.table
    titles = catalog.titles
    sides: tuple[tuple[Side, list[str], Any, Any], ...] = (
        ("item", catalog.item_keys, laid.items, table.items if table is not None else None),
        ("user", catalog.user_keys, laid.users, table.users if table is not None else None),
    )
    parts = []
    for side, keys, plane, names in sides:
        mine = np.flatnonzero(~np.isnan(plane[:, 0])) if rows is None else rows[side]
        parts.append(
            pd.DataFrame(
                {
                    "side": side,
                    "key": [keys[n] for n in mine],
                    "title": [titles[n] if side == "item" else f"user {keys[n]}" for n in mine],
                    "name": ["" if names is None else written(names.spell(int(n))) for n in mine],
                    "x": plane[mine, 0],
                    "y": plane[mine, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
