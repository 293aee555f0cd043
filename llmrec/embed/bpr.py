"""BPR-MF: one free vector per user and item, learned so that taken items score above others.

Where it stands: stage 2, and under the `bprmf` baseline. What it does not know: the graph beyond single interactions (LightGCN does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from llmrec.contracts import Catalog, Floats, Interactions, Ints, Side, Vectors
from llmrec.embed import fold, pairwise


@dataclass(frozen=True)
class Bpr:
    """Users and items in one space, where a dot product says how likely a user takes an item.

    d: width; epochs, lr, l2, batch: see `pairwise.Steps`; scale: spread of the first random rows.

    Source: Rendle et al., UAI 2009 (arXiv 1205.2618), section 4.3.1, without biases, so that users and items share one space.
    A user or item without interactions gets the zero vector: nothing is known of it, and schemes can tell.
    """

    d: int = 64
    epochs: int = 50
    lr: float = 0.01
    l2: float = 0.01
    batch: int = 8192
    scale: float = 0.1

    label: ClassVar[str] = "BPR-MF"

    def __post_init__(self) -> None:
        self._steps.check("bpr", self.d, self.scale)

    @property
    def _steps(self) -> pairwise.Steps:
        return pairwise.Steps(self.epochs, self.lr, self.l2, self.batch)

    def fit(self, train: Interactions, catalog: Catalog | None, rng: np.random.Generator) -> Vectors:
        """Learn by pairs. The same seed gives the same bits, whatever the number of threads."""
        rows = pairwise.start("bpr", train, self.d, self.scale, rng)
        rows = pairwise.learn(train, rows, lambda same: same, self._steps, rng, self.label)
        return Vectors(rows[: train.n_users], rows[train.n_users :])

    def fold_in(self, vectors: Vectors, train: Interactions, took: Sequence[Ints], side: Side) -> Floats:
        """See `fold`."""
        return fold.fold_in(vectors, train, took, side)
