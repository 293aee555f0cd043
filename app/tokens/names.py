"""Names as the Tokens page shows them: one point or one Token, how healthy all are, the tree, codes back to items, newcomers, files.

Where it stands: behind `seam.NamesLike`; the work is done by the modules beside it. What it does not know: Streamlit, maps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from app.errands import Errand
from app.library import Kept, Library, told
from app.seam.names import Form, Found, Health, Inspection, Landed, Place, Predicted, Shape, Tones, Tree, Ways
from app.seam.values import Exhibit, Side, Trouble
from app.tokens import codes, exporting, health, inspecting, listing, newcomer, predicting, projecting, reading, tree
from app.tokens.reading import Reading
from app.world import World
from llmrec.contracts import Id, IdTable, Token
from llmrec.view.levels import coloured

T = TypeVar("T")
SMALL = 80
WIDE, TABLES = ("branch", "invert", "beginning", "bearers"), 8  # tables of up to everybody each


class Names:
    """See `seam.NamesLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library
        # what is quickly made anew: it must not push figures and tables out of the library
        self._small, self._tables = Kept(SMALL), Kept(TABLES)

    def nodes(self, run: str) -> dict[str, str]:
        """Everything on the map and every Token: node -> how it is written."""
        return self._kept(run, "nodes", _nodes)

    def inspect(self, run: str, node: str) -> Inspection:
        """One point or one Token, with whom it shares what and who is near."""
        with told():
            named = node.startswith("token:")  # who carries it needs no vectors
            lending = None if named else projecting.lending(self._library.errands, self._world(run))
        key = ("inspect", node, lending is None)
        seen = self._kept(run, key, lambda world: inspecting.inspect(world, self._reading(run), node))
        return seen if lending is None else replace(seen, neighbours=None, note=" ".join(x for x in (seen.note, _walks(lending)) if x))

    def predicted(self, run: str, token: str, again: bool = False) -> Predicted:
        """How often items that carry a Token are recommended; counted by an errand when first asked."""
        with told():
            world = self._library.world(run)
            if not predicting.kept(world.run):
                errand = self._library.errands.ask(("predicted", predicting.key(world.run)), "app.tokens.predicting", run, again=again)
                if errand.state == "failed":
                    return Predicted("failed", errand.reason)
                return Predicted("waiting", _stage(errand))
            sample = self._kept(run, "predicted", lambda world: predicting.answers(world.run))
            carried = np.zeros(len(world.dataset.catalog.items), dtype=bool)
            carried[self._reading(run).carriers(token)[0]] = True
            return _counted(sample, carried, world)

    def health(self, run: str) -> Health:
        """How well names use their alphabet."""
        return self._kept(run, "health", lambda world: health.examine(world, self._reading(run)))

    def semantics(self, run: str) -> tuple[tuple[str, str, str], ...]:
        """What names say of behaviour, genre and year."""
        return self._kept(run, "semantics", health.semantics)

    def usage(self, run: str, book: str, dark: bool = False) -> Exhibit:
        """How often each code of one book is used."""
        return self._kept(run, ("usage", book, dark), lambda world: health.usage(world, book, dark))

    def sides(self, run: str) -> tuple[Side, ...]:
        """Whom the scheme names."""
        table = self._world(run).table
        return ("item",) if table is None or table.users is None else ("item", "user")

    def tree(self, run: str, side: Side, shape: Shape, by: str, depth: int, dark: bool = False) -> Tree:
        """The names of one side as a tree."""
        key = ("tree", side, shape, by, depth, dark)
        return self._kept(run, key, lambda world: tree.plant(world, self._reading(run), side, shape, by, depth, dark))

    def branch(self, run: str, side: Side, branch: str) -> Found:
        """Who stands below a branch of the tree."""
        return self._kept(run, ("branch", side, branch), lambda world: codes.under(world, self._reading(run), side, branch))

    def places(self, run: str, side: Side) -> tuple[Place, ...]:
        """Every place of a name with the codes that occur; none where names are text."""
        return self._kept(run, ("places", side), lambda world: codes.places(world, side))

    def read(self, run: str, name: str) -> tuple[Side, tuple[int | None, ...]]:
        """A written name as codes."""
        with told():
            return codes.read(self._world(run), name)

    def invert(self, run: str, side: Side, chosen: tuple[int | None, ...]) -> Found:
        """Who has these codes at these places."""
        return self._kept(run, ("invert", side, chosen), lambda world: codes.invert(world, self._reading(run), side, chosen))

    def beginning(self, run: str, side: Side, text: str) -> Found:
        """Whose name is text that begins so."""
        return self._kept(run, ("beginning", side, text), lambda world: codes.beginning(world, self._reading(run), side, text))

    def bearers(self, run: str, token: str) -> Found:
        """Everyone who carries a Token, as a table."""
        return self._kept(run, ("bearers", token), lambda world: codes.carrying(world, self._reading(run), token))

    def tones(self, run: str, pieces: tuple[str, ...]) -> tuple[Id, Tones]:
        """Written pieces as pieces with their colours: Tokens where this run has them, else text."""
        levels = self._world(run).levels
        tones = tuple(None if levels is None else levels.token(piece) for piece in pieces)
        return tuple(piece if tone is None else Token(piece) for piece, tone in zip(pieces, tones, strict=True)), tones

    def ways(self, run: str) -> Ways:
        """How this run can name newcomers."""
        return self._kept(run, "ways", newcomer.ways)

    def name_user(self, run: str, history: tuple[int, ...]) -> Landed:
        """A new person's name."""
        return self._kept(run, ("new user", history), lambda world: newcomer.user(world, history))

    def text_read(self, run: str, text: str, again: bool = False) -> tuple[str, str]:
        """Whether a new item's text was read already: "ready", "waiting" with its stage, or "failed" with its reason."""
        with told():
            world = self._world(run)
            if newcomer.is_read(world, text):
                return "ready", ""
            key = ("text", newcomer.text_key(world, text))
            errand = self._library.errands.ask(key, "app.tokens.texting", run, text=text, again=again)
            return ("failed", errand.reason) if errand.state == "failed" else ("waiting", _stage(errand))

    def name_item(self, run: str, users: tuple[int, ...] = (), text: str = "") -> Landed:
        """A new item's name."""
        return self._kept(run, ("new item", users, text), lambda world: newcomer.item(world, users, text))

    def listed(self, run: str, nodes: tuple[str, ...] | None, words: str = "") -> pd.DataFrame:
        """These nodes as a table, or everybody; only the rows with every one of these words."""
        everyone = self._kept(run, "everyone", lambda world: _searchable(listing.everybody(world, self._reading(run))))
        found = everyone if nodes is None else everyone[everyone["node"].isin(set(nodes))]
        for word in words.casefold().split():
            found = found[found["_text"].str.contains(word, regex=False)]
        return found.drop(columns="_text").reset_index(drop=True)

    def export(self, run: str, nodes: tuple[str, ...] | None, form: Form) -> bytes:
        """These names as a file, or all."""
        with told():
            return exporting.export(self._world(run), self.listed(run, nodes), form)

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""

    def _world(self, run: str) -> World:
        with told():
            world = self._library.world(run)
            if world.table is None:
                raise Trouble("There are no names without a trained run.")
            return world

    def _reading(self, run: str) -> Reading:
        return self._kept(run, "reading", reading.read)

    def _kept(self, run: str, key: object, make: Callable[[World], T]) -> T:
        """key: a word for what there is one of per run, anything else for what there are many of."""
        with told():
            world, whole = self._world(run), ("names", self._library.made(run), key)
            if isinstance(key, str):
                return self._library.kept(whole, lambda: make(world))
            few = self._tables if isinstance(key, tuple) and key[0] in WIDE else self._small
            return few.get(whole, lambda: make(world))


def _stage(errand: Errand) -> str:
    """How far an errand is, in a few words."""
    if errand.state == "waiting":
        return "other work comes first"
    return errand.stage + (f", {errand.share:.0%}" if errand.share else "") if errand.stage else "starting"


def _walks(errand: Errand) -> str:
    """How far the space is that nearness is measured in."""
    if errand.state == "failed":
        return f"Who is near cannot be told: the space of walks could not be made: {errand.reason}."
    return f"Who is near waits for the space of walks, which is being made beside this page ({_stage(errand)})."


def _counted(sample: predicting.Sample, carried: np.ndarray, world: World) -> Predicted:
    filled = sample.items >= 0
    hits = np.where(filled, carried[sample.items], False)
    targets = world.split.test.item
    return Predicted(
        "ready",
        "",
        len(sample.users),
        sample.items.shape[1],
        float(hits.sum() / max(1, filled.sum())),
        int(hits.any(axis=1).sum()),
        float(carried.mean()),
        float(carried[targets].mean()) if len(targets) else 0.0,
    )


def _nodes(world: World) -> dict[str, str]:
    catalog = world.dataset.catalog
    out: dict[str, str] = {}
    years = catalog.items["year"] if "year" in catalog.items else pd.Series([None] * len(catalog.items))
    for key, title, year in zip(catalog.item_keys, catalog.titles, years, strict=True):
        known = year is not None and not pd.isna(year) and str(year) not in title
        out[f"item:{key}"] = f"{title} ({year})  ·  item {key}" if known else f"{title}  ·  item {key}"
    out |= {f"user:{key}": f"user {key}" for key in catalog.user_keys}
    if world.table is not None:
        out |= {f"token:{token}": f"Token {token}" for token in _carried(world.table)}
    return out


def _carried(table: IdTable) -> list[str]:
    """Tokens that some name has, in the table's order."""
    used: set[str] = set()
    for names in (table.items, table.users):
        for column, book in enumerate(names.books if names is not None else ()):
            if names is not None and coloured(book):
                used |= {str(book.spell(int(c))) for c in np.unique(names.codes[:, column]) if c >= 0}
    return [str(t) for t in table.tokens if str(t) in used]


def _searchable(table: pd.DataFrame) -> pd.DataFrame:
    """With a column that holds all a row says, without case: filters of words read it."""
    said = [table[column].astype(object) for column in table if column not in ("node", *listing.END)]
    lines = (" ".join("" if v is None or v is pd.NA else str(v) for v in row) for row in zip(*said, strict=True))
    return table.assign(_text=[line.casefold() for line in lines])
