"""Masked vector quantization: K encoders look at a vector with holes in it, K codes must let the decoder tell the whole vector.

Where it stands: inside stage 3; TokenRec names users and items with it, newcomers included. What it does not know: names, users, items,
where vectors come from.

Source: arXiv 2406.10450, the section on the masked vector-quantized tokenizer. `Masked` is what learning leaves: arrays, no torch.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llmrec import progress
from llmrec.contracts import Floats, Ints
from llmrec.ids.vq import blocks

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WARM = 6  # the first of so many parts of the steps goes by without books, so that k-means finds encoders that say something
REVIVE = 50  # steps between two looks for dead codes
SETTLE = 0.8  # of the steps: after them no code is moved any more
SAMPLED = 256  # rows per code that k-means looks at, at most


@dataclass(frozen=True, eq=False)
class Masked:
    """K codes per row, one of each book, each the codeword nearest to what that book's encoder says of the row.

    A row counts by its direction alone: it is brought to length 1, `mean` (d,) is taken off, and it is divided by `scale`, (1,). A row of
    zeros is the direction nothing, and gets codes like any other.
    encoders: first weights (K, d, h), their bias (K, h), second weights (K, h, c), their bias (K, c). books: (K, L, c).
    decoder: the same four without K, from c over h to d; it reads the mean of the K codewords.
    """

    mean: Floats
    scale: Floats
    encoders: tuple[Floats, Floats, Floats, Floats]
    books: Floats
    decoder: tuple[Floats, Floats, Floats, Floats]

    @property
    def sizes(self) -> tuple[int, ...]:
        return (int(self.books.shape[1]),) * len(self.books)

    def encode(self, rows: Floats) -> Ints:
        """(n, d) to (n, K) int32. Nothing is masked and `rows` stays as it is; of codewords equally near the first is taken.

        A row's codes hang on nothing but the row: see `blocks.encode`.
        """
        return blocks.encode(rows, len(self.mean), len(self.books), functools.partial(self._codes, self._ready()))

    def _ready(self) -> tuple[Floats, Floats, list[tuple[Floats, Floats]]]:
        """The arrays as the products want them: all first layers side by side (d, K * h), their bias, the books on their side."""
        w1, b1 = self.encoders[:2]
        wide = np.ascontiguousarray(w1.transpose(1, 0, 2).reshape(len(self.mean), -1))
        return wide, b1.reshape(-1), [blocks.turned(book) for book in self.books]

    def _codes(self, ready: tuple[Floats, Floats, list[tuple[Floats, Floats]]], block: Floats) -> Ints:
        wide, bias, books = ready
        w2, b2 = self.encoders[2:]
        inner = np.maximum(standardise(block, self.mean, self.scale) @ wide + bias, 0).reshape(len(block), len(books), -1)
        said = (np.ascontiguousarray(inner[:, k]) @ w2[k] + b2[k] for k in range(len(books)))
        return np.stack([blocks.nearest(s, book) for s, book in zip(said, books, strict=True)], axis=1, dtype=np.int32, casting="same_kind")

    def decode(self, codes: Ints) -> Floats:
        """(n, K) to (n, d): the directions that the codes stand for, of about length 1."""
        v1, u1, v2, u2 = self.decoder
        mean = np.mean([book[codes[:, k]] for k, book in enumerate(self.books)], axis=0, dtype=np.float32)
        return np.asarray((np.maximum(mean @ v1 + u1, 0) @ v2 + u2) * self.scale + self.mean, dtype=np.float32)


def standardise(rows: Floats, mean: Floats, scale: Floats) -> Floats:
    """Rows as the nets see them: length 1 (or 0), less the mean, over the scale. A new array."""
    length = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
    return np.asarray((rows / np.where(length > 0, length, 1) - mean) / scale, dtype=np.float32)


@dataclass(frozen=True)
class MaskedVq:
    """How a `Masked` is learned.

    n_books: K; n_codes: L (fewer where there are fewer rows); mask: the share of numbers hidden from the encoders, drawn anew for every
    row of every batch; beta: weight of the commitment; hidden: width of the nets; steps of `batch` rows each, whatever the number of rows;
    lr: of AdamW, falling on a half cosine.
    """

    n_books: int = 3
    n_codes: int = 256
    mask: float = 0.2
    beta: float = 0.25
    hidden: int = 128
    steps: int = 1500
    batch: int = 512
    lr: float = 0.005

    def __post_init__(self) -> None:
        for name in ("n_books", "n_codes", "hidden", "steps", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"masked quantizer: {name} is {getattr(self, name)}, but must be at least 1: raise it")
        if not 0 <= self.mask < 1:
            raise ValueError(f"masked quantizer: mask is {self.mask}, but must be a share from 0 to below 1, such as 0.2")
        if self.beta < 0 or not self.lr > 0:
            raise ValueError(f"masked quantizer: beta is {self.beta} and lr {self.lr}, but beta must be 0 or more and lr above 0")

    def fit(self, rows: Floats, rng: np.random.Generator, frozen: bool = False) -> Masked:
        """Learn on (n, d) rows; those of zeros teach nothing and are left out. The same rng state, threads and machine give the same bits.

        frozen: leave the encoders as they were drawn, which is what the released code comes to. For comparison only.
        """
        import torch

        known = rows[np.any(rows != 0, axis=1)]
        known = known if len(known) else rows
        if not len(known) or not np.isfinite(known).all():
            raise ValueError(f"masked quantizer: {rows.shape} rows, of which some are not finite or none is there: look at the embed stage")
        flat = np.zeros(known.shape[1], dtype=np.float32)
        mean = np.asarray(standardise(known, flat, np.ones(1, np.float32)).mean(0, dtype=np.float64), dtype=np.float32)
        spread = standardise(known, mean, np.ones(1, np.float32))
        scale = np.asarray([max(float(np.sqrt(np.mean(spread**2, dtype=np.float64))), 1e-6)], dtype=np.float32)
        spread /= scale  # in place: a million rows are held twice, not three times
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        net = Net.drawn(known.shape[1], self.hidden, self.n_books, generator)
        _learn(self, net, torch.from_numpy(spread), generator, frozen)
        return net.finished(mean, scale)


class Net:
    """The tensors while they learn. encoders, books, decoder as in `Masked`, biases an axis more; no books before the k-means start."""

    def __init__(self, encoders: list[Tensor], decoder: list[Tensor], books: Tensor | None = None) -> None:
        self.encoders, self.decoder, self.books = encoders, decoder, books

    @classmethod
    def drawn(cls, d: int, hidden: int, n_books: int, generator: torch.Generator) -> Net:
        """He's start: normal weights, biases of zero. Codewords are as wide as the vectors."""
        import torch

        def normal(*shape: int, gain: float) -> Tensor:
            return torch.randn(*shape, generator=generator) * math.sqrt(gain / shape[-2])

        k, h = n_books, hidden
        encoders = [normal(k, d, h, gain=2), torch.zeros(k, 1, h), normal(k, h, d, gain=1), torch.zeros(k, 1, d)]
        return cls(encoders, [normal(d, h, gain=2), torch.zeros(h), normal(h, d, gain=1), torch.zeros(d)])

    def says(self, rows: Tensor) -> Tensor:
        """What the encoders make of (b, d) rows: (K, b, c)."""
        w1, b1, w2, b2 = self.encoders
        return (rows @ w1 + b1).relu() @ w2 + b2

    def codes(self, said: Tensor) -> Tensor:
        """The nearest codewords: (K, b)."""
        assert self.books is not None
        return ((self.books**2).sum(2)[:, None] - 2 * said @ self.books.transpose(1, 2)).argmin(2)

    def tells(self, mean: Tensor) -> Tensor:
        """The decoder: (b, c) means of codewords to (b, d) rows."""
        v1, u1, v2, u2 = self.decoder
        return (mean @ v1 + u1).relu() @ v2 + u2

    def finished(self, mean: Floats, scale: Floats) -> Masked:
        """The arrays, copied out."""
        assert self.books is not None
        w1, b1, w2, b2 = (np.array(t.detach().numpy()) for t in self.encoders)
        v1, u1, v2, u2 = (np.array(t.detach().numpy()) for t in self.decoder)
        return Masked(mean, scale, (w1, b1[:, 0], w2, b2[:, 0]), np.array(self.books.detach().numpy()), (v1, u1, v2, u2))


