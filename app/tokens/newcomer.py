"""A newcomer of a run: which name a new person or item gets, with nothing trained anew, and who is called or lies alike.

Where it stands: under `names`, over `llmrec.ids.newcomers`. What it does not know: Streamlit, which schemes can (`naming` says so).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.seam.names import Landed, Neighbour, Ways
from app.seam.values import Trouble
from app.tokens import texting
from app.tokens.inspecting import cosines, nearest
from app.world import World
from llmrec.contracts import Floats, FoldsIn, IdTable, Interactions, Ints, Names, ReadsText, Side, Token, Vectors
from llmrec.ids.health.grouping import same_books
from llmrec.ids.newcomers import naming
from llmrec.view.levels import Levels

MOST = 8


@dataclass(frozen=True)
class Placed:
    """An embedder that has placed the one newcomer already, so that a text is not read twice."""

    row: Floats

    def fold_in(self, vectors: Vectors, train: Interactions, took: Sequence[Ints], side: Side) -> Floats:
        """The row, whoever took what."""
        return self.row

    def read(self, texts: Sequence[str]) -> Floats:
        """The row, whatever is written."""
        return self.row


def ways(world: World) -> Ways:
    """What this run can name, tried on the first user and item; the reason where it cannot."""
    embedder = world.run.recipe.embed
    reads = isinstance(embedder, ReadsText)
    text = "" if world.table is not None and world.table.scheme == "title" else _why(lambda: _check_text(world))
    slow = (
        "A language model reads the text in a process of its own: ten seconds or so, most of them to load it." if reads and not text else ""
    )
    return Ways(_why(lambda: _check(world, "user")), _why(lambda: _check(world, "item")), text, slow)


def user(world: World, history: tuple[int, ...]) -> Landed:
    """A new person by what they took."""
    began = time.perf_counter()
    row = _folded(world, history, "user")
    embedder = world.run.recipe.embed if row is None else Placed(row)
    found = naming.name_user(_table(world), embedder, _own(world), world.split.train, history, MOST)
    return _landed(world, found, row, began)


def item(world: World, users: tuple[int, ...], text: str) -> Landed:
    """A new item by who took it, or by its text."""
    began = time.perf_counter()
    embedder, table = world.run.recipe.embed, _table(world)
    if text.strip():
        row = texting.vector(embedder, as_read(text)) if _reads(world) else None
        found = naming.name_item(table, embedder if row is None else Placed(row), _own(world), world.split.train, text=text, most=MOST)
    else:
        row = _folded(world, users, "item")
        found = naming.name_item(
            table, embedder if row is None else Placed(row), _own(world), world.split.train, users=list(users), most=MOST
        )
    return _landed(world, found, row, began)


def _table(world: World) -> IdTable:
    if world.table is None:
        raise Trouble("There are no names without a trained run.")
    return world.table


def _own(world: World) -> Vectors | None:
    """The vectors that the table was fitted with; none where the map's are lent."""
    return None if world.lent else world.vectors


def _folded(world: World, took: tuple[int, ...], side: Side) -> Floats | None:
    """The newcomer's vector, or None where the embedder places nobody: `naming` says why then."""
    embedder, table, vectors = world.run.recipe.embed, _table(world), _own(world)
    quantizer = table.user_quantizer if side == "user" else table.item_quantizer
    n = world.split.train.n_items if side == "user" else world.split.train.n_users
    if quantizer is None or vectors is None or not isinstance(embedder, FoldsIn) or not took or not all(0 <= t < n for t in took):
        return None
    return np.asarray(embedder.fold_in(vectors, world.split.train, [np.asarray(took, dtype=np.int32)], side), dtype=np.float32)


def is_read(world: World, text: str) -> bool:
    """Whether the vector of a new item's text is there; where nothing must be read, it is."""
    return not _reads(world) or texting.kept(world.run.recipe.embed, as_read(text))


def text_key(world: World, text: str) -> str:
    """What the vector of a new item's text is kept under."""
    return texting.key(world.run.recipe.embed, as_read(text))


def _reads(world: World) -> bool:
    return isinstance(world.run.recipe.embed, ReadsText) and _table(world).item_quantizer is not None


def as_read(text: str) -> str:
    """A bare title as the embedder read those of the catalogue; white space of any kind is one space, as it is after an errand's pipe."""
    from llmrec.embed.text import item_text

    text = " ".join(text.split())
    return text if text.lower().startswith("title:") else item_text({"title": text})


def _landed(world: World, found: naming.Newcomer, row: Floats | None, began: float) -> Landed:
    table = _table(world)
    names = table.items if found.side == "item" else table.users
    depth = len(found.pieces)
    cosine = {side: None if row is None else cosines(world, found.side, row, side) for side in ("item", "user")}
    alike = []
    for among, near in (("item", found.items), ("user", found.users)):
        told = cosine[among]
        alike += [
            Neighbour(world.card(among, n.index), float("nan") if told is None else float(told[n.index]), n.shared, depth)  # type: ignore[arg-type]
            for n in near
        ]
    among = "item" if cosine["item"] is not None else "user"
    close = cosine[among]
    shared = _alike(found, names, table.items if among == "item" else table.users, 0 if close is None else len(close))
    levels = Levels(table)
    tones = tuple(levels.token(str(p)) if isinstance(p, Token) else None for p in found.pieces)
    return Landed(
        found.side,
        found.pieces,
        tones,
        found.note,
        tuple(alike),
        nearest(world, close, among, shared, depth),  # type: ignore[arg-type]
        time.perf_counter() - began,
    )


def _alike(found: naming.Newcomer, names: Names | None, known: Names | None, n: int) -> np.ndarray:
    """How many pieces known names share with the newcomer's, from the left: (n,)."""
    out = np.zeros(n, dtype=np.int64)
    if names is None or known is None or not n:
        return out
    same = np.ones(n, dtype=bool)
    for place, code in enumerate(found.codes[: known.codes.shape[1]]):
        if not same_books([names.books[place]], [known.books[place]]):
            break
        same &= known.codes[:, place] == code
        out += same if code >= 0 else 0
    return out


def _check(world: World, side: Side) -> None:
    """Raises `CannotName` where nobody of this side can be named by who took what."""
    table, embedder = _table(world), world.run.recipe.embed
    if side == "item" and table.scheme in ("cid", "title"):
        if table.scheme == "title":
            raise naming.CannotName("title names an item by its title, and who took it says nothing of that: give the title as text")
        return
    if side == "user" and table.users is None:
        raise naming.CannotName(f"{table.scheme} names items only, so a new user gets no name")
    naming.quantizer_of(table, side)
    if not isinstance(embedder, FoldsIn):
        remedy = "; give the new item's text instead" if side == "item" and isinstance(embedder, ReadsText) else ""
        raise naming.CannotName(f"{type(embedder).__name__} cannot place a new {side} by who took what{remedy}")


def _check_text(world: World) -> None:
    table, embedder = _table(world), world.run.recipe.embed
    if table.scheme == "cid":
        raise naming.CannotName("cid names an item by who took it, and its text says nothing of that: give the users")
    naming.quantizer_of(table, "item")
    if not isinstance(embedder, ReadsText):
        raise naming.CannotName(
            f"{table.scheme} was fitted with {type(embedder).__name__}, which reads no text: a new item is known by the users who took it"
        )


def _why(check: Any) -> str:
    try:
        check()
    except naming.CannotName as reason:
        return str(reason)
    return ""
