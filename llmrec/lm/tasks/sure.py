"""How sure a number of a task is, and how it differs from a baseline's: a bootstrap over users, paired.

Where it stands: under the measures of this folder. What it does not know: what the values mean.

Users are drawn, with all that was asked of them, since what one user was asked hangs together; where each was asked once, this is the
bootstrap of `report.compare`. A number is the mean over what the drawn users were asked, so that the whole's is the published one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from llmrec import rng as streams
from llmrec.contracts import Ints

DRAWS = 2000
CHUNK = 4_000_000  # draws held at once
Numbers = NDArray[np.float64]
Between = tuple[float, float]
Three = tuple[float, float, float]


def means(users: Ints, values: Numbers, seed: int, draws: int = DRAWS) -> Numbers:
    """Means of values (n, c) asked of users (n,): (1 + draws, c), the whole's first, then those of users drawn with replacement."""
    who, at = np.unique(users, return_inverse=True)
    counts = np.bincount(at).astype(np.float64)
    sums = np.stack([np.bincount(at, weights=column) for column in values.T], 1)
    n, rng = len(who), streams.stream(seed, "bootstrap")
    step = max(1, CHUNK // n)
    sizes = [min(step, draws - first) for first in range(0, draws, step)]
    drawn = [rng.multinomial(n, np.full(n, 1 / n), size=size) for size in sizes]
    return np.concatenate([values.mean(0)[None], *((d @ sums) / (d @ counts)[:, None] for d in drawn)])


def compared(
    users: Ints,
    model: Mapping[str, Numbers],
    baselines: Mapping[str, Mapping[str, Numbers]],
    seed: int,
    finish: Mapping[str, Callable[[Numbers], Numbers]] | None = None,
) -> tuple[dict[str, Between], dict[str, dict[str, Three]]]:
    """95 % intervals of the model's metrics, and {baseline: {metric: (mean, low, high)}} of the model less each baseline, paired by user.

    model, baselines: {metric: (n,) values}; finish: what is done to a metric's mean, as the root to a mean square.
    """
    names = list(model)
    columns = [model[m] for m in names] + [values[m] for values in baselines.values() for m in names]
    found = means(users, np.stack(columns, 1), seed)  # (1 + draws, metrics of the model, then of each baseline)
    ends = [(finish or {}).get(m, _same) for m in names] * (1 + len(baselines))
    done = np.stack([end(column) for end, column in zip(ends, found.T, strict=True)], 1)
    own, differences = done[:, : len(names)], {}
    for place, name in enumerate(baselines, start=1):
        less = own - done[:, place * len(names) : (place + 1) * len(names)]
        differences[name] = {m: (float(less[0, c]), *_between(less[1:, c])) for c, m in enumerate(names)}
    return {m: _between(own[1:, c]) for c, m in enumerate(names)}, differences


def _between(drawn: Numbers) -> Between:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _same(mean: Numbers) -> Numbers:
    return mean
