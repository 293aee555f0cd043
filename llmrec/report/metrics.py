"""Metrics of full rankings, per user, so that means, intervals and segments can be made of them afterwards.

Where it stands: `Ranked` and targets in, arrays out; or places in, which is all of a ranking that metrics read, and which is what
measurements keep. What it does not know: models, splits, files.

A place with -1 is a miss. With one target per user (leave-one-out) recall equals hit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Ints, Ranked

Array = NDArray[np.float64]


def per_user(
    ranked: Ranked, targets: Sequence[Ints], k: Sequence[int] = (5, 10, 20), names: Sequence[str] = ("hit", "ndcg", "recall", "mrr")
) -> dict[str, Array]:
    """One array (b,) float64 per metric and k, called "hit@10" and so on.

    names: of `METRICS`. ValueError where ranked is narrower than k, a row repeats an item, or a user has no target.
    """
    return named(ranked, targets, [f"{name}@{at}" for at in k for name in names])


def named(ranked: Ranked, targets: Sequence[Ints], names: Sequence[str]) -> dict[str, Array]:
    """One array (b,) float64 per name such as "hit@10". Errors as of `per_user`."""
    return _measured(*found(ranked, targets), names)


def places(ranked: Ranked, targets: Sequence[Ints]) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
    """Per user the places, from 1 and ascending, that hold a target; and how many different targets each user has: (b,)."""
    hits, counts = found(ranked, targets)
    return tuple(np.flatnonzero(row) + 1 for row in hits), counts


def from_places(places: Sequence[Sequence[int] | Ints], counts: Sequence[int] | Ints, names: Sequence[str]) -> dict[str, Array]:
    """Every metric of `names`, exactly as `named` makes it, from what `places` returned (lists out of a file will do).

    The ranking must have been as wide as the largest cut of `names`: places do not tell. ValueError for places and counts that cannot be.
    """
    n_targets = np.asarray(counts, dtype=np.int64)
    if len(places) != len(n_targets):
        raise ValueError(f"{len(places)} lists of places need as many counts of targets, got {len(n_targets)}")
    many = np.array([len(some) for some in places], dtype=np.int64)
    row = np.repeat(np.arange(len(places)), many)
    at = np.fromiter(itertools.chain.from_iterable(places), dtype=np.int64, count=int(many.sum()))
    falls = (row[1:] == row[:-1]) & (np.diff(at) < 1)
    wrong = np.unique([*row[at < 1], *row[1:][falls], *np.flatnonzero((many > n_targets) | (n_targets < 1))])
    if len(wrong):
        which, some = int(wrong[0]), at[row == wrong[0]].tolist()
        raise ValueError(f"row {which}: places {some} of {n_targets[which]} targets: they must ascend from 1, one per target found")
    hits = np.zeros((len(places), max([cut(name) for name in names], default=0)), dtype=bool)
    near = at <= hits.shape[1]
    hits[row[near], at[near] - 1] = True
    return _measured(hits, n_targets, names)


def _measured(hits: NDArray[np.bool_], counts: NDArray[np.int64], names: Sequence[str]) -> dict[str, Array]:
    out = {}
    for name in names:
        kind, at = name.rpartition("@")[0], cut(name)
        if kind not in METRICS:
            raise ValueError(f"no metric is called {kind!r}; there are {', '.join(METRICS)}")
        if not 1 <= at <= hits.shape[1]:
            raise ValueError(f"a metric at {at} needs a ranking of {at} places, but this one has {hits.shape[1]}: recommend with k={at}")
        out[name] = METRICS[kind](hits[:, :at], counts)
    return out


def found(ranked: Ranked, targets: Sequence[Ints]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which places hold a target: (b, k) bool; and how many different targets each user has: (b,)."""
    b = len(ranked.items)
    if len(targets) != b:
        raise ValueError(f"{b} rankings need {b} lists of targets, got {len(targets)}")
    distinct = [np.unique(np.asarray(t, dtype=np.int64)) for t in targets]
    counts = np.array([len(t) for t in distinct], dtype=np.int64)
    if (counts == 0).any():
        raise ValueError(f"row {int(np.argmin(counts))} has no target: leave users without a target out")
    items = ranked.items.astype(np.int64)
    ordered = np.sort(items, axis=1)
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1)
    if twice.any():
        raise ValueError(f"row {int(np.argmax(twice))} recommends an item twice: a ranking must name each item once")
    flat = np.concatenate([np.zeros(0, dtype=np.int64), *distinct])
    width = max([0, *items.max(axis=1, initial=0).tolist(), *flat.tolist()]) + 1
    wanted = np.repeat(np.arange(b), counts) * width + flat
    hits = np.isin(np.arange(b)[:, None] * width + items, wanted)
    return np.asarray(hits & (items >= 0), dtype=bool), counts


def hit(hits: NDArray[np.bool_], counts: NDArray[np.int64]) -> Array:
    """1 where any target is among the k, else 0."""
    return np.asarray(hits.any(axis=1), dtype=np.float64)


def recall(hits: NDArray[np.bool_], counts: NDArray[np.int64]) -> Array:
    """Targets found, of those that k places can hold: denominator min(k, n_targets), so that 1 can be reached (Mult-VAE, CLLM4Rec)."""
    return np.asarray(hits.sum(axis=1) / np.minimum(counts, hits.shape[1]))


def plain_recall(hits: NDArray[np.bool_], counts: NDArray[np.int64]) -> Array:
    """Targets found, of all targets: denominator n_targets."""
    return np.asarray(hits.sum(axis=1) / counts)


def ndcg(hits: NDArray[np.bool_], counts: NDArray[np.int64]) -> Array:
    """Discounted gain, binary, over that of the best ranking of k places: sum of 1 / log2(place + 1), places from 1."""
    discount = 1.0 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.cumsum(discount)[np.minimum(counts, hits.shape[1]) - 1]
    return np.asarray((hits * discount).sum(axis=1) / ideal)


def mrr(hits: NDArray[np.bool_], counts: NDArray[np.int64]) -> Array:
    """1 / place of the first target among the k, else 0."""
    return np.where(hits.any(axis=1), 1.0 / (hits.argmax(axis=1) + 1), 0.0)


METRICS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.int64]], Array]] = {
    "hit": hit,
    "ndcg": ndcg,
    "recall": recall,
    "plain_recall": plain_recall,
    "mrr": mrr,
}


def cut(metric: str) -> int:
    """The k of a metric's name: 10 of "hit@10". ValueError where it has none."""
    k = metric.rpartition("@")[2]
    if "@" not in metric or not k.isdecimal():
        raise ValueError(f"{metric!r} names no place to cut at: write it as hit@10")
    return int(k)


def coverage(ranked: Ranked, n_items: int, k: int) -> float:
    """The share of the catalogue that is recommended to anybody within the first k places."""
    shown = np.unique(np.asarray(ranked.items[:, :k], dtype=np.int64))
    return float((shown >= 0).sum()) / n_items if n_items else 0.0
