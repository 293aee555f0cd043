"""Segments: the same evaluation for targets that are popular, rare or new.

Where it stands: after `evaluate`. What it does not know: models; it reads the ranking that was already made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Ranked
from llmrec.report import metrics
from llmrec.report.evaluate import Evaluation


@dataclass(frozen=True)
class Segment:
    """n_items: items of the catalogue in it; n_users: users with a target in it; metrics: means over these users, {} where none."""

    n_items: int
    n_users: int
    metrics: dict[str, float]


def by_popularity(evaluation: Evaluation, train: Interactions, share: float = 0.2) -> dict[str, Segment]:
    """The metrics by how often the target occurs in train: "head", "tail" and "cold".

    head: the `share` of the items that were taken most; tail: the others that train has; cold: items that train lacks.
    A user counts in each segment that holds one of their targets, with these targets alone.
    """
    return {name: _segment(evaluation, member) for name, member in popularity_bands(train, share).items()}


def popularity_bands(train: Interactions, share: float = 0.2) -> dict[str, NDArray[np.bool_]]:
    """Masks (m,) of "head", "tail" and "cold" items; each item is in exactly one. Items as popular as the last of the head are head."""
    if not 0 < share < 1:
        raise ValueError(f"share is {share}, but must lie between 0 and 1: 0.2 takes the most popular fifth")
    counts = np.bincount(train.item, minlength=train.n_items)
    size = max(1, round(share * train.n_items))
    least = max(1, int(np.sort(counts)[::-1][size - 1])) if train.n_items else 1
    head = counts >= least
    return {"head": head, "tail": (counts > 0) & ~head, "cold": counts == 0}


def _segment(evaluation: Evaluation, member: NDArray[np.bool_]) -> Segment:
    kept = [np.asarray(t, dtype=np.int64)[member[t]] for t in evaluation.targets]
    users = np.flatnonzero([len(t) > 0 for t in kept])
    if not len(users):
        return Segment(int(member.sum()), 0, {})
    ranked = Ranked(evaluation.ranked.items[users], evaluation.ranked.scores[users])
    arrays = metrics.named(ranked, [kept[u] for u in users], list(evaluation.per_user))
    return Segment(int(member.sum()), len(users), {name: float(values.mean()) for name, values in arrays.items()})


def segment_rows(segments: dict[str, Segment], names: tuple[str, ...] = ("hit@10", "ndcg@10")) -> list[dict[str, Any]]:
    """One row per segment for `table.markdown`; a metric of an empty segment is None."""
    return [
        {"targets": name, "items": s.n_items, "users": s.n_users, **{metric: s.metrics.get(metric) for metric in names}}
        for name, s in segments.items()
    ]
