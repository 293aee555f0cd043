"""Points inside an area: hand-drawn shapes, an oracle in plain Python, and the corners nobody thinks of."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.view.inside import box, polygon

SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]


def oracle(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """The even-odd rule, edge by edge."""
    odd = False
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            odd = not odd
    return odd


def test_a_square_holds_its_middle_and_nothing_else() -> None:
    points = np.array([[1, 1], [3, 1], [-1, 1], [1, 3], [1, -1], [np.nan, 1], [1.999, 0.001]], dtype=np.float32)
    assert polygon(points, SQUARE).tolist() == [True, False, False, False, False, False, True]
    assert polygon(points, SQUARE[::-1]).tolist() == polygon(points, SQUARE).tolist()  # either way around


def test_a_bay_is_outside_and_what_is_gone_around_twice_too() -> None:
    bay = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0)]  # a V cut into the top
    assert polygon(np.array([[2.0, 3.0], [2.0, 0.5], [0.5, 2.0]]), bay).tolist() == [False, True, True]
    twice = [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (1.0, 3.0), (1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (0.0, 2.0)]
    assert polygon(np.array([[1.5, 1.5], [0.5, 1.0]]), twice).tolist() == [False, True]


def test_every_point_is_counted_as_plain_python_counts_it() -> None:
    rng = np.random.default_rng(3)
    for corners in (3, 5, 17):
        outline = [(float(x), float(y)) for x, y in rng.integers(-4, 5, (corners, 2))]  # corners and points at the same heights
        points = rng.integers(-5, 6, (400, 2)) + rng.choice([0.0, 0.25], (400, 2))
        expected = [oracle(float(x), float(y), outline) for x, y in points]
        assert polygon(points, outline).tolist() == expected


def test_areas_that_tile_a_plane_hold_each_point_once() -> None:
    points = np.random.default_rng(5).integers(0, 8, (300, 2)) / 2.0
    halves = [(0.0, -1.0), (9.0, -1.0), (9.0, 2.0), (0.0, 2.0)], [(0.0, 2.0), (9.0, 2.0), (9.0, 9.0), (0.0, 9.0)]
    assert (sum(polygon(points, half).astype(int) for half in halves) == 1).all()


@pytest.mark.parametrize("corners", [[], [(0.0, 0.0)], [(0.0, 0.0), (1.0, 1.0)], [(float("nan"), 0.0)] * 5, [(1.0, 1.0)] * 4])
def test_what_is_no_outline_holds_nobody(corners: list[tuple[float, float]]) -> None:
    assert not polygon(np.array([[0.5, 0.5], [1.0, 1.0]]), corners).any()


def test_a_box_may_be_drawn_from_any_corner() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [1.01, 0.5], [np.nan, 0.5]])
    assert box(points, (1.0, 0.0), (0.0, 1.0)).tolist() == [True, True, False, False]
