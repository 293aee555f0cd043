"""Residual quantization: a coarse code, then a code for what the first left over, and so on.

Where it stands: inside stage 3; TIGER names items with it. Here are the frozen quantizer and its making by k-means, level by level;
`rqvae.py` makes the same value by training. What it does not know: names, users, items, torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Floats, Ints

BLOCK = 256  # rows quantized at once, always so many: a row's bits do not depend on its company


@dataclass(frozen=True, eq=False)
class Residual:
    """One code per level: the codeword nearest to what the levels before left over.

    mean, scale: (d,) of the rows it was fitted on; rows are centred and scaled by them, once and for all. books: one (k, h) array per
    level. encoder, decoder: weights and biases in turn, (in, out) and (out,), with a ReLU between layers; () where codes are taken from
    the scaled rows themselves (then h = d).
    """

    mean: Floats
    scale: Floats
    books: tuple[Floats, ...]
    encoder: tuple[Floats, ...] = ()
    decoder: tuple[Floats, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(book) for book in self.books)

    def encode(self, rows: Floats) -> Ints:
        """(n, d) to (n, levels) int32; of equally near codewords the first."""
        if rows.ndim != 2 or rows.shape[1] != len(self.mean):
            raise ValueError(f"rows {rows.shape} do not fit this quantizer: it was made for vectors of width {len(self.mean)}")
        out = np.empty((len(rows), len(self.books)), dtype=np.int32)
        block = np.zeros((BLOCK, len(self.mean)), dtype=np.float32)
        for first in range(0, len(rows), BLOCK):
            part = rows[first : first + BLOCK]
            block[: len(part)] = (part - self.mean) / self.scale
            left = dense(block, self.encoder)
            for level, book in enumerate(self.books):
                code = nearest(left, book)
                left = left - book[code]
                out[first : first + BLOCK, level] = code[: len(part)]
        return out

    def decode(self, codes: Ints) -> Floats:
        """(n, levels) to (n, d): the sum of the codewords, through the decoder, back in the space of the rows."""
        chosen = np.zeros((len(codes), self.books[0].shape[1]), dtype=np.float32)
        for level, book in enumerate(self.books):
            chosen += book[codes[:, level]]
        return np.asarray(dense(chosen, self.decoder) * self.scale + self.mean, dtype=np.float32)


@dataclass(frozen=True)
class RqKMeans:
    """Makes a `Residual` by k-means on the rows, then on what is left of them, level by level. restarts: runs per level; the best stays."""

    n_levels: int = 3
    n_codes: int = 256
    restarts: int = 3

    def __post_init__(self) -> None:
        for name in ("n_levels", "n_codes", "restarts"):
            if getattr(self, name) < 1:
                raise ValueError(f"residual k-means: {name} is {getattr(self, name)}, but must be at least 1: raise it in the recipe")

    def fit(self, rows: Floats, rng: np.random.Generator) -> Residual:
        """rows: (n, d). Fewer rows than codes make smaller books."""
        mean, scale = standard(rows)
        left = np.asarray((rows - mean) / scale, dtype=np.float32)
        return Residual(mean, scale, residual_kmeans(left, self.n_levels, self.n_codes, rng, self.restarts))


def residual_kmeans(left: Floats, n_levels: int, n_codes: int, rng: np.random.Generator, restarts: int = 1) -> tuple[Floats, ...]:
    """One book per level, (k, h) each, k = n_codes or the number of rows if that is less. `left` is not changed."""
    books = []
    for _ in range(n_levels):
        book = kmeans(left, n_codes, int(rng.integers(2**31)), restarts)
        books.append(book)
        left = np.concatenate([part - book[nearest(part, book)] for part in np.array_split(left, max(1, len(left) // 8192))])
    return tuple(books)


def kmeans(rows: Floats, k: int, seed: int, restarts: int = 1) -> Floats:
    """(k, d) centres, or as many as there are rows. Above 256 rows per centre a sample is taken."""
    import faiss

    means = faiss.Kmeans(rows.shape[1], min(k, len(rows)), niter=25, nredo=restarts, seed=seed, min_points_per_centroid=1)
    means.train(np.ascontiguousarray(rows, dtype=np.float32))
    return np.array(means.centroids, dtype=np.float32)


def standard(rows: Floats) -> tuple[Floats, Floats]:
    """Mean and spread of each coordinate, (d,) and (d,); a coordinate that does not vary has spread 1."""
    if not len(rows):
        raise ValueError("there are no vectors to quantize: load a catalogue with items")
    if not np.isfinite(rows).all():
        raise ValueError(f"vector {int((~np.isfinite(rows)).any(1).argmax())} is not finite, and nothing is near it: look at the embedder")
    mean, spread = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
    floor = 1e-6 * max(float(spread.max()), float(np.abs(mean).max()))
    return mean.astype(np.float32), np.where(spread > floor, spread, 1).astype(np.float32)


def nearest(rows: Floats, book: Floats) -> NDArray[np.int64]:
    """(n,) the codeword at the least squared distance from each row."""
    return np.asarray(((book**2).sum(1) - 2 * rows @ book.T).argmin(1))


def dense(rows: Floats, layers: tuple[Floats, ...]) -> Floats:
    """Rows through weights and biases, with a ReLU between layers; no layers, no change."""
    for i in range(0, len(layers), 2):
        rows = rows @ layers[i] + layers[i + 1]
        if i + 2 < len(layers):
            rows = np.maximum(rows, 0)
    return rows