def masked_loss(net: Net, rows: Tensor, hidden: Tensor, beta: float) -> tuple[Tensor, Tensor, Tensor]:
    """|q - r|^2 + sum_k |sg[a] - c|^2 + beta sum_k |a - sg[c]|^2, averaged over rows. Until the books start: |q - r|^2 without them.

    rows: (b, d), standardised; hidden: (b, d) bool, what the encoders do not see (0, the mean, stands there). r is compared with the WHOLE
    row. Gradients pass the codes straight through into the encoders. Returns the loss, what the encoders said (K, b, c), the codes (K, b).
    """
    import torch

    said = net.says(rows.masked_fill(hidden, 0))
    if net.books is None:
        return ((rows - net.tells(said.mean(0))) ** 2).sum(1).mean(), said, torch.zeros(said.shape[:2], dtype=torch.int64)
    with torch.no_grad():
        codes = net.codes(said)
    n_books, n_codes, width = net.books.shape
    places = codes + n_codes * torch.arange(n_books)[:, None]
    words = torch.nn.functional.embedding(places, net.books.view(-1, width))  # its gradient sums in a fixed order; indexing's does not
    through = said + (words - said).detach()
    told = ((rows - net.tells(through.mean(0))) ** 2).sum(1).mean()
    book = ((said.detach() - words) ** 2).sum(2).mean(1).sum()
    commitment = ((said - words.detach()) ** 2).sum(2).mean(1).sum()
    return told + book + beta * commitment, said, codes


