"""The codes of one more name: what the quantizer says, then the first free code that tells it apart.

Where it stands: under newcomers. What it does not know: users, items, how pieces are spelled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llmrec.contracts import Book, Floats, Ints, Quantizer


def place(quantizer: Quantizer, row: Floats, books: Sequence[Book], borne: Ints) -> tuple[tuple[int, ...], str]:
    """Codes for one vector, and a note. row: (1, d); borne: (n, depth) the codes of all who may collide with it.

    As deep as the quantizer: its codes, whoever has them already. One code deeper: the first that nobody has under them. Where all are
    taken (the book has no more than the largest cluster needs) the quantizer's last code gives way to the next nearest one with room, and
    where no other has room the name is shared with the last bearer. The note says which.
    """
    first = [int(code) for code in quantizer.encode(row)[0]]
    spare = len(books) - len(first)
    if spare not in (0, 1):
        raise ValueError(
            f"names have {len(books)} codes and the quantizer gives {len(first)}: it must give all of them, or all but the last"
        )
    if spare == 0:
        n = int((borne == np.asarray(first)).all(axis=1).sum())
        return tuple(first), f"{n} known already bear this name" if n else ""
    beside = borne[(borne[:, : len(first) - 1] == np.asarray(first[:-1], dtype=borne.dtype)).all(axis=1), len(first) - 1 :]
    ends_early = bool((borne[:, -1] < 0).any())
    number = _under(beside, first[-1], books[-1].size, ends_early)
    if number is not None:
        return (*first, number), ""
    full = f"all {books[-1].size} names under the nearest codes {first} are taken"
    for code in _next_nearest(quantizer, row, first):
        number = _under(beside, code, books[-1].size, ends_early)
        if number is not None:
            return (*first[:-1], code, number), f"{full}: named under the next nearest with room, {[*first[:-1], code]}"
    return (*first, books[-1].size - 1), f"{full}, and so are those under every other last code: the name is shared with a known one"


def free(taken: Ints, size: int) -> int | None:
    """The first of 0..size - 1 that is not taken, or None."""
    left = np.setdiff1d(np.arange(size), taken)
    return int(left[0]) if len(left) else None


def _under(beside: Ints, code: int, size: int, ends_early: bool) -> int | None:
    """The first code of the last book that nobody has under `code`; -1 for the only one there, in a table whose lone names end early."""
    taken = beside[beside[:, 0] == code, 1]
    return -1 if ends_early and not len(taken) else free(taken, size)


def _next_nearest(quantizer: Quantizer, row: Floats, first: Sequence[int]) -> list[int]:
    """Other codes for the quantizer's last place, nearest first: by cosine where the quantizer compares directions, else by distance."""
    n = quantizer.sizes[-1]
    codes = np.tile(np.asarray(first, dtype=np.int32), (n, 1))
    codes[:, -1] = np.arange(n)
    said = quantizer.decode(codes)
    if getattr(quantizer, "cosine", False):
        length = np.linalg.norm(said, axis=1)
        near = np.divide(said @ row[0], length, out=np.full(n, -2.0, dtype=np.float32), where=length > 0)
    else:
        near = -((said - row) ** 2).sum(axis=1)
    order = np.argsort(-near, kind="stable")
    return [int(code) for code in order if code != first[-1]]
