"""ItemKNN by hand, and the published facts of methods section 4."""

from __future__ import annotations

import math

import numpy as np
import pytest

from llmrec.contracts import Interactions, Queries
from llmrec.recommend.itemknn import ItemKnn, RecentItemKnn, cosines


def small() -> Interactions:
    """u0: 0 1; u1: 0 1 2; u2: 2 3; u3: 0, and 0 again."""
    user = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3])
    item = np.array([0, 1, 0, 1, 2, 2, 3, 0, 0])
    return Interactions.from_unsorted(user, item, np.arange(9), 4, 5)


@pytest.mark.parametrize("shrinkage", [0.0, 2.0])
def test_cosines_by_hand(shrinkage: float) -> None:
    near = cosines(small(), shrinkage).toarray()
    takers = [{0, 1, 3}, {0, 1}, {1, 2}, {2}, set()]
    for i in range(5):
        for j in range(5):
            both = len(takers[i] & takers[j])
            expected = both / (math.sqrt(len(takers[i]) * len(takers[j])) + shrinkage) if both and i != j else 0.0
            assert near[i, j] == pytest.approx(expected), (i, j)


def test_neighbours_keep_the_nearest_of_each_scored_item() -> None:
    whole, near = cosines(small()).toarray(), cosines(small(), neighbours=1).toarray()
    for j in range(5):
        kept = np.flatnonzero(near[:, j])
        assert len(kept) == min(1, np.count_nonzero(whole[:, j]))
        if len(kept):
            assert near[kept[0], j] == whole[:, j].max()


def test_more_neighbours_than_items_change_nothing() -> None:
    assert np.array_equal(cosines(small(), neighbours=99).toarray(), cosines(small()).toarray())


def test_scores_are_sums_of_cosines() -> None:
    near = cosines(small()).toarray()
    ranked = ItemKnn().fit(small(), np.random.default_rng(0)).recommend(Queries.of_history([0, 3]), 2)
    sums = near[0] + near[3]
    assert sums[2] > sums[1] > 0
    assert ranked.items.tolist() == [[2, 1]]
    assert ranked.scores[0].tolist() == pytest.approx([sums[2], sums[1]])


def test_the_newest_item_decides() -> None:
    fitted = RecentItemKnn(weights=(1.0, 100.0)).fit(small(), np.random.default_rng(0))
    assert fitted.recommend(Queries.of_history([0, 2]), 1).items.tolist() == [[3]]
    assert fitted.recommend(Queries.of_history([3, 0]), 1).items.tolist() == [[1]]


@pytest.mark.parametrize("wrong", [{"shrinkage": -1.0}, {"shrinkage": math.nan}, {"neighbours": 0}])
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    for kind in (ItemKnn, RecentItemKnn):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            kind(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [(), (1.0, 0.0), (-1.0,)])
def test_weights_out_of_range_are_named(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weights"):
        RecentItemKnn(weights=weights)
