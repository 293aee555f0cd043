"""From scores to a ranking, against sorting everything: equals in the order of ties, the excluded gone, the rest padded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Ints
from llmrec.lm.heads.whole import best, tie_order


def sorted_whole(scores: list[list[float]], k: int, ties: list[int], gone: list[set[int]]) -> tuple[list[list[int]], list[list[float]]]:
    """Python's own sort is stable: items in the order of ties, then by falling score."""
    items, values = [], []
    for row, out in zip(scores, gone, strict=True):
        left = [i for i in ties if i not in out and row[i] != -np.inf]
        found = sorted(left, key=lambda i: -row[i])[:k]
        items.append(found + [-1] * (k - len(found)))
        values.append([row[i] for i in found] + [-np.inf] * (k - len(found)))
    return items, values


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 5), st.integers(1, 30), st.integers(1, 35), st.integers(1, 4), st.integers(0, 10**6))
def test_the_best_are_those_of_a_stable_sort(b: int, m: int, k: int, levels: int, seed: int) -> None:
    """Few different scores, so that ties straddle the last place; some are -inf."""
    draw = np.random.default_rng(seed)
    scores = draw.choice([-np.inf, *np.linspace(-1, 1, levels)], size=(b, m)).astype(np.float32)
    gone: tuple[Ints, ...] = tuple(draw.integers(m, size=draw.integers(0, m + 1)) for _ in range(b))
    ties = torch.from_numpy(draw.permutation(m))
    given_ = torch.from_numpy(scores.copy())
    ranked = best(given_, k, ties, gone)
    items, values = sorted_whole(scores.tolist(), k, ties.tolist(), [set(g.tolist()) for g in gone])
    assert ranked.items.tolist() == items and ranked.scores.tolist() == values
    assert torch.equal(given_, torch.from_numpy(scores)), "the scores belong to the caller"


def test_many_items_are_ranked_as_by_sorting_them_all() -> None:
    m = 5000
    scores, ties = torch.randn(3, m, generator=torch.Generator().manual_seed(0)).round(decimals=1), tie_order(m)
    values, order = scores[:, ties].sort(dim=1, descending=True, stable=True)
    ranked = best(scores, 20, ties)
    assert np.array_equal(ranked.items, ties[order[:, :20]].numpy()) and np.array_equal(ranked.scores, values[:, :20].numpy())


@pytest.mark.parametrize("k", [1, 3, 6])
def test_scores_that_are_no_numbers_do_not_break_a_ranking(k: int) -> None:
    """A training that diverged is measured as it is: not a number comes first, as torch sorts it."""
    scores = torch.tensor([[0.5, float("nan"), 0.7, float("nan"), 0.1, 0.2]])
    ties = torch.arange(6)
    assert best(scores, k, ties).items[0].tolist() == [1, 3, 2, 0, 5, 4][:k]
