"""Pairwise learning: what a person took should score above what they did not (BPR), step by step.

Where it stands: under the embedders that learn by it, `bpr` and `lightgcn`. What it does not know: graphs; an embedder hands in how its
rows become vectors, as a linear map that is its own transpose, so that the gradient goes back through the same map.

NumPy and SciPy alone: sparse products run on one thread, so the bits depend on the seed and not on the number of cores; on graphs of this
size they are as quick as torch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import expit

from llmrec import progress
from llmrec.contracts import Floats, Interactions

Map = Callable[[Floats], Floats]  # (n users + m items, d) to the same shape


@dataclass(frozen=True)
class Steps:
    """How long and how fast. epochs: passes over the interactions; lr: of Adam; l2: weight of the squared rows; batch: pairs a step."""

    epochs: int
    lr: float
    l2: float
    batch: int

    def check(self, who: str, d: int, scale: float) -> None:
        """ValueError that names the setting of the embedder `who`. d: width; scale: spread of the first rows."""
        for name, value in (("d", d), ("epochs", self.epochs), ("batch", self.batch)):
            if value < 1:
                raise ValueError(f"{who}: {name} is {value}, but must be at least 1: raise it in the recipe")
        for name, number, remedy in (("lr", self.lr, 0.01), ("scale", scale, 0.1)):
            if not number > 0:
                raise ValueError(f"{who}: {name} is {number}, but must be above 0: try {remedy}")
        if not self.l2 >= 0:
            raise ValueError(f"{who}: l2 is {self.l2}, but must be 0 (no penalty) or more: change it in the recipe")


def learn(train: Interactions, start: Floats, final: Map, steps: Steps, rng: np.random.Generator, label: str = "pairs") -> Floats:
    """Rows of layer 0 after all epochs: (n + m, d) float32, users first. `start` is not changed. label: what people are told is learned.

    The loss of a batch is mean(-log sigmoid(f_u . f_i - f_u . f_j)) + l2 / 2 * mean(|e_u|^2 + |e_i|^2 + |e_j|^2), with e the rows,
    f = final(e), i an item that u took and j one that u did not (Rendle et al., UAI 2009, BPR-Opt; the penalty on layer 0 alone is
    LightGCN's, equation 15). Optimiser: Adam with its usual moments.
    """
    rows = np.array(start, dtype=np.float32)
    adam = Adam(rows.shape, steps.lr)
    pairs = Pairs.of(train)
    n_batches = math.ceil(len(pairs.user) / steps.batch)
    for epoch in range(steps.epochs):
        for at, (user, good, bad) in enumerate(pairs.batches(steps.batch, rng)):
            progress.say(label, epoch * n_batches + at, steps.epochs * n_batches)
            adam.step(rows, gradient(rows, final, user, good + train.n_users, bad + train.n_users, steps.l2))
    progress.say(label, 1, 1)
    return rows


def gradient(rows: Floats, final: Map, user: NDArray[np.int64], good: NDArray[np.int64], bad: NDArray[np.int64], l2: float) -> Floats:
    """The gradient of the loss in `learn` at these rows: (n + m, d). user, good, bad: (b,) row numbers."""
    b, shape = len(user), (len(rows), len(rows))
    f = final(rows)
    margin = np.einsum("bd,bd->b", f[user], f[good] - f[bad])
    pull = -expit(-margin) / np.float32(b)
    ends, others = np.concatenate([user, user]), np.concatenate([good, bad])
    weights = sp.csr_matrix((np.concatenate([pull, -pull]), (ends, others)), shape=shape)
    back = final(np.asarray(weights @ f + weights.T @ f, dtype=np.float32))
    times = np.bincount(np.concatenate([user, good, bad]), minlength=len(rows))
    return np.asarray(back + (times * (l2 / b)).astype(np.float32)[:, None] * rows, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every distinct interaction with an item to lose against, drawn evenly among the items of train that the user did not take.

    user, item: (p,), by user, then item, without users who took everything; known: the items of train, ascending.
    gaps: (q,) ascending, one per distinct interaction: where in a user's own numbering of what is missing its item would fall.
    first: (n + 1,) each user's part of gaps.
    """

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    known: NDArray[np.int64]
    gaps: NDArray[np.int64]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, train: Interactions) -> Pairs:
        known, place = np.unique(train.item, return_inverse=True)
        width = len(known) + 1
        user, place = np.divmod(np.unique(train.user.astype(np.int64) * width + place), width)
        first = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=train.n_users))])
        gaps = user * width + place - (np.arange(len(user)) - first[user])
        open_ = np.diff(first)[user] < len(known)
        return cls(user[open_], known[place[open_]].astype(np.int64), known.astype(np.int64), gaps, first)

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """One epoch: (user, taken item, other item), each (b,), every interaction once."""
        order = rng.permutation(len(self.user))
        user, item, other = self.user[order], self.item[order], self.losers(self.user[order], rng)
        for begin in range(0, len(order), size):
            part = slice(begin, begin + size)
            yield user[part], item[part], other[part]

    def losers(self, user: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """One item per user that the user did not take, all equally likely: the r-th missing one, found without trying."""
        missing = len(self.known) - np.diff(self.first)[user]
        r = (rng.random(len(user)) * missing).astype(np.int64)
        taken_before = np.searchsorted(self.gaps, user * (len(self.known) + 1) + r, side="right") - self.first[user]
        return np.asarray(self.known[r + taken_before])


class Adam:
    """Kingma and Ba 2015, with beta 0.9 and 0.999, in place on one array."""

    def __init__(self, shape: tuple[int, ...], lr: float) -> None:
        self._lr, self._t = lr, 0
        self._mean, self._square = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)

    def step(self, rows: Floats, slope: Floats) -> None:
        self._t += 1
        self._mean += np.float32(0.1) * (slope - self._mean)
        self._square += np.float32(0.001) * (slope * slope - self._square)
        root = np.sqrt(self._square / np.float32(1 - 0.999**self._t)) + np.float32(1e-8)
        rows -= np.float32(self._lr / (1 - 0.9**self._t)) * self._mean / root


def start(who: str, train: Interactions, d: int, scale: float, rng: np.random.Generator) -> Floats:
    """Rows to begin with: normal numbers, zeros for whoever has no interaction, since nothing is known of them: (n + m, d) float32.

    ValueError in the voice of the embedder `who` where there is nothing to learn from.
    """
    if not len(train):
        raise ValueError(f"{who}: there are no training interactions to learn from: loosen the filter or load more data")
    rows = (rng.standard_normal((train.n_users + train.n_items, d)) * scale).astype(np.float32)
    rows[: train.n_users][np.bincount(train.user, minlength=train.n_users) == 0] = 0
    rows[train.n_users :][np.bincount(train.item, minlength=train.n_items) == 0] = 0
    return rows
