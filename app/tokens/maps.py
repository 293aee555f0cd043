"""The map as the Tokens page shows it: every user and item as a point; UMAP where it is made already, PCA until then.

Where it stands: behind `seam.MapsLike`, over `projecting` and `llmrec.view.atlas`. What it does not know: Streamlit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from app import exhibits
from app.library import Library, told
from app.seam import Atlas, Side, Trouble
from app.tokens import projecting
from app.world import World
from llmrec.ids.lookup import written
from llmrec.view.palette import palette


class Maps:
    """See `seam.MapsLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def atlas(self, run: str, focus: str | None = None, dark: bool = False) -> Atlas:
        """The map: UMAP where it is made already, PCA until then. focus: the node to ring."""
        with told():
            world = self._library.world(run)
            if world.vectors is None:
                raise Trouble("There is no trained run yet, so there is no space to map.")
            errand = projecting.ready(self._library.errands, run, world.vectors)
            better = errand is None
            key = ("atlas", self._library.made(run), better, focus, dark)
            atlas = self._library.kept(key, lambda: _atlas(world, better, focus, dark))
            if errand is None:
                return atlas
            trouble = f"{errand.reason}; the map stays PCA." if errand.state == "failed" else ""
            return Atlas(atlas.how, atlas.figure, atlas.table, atlas.quality, atlas.note, errand.state != "failed", trouble)

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""


def _atlas(world: World, better: bool, focus: str | None, dark: bool) -> Atlas:
    from llmrec.view import atlas as drawing

    assert world.vectors is not None
    laid = projecting.umap(world.vectors) if better else projecting.pca(world.vectors)
    side, _, key = (focus or "").partition(":")
    index = world.index("item" if side == "item" else "user", key) if side in ("item", "user") else None
    selected: Any = (side, index) if index is not None else None
    figure = drawing.atlas(laid, world.dataset.catalog, world.table, world.split.train, selected, dark)
    exhibits.dressed(figure, 620).update_layout(
        margin={"l": 4, "r": 4, "t": 46, "b": 4},
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": palette(dark).missing, "activecolor": palette(dark).ink},
    )
    figure.update_traces(showlegend=False, selector={"name": "selected"})
    points = len(laid.users) + len(laid.items)
    note = "Colours repeat: there are more Tokens than colours; point at one to see its name. The menu colours by something else."
    if world.lent:
        colours = note if world.table is not None and world.table.items.books[0].token else ""
        note = f"This scheme names without vectors: the map lies in the space of walks, where META ID finds its clusters. {colours}".strip()
    if points > drawing.LIMIT:
        note = f"{drawing.LIMIT:,} of {points:,} points are drawn, at random; the search finds all. {note}"
    quality = (
        (
            "Trustworthiness",
            laid.trustworthiness,
            f"1: nobody is near on the map who is not near in the original space; 0.5: chance. On {laid.scored:,} points.",
        ),
        (
            "Neighbours kept",
            laid.knn_overlap,
            f"Share of the 15 nearest in the original space that are among the 15 nearest here. On {laid.scored:,} points.",
        ),
    )
    return Atlas(laid.method, figure, _coordinates(world, laid), quality, note)


def _coordinates(world: World, laid: Any) -> pd.DataFrame:
    catalog = world.dataset.catalog
    sides: tuple[tuple[Side, list[str], Any], ...] = (("item", catalog.item_keys, laid.items), ("user", catalog.user_keys, laid.users))
    parts = []
    for side, keys, plane in sides:
        cards = [world.card(side, i) for i in range(len(keys))]
        names = [written(c.pieces) for c in cards]
        parts.append(
            pd.DataFrame({"side": side, "key": keys, "title": [c.title for c in cards], "name": names, "x": plane[:, 0], "y": plane[:, 1]})
        )
    table = pd.concat(parts, ignore_index=True)
    known: pd.DataFrame = table[~np.isnan(table["x"].to_numpy(dtype=float))].reset_index(drop=True)
    return known
