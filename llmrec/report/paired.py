"""Paired: who beats whom, user by user, and what is left of it when many are compared with one.

Where it stands: after `places`, over the bootstrap of `compare`. What it does not know: recommenders, tables, pages.

Sources: Efron and Tibshirani 1993 (percentile intervals, and the share of draws on the far side of zero as the two-sided p);
Holm 1979 (step-down correction).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.report.compare import Interval, bounds
from llmrec.report.places import Places

Array = NDArray[np.float64]
Resample = Callable[[Array], Array]


@dataclass(frozen=True)
class Paired:
    """One less the reference on a metric. wins, losses, ties: users for whom it is better, worse, or the same.

    p: two-sided, from the same draws as the interval; holm: p corrected for how many were compared with the reference.
    """

    name: str
    less: Interval
    wins: int
    losses: int
    ties: int
    p: float
    holm: float

    @property
    def sure(self) -> bool:
        """Whether the difference stands after the correction, at the level of its interval."""
        return self.holm <= 1 - self.less.level


def against(reference: Places, others: Mapping[str, Places], metric: str, resample: Resample, level: float = 0.95) -> list[Paired]:
    """Every other one less the reference, in their order; all share the draws of users. ValueError where they answered other questions.

    resample: values (n, c) to their bootstrap means (draws, c), as `compare.bootstrap` makes them with some draws.
    """
    for other in others.values():
        reference.alike(other)
    if not others:
        return []
    base = reference.per_user([metric])[metric]
    apart = np.stack([other.per_user([metric])[metric] - base for other in others.values()], axis=1)  # (n, others)
    means = resample(apart)
    spans = bounds(apart, means, level)
    chances = [two_sided(means[:, c]) for c in range(len(others))]
    tied = np.isclose(apart, 0.0, atol=1e-12)
    return [
        Paired(
            name,
            spans[c],
            int(((apart[:, c] > 0) & ~tied[:, c]).sum()),
            int(((apart[:, c] < 0) & ~tied[:, c]).sum()),
            int(tied[:, c].sum()),
            chances[c],
            corrected,
        )
        for c, (name, corrected) in enumerate(zip(others, holm(chances), strict=True))
    ]


def two_sided(means: Array) -> float:
    """How often draws like these lie on the far side of zero, both ways; never 0, as the draws are finitely many."""
    beyond = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2.0 * (1 + beyond) / (1 + len(means)))


def holm(chances: Sequence[float]) -> list[float]:
    """Each p corrected by Holm's step-down: the smallest times their count, the next times one less, never falling, at most 1."""
    out, highest = [0.0] * len(chances), 0.0
    for rank, at in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        highest = max(highest, min(1.0, chances[at] * (len(chances) - rank)))
        out[at] = highest
    return out
