"""Popularity by hand."""

from __future__ import annotations

import numpy as np

from llmrec.contracts import Interactions, Queries
from llmrec.recommend.popularity import Popularity


def test_items_come_by_count() -> None:
    item = np.array([2, 2, 2, 0, 0, 3])
    train = Interactions.from_unsorted(np.array([0, 1, 2, 0, 1, 2]), item, np.arange(6), 3, 5)
    fitted = Popularity().fit(train, np.random.default_rng(0))
    ranked = fitted.recommend(Queries.of_history([]), 4)
    assert ranked.items.tolist() == [[2, 0, 3, -1]]
    assert ranked.scores.tolist() == [[3, 2, 1, -np.inf]]
    assert fitted.recommend(Queries.of_history([2]), 2).items.tolist() == [[0, 3]]
