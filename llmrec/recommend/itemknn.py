"""ItemKNN: items that the same people took, by cosine; and its recency-weighted form, the strongest simple baseline there is.

Where it stands: baselines of `recommend/`. What it does not know: order in time, but for the last items in `RecentItemKnn`.

Source: Sarwar et al. 2001 (cosine), Deshpande and Karypis 2004 (neighbours). With the default settings, all neighbours and no shrinkage,
ML-100K (leave-one-out, ties in file order, seen items masked, test) gives H@10/N@10 .1082/.0558, and .1941/.1099 on the last 3 items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from llmrec.contracts import Interactions, Ints, Queries, Ranked
from llmrec.recommend.topk import draw_ties, history_matrix, rank_in_blocks, recent_matrix


@dataclass(frozen=True)
class ItemKnn:
    """Score an item by its summed cosine with all items of the history.

    shrinkage: added to the denominator of the cosine; the higher, the less rare items count.
    neighbours: an item is scored by this many of its nearest items at most; None: by all.
    """

    shrinkage: float = 0.0
    neighbours: int | None = None

    def __post_init__(self) -> None:
        _check(self.shrinkage, self.neighbours)

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedItemKnn:
        """Cosines between items over the users of train, kept sparse; rng draws the order of ties."""
        return FittedItemKnn(cosines(train, self.shrinkage, self.neighbours), draw_ties(train.n_items, rng))


@dataclass(frozen=True)
class RecentItemKnn:
    """ItemKNN on the newest items of a history alone.

    weights: oldest first; (1, 2, 3) takes the last three items and the newest weighs most. shrinkage, neighbours: as in `ItemKnn`.
    """

    weights: tuple[float, ...] = (1.0, 2.0, 3.0)
    shrinkage: float = 0.0
    neighbours: int | None = None

    def __post_init__(self) -> None:
        _check(self.shrinkage, self.neighbours)
        if not self.weights or not all(w > 0 for w in self.weights):
            raise ValueError(f"weights are {self.weights}, but need one positive number per recent item: try (1, 2, 3)")

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedItemKnn:
        """As `ItemKnn.fit`; the weights act when recommending."""
        near = cosines(train, self.shrinkage, self.neighbours)
        return FittedItemKnn(near, draw_ties(train.n_items, rng), tuple(self.weights))


@dataclass(frozen=True, eq=False)
class FittedItemKnn:
    """near: (m, m) sparse, row = item of the history, column = item scored; ties: (m,) see `topk`; weights: None for the whole history."""

    near: sp.csr_matrix
    ties: Ints
    weights: tuple[float, ...] | None = None

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k items nearest to each history. A history without a train item gets no recommendation: the row is all -1."""

        def score(part: Queries) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
            m = self.near.shape[0]
            taken = history_matrix(part, m) if self.weights is None else recent_matrix(part, m, self.weights)
            return np.asarray((taken @ self.near).toarray())

        return rank_in_blocks(queries, k, self.ties, score)


def cosines(train: Interactions, shrinkage: float = 0.0, neighbours: int | None = None) -> sp.csr_matrix:
    """Cosine between items over binary user rows, without the diagonal: (m, m) sparse float64.

    near[i, j] = |users of both| / (sqrt(|users of i| |users of j|) + shrinkage). An item taken twice by a user counts once.
    """
    taken = sp.csr_matrix((np.ones(len(train)), (train.user, train.item)), shape=(train.n_users, train.n_items))
    taken.data[:] = 1.0  # the constructor has summed duplicates
    counts = np.asarray(taken.sum(axis=0)).ravel()
    near = (taken.T @ taken).tocoo()
    off = near.row != near.col
    row, col, both = near.row[off], near.col[off], near.data[off]
    value = both / (np.sqrt(counts[row] * counts[col]) + shrinkage)
    if neighbours is not None:
        order = np.lexsort((row, -value, col))  # by scored item, then nearest first
        first = np.searchsorted(col[order], col[order], side="left")
        order = order[np.arange(len(order)) - first < neighbours]
        row, col, value = row[order], col[order], value[order]
    return sp.csr_matrix((value, (row, col)), shape=(train.n_items, train.n_items))


def _check(shrinkage: float, neighbours: int | None) -> None:
    if not shrinkage >= 0:
        raise ValueError(f"shrinkage is {shrinkage}, but must be 0 or more: 0 is the plain cosine")
    if neighbours is not None and neighbours < 1:
        raise ValueError(f"neighbours is {neighbours}, but must be 1 or more: leave it out to use all")
