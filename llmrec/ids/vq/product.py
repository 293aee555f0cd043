"""Product quantization: a vector is cut into parts, and each part has a book of its own.

Where it stands: inside stage 3; TokenRec's names by k-means, for comparison. What it does not know: names, users, items, torch.

Source: Jegou et al. 2011, the product quantizer. The paper of TokenRec compares with k-means; this is the k-means that has as many books
and codes as the masked quantizer.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from llmrec import progress
from llmrec.contracts import Floats, Ints
from llmrec.ids.vq import blocks
from llmrec.ids.vq.residual import SAMPLED, kmeans


@dataclass(frozen=True, eq=False)
class Product:
    """One code per part: the centre nearest to that part of the row. books: one (k, width) array per part, the parts side by side."""

    books: tuple[Floats, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(book) for book in self.books)

    def encode(self, rows: Floats) -> Ints:
        """(n, d) to (n, parts) int32; of equally near centres the first. A row's codes hang on the row alone: see `blocks.encode`."""
        edges = np.cumsum([0, *(book.shape[1] for book in self.books)])
        turned = [blocks.turned(book) for book in self.books]

        def codes(block: Floats) -> Ints:
            parts = (np.ascontiguousarray(block[:, a:b]) for a, b in itertools.pairwise(edges))
            return np.stack([blocks.nearest(part, book) for part, book in zip(parts, turned, strict=True)], axis=1)

        return blocks.encode(rows, int(edges[-1]), len(self.books), codes)

    def decode(self, codes: Ints) -> Floats:
        """(n, parts) to (n, d): the centres side by side."""
        return np.concatenate([book[codes[:, k]] for k, book in enumerate(self.books)], axis=1)


@dataclass(frozen=True)
class ProductKMeans:
    """Makes a `Product` by k-means on each part. n_books: parts, as equal as the width allows; restarts: runs per part; the best stays."""

    n_books: int = 3
    n_codes: int = 256
    restarts: int = 3

    def __post_init__(self) -> None:
        for name in ("n_books", "n_codes", "restarts"):
            if getattr(self, name) < 1:
                raise ValueError(f"product k-means: {name} is {getattr(self, name)}, but must be at least 1: raise it in the recipe")

    def fit(self, rows: Floats, rng: np.random.Generator) -> Product:
        """rows: (n, d), d at least n_books. Fewer rows than codes make smaller books; many more are sampled, once for all parts."""
        if not len(rows) or not np.isfinite(rows).all():
            raise ValueError(f"product k-means: {rows.shape} rows, of which some are not finite or none is there: look at the embed stage")
        if rows.shape[1] < self.n_books:
            raise ValueError(f"product k-means: {self.n_books} books for vectors of {rows.shape[1]} numbers: take fewer books")
        most = SAMPLED * self.n_codes
        seen = rows if len(rows) <= most else rows[np.sort(rng.choice(len(rows), most, replace=False))]
        parts = np.array_split(np.asarray(seen, dtype=np.float32), self.n_books, axis=1)
        books = []
        for at, part in enumerate(parts):
            progress.say("product k-means", at, len(parts))
            books.append(kmeans(part, self.n_codes, int(rng.integers(2**31)), self.restarts))
        progress.say("product k-means", 1, 1)
        return Product(tuple(books))
