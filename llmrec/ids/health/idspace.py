"""Ids as vectors, so that two names can be compared: by the learned rows of their Tokens, or by the pieces they share.

Where it stands: under memorization and diversity. What it does not know: behaviour, language models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmrec.contracts import Floats, IdTable, Ints, Names

UNIT = re.compile(r"\d|[^\W\d_]+")
Spell = Callable[[int], Sequence[Hashable]]


@dataclass(frozen=True)
class Bags:
    """The pieces of some Ids, each counted once. matrix: (n, n_pieces) sparse 0/1; sizes: (n,) pieces of each."""

    matrix: Any
    sizes: np.ndarray

    def shared(self, a: Ints, b: Ints) -> np.ndarray:
        """How many pieces the Ids a[p] and b[p] have in common: (p,) float64."""
        return np.asarray(self.matrix[a].multiply(self.matrix[b]).sum(axis=1), dtype=np.float64).ravel()

    def cosine(self, a: Ints, b: Ints) -> np.ndarray:
        """Cosine of the 0/1 vectors: (p,) float64, 0 where one has no piece."""
        length = np.sqrt(self.sizes[a] * self.sizes[b])
        return np.asarray(np.divide(self.shared(a, b), length, out=np.zeros(len(a)), where=length > 0))


def bags(names: Names, which: Ints, spell: Spell | None = None) -> Bags:
    """The pieces of the Ids `which`, as sets.

    A Token counts with its place: rank 3 of one cluster and rank 3 of another are the same row of the vocabulary, and so are shared.
    A piece of text is split into words, which may stand anywhere, and digits, which count by place, as language models that split
    digits read numbers. `spell(index)` replaces all of that: whatever it returns are the pieces, such as a backbone's own subwords.
    """
    from scipy.sparse import csr_matrix

    if spell is None and all(book.token and book.texts is None for book in names.books):
        start = np.cumsum([0, *(book.size for book in names.books)])
        codes = names.codes[which]
        used = codes >= 0
        columns, lengths = (codes.astype(np.int64) + start[:-1])[used], used.sum(axis=1)
        width = int(start[-1])
    else:
        number: dict[Hashable, int] = {}
        sets = [set(_units(names, int(i)) if spell is None else spell(int(i))) for i in which]
        rows = [sorted(number.setdefault(piece, len(number)) for piece in pieces) for pieces in sets]
        columns, lengths = np.asarray([c for row in rows for c in row], dtype=np.int64), np.asarray([len(r) for r in rows], dtype=np.int64)
        width = len(number)
    ones = np.ones(len(columns))
    matrix = csr_matrix((ones, columns, np.concatenate([[0], np.cumsum(lengths)])), shape=(len(which), width))
    return Bags(matrix, lengths.astype(np.float64))


def embeddings(table: IdTable, which: Ints, rows: Floats) -> Floats:
    """Each item's Id as the mean of its Tokens' rows: (len(which), d) float32. rows: (n_tokens, d) in the order of `table.tokens`."""
    n_tokens = sum(book.size for book in table.books)
    if rows.ndim != 2 or len(rows) != n_tokens:
        raise ValueError(f"rows have shape {rows.shape}, but {table.scheme} has {n_tokens} Tokens: give one row per Token, in its order")
    start = dict(zip((b.prefix for b in table.books), np.cumsum([0, *(b.size for b in table.books)]).tolist(), strict=False))
    total = np.zeros((len(which), rows.shape[1]), dtype=np.float32)
    count = np.zeros((len(which), 1), dtype=np.float32)
    for place, book in enumerate(table.items.books):
        if not book.token or book.texts is not None:
            continue
        codes = table.items.codes[which, place]
        used = codes >= 0
        total[used] += rows[codes[used] + start[book.prefix]]
        count[used] += 1
    return np.asarray(np.divide(total, count, out=total, where=count > 0), dtype=np.float32)


def cosine_rows(x: Floats, a: Ints, b: Ints) -> np.ndarray:
    """Cosine of the rows a[p] and b[p]: (p,) float64, 0 where one of them is all zero."""
    length = np.linalg.norm(x, axis=1)
    product = np.einsum("pd,pd->p", x[a], x[b]).astype(np.float64)
    both = length[a].astype(np.float64) * length[b]
    return np.asarray(np.divide(product, both, out=np.zeros(len(a)), where=both > 0))


def _units(names: Names, index: int) -> Iterator[Hashable]:
    for place, (book, code) in enumerate(zip(names.books, names.codes[index].tolist(), strict=True)):
        if code < 0:
            continue
        piece = book.spell(code)
        if book.token and book.texts is None:
            yield place, str(piece)
            continue
        for position, unit in enumerate(UNIT.findall(piece)):
            yield (place, position, unit) if unit.isdigit() else unit.casefold()
