"""From names back to users and items: who carries a Token, who shares a piece, whom a written name means.

Where it stands: beside the schemes; the command line and the page read `IdTable` through it. What it does not know: schemes, titles.
Everything is computed on the integer codes; a name is spelled only where it is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from llmrec.contracts import Book, Id, IdTable, Ints, Names, Piece, Token

Side = Literal["item", "user"]


@dataclass(frozen=True)
class Members:
    """Who carries a piece: indices of items and of users, ascending."""

    items: Ints
    users: Ints


@dataclass(frozen=True)
class Bearer:
    """One user or item that bears a name."""

    side: Side
    index: int


def members(table: IdTable, piece: Piece | str) -> Members:
    """Everyone whose name has this piece at any place. A piece that no book spells is refused, with an example of one that is."""
    written = str(piece)
    found = [_carriers(names, written) for names in (table.items, table.users)]
    if all(carriers is None for carriers in found):
        example = ", ".join(str(book.spell(0)) for book in table.books[:2]) or "the texts of its books"
        raise ValueError(f"no {table.scheme} name can have the piece {written!r}: its pieces look like {example}")
    none = np.zeros(0, dtype=np.int32)
    items, users = (none if carriers is None else carriers for carriers in found)
    return Members(items, users)


def shared_with(table: IdTable, item: int) -> dict[Piece, list[int]]:
    """For each piece of an item's name, the other items that have it at any place; pieces in the order of the name."""
    _within(table.items, item, "item")
    return {piece: [int(i) for i in members(table, piece).items if i != item] for piece in table.items.spell(item)}


def bearers(table: IdTable, name: Id | str) -> list[Bearer]:
    """Everyone who bears exactly this name, given as pieces or as written (`<c3><r17>`); items first. No one: an empty list."""
    out: list[Bearer] = []
    for side, names in (("item", table.items), ("user", table.users)):
        if names is None:
            continue
        for codes in _readings(names, name):
            rows = np.flatnonzero((names.codes == codes).all(axis=1))
            out += [Bearer("item" if side == "item" else "user", int(row)) for row in rows]
    return out


def invert(table: IdTable, codes: Ints) -> Ints:
    """Items that bear these codes: (depth,) -> item indices; a shorter prefix of codes gives everyone below it."""
    prefix = np.asarray(codes)
    if prefix.ndim != 1 or len(prefix) > table.items.codes.shape[1]:
        raise ValueError(f"codes have shape {prefix.shape}, but this table's names are up to {table.items.codes.shape[1]} codes long")
    return np.flatnonzero((table.items.codes[:, : len(prefix)] == prefix).all(axis=1)).astype(np.int32)


def written(name: Id) -> str:
    """A name in one line: Tokens touch, texts are set apart by a space."""
    return "".join(piece if isinstance(piece, Token) else f" {piece}" for piece in name).strip()


def _carriers(names: Names | None, piece: str) -> Ints | None:
    """Rows that carry the piece, or None where no book can spell it."""
    if names is None:
        return None
    hits = [(column, code) for column, book in enumerate(names.books) if (code := _code(book, piece)) is not None]
    if not hits:
        return None
    carried = np.zeros(len(names), dtype=bool)
    for column, code in hits:
        carried |= names.codes[:, column] == code
    return np.flatnonzero(carried).astype(np.int32)


def _code(book: Book, piece: str) -> int | None:
    """The code that a book spells as this piece, if there is one."""
    if book.texts is not None:
        return book.texts.index(piece) if piece in book.texts else None
    opening, closing = (f"<{book.prefix}", ">") if book.token else ("", "")
    if not (piece.startswith(opening) and piece.endswith(closing)):
        return None
    digits = piece[len(opening) : len(piece) - len(closing)]
    plain = digits.isascii() and digits.isdigit() and (len(digits) == 1 or digits[0] != "0")
    return int(digits) if plain and int(digits) < book.size else None


def _readings(names: Names, name: Id | str) -> list[Ints]:
    """The rows of codes that a name can mean. A written name is read book by book, so a Token's digits never run into the next piece."""
    depth = len(names.books)
    found: list[Ints] = []
    open_ends: list[tuple[str | Id, tuple[int, ...]]] = [(name.strip() if isinstance(name, str) else tuple(name), ())]
    while open_ends:
        rest, codes = open_ends.pop()
        if not rest:
            found.append(_padded(codes, depth))
        elif len(codes) < depth:
            open_ends.append((rest, (*codes, -1)))  # a place that the name leaves out
            book = names.books[len(codes)]
            if isinstance(rest, str):
                open_ends += [(rest[end:].lstrip(), (*codes, code)) for end, code in _openings(book, rest)]
            elif (code := _code(book, str(rest[0]))) is not None:
                open_ends.append((rest[1:], (*codes, code)))
    return found


def _openings(book: Book, text: str) -> list[tuple[int, int]]:
    """Every way the text can begin with a piece of the book: (where the piece ends, its code)."""
    if book.texts is not None:
        return [(len(t), code) for code, t in enumerate(book.texts) if t and text.startswith(t)]
    if book.token:
        ends = [text.find(">") + 1]
    else:
        ends = list(range(1, len(text) - len(text.lstrip("0123456789")) + 1))
    return [(end, code) for end in ends if end and (code := _code(book, text[:end])) is not None]


def _padded(codes: tuple[int, ...], depth: int) -> Ints:
    return np.asarray([*codes, *[-1] * (depth - len(codes))], dtype=np.int32)


def _within(names: Names, index: int, side: Side) -> None:
    if not 0 <= index < len(names):
        raise ValueError(f"there is no {side} {index}: this table names {side}s 0 to {len(names) - 1}")
