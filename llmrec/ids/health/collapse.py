"""Codes that hold far more than their share: what is called a collapsed codebook, found and said.

Where it stands: part of a table's health. What it does not know: why a book collapsed, titles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import IdTable
from llmrec.ids.health.report import digits

MOST_OF_ALL, TIMES, PART = 0.5, 5.0, 0.1
LEAST = 5  # bearers: fewer share a code by chance


@dataclass(frozen=True)
class Collapsed:
    """One code that too many bear. bearers: how many; share: of all that have a piece at this place; times: over an even share."""

    place: int
    book: str
    code: int
    piece: str
    bearers: int
    share: float
    times: float


def collapsed(table: IdTable) -> tuple[Collapsed, ...]:
    """Codes that more than half bear, or a tenth and five times an even share; the largest first.

    Books of text and of digits are left out, as are places after the quantizer's: those only tell apart who shares what is before, and
    their first code is the commonest by design. A last place that no quantizer precedes is left out where it does the same (CID).
    """
    found: dict[tuple[int, str, int], Collapsed] = {}
    for names, quantizer in ((table.items, table.item_quantizer), (table.users, table.user_quantizer)):
        if names is None or not len(names):
            continue
        for place, book in enumerate(names.books):
            if book.texts is not None or digits(book) or _tells_apart(names.codes, place, quantizer):
                continue
            codes = names.codes[:, place]
            counts = np.bincount(codes[codes >= 0], minlength=book.size)
            known = int(counts.sum())
            for code in np.flatnonzero((counts >= LEAST) & (counts > PART * known)):
                share = float(counts[code] / known)
                times = share * book.size
                if share > MOST_OF_ALL or times >= TIMES:
                    one = Collapsed(place, book.prefix, int(code), str(book.spell(int(code))), int(counts[code]), share, times)
                    old = found.get((place, book.prefix, int(code)))
                    found[place, book.prefix, int(code)] = one if old is None or one.share > old.share else old
    return tuple(sorted(found.values(), key=lambda one: (-one.share, one.place, one.book, one.code)))


def _tells_apart(codes: np.ndarray, place: int, quantizer: object) -> bool:
    sizes = getattr(quantizer, "sizes", None)
    if sizes is not None:
        return place >= len(sizes)
    if place == 0 or place < codes.shape[1] - 1:
        return False
    # a number under a branch: within every branch no two are alike
    _, branch = np.unique(codes[:, :place], axis=0, return_inverse=True)
    pairs = branch.reshape(-1).astype(np.int64) * (int(codes.max(initial=0)) + 2) + codes[:, place] + 1
    return len(np.unique(pairs)) == len(codes)
