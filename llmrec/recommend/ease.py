"""EASE: a linear autoencoder without a diagonal, in closed form.

Where it stands: baselines of `recommend/`. What it does not know: order in time.

Source: Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", equation 8. ML-100K (leave-one-out, ties in file order, seen
items masked, test) gives H@10/N@10 .1410/.0735 with l2 = 500.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from llmrec.contracts import Floats, Interactions, Ints, Queries, Ranked
from llmrec.recommend.topk import draw_ties, history_matrix, rank_in_blocks


@dataclass(frozen=True)
class Ease:
    """Learn item-to-item weights by ridge regression of every item on all others.

    l2: strength of the ridge. memory_gb: the most that the dense items x items arrays may take while fitting.
    """

    l2: float = 500.0
    memory_gb: float = 4.0

    def __post_init__(self) -> None:
        if not self.l2 > 0:
            raise ValueError(f"l2 is {self.l2}, but must be above 0, else the matrix has no inverse: try 500")
        if not self.memory_gb > 0:
            raise ValueError(f"memory_gb is {self.memory_gb}, but must be above 0: try 4")

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedEase:
        """Invert (X'X + l2 I); rng draws the order of ties. Raises ValueError where that would not fit into memory_gb."""
        m = train.n_items
        need = 3 * 8 * m * m / 1e9  # the Gram matrix, its inverse, and LAPACK's copy, in float64
        if need > self.memory_gb:
            raise ValueError(
                f"EASE on {m} items needs about {need:.1f} GB, but memory_gb is {self.memory_gb:g}: "
                "raise memory_gb, filter out rare items, or use itemknn"
            )
        taken = sp.csr_matrix((np.ones(len(train)), (train.user, train.item)), shape=(train.n_users, m))
        taken.data[:] = 1.0
        gram = (taken.T @ taken).toarray()
        gram[np.diag_indices(m)] += self.l2
        inverse = np.linalg.inv(gram)
        weights = (inverse / -np.diag(inverse)).astype(np.float32)  # column j divided by -P_jj
        weights[np.diag_indices(m)] = 0.0
        return FittedEase(weights, draw_ties(m, rng))


@dataclass(frozen=True, eq=False)
class FittedEase:
    """weights: (m, m) float32, row = item of the history, column = item scored; ties: (m,) see `topk`."""

    weights: Floats
    ties: Ints

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k items with the highest predicted affinity. A history without a train item gets no recommendation."""

        def score(part: Queries) -> Floats:
            return np.asarray(history_matrix(part, len(self.weights)).astype(np.float32) @ self.weights)

        return rank_in_blocks(queries, k, self.ties, score)
