"""What a person did on a map, as the chart tells it and as the address writes it."""

from __future__ import annotations

from typing import Any

import pytest

from app.seam.maps import Area
from app.tokens.lasso import Done, from_address, read, to_address

TRIANGLE = Area("lasso", (0.0, 1.5, 3.0), (0.0, 2.25, -1.0))
BOX = Area("box", (1.0, -2.0), (0.5, 4.0))


def event(points: Any = (), lasso: Any = (), box: Any = ()) -> dict[str, Any]:
    return {"selection": {"points": list(points), "point_indices": [], "lasso": list(lasso), "box": list(box)}}


def test_a_click_is_read_by_what_the_point_carries_and_never_by_its_number() -> None:
    assert read(event([{"point_index": 9, "customdata": ["user", 4]}])) == Done(("user", 4))
    assert read(event([{"point_index": 0, "x": 1.0}, {"customdata": ["item", 7, "more"]}])) == Done(("item", 7))


def test_an_area_counts_and_the_points_that_came_with_it_do_not() -> None:
    inside = [{"customdata": ["item", n]} for n in range(5)]
    drawn = {"xref": "x", "yref": "y", "x": [0, 1.50004, 3], "y": [0, 2.25, -1]}
    assert read(event(inside, [drawn])) == Done(None, (TRIANGLE,))
    assert read(event(inside, [drawn], [{"x": [1, -2], "y": [0.5, 4]}])) == Done(None, (TRIANGLE, BOX))


@pytest.mark.parametrize(
    "odd", [None, {}, {"selection": None}, event(), event([{"customdata": ["token", 1]}]), event(lasso=[{"x": [1, 2], "y": [1, 2]}])]
)
def test_nothing_that_means_something_is_nothing(odd: Any) -> None:
    assert read(odd) == Done()


def test_an_address_gives_back_what_was_drawn_on_the_same_map() -> None:
    written = to_address("UMAP", (TRIANGLE, BOX))
    assert written is not None and "umap" in written and from_address(written, "UMAP") == (TRIANGLE, BOX)
    assert from_address(written, "PCA") == ()
    assert to_address("UMAP", ()) is None


@pytest.mark.parametrize(
    "written",
    [None, "", "umap", "umap~lasso~1,2", "umap~lasso~1,2,x~1,2,3", "umap~disc~1,2,3~1,2,3", "umap~box~1,2,3~1,2,3", "umap~box~nan,1~1,2"],
)
def test_an_address_that_nobody_wrote_draws_nothing(written: str | None) -> None:
    assert from_address(written, "UMAP") == ()
