"""From scores to a ranking: the one place where baselines exclude, pad and break ties.

Where it stands: under every baseline of `recommend/`. What it does not know: where the scores come from.

Three rules hold for every baseline:
1. An item without evidence in train (score exactly 0) is not recommended; where fewer than k are left, the row ends in -1 / -inf.
2. Scores are compared as float32, so that sums which differ in their last bits alone count as equal.
3. Equal scores follow `ties`, an order of all items drawn once from the generator of `fit`. Neither the item number nor the order of
   the file decides: both can know something of the test items.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from llmrec.contracts import Floats, Ints, Queries, Ranked

BLOCK = 16_000_000  # scores held at once: 64 MB in float32


def rank_in_blocks(queries: Queries, k: int, ties: Ints, score: Callable[[Queries], NDArray[np.generic]]) -> Ranked:
    """Rank all items for all queries, a block of queries at a time so that memory stays bounded.

    ties: (m,) every item once, the one that wins a tie first; score: b queries to (b, m). Each row depends on its own query alone.
    """
    if k < 1:
        raise ValueError(f"k is {k}, but a ranking needs at least one place: ask for k >= 1")
    step = max(1, BLOCK // max(1, len(ties)))
    blocks = [_rank(score(part), part, k, ties) for part in (queries[i : i + step] for i in range(0, len(queries), step))]
    if not blocks:
        return Ranked(np.zeros((0, k), dtype=np.int32), np.zeros((0, k), dtype=np.float32))
    return Ranked(np.concatenate([b.items for b in blocks]), np.concatenate([b.scores for b in blocks]))


def rank_one_by_one(queries: Queries, k: int, ties: Ints, expected: Callable[[Ints], Floats]) -> Ranked:
    """Rank by a net that is asked about one person at a time. expected: a history to (m,).

    Matrix products of another shape may round otherwise, and nobody's answer may depend on who asks beside them.
    """

    def score(part: Queries) -> Floats:
        _flat(part.histories, len(ties), "history")  # an unknown item is an error here as it is elsewhere
        rows = [expected(history) for history in part.histories]
        return np.stack(rows) if rows else np.zeros((0, len(ties)), dtype=np.float32)

    return rank_in_blocks(queries, k, ties, score)


def of_train(scores: Floats, known: NDArray[np.bool_]) -> Floats:
    """A net's scores as rule 1 reads them: exactly 0 for what train lacks, and for nothing else. scores: (m,), known: (m,)."""
    return np.where(known, np.where(scores == 0, np.finfo(np.float32).tiny, scores), np.float32(0))


def history_matrix(queries: Queries, n_items: int) -> sp.csr_matrix:
    """Which items a person has taken: (b, m) float64 of ones, however often an item was taken."""
    rows, items = _flat(queries.histories, n_items, "history")
    matrix = sp.csr_matrix((np.ones(len(items)), (rows, items)), shape=(len(queries), n_items))
    matrix.data[:] = 1.0  # the constructor has summed duplicates
    return matrix


def recent_matrix(queries: Queries, n_items: int, weights: tuple[float, ...]) -> sp.csr_matrix:
    """The newest items of each person: (b, m) float64. weights: oldest first, so the newest item has the last weight."""
    _flat(queries.histories, n_items, "history")
    rows, items = _flat(tuple(h[-len(weights) :] for h in queries.histories), n_items, "history")
    lengths = np.minimum([len(h) for h in queries.histories], len(weights)).astype(np.int64)
    values = np.concatenate([np.zeros(0), *(np.asarray(weights)[len(weights) - n :] for n in lengths)])
    return sp.csr_matrix((values, (rows, items)), shape=(len(queries), n_items))


def draw_ties(n_items: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """An order of all items that knows nothing of them: (m,) int32."""
    return rng.permutation(n_items).astype(np.int32)


def _flat(lists: tuple[Ints, ...], n_items: int, what: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = np.repeat(np.arange(len(lists)), [len(x) for x in lists])
    items = np.concatenate([np.zeros(0, dtype=np.int64), *(np.asarray(x, dtype=np.int64) for x in lists)])
    wrong = (items < 0) | (items >= n_items)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"the {what} of query {rows[first]} holds item {items[first]}, but this recommender was fitted on items 0..{n_items - 1}: "
            "leave unknown items out, or fit again on data that has them"
        )
    return rows, items


def _rank(scores: NDArray[np.generic], queries: Queries, k: int, ties: Ints) -> Ranked:
    b, m = scores.shape
    s = scores.astype(np.float32)  # (b, m) a copy
    s[s == 0] = -np.inf
    if queries.exclude is not None:
        s[_flat(queries.exclude, m, "list of excluded items")] = -np.inf
    s = s[:, ties]
    width = min(k, m)
    items = np.full((b, k), -1, dtype=np.int32)
    best = np.full((b, k), -np.inf, dtype=np.float32)
    if b and width:
        columns = _top(s, width)  # (b, width) in the order of ties
        values = np.take_along_axis(s, columns, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        best[:, :width] = np.take_along_axis(values, order, axis=1)
        found = ties[np.take_along_axis(columns, order, axis=1)]
        items[:, :width] = np.where(np.isneginf(best[:, :width]), -1, found)
    return Ranked(items, best)


def _top(s: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns of the k largest of each row, ascending; of equals the leftmost, which argpartition does not promise."""
    b, m = s.shape
    least = np.partition(s, m - k, axis=1)[:, m - k, None]
    above, equal = s > least, s == least
    room = k - above.sum(axis=1, keepdims=True)
    keep = above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room))
    return np.nonzero(keep)[1].reshape(b, k)
