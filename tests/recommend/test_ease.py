"""EASE against the regression it solves, item by item."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Interactions, Queries
from llmrec.recommend.ease import Ease


def some() -> Interactions:
    rng = np.random.default_rng(3)
    pairs = [(u, i) for u in range(15) for i in range(7) if rng.random() < 0.4]
    user, item = np.array(pairs, dtype=np.int32).T
    return Interactions.from_unsorted(user, item, np.arange(len(pairs)), 15, 7)


def test_each_column_is_the_ridge_regression_on_the_other_items() -> None:
    train, l2 = some(), 2.0
    x = np.zeros((15, 7))
    x[train.user, train.item] = 1
    weights = Ease(l2=l2).fit(train, np.random.default_rng(0)).weights
    assert (np.diag(weights) == 0).all()
    for j in range(7):
        others = [i for i in range(7) if i != j]
        a = x[:, others]
        expected = np.linalg.solve(a.T @ a + l2 * np.eye(6), a.T @ x[:, j])
        assert weights[others, j] == pytest.approx(expected, abs=1e-5)


def test_scores_are_sums_of_weights() -> None:
    fitted = Ease(l2=2.0).fit(some(), np.random.default_rng(0))
    ranked = fitted.recommend(Queries.of_history([1, 4]), 5)
    sums = fitted.weights[1] + fitted.weights[4]
    expected = sorted(set(range(7)) - {1, 4}, key=lambda i: -sums[i])
    assert ranked.items[0].tolist() == expected


def test_too_large_a_catalogue_is_refused_before_it_fills_memory() -> None:
    train = Interactions.from_unsorted(np.array([0]), np.array([0]), np.array([0]), 1, 10**6)
    with pytest.raises(ValueError, match=r"1000000 items needs about 24000.0 GB, but memory_gb is 4: raise memory_gb"):
        Ease().fit(train, np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"l2": 0.0}, {"l2": -5.0}, {"l2": float("nan")}, {"memory_gb": 0.0}])
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Ease(**wrong)
