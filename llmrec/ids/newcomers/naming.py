"""Names for newcomers: a user by a history, an item by who took it or by its text, with nothing fitted anew.

Where it stands: after a scheme; the command line, the page and the protocol of unseen users ask it. What it does not know: how tables are
fitted, language models, catalogues.

With a quantizer the way is always the same: the embedder places the newcomer beside the vectors that it fitted, the frozen quantizer
turns that vector into the first codes, and where names go on, the last code is the first free one under them. CID has a tree instead,
and a title is its own name. Every function is pure: the table is not touched, and two newcomers named one after the other may get one
name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from llmrec.contracts import Book, Floats, FoldsIn, Id, IdTable, Interactions, Ints, Names, Quantizer, ReadsText, Side, Vectors
from llmrec.ids.health.grouping import same_books
from llmrec.ids.newcomers.freecode import place

WHY_NOT = {
    "rid": "its names are random numbers, so none follows from a history or a text",
    "sid": "its names are numbers in order of first appearance, so none follows from a history or a text",
    "cllm4rec": "each has one Token with rows learned for it alone, and a newcomer has none",
    "cid": "it names users by numbers in order of first appearance",
    "tiger": "its users' Tokens are a hash of their keys, so none follows from a history",
}


class CannotName(ValueError):
    """The scheme cannot name this newcomer without being fitted anew. The message says why and what can be done."""


@dataclass(frozen=True)
class Near:
    """A known user or item whose name begins like the newcomer's. shared: how many pieces from the left."""

    index: int
    shared: int


