"""From pieces back to items and users: whole names, parts of them, and names that nobody has.

Where it stands: under `names`, over the codes themselves. What it does not know: Streamlit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from app.seam.names import Found, Place
from app.seam.values import Side, Trouble
from app.tokens import listing
from app.tokens.reading import Reading
from app.world import World
from llmrec.contracts import Book, IdTable, Names
from llmrec.data.titles import printable
from llmrec.ids.health.grouping import same_books
from llmrec.ids.health.report import digits
from llmrec.view.levels import coloured

Codes = tuple[int | None, ...]
ANY = "*"
PIECE = re.compile(r"<[^<>\s]{1,60}>|\*")


def places(world: World, side: Side) -> tuple[Place, ...]:
    """Every place of a side's names with the codes that occur; none where a place is text or digits: there one types a beginning."""
    names = _names(world, side)
    if not all(coloured(book) for book in names.books):
        return ()
    out = []
    for place, book in enumerate(names.books):
        codes, counts = np.unique(names.codes[:, place], return_counts=True)
        borne = [(int(c), str(book.spell(int(c))), int(n)) for c, n in zip(codes, counts, strict=True) if c >= 0]
        out.append(Place(f"Piece {place + 1}", tuple(borne)))
    return tuple(out)


def read(world: World, name: str) -> tuple[Side, Codes]:
    """A written name, such as `<a_5><b_12>`, `*<b_12>` or `<a_5>`, as codes of the side that can spell it; None for any."""
    assert world.table is not None
    parts = PIECE.findall(name)
    if not parts or PIECE.sub("", name).strip():
        raise Trouble(f"{printable(name)[:80]!r} is no name in Tokens: write its pieces, such as {_example(world.table)}, and * for any.")
    for side, names in (("item", world.table.items), ("user", world.table.users)):
        found = _fitted(names, parts) if names is not None else None
        if found is not None:
            return ("item" if side == "item" else "user"), found
    raise Trouble(f"No name of this run can be {printable(name)[:80]}: its names look like {_example(world.table)}.")


def written(names: Names, codes: Codes) -> str:
    """Codes as `read` takes them: pieces and `*`, without the `*` at the end."""
    parts = [ANY if code is None else str(book.spell(code)) for book, code in zip(names.books, codes, strict=False)]
    while parts and parts[-1] == ANY:
        parts.pop()
    return "".join(parts)


def invert(world: World, reading: Reading, side: Side, codes: Codes) -> Found:
    """Everyone who has these codes at these places; the other side too, where it spells alike."""
    table, names = world.table, _names(world, side)
    assert table is not None
    codes = (*codes, *[None] * (len(names.books) - len(codes)))[: len(names.books)]
    for book, code in zip(names.books, codes, strict=True):
        if code is not None and not 0 <= code < book.size:
            raise Trouble(f"The book {book.prefix!r} has the codes 0 to {book.size - 1}, and none is {code}.")
    other = table.users if side == "item" else table.items
    with_other = other is not None and same_books(names.books, other.books)
    rows: dict[str, np.ndarray] = {side: _rows(names, codes)}
    rows["user" if side == "item" else "item"] = _rows(other, codes) if with_other and other is not None else np.zeros(0, dtype=np.int64)
    pieces = tuple("" if code is None else str(book.spell(code)) for book, code in zip(names.books, codes, strict=True))
    note = _meaning(names, codes, len(rows["item"]) + len(rows["user"]))
    return Found(pieces, note, len(rows["item"]), len(rows["user"]), listing.table(world, reading, rows["item"], rows["user"]))


def beginning(world: World, reading: Reading, side: Side, text: str) -> Found:
    """Everyone whose name, as it is spelled, begins with a text: for names that are titles or numbers."""
    names = _names(world, side)
    wanted = text.strip().casefold()
    spelled = ["".join(str(piece) for piece in names.spell(i)).casefold() for i in range(len(names))]
    rows = np.asarray([i for i, name in enumerate(spelled) if wanted and name.startswith(wanted)], dtype=np.int64)
    none = np.zeros(0, dtype=np.int64)
    whole = sum(name == wanted for name in spelled)
    note = (
        f"{len(rows):,} {side}s have names that begin so; {whole:,} of them is called exactly that."
        if len(rows)
        else f"No {side} has a name that begins so: names here are {_kind(names)}, such as {printable(spelled[0])[:60]}."
    )
    if not wanted:
        note = "Type how a name begins."
    pair = (rows, none) if side == "item" else (none, rows)
    return Found((text.strip(),), note, len(pair[0]), len(pair[1]), listing.table(world, reading, *pair))


