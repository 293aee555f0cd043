"""Compare: how sure a number is, and whether two recommenders differ. Bootstrap over users.

Where it stands: after `evaluate`. What it does not know: what the values mean.

Source: Efron and Tibshirani 1993, percentile intervals; paired, because both recommenders answered the same users.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from llmrec.report.evaluate import Evaluation

CHUNK = 4_000_000  # draws held at once


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that holds `level` of its bootstrap means."""

    mean: float
    low: float
    high: float
    level: float = 0.95

    @property
    def excludes_zero(self) -> bool:
        """For a difference: the two recommenders differ at this level."""
        return self.low > 0 or self.high < 0


def intervals(values: NDArray[np.float64], rng: np.random.Generator, draws: int = 2000, level: float = 0.95) -> list[Interval]:
    """Means over users with percentile bootstrap intervals, one per column of values (n, c); all columns share the draws of users."""
    if draws < 1 or not 0 < level < 1:
        raise ValueError(f"draws is {draws} and level is {level}, but draws must be 1 or more and level between 0 and 1")
    return bounds(values, bootstrap(values, rng, draws), level)


def bootstrap(values: NDArray[np.float64], rng: np.random.Generator, draws: int = 2000) -> NDArray[np.float64]:
    """Means of values (n, c) over n users drawn with replacement, (draws, c); all columns share the draws."""
    n = len(values)
    if n == 0:
        raise ValueError("an interval needs at least one user")
    if draws < 1:
        raise ValueError(f"draws is {draws}, but must be 1 or more")
    # how often each user is drawn: n draws with replacement, without holding them
    return np.concatenate([counted @ values / n for counted in drawn(n, rng, draws)])


def drawn(n: int, rng: np.random.Generator, draws: int = 2000) -> Iterator[NDArray[np.int64]]:
    """How often each of n users is drawn, one line a draw, in blocks that fit in memory."""
    step = max(1, CHUNK // n)
    for at in range(0, draws, step):
        yield rng.multinomial(n, np.full(n, 1 / n), size=min(step, draws - at))


def bounds(values: NDArray[np.float64], means: NDArray[np.float64], level: float = 0.95) -> list[Interval]:
    """What `level` of the bootstrap means (draws, c) of values (n, c) lie between, per column."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    whole = values.mean(axis=0)
    return [Interval(float(whole[c]), float(low[c]), float(high[c]), level) for c in range(values.shape[1])]


def interval(values: NDArray[np.float64], rng: np.random.Generator, draws: int = 2000, level: float = 0.95) -> Interval:
    """The mean of one value per user, (n,), with its percentile bootstrap interval."""
    return intervals(values[:, None], rng, draws, level)[0]


def difference(a: Evaluation, b: Evaluation, metric: str, rng: np.random.Generator, draws: int = 2000, level: float = 0.95) -> Interval:
    """How much better a is than b on a metric such as "hit@10", paired by user. ValueError where they answered different questions."""
    comparable(a, b)
    for one in (a, b):
        if metric not in one.per_user:
            raise ValueError(f"{metric!r} was not measured per user; there are {', '.join(one.per_user)}")
    return interval(a.per_user[metric] - b.per_user[metric], rng, draws, level)


def comparable(a: Evaluation, b: Evaluation) -> None:
    """Refuse to compare numbers of different parts, seen-item policies, users or targets: such a difference means nothing."""
    for what, left, right in (("parts", a.part, b.part), ("seen-item policies", a.seen, b.seen)):
        if left != right:
            raise ValueError(f"the two evaluations have different {what}, {left} and {right}: evaluate both the same way")
    if not np.array_equal(a.users, b.users):
        raise ValueError(f"the two evaluations are of different users ({a.n_users} and {b.n_users}): evaluate both on one split")
    if not all(np.array_equal(x, y) for x, y in zip(a.targets, b.targets, strict=True)):
        raise ValueError("the two evaluations have different targets: evaluate both on one split (ties in time decide, too)")
