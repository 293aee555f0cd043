"""Residual quantization: a coarse code, then a code for what the first left over, and so on.

Where it stands: inside stage 3; TIGER names items with it. Here are the frozen quantizer and its making by k-means, level by level;
`rqvae.py` makes the same value by training. What it does not know: names, users, items, torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec import progress
from llmrec.contracts import Floats, Ints
from llmrec.ids.vq import blocks

PART = 2048  # rows looked at once where all are looked at: a million wide rows are not held twice
SAMPLED = 256  # rows per code that k-means looks at, at most


@dataclass(frozen=True, eq=False)
class Residual:
    """One code per level: the codeword nearest to what the levels before left over.

    mean, scale: (d,) of the rows it was fitted on; rows are centred and divided by them, once and for all. books: one (k, h) array per
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
        """(n, d) to (n, levels) int32; of equally near codewords the first. A row's codes hang on the row alone: see `blocks.encode`."""
        turned = [blocks.turned(book) for book in self.books]

        def codes(block: Floats) -> Ints:
            out = np.empty((len(block), len(self.books)), dtype=np.int32)
            block -= self.mean
            block /= self.scale
            left = dense(block, self.encoder)
            for level, book in enumerate(turned):
                if level:
                    left -= self.books[level - 1].take(out[:, level - 1], axis=0)
                out[:, level] = blocks.nearest(left, book)
            return out

        return blocks.encode(rows, len(self.mean), len(self.books), codes)

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

    def fit(self, rows: Floats, rng: np.random.Generator, one_scale: bool = False) -> Residual:
        """rows: (n, d). Fewer rows than codes make smaller books. Above 256 rows per code a sample of so many makes all books.

        one_scale: divide all coordinates by one number, so that what is near stays near; otherwise each by its own spread.
        """
        mean, scale = standard(rows, one_scale)
        most = SAMPLED * self.n_codes
        picked = slice(None) if len(rows) <= most else np.sort(rng.choice(len(rows), most, replace=False))
        left = np.asarray(rows[picked] - mean, dtype=np.float32)
        left /= scale
        return Residual(mean, scale, residual_kmeans(left, self.n_levels, self.n_codes, rng, self.restarts))


def residual_kmeans(left: Floats, n_levels: int, n_codes: int, rng: np.random.Generator, restarts: int = 1) -> tuple[Floats, ...]:
    """One book per level, (k, h) each, k = n_codes or the number of rows if that is less. `left` is not changed."""
    books: list[Floats] = []
    left = np.array(left, dtype=np.float32)
    for level in range(n_levels):
        progress.say("residual k-means", level, n_levels)
        book = kmeans(left, n_codes, int(rng.integers(2**31)), restarts)
        books.append(book)
        for first in range(0, len(left), PART):
            part = left[first : first + PART]  # a view: what is left is written over what was there
            part -= book[blocks.nearest(part, blocks.turned(book))]
    progress.say("residual k-means", 1, 1)
    return tuple(books)


def kmeans(rows: Floats, k: int, seed: int, restarts: int = 1) -> Floats:
    """(k, d) centres, or as many as there are rows. Above `SAMPLED` rows per centre a sample is taken."""
    import faiss

    means = faiss.Kmeans(
        rows.shape[1], min(k, len(rows)), niter=25, nredo=restarts, seed=seed, min_points_per_centroid=1, max_points_per_centroid=SAMPLED
    )
    means.train(np.ascontiguousarray(rows, dtype=np.float32))
    return np.array(means.centroids, dtype=np.float32)


def standard(rows: Floats, one_scale: bool = False) -> tuple[Floats, Floats]:
    """Mean and spread of each coordinate, (d,) and (d,); a coordinate that does not vary has spread 1. one_scale: d times the same
    spread, that of all numbers together."""
    if not len(rows):
        raise ValueError("there are no vectors to quantize: load a catalogue with items")
    mean, spread = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for first in range(0, len(rows), PART):
        part = rows[first : first + PART]
        if not np.isfinite(part).all():
            row = first + int((~np.isfinite(part)).any(1).argmax())
            raise ValueError(f"vector {row} is not finite, and nothing is near it: look at the embedder")
        mean += part.sum(0, dtype=np.float64)
    mean /= len(rows)
    for first in range(0, len(rows), PART):
        spread += ((rows[first : first + PART] - mean) ** 2).sum(0)
    spread = np.sqrt(spread / len(rows))
    floor = 1e-6 * max(float(spread.max()), float(np.abs(mean).max()))
    if one_scale:
        spread = np.full_like(spread, np.sqrt(np.mean(spread**2)))
    return mean.astype(np.float32), np.where(spread > floor, spread, 1).astype(np.float32)


def dense(rows: Floats, layers: tuple[Floats, ...]) -> Floats:
    """Rows through weights and biases, with a ReLU between layers; no layers, no change."""
    for i in range(0, len(layers), 2):
        rows = rows @ layers[i]
        rows += layers[i + 1]
        if i + 2 < len(layers):
            np.maximum(rows, 0, out=rows)
    return rows