def draw_mask(shape: tuple[int, int], share: float, generator: torch.Generator) -> Tensor:
    """(b, d) bool: every number of every row is hidden on its own with probability `share`."""
    import torch

    return torch.rand(shape, generator=generator) < share


def revive(books: Tensor, used: Tensor, said: Tensor, generator: torch.Generator) -> None:
    """Move every code that nobody used, in place, to what an encoder just said of a random row. used: (K, L) counts; said: (K, b, c)."""
    import torch

    for k in range(len(books)):
        dead = (used[k] == 0).nonzero()[:, 0]
        books.data[k, dead] = said.detach()[k, torch.randint(said.shape[1], (len(dead),), generator=generator)]


def _learn(settings: MaskedVq, net: Net, rows: Tensor, generator: torch.Generator, frozen: bool) -> None:
    """All steps, on the net's own tensors: encoders and decoder alone, then the k-means start, then everything."""
    import torch

    learned = net.decoder + ([] if frozen else net.encoders)
    optimizer = torch.optim.AdamW([t.requires_grad_() for t in learned], lr=settings.lr, weight_decay=0)
    start = settings.steps // WARM
    used = torch.zeros(settings.n_books, 1)
    for step in range(settings.steps):
        progress.say("masked codes", step, settings.steps)
        if step == start:
            net.books = _kmeans_start(settings, net, rows, generator).requires_grad_()
            optimizer.add_param_group({"params": [net.books]})
            used = torch.zeros(net.books.shape[:2])
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * (1 + math.cos(math.pi * step / settings.steps)) / 2
        batch = rows[torch.randint(len(rows), (settings.batch,), generator=generator)]
        loss, said, codes = masked_loss(net, batch, draw_mask((len(batch), rows.shape[1]), settings.mask, generator), settings.beta)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if net.books is None:
            continue
        used += torch.stack([torch.bincount(c, minlength=used.shape[1]) for c in codes])
        if (step + 1 - start) % REVIVE == 0:
            if step < SETTLE * settings.steps:
                revive(net.books, used, said, generator)
            used.zero_()
    progress.say("masked codes", 1, 1)


def _kmeans_start(settings: MaskedVq, net: Net, rows: Tensor, generator: torch.Generator) -> Tensor:
    """Books (K, L, c): the centres of what each encoder says of the rows, nothing masked."""
    import faiss
    import torch

    n_codes = min(settings.n_codes, len(rows))
    sample = rows[torch.randperm(len(rows), generator=generator)[: SAMPLED * n_codes]]
    with torch.no_grad():
        said = net.says(sample).numpy()
    books = []
    for block in said:
        seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
        means = faiss.Kmeans(block.shape[1], n_codes, niter=20, seed=seed, min_points_per_centroid=1, max_points_per_centroid=SAMPLED)
        means.train(np.ascontiguousarray(block))
        books.append(np.array(means.centroids, dtype=np.float32))
    return torch.from_numpy(np.stack(books))
