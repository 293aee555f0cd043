"""What half precision changes: the best items of the same people, by a run and by what came out of its bundle.

Where it stands: after packing. What it does not know: files.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmrec.runs.bundles import opening

if TYPE_CHECKING:
    from llmrec.runs.store import Run

USERS, K = 200, 10


@dataclass(frozen=True)
class Agreement:
    """users: how many were asked for; same: share of them whose best `k` items are the same in the same order; items: share of items that
    both name; first: share with the same best item; hits: how many held-out items either finds, (run, bundle)."""

    users: int
    k: int
    same: float
    items: float
    first: float
    hits: tuple[int, int]


def share(run: Run, bundle: Path, users: int = USERS, k: int = K) -> Agreement:
    """Ask a run and its bundle for the same people of the test, seen items masked. The bundle is opened beside and thrown away."""
    split = run.split()
    queries = split.queries("test")
    rows = min(users, len(queries))
    k = min(k, split.train.n_items)
    targets = split.targets("test")[:rows]
    ours = run.recommender().recommend(queries[0:rows], k).items
    with tempfile.TemporaryDirectory() as place:
        again = opening.unpack(bundle, Path(place) / "run").run
        theirs = again.recommender().recommend(queries[0:rows], k).items
    both = np.mean([len(set(a.tolist()) & set(b.tolist())) / len(set(a.tolist())) for a, b in zip(ours, theirs, strict=True)])
    found = [sum(bool(np.isin(t, r).any()) for t, r in zip(targets, side, strict=True)) for side in (ours, theirs)]
    alike = (ours == theirs).all(axis=1)
    return Agreement(rows, k, float(alike.mean()), float(both), float((ours[:, 0] == theirs[:, 0]).mean()), (found[0], found[1]))
