"""SASRec: what comes next, by causal self-attention over the items taken so far.

Where it stands: baselines of `recommend/`. What it does not know: users (a person is their history), text, absolute time.

Source: Kang and McAuley 2018, "Self-Attentive Sequential Recommendation" (arXiv 1808.09781). One pass supervises every place of a history.
`loss` "softmax" is cross-entropy over all items, the stronger form (Klenitskiy and Vasilev 2023, arXiv 2309.07602); "bce" is the paper's:
one negative a place, drawn from what the person never took. With the default settings ML-100K (leave-one-out, ties in file order, seen
items masked, test) gives H@10/N@10 .1866/.0999.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from llmrec import progress
from llmrec.contracts import Floats, Interactions, Ints, Queries, Ranked
from llmrec.recommend.topk import draw_ties, of_train, rank_one_by_one

BATCH = 64  # windows a step
WARM = 0.05  # share of learning in which the step size rises
LOSSES = ("softmax", "bce")
Drop = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class SasRec:
    """Settings; defaults chosen on ML-100K's validation items.

    d: width of all vectors; layers, heads: of the attention; window: newest items of a history that are read; dropout: share of numbers
    set to 0 while learning; lr: Adam's step size at its highest, falling to 0; epochs: passes over train; loss: of `LOSSES`.
    """

    d: int = 64
    layers: int = 2
    heads: int = 2
    window: int = 50
    dropout: float = 0.4
    lr: float = 3e-3
    epochs: int = 15
    loss: str = "softmax"

    def __post_init__(self) -> None:
        for name in ("d", "layers", "heads", "window", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but must be 1 or more: leave it out to use {getattr(SasRec, name)}")
        if self.d % self.heads:
            raise ValueError(f"d is {self.d} and heads is {self.heads}, but the heads share d evenly: take a multiple of {self.heads}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, but must lie in 0..1, 1 excluded: try {SasRec.dropout}")
        if not 0 < self.lr < math.inf:
            raise ValueError(f"lr is {self.lr}, but must be a number above 0: try {SasRec.lr}")
        if self.loss not in LOSSES:
            raise ValueError(f"loss is {self.loss!r}, but must be one of {', '.join(LOSSES)}")

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedSasRec:
        """Learn from train alone. rng draws the order of ties, the first weights, dropout, the windows and the negatives."""
        ties = draw_ties(train.n_items, rng)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        net = Net(self, train.n_items, generator)
        optimizer = torch.optim.Adam(net.parameters(), lr=self.lr, betas=(0.9, 0.98))
        drop = dropper(self.dropout, generator)
        for epoch in range(self.epochs):
            plan = batches(train, self.window, rng)
            for at, spans in enumerate(plan):
                done = (epoch + at / len(plan)) / self.epochs
                progress.say("SASRec", done, 1)
                optimizer.param_groups[0]["lr"] = self.lr * min((done + 1e-3) / WARM, 1 - done)
                optimizer.zero_grad()
                net.loss(*places(train, spans, self.loss, rng), drop).backward()
                optimizer.step()
        progress.say("SASRec", 1, 1)
        return FittedSasRec(net.requires_grad_(False), np.isin(np.arange(train.n_items), train.item), ties)


class Block(nn.Module):
    """One layer: attention to what came before, then a net for each place alone; each adds to what was (section 3.2)."""

    def __init__(self, d: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = drawn(generator, 3 * d, d), drawn(generator, d, d)
        self.wide, self.narrow = drawn(generator, d, d), drawn(generator, d, d)
        self.wide_bias, self.narrow_bias = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))

    def forward(self, x: Tensor, drop: Drop) -> Tensor:
        """x: (b, t, d) to the same shape."""
        b, t, d = x.shape
        q, k, v = F.linear(self.before(x), self.qkv).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)  # (b, h, t, d/h)
        near = q @ k.transpose(-1, -2) / math.sqrt(d // self.heads)  # (b, h, t, t)
        later = torch.ones(t, t, dtype=torch.bool).triu(1)
        seen = drop(near.masked_fill(later, -math.inf).softmax(-1)) @ v
        x = x + drop(F.linear(seen.transpose(1, 2).reshape(b, t, d), self.out))
        wide = F.linear(self.between(x), self.wide, self.wide_bias).relu()
        return x + drop(F.linear(wide, self.narrow, self.narrow_bias))


class Net(nn.Module):
    """Item and place vectors, layers, and scores by the same item vectors."""

    def __init__(self, settings: SasRec, n_items: int, generator: torch.Generator) -> None:
        super().__init__()
        self.window = settings.window
        self.use_bce = settings.loss == "bce"
        self.items = drawn(generator, n_items, settings.d)
        self.places = drawn(generator, settings.window, settings.d)
        self.blocks = nn.ModuleList(Block(settings.d, settings.heads, generator) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.d)

    def states(self, items: Tensor, lengths: Tensor, drop: Drop = lambda x: x) -> Tensor:
        """What is expected after each place: (b, t) items, right-padded to (b, t, d).

        The newest item always stands at the last place, so places count back from the end. What pads comes after, where nothing looks.
        """
        # F.embedding, not indexing: its gradient sums in a fixed order, so that a seed gives the same bits on any number of threads
        place = self.window - lengths[:, None] + torch.arange(items.shape[1])
        x = drop(F.embedding(items, self.items) * math.sqrt(self.items.shape[1]) + self.places[place.clamp(max=self.window - 1)])
        for block in self.blocks:
            x = block(x, drop)
        out: Tensor = self.norm(x)
        return out

    def loss(self, inputs: Tensor, targets: Tensor, lengths: Tensor, negatives: Tensor, drop: Drop) -> Tensor:
        """Mean over all places that have a target. negatives: (b, t), -1 where there is none; only "bce" looks at them."""
        real = torch.arange(inputs.shape[1]) < lengths[:, None]
        states, wanted = self.states(inputs, lengths, drop)[real], targets[real]
        if not self.use_bce:
            return F.cross_entropy(states @ self.items.T, wanted)
        other = negatives[real]
        yes = F.softplus(-(states * F.embedding(wanted, self.items)).sum(-1))
        no = F.softplus((states * F.embedding(other.clamp(min=0), self.items)).sum(-1)) * (other >= 0)
        return (yes + no).mean()


@dataclass(frozen=True, eq=False)
class FittedSasRec:
    """net: learned; known: (m,) bool, the items that train has; ties: (m,) see `topk`."""

    net: Net
    known: NDArray[np.bool_]
    ties: Ints

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k items most expected next. A history without a train item gets no recommendation. Scores are logits."""
        return rank_one_by_one(queries, k, self.ties, self.expected)

    def expected(self, history: Ints) -> Floats:
        """Scores of all items after one history: (m,) float32, 0 for what train lacks."""
        recent = np.asarray(history, dtype=np.int64)
        recent = recent[self.known[recent]][-self.net.window :]
        if not len(recent):
            return np.zeros(len(self.known), dtype=np.float32)
        with torch.inference_mode():
            state = self.net.states(torch.from_numpy(recent)[None], torch.tensor([len(recent)]))[0, -1]
            scores: Floats = (self.net.items @ state).numpy()
        return of_train(scores, self.known)


