"""RQ-VAE: an autoencoder trained around residual codes, TIGER's quantizer.

Where it stands: inside stage 3, beside `residual.py`, whose frozen `Residual` it returns. What it does not know: names, users, items.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from llmrec import progress
from llmrec.contracts import Floats
from llmrec.ids.vq.residual import Residual, residual_kmeans, standard

if TYPE_CHECKING:
    import torch

WARM_UP = 0.1  # of the steps the autoencoder goes without codes, so that k-means starts the books where the latents will be
SETTLED = 0.8  # of the steps after which no code moves house any more
REVIVE_EVERY = 50  # steps without a row after which a code moves
SAMPLE = 65_536  # rows that start the books


@dataclass(frozen=True)
class RqVae:
    """Makes a `Residual` with an encoder and a decoder by training them and the books together.

    hidden: widths between the vectors and the `latent` space of the codes, mirrored in the decoder. beta: weight of the commitment.
    steps of Adam on `batch` rows, the rate falling from `rate` on a cosine. Before them the vectors are centred and scaled.
    Source: TIGER (arXiv 2305.05065, section on RQ-VAE), which gives widths 512, 256, 128, latent 32, three books of 256, beta 0.25.
    """

    n_levels: int = 3
    n_codes: int = 256
    hidden: tuple[int, ...] = (256, 128)
    latent: int = 32
    beta: float = 0.25
    steps: int = 1000
    batch: int = 512
    rate: float = 3e-3

    def __post_init__(self) -> None:
        for name in ("n_levels", "n_codes", "latent", "steps", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"rqvae: {name} is {getattr(self, name)}, but must be at least 1: raise it in the recipe")
        if any(width < 1 for width in self.hidden):
            raise ValueError(f"rqvae: hidden is {self.hidden}, but all widths must be at least 1: raise them in the recipe")
        if self.beta < 0 or self.rate <= 0:
            raise ValueError(f"rqvae: beta {self.beta} must be 0 or more and rate {self.rate} above 0: change them in the recipe")

    def fit(self, rows: Floats, rng: np.random.Generator, one_scale: bool = False) -> Residual:
        """rows: (n, d). The same generator gives the same bits on one machine; `rows` is not changed. one_scale: as in `RqKMeans.fit`."""
        import torch

        mean, scale = standard(rows, one_scale)
        draw = torch.Generator().manual_seed(int(rng.integers(2**62)))

        def some(size: int) -> torch.Tensor:
            picked = rng.choice(len(rows), size, replace=False) if size < len(rows) else rng.permutation(len(rows))
            return torch.from_numpy(np.asarray((rows[picked] - mean) / scale, dtype=np.float32))

        widths = [rows.shape[1], *self.hidden, self.latent]
        net = Net(layers(widths, draw), layers(widths[::-1], draw))
        with torch.enable_grad():
            self._train(net, some, rng)
        return Residual(mean, scale, *(tuple(t.detach().numpy().copy() for t in part) for part in (net.books, net.encoder, net.decoder)))

    def _train(self, net: Net, some: Callable[[int], torch.Tensor], rng: np.random.Generator) -> None:
        import torch

        optimizer = torch.optim.Adam([*net.encoder, *net.decoder], lr=self.rate)
        start = int(self.steps * WARM_UP)
        for step in range(self.steps):
            progress.say("residual codes", step, self.steps)
            if step == start:
                with torch.no_grad():
                    latents = through(some(SAMPLE), net.encoder).numpy()
                with progress.listening(None):  # a part of these codes, and no stage of its own
                    books = residual_kmeans(latents, self.n_levels, self.n_codes, rng)
                net.books = [torch.from_numpy(b).requires_grad_() for b in books]
                used = [np.zeros(len(book), dtype=bool) for book in net.books]
                optimizer.add_param_group({"params": net.books})
            for group in optimizer.param_groups:
                group["lr"] = self.rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))
            rows = some(self.batch)
            total, codes = net.loss(rows, self.beta)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            for seen, code in zip(used if codes else (), codes, strict=True):
                seen[code.numpy()] = True
            if codes and (step + 1 - start) % REVIVE_EVERY == 0 and step < SETTLED * self.steps:
                net.revive(rows, used, rng)
                for seen in used:
                    seen[:] = False
        progress.say("residual codes", 1, 1)


@dataclass
class Net:
    """What is trained. encoder, decoder: weights (in, out) and biases (out,) in turn; books: (k, h) each, none before k-means."""

    encoder: list[torch.Tensor]
    decoder: list[torch.Tensor]
    books: list[torch.Tensor] = field(default_factory=list)

    def loss(self, rows: torch.Tensor, beta: float) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The mean over rows of |x - y|^2 + sum over levels of |sg[r] - e|^2 + beta |r - sg[e]|^2, and the codes of each level, (b,).

        x (b, d): rows; z = encoder(x); r: what the levels before left of z; e: the nearest codeword; y = decoder(sum of e). Where y
        asks for gradients, z gets them in the place of the codewords (straight through).
        """
        import torch

        z = through(rows, self.encoder)  # (b, h)
        left, terms, codes = z, rows.new_zeros(len(rows)), []
        for book in self.books:
            code = nearest(left.detach(), book.detach())
            word = torch.nn.functional.embedding(code, book)  # its gradient sums in a fixed order; indexing's does not
            terms = terms + ((left.detach() - word) ** 2).sum(1) + beta * ((left - word.detach()) ** 2).sum(1)
            left = left - word.detach()
            codes.append(code)
        chosen = z - left.detach() if codes else z  # the sum of the codewords in value, z in gradient
        return (((through(chosen, self.decoder) - rows) ** 2).sum(1) + terms).mean(), codes

    def revive(self, rows: torch.Tensor, used: Sequence[np.ndarray], rng: np.random.Generator) -> None:
        """Each code that nobody used moves onto what its level finds left of some row."""
        import torch

        with torch.no_grad():
            left = through(rows, self.encoder)
            for book, seen in zip(self.books, used, strict=True):
                dead = np.flatnonzero(~seen)
                if len(dead):
                    book[torch.from_numpy(dead)] = left[torch.from_numpy(rng.integers(len(left), size=len(dead)))]
                left = left - book[nearest(left, book)]


def layers(widths: Sequence[int], draw: torch.Generator) -> list[torch.Tensor]:
    """Fresh weights and biases in turn, drawn so that a ReLU keeps the size of what passes."""
    import torch

    made = []
    for into, out in itertools.pairwise(widths):
        weight = torch.empty(into, out).uniform_(-1, 1, generator=draw) * math.sqrt(3 / into)
        made += [weight.requires_grad_(), torch.zeros(out, requires_grad=True)]
    return made


def through(rows: torch.Tensor, stack: Sequence[torch.Tensor]) -> torch.Tensor:
    """Rows through the layers, with a ReLU between them."""
    for i in range(0, len(stack), 2):
        rows = rows @ stack[i] + stack[i + 1]
        if i + 2 < len(stack):
            rows = rows.relu()
    return rows


def nearest(rows: torch.Tensor, book: torch.Tensor) -> torch.Tensor:
    """(b,) the codeword at the least squared distance from each row."""
    return ((book**2).sum(1) - 2 * rows @ book.T).argmin(1)
