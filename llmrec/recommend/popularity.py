"""Popularity: what most people took, for everybody.

Where it stands: the first baseline beside every number. What it does not know: the person it recommends for, save what to leave out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Ints, Queries, Ranked
from llmrec.recommend.topk import draw_ties, history_matrix, rank_in_blocks


@dataclass(frozen=True)
class Popularity:
    """Rank items by the number of interactions in train. It has no settings."""

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedPopularity:
        """Count the train interactions of each item; rng draws the order of ties."""
        return FittedPopularity(np.bincount(train.item, minlength=train.n_items), draw_ties(train.n_items, rng))


@dataclass(frozen=True, eq=False)
class FittedPopularity:
    """counts: (m,) train interactions per item; ties: (m,) see `topk`."""

    counts: NDArray[np.int64]
    ties: Ints

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k most popular items that the query does not exclude. Scores are counts."""
        history_matrix(queries, len(self.counts))  # an unknown item is an error here as it is elsewhere
        return rank_in_blocks(queries, k, self.ties, lambda part: np.broadcast_to(self.counts, (len(part), len(self.counts))))