def drawn(generator: torch.Generator, *shape: int) -> nn.Parameter:
    """Small normal numbers to begin with, from this generator and no other."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * 0.02)


def dropper(share: float, generator: torch.Generator) -> Drop:
    """Dropout that draws from this generator: torch's own draws from a global one, which others draw from too."""

    def drop(x: Tensor) -> Tensor:
        return x * (torch.rand(x.shape, generator=generator) >= share) / (1 - share) if share else x

    return drop


def windows(train: Interactions, window: int, rng: np.random.Generator | None) -> Iterator[tuple[int, int]]:
    """Rows [first, last] of train, one user each, so that every item but a user's first is a target exactly once.

    Neighbours share one item: the target of the one is the first input of the next. rng shifts the cuts of long histories.
    """
    for begin, end in zip(train.offsets[:-1].tolist(), train.offsets[1:].tolist(), strict=True):
        last = end - 1
        if rng is not None and last - begin > window:
            cut = last - int(rng.integers(window))
            if cut < last:
                yield cut, last
            last = cut
        while last > begin:
            yield max(begin, last - window), last
            last -= window


def batches(train: Interactions, window: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The windows of one epoch in drawn order, cut afresh: arrays (b, 2) of first and last rows, b at most BATCH."""
    spans = np.array(list(windows(train, window, rng)), dtype=np.int64).reshape(-1, 2)
    return np.array_split(spans[rng.permutation(len(spans))], math.ceil(len(spans) / BATCH)) if len(spans) else []


def places(train: Interactions, spans: NDArray[np.int64], loss: str, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What one step learns from: inputs, targets (b, t), lengths (b,), negatives (b, t), int64, junk after each length."""
    lengths = spans[:, 1] - spans[:, 0]
    place = np.arange(lengths.max())
    at = np.where(place < lengths[:, None], spans[:, :1] + place, spans[:, :1])  # (b, t) rows of train
    inputs, targets = train.item[at].astype(np.int64), train.item[at + 1].astype(np.int64)
    negatives = np.zeros_like(inputs)
    if loss == "bce":
        negatives = np.stack([never_taken(train, int(train.user[first]), len(place), rng) for first in spans[:, 0]])
    return torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(lengths), torch.from_numpy(negatives)


def never_taken(train: Interactions, user: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """n items, each drawn evenly from those the user never took: (n,), all -1 where they took everything."""
    taken = np.unique(train.history(user)).astype(np.int64)
    free = train.n_items - len(taken)
    if not free:
        return np.full(n, -1, dtype=np.int64)
    drawn_rank = rng.integers(free, size=n)  # the r-th item that is not taken lies behind every taken one with at most r free before it
    return drawn_rank + np.searchsorted(taken - np.arange(len(taken)), drawn_rank, side="right")
