"""Neighbours in the original space against a plain sort."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Vectors
from llmrec.view.neighbours import nearest

RNG = np.random.default_rng(0)
VECTORS = Vectors(RNG.standard_normal((9, 4)).astype(np.float32), RNG.standard_normal((14, 4)).astype(np.float32))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return 1 - float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))


@pytest.mark.parametrize(("side", "among"), [("item", "item"), ("user", "item"), ("item", "user"), ("user", "user")])
def test_against_a_plain_sort(side: str, among: str) -> None:
    query = (VECTORS.items if side == "item" else VECTORS.users)[3]
    pool = VECTORS.items if among == "item" else VECTORS.users
    expected = sorted((distance(query, x), i) for i, x in enumerate(pool) if side != among or i != 3)[:5]
    found = nearest(VECTORS, side, 3, 5, among)  # type: ignore[arg-type]
    assert found.indices.tolist() == [i for _, i in expected]
    assert found.distances == pytest.approx([d for d, _ in expected], abs=1e-5)


def test_a_zero_row_is_near_nobody() -> None:
    items = VECTORS.items.copy()
    items[2] = 0
    vectors = Vectors(VECTORS.users, items)
    assert len(nearest(vectors, "item", 2).indices) == 0
    assert 2 not in nearest(vectors, "item", 0, 99).indices
    assert len(nearest(vectors, "item", 0, 99).indices) == 12  # all but itself and the unknown one


def test_a_twin_is_found_and_the_item_itself_is_not() -> None:
    items = VECTORS.items.copy()
    items[7] = items[1] * 3
    found = nearest(Vectors(VECTORS.users, items), "item", 1, 3)
    assert found.indices[0] == 7 and found.distances[0] == pytest.approx(0, abs=1e-6) and 1 not in found.indices


def test_two_spaces_are_not_crossed_and_unknown_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="two spaces"):
        nearest(Vectors(VECTORS.users, VECTORS.items, joint=False), "user", 0)
    with pytest.raises(ValueError, match="no item 14"):
        nearest(VECTORS, "item", 14)
