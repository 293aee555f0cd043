"""The ranking under every baseline, against sorting in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Queries
from llmrec.recommend.topk import history_matrix, rank_in_blocks, recent_matrix


@settings(deadline=None, max_examples=200)
@given(data=st.data(), m=st.integers(1, 12), b=st.integers(1, 4), k=st.integers(1, 15))
def test_ranking_equals_a_plain_sort(data: st.DataObject, m: int, b: int, k: int) -> None:
    """Few different scores, so that ties are everywhere."""
    scores = np.array(data.draw(st.lists(st.lists(st.sampled_from([-1.5, 0, 1, 2]), min_size=m, max_size=m), min_size=b, max_size=b)))
    ties = np.array(data.draw(st.permutations(range(m))), dtype=np.int32)
    out = tuple(np.array(data.draw(st.lists(st.integers(0, m - 1), max_size=4)), dtype=np.int32) for _ in range(b))
    asked = Queries(np.full(b, -1, dtype=np.int32), out, out)
    ranked = rank_in_blocks(asked, k, ties, lambda part: scores)
    place = {int(item): at for at, item in enumerate(ties)}
    for row in range(b):
        legal = [i for i in range(m) if scores[row, i] != 0 and i not in out[row]]
        best = sorted(legal, key=lambda i: (-scores[row, i], place[i]))[:k]
        assert ranked.items[row].tolist() == best + [-1] * (k - len(best))
        assert ranked.scores[row].tolist() == [scores[row, i] for i in best] + [-np.inf] * (k - len(best))


def test_history_counts_each_item_once() -> None:
    matrix = history_matrix(Queries.of_history([2, 0, 2, 2]), 4)
    assert matrix.toarray().tolist() == [[1, 0, 1, 0]]


@pytest.mark.parametrize(
    ("history", "expected"),
    [([], [0, 0, 0, 0]), ([3], [0, 0, 0, 3]), ([0, 3], [2, 0, 0, 3]), ([3, 0, 1, 2], [1, 2, 3, 0]), ([0, 1, 1], [1, 5, 0, 0])],
)
def test_the_newest_item_weighs_most(history: list[int], expected: list[int]) -> None:
    matrix = recent_matrix(Queries.of_history(history), 4, (1.0, 2.0, 3.0))
    assert matrix.toarray().tolist() == [expected]


def test_recent_weights_stay_with_their_person() -> None:
    asked = Queries(np.array([-1, -1, -1]), (np.array([1]), np.zeros(0, dtype=np.int32), np.array([0, 1, 2, 0])))
    assert recent_matrix(asked, 3, (1.0, 2.0, 3.0)).toarray().tolist() == [[0, 3, 0], [0, 0, 0], [3, 1, 2]]
