"""Mult-VAE: a variational autoencoder of histories with a multinomial likelihood.

Where it stands: baselines of `recommend/`, beside EASE where the order of a history means nothing (CLLM4Rec's protocol).
What it does not know: users (a person is their history), order in time, how often an item was taken.

Source: Liang, Krishnan, Hoffman and Jebara 2018, "Variational Autoencoders for Collaborative Filtering" (arXiv 1802.05814).
With the default settings ML-100K (leave-one-out, ties in file order, seen items masked, test) gives H@10/N@10 .1389/.0702.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from llmrec import progress
from llmrec.contracts import Floats, Interactions, Ints, Queries, Ranked
from llmrec.recommend.topk import draw_ties, of_train, rank_one_by_one

BATCH = 100  # users a step


@dataclass(frozen=True)
class MultVae:
    """Settings; the net is the paper's, epochs and annealing were chosen on ML-100K's validation items.

    hidden, latent: widths of the net m -> hidden -> latent -> hidden -> m; dropout: share of a history hidden while learning;
    beta: weight of the KL term at its end; anneal: share of all steps in which it grows from 0 to beta; lr: Adam's step size.
    """

    hidden: int = 600
    latent: int = 200
    dropout: float = 0.5
    beta: float = 0.2
    anneal: float = 0.5
    lr: float = 1e-3
    epochs: int = 50

    def __post_init__(self) -> None:
        for name in ("hidden", "latent", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be 1 or more: leave it out to use {getattr(MultVae, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, but must lie in 0..1, 1 excluded: try {MultVae.dropout}")
        if not 0 <= self.beta < math.inf:
            raise ValueError(f"beta is {self.beta}, but must be 0 or more: try {MultVae.beta}")
        if not 0 <= self.anneal <= 1:
            raise ValueError(f"anneal is {self.anneal}, but must be a share of the steps, 0 to 1: try {MultVae.anneal}")
        if not 0 < self.lr < math.inf:
            raise ValueError(f"lr is {self.lr}, but must be a number above 0: try {MultVae.lr}")

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedMultVae:
        """Learn from train alone. rng draws the order of ties, the first weights, the order of users, dropout and the latent noise."""
        ties = draw_ties(train.n_items, rng)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        net = Net(self, train.n_items, generator)
        optimizer = torch.optim.Adam(net.parameters(), lr=self.lr)
        people = np.unique(train.user)
        n_batches = max(1, math.ceil(len(people) / BATCH))
        done = 0
        for _ in range(self.epochs if len(people) else 0):
            for rows in np.array_split(rng.permutation(people), n_batches):
                progress.say("Mult-VAE", done, self.epochs * n_batches)
                share = done / (self.anneal * self.epochs * n_batches) if self.anneal else 1.0
                optimizer.zero_grad()
                net.loss(taken(train, rows), self.dropout, self.beta * min(1.0, share), generator).backward()
                optimizer.step()
                done += 1
        progress.say("Mult-VAE", 1, 1)
        return FittedMultVae(net.requires_grad_(False), np.isin(np.arange(train.n_items), train.item), ties)


class Net(nn.Module):
    """Encoder and decoder, one hidden tanh layer each (section 2.1)."""

    def __init__(self, settings: MultVae, n_items: int, generator: torch.Generator) -> None:
        super().__init__()
        self.latent = settings.latent
        self.read = Layer(n_items, settings.hidden, generator)
        self.guess = Layer(settings.hidden, 2 * settings.latent, generator)
        self.widen = Layer(settings.latent, settings.hidden, generator)
        self.tell = Layer(settings.hidden, n_items, generator)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latent vector: (b, m) histories of unit length to two (b, latent)."""
        both = self.guess(torch.tanh(self.read(x)))
        return both[:, : self.latent], both[:, self.latent :]

    def decode(self, z: Tensor) -> Tensor:
        """Logits of all items: (b, latent) to (b, m)."""
        out: Tensor = self.tell(torch.tanh(self.widen(z)))
        return out

    def loss(self, x: Tensor, dropout: float, beta: float, generator: torch.Generator) -> Tensor:
        """Negative ELBO a user, averaged (equation 8): -sum_i x_i log pi_i + beta KL. x: (b, m) ones and zeros.

        Each history is scaled to unit length, then thinned out, as in the release.
        """
        hidden = F.normalize(x) * (torch.rand(x.shape, generator=generator) >= dropout) / (1 - dropout)
        mean, log_variance = self.encode(hidden)
        z = mean + torch.randn(mean.shape, generator=generator) * (0.5 * log_variance).exp()
        likelihood = (x * self.decode(z).log_softmax(-1)).sum(-1)
        return (beta * divergence(mean, log_variance) - likelihood).mean()


class Layer(nn.Module):
    """x W + b, with Xavier's first weights drawn from this generator and no other. weight: (n_in, n_out), a row per input."""

    def __init__(self, n_in: int, n_out: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out, generator=generator) * math.sqrt(2 / (n_in + n_out)))
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


@dataclass(frozen=True, eq=False)
class FittedMultVae:
    """net: learned; known: (m,) bool, the items that train has; ties: (m,) see `topk`."""

    net: Net
    known: NDArray[np.bool_]
    ties: Ints

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k most likely items. A history without a train item gets no recommendation. Scores are logits."""
        return rank_one_by_one(queries, k, self.ties, self.expected)

    def expected(self, history: Ints) -> Floats:
        """Scores of all items beside one history, by the mean of its latent vector: (m,) float32, 0 for what train lacks."""
        items = np.unique(np.asarray(history, dtype=np.int64))
        items = items[self.known[items]]
        if not len(items):
            return np.zeros(len(self.known), dtype=np.float32)
        with torch.inference_mode():
            x = torch.zeros(1, len(self.known))
            x[0, torch.from_numpy(items)] = 1.0
            scores: Floats = self.net.decode(self.net.encode(F.normalize(x))[0])[0].numpy()
        return of_train(scores, self.known)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL from N(mean, variance) to N(0, 1), in closed form, summed over the latent places: (b, latent) twice to (b,)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(-1)


def taken(train: Interactions, users: Ints) -> Tensor:
    """What these users took: (b, m) float32 of ones and zeros."""
    x = torch.zeros(len(users), train.n_items)
    for row, user in enumerate(users):
        x[row, torch.from_numpy(train.history(int(user)).astype(np.int64))] = 1.0
    return x