def under(world: World, reading: Reading, side: Side, branch: str) -> Found:
    """Everyone below a branch of the tree; the others of a node are shown by that node."""
    paths = reading.side(side)
    node = branch.removesuffix("~").rstrip("/") or "all"
    try:
        rows = paths.under(node)
        pieces = tuple(str(piece) for piece in paths.spell(node))
    except ValueError as error:
        raise Trouble(str(error)) from error
    note = "Others are branches that were too small to draw; this is everyone under the same node." if branch.endswith("~") else ""
    none = np.zeros(0, dtype=np.int64)
    pair = (rows, none) if side == "item" else (none, rows)
    return Found(pieces, note, len(pair[0]), len(pair[1]), listing.table(world, reading, *pair))


def carrying(world: World, reading: Reading, token: str) -> Found:
    """Everyone who has a piece at any place."""
    items, users = reading.carriers(token)
    return Found((token,), "", len(items), len(users), listing.table(world, reading, items, users))


def _names(world: World, side: Side) -> Names:
    assert world.table is not None
    names = world.table.items if side == "item" else world.table.users
    if names is None:
        raise Trouble("This scheme names items only: users have no names here.")
    return names


def _rows(names: Names, codes: Codes) -> np.ndarray:
    found = np.ones(len(names), dtype=bool)
    for place, code in enumerate(codes):
        if code is not None:
            found &= names.codes[:, place] == code
    return np.flatnonzero(found)


def _meaning(names: Names, codes: Codes, n: int) -> str:
    chosen = sum(code is not None for code in codes)
    if not chosen:
        return "Nothing is chosen yet, so this is everybody."
    if chosen < len(codes):
        return f"{n:,} have these pieces, whatever stands in the other places." if n else _nobody(names, codes)
    if n > 1:
        return f"{n:,} bear this whole name: they collide, and a head that spells names cannot tell them apart."
    return "This whole name means one." if n else _nobody(names, codes)


def _nobody(names: Names, codes: Codes) -> str:
    """What a combination that nobody has means, and how far it goes before it leaves the known names."""
    kept = 0
    for kept in range(len(codes), -1, -1):
        if len(_rows(names, codes[:kept])):
            break
    borne, possible = len(np.unique(names.codes, axis=0)), float(np.prod([float(book.size) for book in names.books]))
    told = "its first piece is not borne either" if kept == 0 else f"{len(_rows(names, codes[:kept])):,} share its first {kept}"
    return (
        f"Nobody has this name; {told}. Of {possible:,.0f} that could be spelled {borne:,} are borne: a head that spells along the tree "
        "cannot say this one, and one that retrieves takes the nearest known item instead."
    )


def _fitted(names: Names, parts: Sequence[str]) -> Codes | None:
    """Each part at the next place whose book can spell it; None where one fits nowhere."""
    codes: list[int | None] = []
    for part in parts:
        if part == ANY:
            codes.append(None)
            continue
        while len(codes) < len(names.books) and _code(names.books[len(codes)], part) is None:
            codes.append(None)
        if len(codes) >= len(names.books):
            return None
        codes.append(_code(names.books[len(codes)], part))
    return tuple(codes) if len(codes) <= len(names.books) else None


def _code(book: Book, piece: str) -> int | None:
    inside = piece[1 + len(book.prefix) : -1]
    if not coloured(book) or not inside.isascii() or not inside.isdigit() or len(inside) > 9:
        return None
    return int(inside) if piece == f"<{book.prefix}{int(inside)}>" and int(inside) < book.size else None


def _kind(names: Names) -> str:
    return "numbers" if all(digits(book) for book in names.books) else "titles"


def _example(table: IdTable) -> str:
    return "".join(str(piece) for piece in table.items.spell(0)) if len(table.items) else "<c3><r17>"
