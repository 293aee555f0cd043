"""Who has the same codes: rows of codes as groups, without a loop over rows and without a name spelled.

Where it stands: under health, difference and newcomers. What it does not know: what the codes mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Book, Ints, Names

Array = NDArray[np.int64]
ROOM = 2**62  # what one packed integer may hold


def labels(codes: Ints) -> tuple[Array, int]:
    """Group number of each row, equal where the whole rows are equal: (n, depth) -> (n,) int64 and how many groups there are.

    Groups are numbered by ascending codes, left to right, -1 first. Columns are packed into one integer, so a million rows sort as
    integers; where that integer would run over, what is packed so far is numbered anew.
    """
    n, depth = codes.shape
    packed = np.zeros(n, dtype=np.int64)
    room = 1
    for column in range(depth):
        values = codes[:, column].astype(np.int64) + 1
        width = int(values.max(initial=0)) + 1
        if room * width >= ROOM:
            packed, room = _dense(packed)
        packed = packed * width + values
        room *= width
    return _dense(packed)


def _dense(values: Array) -> tuple[Array, int]:
    found, number = np.unique(values, return_inverse=True)
    return number.astype(np.int64), len(found)


def rows_by_group(label: Array, n_groups: int) -> tuple[Array, Array]:
    """Rows sorted by group, ascending within one, and where each group begins: (n,) and (n_groups + 1,)."""
    order = np.argsort(label, kind="stable")
    return order, np.concatenate([[0], np.cumsum(np.bincount(label, minlength=n_groups))]).astype(np.int64)


def cells(a: Array, b: Array, n_b: int) -> Array:
    """For each row, how many rows have the same label in both: the cell of the contingency table it lies in, (n,)."""
    _, number, counts = np.unique(a * n_b + b, return_inverse=True, return_counts=True)
    return np.asarray(counts[number], dtype=np.int64)


def same_books(one: Sequence[Book], other: Sequence[Book]) -> bool:
    """Whether two sides spell alike at every place, so that a code means the same piece on both."""
    return [_spelling(b) for b in one] == [_spelling(b) for b in other]


def spelled_alike(names: Names) -> Ints:
    """The codes, but those of a book of texts that spell the same text become one: (n, depth)."""
    codes = names.codes
    for place, book in enumerate(names.books):
        if book.texts is None:
            continue
        first: dict[str, int] = {}
        alike = np.asarray([first.setdefault(text, code) for code, text in enumerate(book.texts)] + [-1], dtype=codes.dtype)
        if (alike[:-1] != np.arange(len(alike) - 1)).any():
            codes = codes.copy()
            codes[:, place] = alike[codes[:, place]]  # the last one is -1, where a name ends early
    return codes


def _spelling(book: Book) -> tuple[str, bool, tuple[str, ...] | None]:
    """What decides a piece: digits and texts do not spell the prefix."""
    return book.prefix if book.token and book.texts is None else "", book.token, book.texts
