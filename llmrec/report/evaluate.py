"""Evaluate: a recommender and a split to numbers, always over the whole catalogue.

Where it stands: after `recommend`, before `compare`, `table` and the runs' metrics.
What it does not know: what kind of recommender it asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec import registry, rng
from llmrec.contracts import Ints, Part, Ranked, Recommender, Split
from llmrec.progress import say
from llmrec.report import metrics, protocols

AT = ("hit", "ndcg", "recall", "mrr")  # what is measured where a caller names cuts of their own
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured, kept per user, so that intervals and segments need no second pass.

    part, masked: what was asked, and whether seen items were excluded; users: (n,) their numbers; targets: n arrays of items;
    ranked: (n, max k) the answers; per_user: (n,) float64 per "metric@k"; coverage: one share of the catalogue per "coverage@k";
    seconds: wall time spent inside `recommend`; groups: masks (n,) of the users whom the protocol tells apart.
    """

    part: Part
    masked: bool
    users: Ints
    targets: tuple[Ints, ...]
    ranked: Ranked
    per_user: Mapping[str, NDArray[np.float64]]
    coverage: Mapping[str, float]
    seconds: float
    groups: Mapping[str, NDArray[np.bool_]]

    @property
    def k(self) -> tuple[int, ...]:
        """The cuts that were measured, ascending."""
        return tuple(sorted({metrics.cut(name) for name in self.per_user}))

    @property
    def places(self) -> tuple[tuple[NDArray[np.int64], ...], NDArray[np.int64]]:
        """Where the targets stand, and how many there are per user: all that a measurement needs to keep (`metrics.from_places`)."""
        return metrics.places(self.ranked, self.targets)

    @property
    def n_users(self) -> int:
        return len(self.users)

    @property
    def seen(self) -> str:
        """The seen-item policy as one word: "masked" or "unmasked"."""
        return "masked" if self.masked else "unmasked"

    @property
    def metrics(self) -> dict[str, float]:
        """Means over users, and coverage: {"hit@10": .., ..}."""
        return {**{name: float(values.mean()) for name, values in self.per_user.items()}, **self.coverage}


def evaluate(
    recommender: Recommender,
    split: Split,
    part: Part = "test",
    masked: bool = True,
    k: Sequence[int] | None = None,
    batch: int = 256,
    progress: Progress | None = None,
) -> Evaluation:
    """Rank the whole catalogue for every user who has a target in `part`, and measure what the split's protocol names.

    k: cuts of one's own instead, at which hit, ndcg, recall and mrr are measured; batch: queries per call of `recommend`; progress:
    called with (users done, users in all) after each batch. ValueError where nobody has a target, or a setting makes no sense.
    """
    names = _names(split, k)
    cuts = sorted({metrics.cut(name) for name in names})
    if batch < 1:
        raise ValueError(f"batch is {batch}, but must be 1 or more")
    queries, targets = split.queries(part, masked), split.targets(part)
    if not len(queries):
        raise ValueError(f"nobody has a target in the {part} part of this split: evaluate the other part, or split again")
    blocks, seconds = [], 0.0
    for start in range(0, len(queries), batch):
        say("evaluation", start, len(queries))
        begin = time.perf_counter()
        blocks.append(recommender.recommend(queries[start : start + batch], cuts[-1]))
        seconds += time.perf_counter() - begin
        if progress is not None:
            progress(min(start + batch, len(queries)), len(queries))
    say("evaluation", 1, 1)
    ranked = Ranked(np.concatenate([b.items for b in blocks]), np.concatenate([b.scores for b in blocks]))
    users = split.asked(part)
    return Evaluation(
        part=part,
        masked=masked,
        users=users,
        targets=targets,
        ranked=ranked,
        per_user=metrics.named(ranked, targets, names),
        coverage={f"coverage@{cut}": metrics.coverage(ranked, split.train.n_items, cut) for cut in cuts},
        seconds=seconds,
        groups=protocols.groups(split, users),
    )


def evaluate_baselines(
    split: Split,
    part: Part = "test",
    masked: bool = True,
    names: Sequence[str] | None = None,
    k: Sequence[int] | None = None,
    seed: int = 0,
) -> dict[str, Evaluation]:
    """Fit and evaluate the baselines of these names (the quick ones by default) with their default settings, on train alone."""
    out = {}
    for name in registry.QUICK_BASELINES if names is None else names:
        baseline = registry.load("baseline", name)()
        out[name] = evaluate(baseline.fit(split.train, rng.stream(seed, "baseline", name)), split, part, masked, k)
    return out


def _names(split: Split, k: Sequence[int] | None) -> list[str]:
    if k is None:
        return list(protocols.of(split).metrics)
    cuts = sorted(set(k))
    if not cuts or cuts[0] < 1:
        raise ValueError(f"k is {tuple(k)}, but needs at least one number, each 1 or more: try (5, 10, 20)")
    return [f"{name}@{cut}" for cut in cuts for name in AT]