@dataclass(frozen=True)
class Newcomer:
    """A name for someone the table does not know.

    codes: (depth,) -1 where the name ends early, empty where the name is free text; pieces: the name, spelled; note: what is to be known
    about it, or empty; items, users: the known ones that share most pieces, the nearest by vector first among equals.
    """

    side: Side
    codes: tuple[int, ...]
    pieces: Id
    note: str = ""
    items: tuple[Near, ...] = ()
    users: tuple[Near, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return asdict(self) | {"pieces": [str(piece) for piece in self.pieces]}


def name_user(
    table: IdTable, embedder: Any, vectors: Vectors | None, train: Interactions, history: Sequence[int], most: int = 5
) -> Newcomer:
    """A new user, known by the items they took. embedder, vectors: those that the table was fitted with. Raises `CannotName`.

    history: item numbers, oldest first; most: how many of the nearest users and items are told.
    """
    if table.users is None:
        raise CannotName(f"{table.scheme} names items only, so a new user gets no name: describe them by the names of what they took")
    took = _checked(history, train.n_items, "item", "history")
    quantizer = quantizer_of(table, "user")
    row = _folded(table, embedder, vectors, train, took, "user")
    return _named(table, "user", quantizer, row, vectors, most)


def name_item(
    table: IdTable,
    embedder: Any,
    vectors: Vectors | None,
    train: Interactions,
    users: Sequence[int] | None = None,
    text: str | None = None,
    most: int = 5,
) -> Newcomer:
    """A new item, known by the users who took it or by its text. embedder, vectors: those that the table was fitted with.

    text: as the embedder read the others, for `embed.text` what `item_text` writes; for title names the title itself. Raises `CannotName`,
    or ValueError where neither or both of users and text are given.
    """
    if (users is None) == (text is None):
        raise ValueError("a new item is known by the users who took it, or by its text: give one of the two")
    if table.scheme == "title":
        return _titled(table, text)
    if table.scheme == "cid":
        return _branched(table, train, users, most)
    quantizer = quantizer_of(table, "item")
    if text is not None:
        row = _read(table, embedder, text)
    else:
        row = _folded(table, embedder, vectors, train, _checked(users or (), train.n_users, "user", "list of users"), "item")
    return _named(table, "item", quantizer, row, vectors, most)


def _named(table: IdTable, side: Side, quantizer: Quantizer, row: Floats, vectors: Vectors | None, most: int) -> Newcomer:
    names = table.items if side == "item" else table.users
    assert names is not None
    width = quantizer.decode(np.zeros((1, len(quantizer.sizes)), dtype=np.int32)).shape[1]
    if row.shape != (1, width):
        raise ValueError(
            f"the newcomer's vector has {row.shape[-1]} numbers, but the table's quantizer takes {width}: give the embedder and the "
            f"vectors that {table.scheme} was fitted with"
        )
    codes, note = place(quantizer, row, names.books, borne(table, side))
    if not row.any():
        note = "; ".join(["nothing is known of what was given: the vector is zero, and the name says nothing", *([note] if note else [])])
    items = _near(table.items, names, codes, _cosines(vectors, "item", side, row), most)
    users = () if table.users is None else _near(table.users, names, codes, _cosines(vectors, "user", side, row), most)
    return Newcomer(side, codes, spelled(names.books, codes), note, items, users)


def _branched(table: IdTable, train: Interactions, users: Sequence[int] | None, most: int) -> Newcomer:
    """CID has no vectors: the way down its tree is found by who took what."""
    from llmrec.ids.newcomers.branches import on_a_branch

    if users is None:
        raise CannotName("cid names an item by who took it, and its text says nothing of that: give the users")
    codes, note = on_a_branch(table.items, train, _checked(users, train.n_users, "user", "list of users"))
    near = _near(table.items, table.items, codes, None, most)
    return Newcomer("item", codes, spelled(table.items.books, codes), note, near)


def _titled(table: IdTable, text: str | None) -> Newcomer:
    """The title is the name, told apart from those that are there already."""
    from llmrec.ids.title import plain, told_apart

    title = plain(text or "")
    if not title:
        raise CannotName("title names an item by its title, and who took it says nothing of that: give the title as text")
    book = table.items.books[0]
    known = [book.spell(code) for code in table.items.codes[:, 0].tolist()]
    name = told_apart([*known, title], [None] * (len(known) + 1))[-1]
    note = "" if name == title else f"{title!r} is the name of a known item, so a number tells them apart"
    return Newcomer("item", (), (name,), note)


def quantizer_of(table: IdTable, side: Side) -> Quantizer:
    """The frozen quantizer of one side. Raises `CannotName`, with the reason, where the table has none."""
    found = table.item_quantizer if side == "item" else table.user_quantizer
    if found is None:
        why = WHY_NOT.get(table.scheme, f"this table carries no quantizer for {side}s")
        raise CannotName(
            f"{table.scheme} cannot name a new {side} without being fitted anew: {why}; fit the table again with the newcomer in train, or "
            f"choose a scheme with a quantizer, such as metaid"
        )
    return found


def _folded(table: IdTable, embedder: Any, vectors: Vectors | None, train: Interactions, took: Ints, side: Side) -> Floats:
    if vectors is None:
        raise ValueError(f"{table.scheme} names newcomers beside the vectors that it was fitted with: give them")
    if not isinstance(embedder, FoldsIn):
        remedy = "; give the new item's text instead" if side == "item" and isinstance(embedder, ReadsText) else ""
        raise CannotName(f"{type(embedder).__name__} cannot place a new {side} by who took what: it has no fold_in{remedy}")
    return np.asarray(embedder.fold_in(vectors, train, [took], side), dtype=np.float32)


def _read(table: IdTable, embedder: Any, text: str) -> Floats:
    if not isinstance(embedder, ReadsText):
        raise CannotName(
            f"{table.scheme} was fitted with {type(embedder).__name__}, which reads no text: a new item is known by the users who took it"
        )
    if not text.strip():
        raise ValueError("the new item's text is empty: give its title, or more")
    return np.asarray(embedder.read([text]), dtype=np.float32)


def _checked(given: Sequence[int], n: int, kind: str, what: str) -> Ints:
    """Numbers of known users or items, at least one."""
    numbers = np.asarray(given, dtype=np.int64).reshape(-1)
    if not len(numbers):
        raise ValueError(f"the {what} is empty, and nothing follows from nothing: give one {kind} or more")
    outside = numbers[(numbers < 0) | (numbers >= n)]
    if len(outside):
        raise ValueError(f"the {what} has {kind} {int(outside[0])}, but known {kind}s are 0 to {n - 1}")
    return numbers.astype(np.int32)


def borne(table: IdTable, side: Side) -> Ints:
    """The codes of all whose name a newcomer of this side may collide with: (n, depth) int32."""
    names, other = (table.items, table.users) if side == "item" else (table.users, table.items)
    assert names is not None
    bearers = [names.codes, *([other.codes] if other is not None and same_books(names.books, other.books) else [])]
    return np.concatenate(bearers, dtype=np.int32)


def spelled(books: Sequence[Book], codes: Sequence[int]) -> Id:
    """The pieces of a name from its codes, -1 where it leaves a place out."""
    return tuple(book.spell(code) for book, code in zip(books, codes, strict=True) if code >= 0)


def _near(known: Names, names: Names, codes: tuple[int, ...], cosine: Floats | None, most: int) -> tuple[Near, ...]:
    """The known ones of one side whose names begin like `codes`, most pieces first, then by cosine, then by number."""
    shared = np.zeros(len(known), dtype=np.int64)
    alike = np.ones(len(known), dtype=bool)
    for column, (code, mine, theirs) in enumerate(zip(codes, names.books, known.books, strict=False)):
        if not same_books([mine], [theirs]):
            break
        alike &= known.codes[:, column] == code
        shared += alike if code >= 0 else 0  # a place left out is no piece
    some = np.flatnonzero(shared)
    tie = np.zeros(len(some)) if cosine is None else -cosine[some]
    order = some[np.lexsort((some, tie, -shared[some]))][:most]
    return tuple(Near(int(i), int(shared[i])) for i in order)


def _cosines(vectors: Vectors | None, known: Side, side: Side, row: Floats) -> Floats | None:
    """Of every known user or item with the newcomer, or None where they live in two spaces."""
    if vectors is None or (known != side and not vectors.joint):
        return None
    rows = vectors.items if known == "item" else vectors.users
    if rows.shape[1] != row.shape[1]:
        return None
    length = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
    return np.asarray(np.divide(rows @ row[0], length, out=np.zeros(len(rows), dtype=np.float32), where=length > 0), dtype=np.float32)
