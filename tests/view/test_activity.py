"""Interactions over time, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Interactions
from llmrec.view import longtail

DAY = 86_400
START = 946_684_800  # 1 January 2000, a Saturday


def taken(days: list[int], users: list[int]) -> Interactions:
    item = np.zeros(len(days), dtype=np.int32)
    return Interactions.from_unsorted(np.array(users), item, np.array([START + DAY * d for d in days]), max(users) + 1, 1)


def test_days_are_counted_and_empty_ones_stay() -> None:
    table = longtail.activity_table(taken([0, 0, 0, 2], [0, 0, 1, 1]))
    assert table["from"].tolist() == ["2000-01-01", "2000-01-02", "2000-01-03"]
    assert table["interactions"].tolist() == [3, 0, 1] and table["users"].tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("last", "rows", "first"), [(59, 60, "2000-01-01"), (60, 10, "1999-12-27"), (1000, 33, "2000-01-01"), (9000, 25, "2000-01-01")]
)
def test_the_span_grows_with_the_time(last: int, rows: int, first: str) -> None:
    table = longtail.activity_table(taken([0, last], [0, 1]))
    assert (len(table), table["from"].iloc[0], int(table["interactions"].sum())) == (rows, first, 2)


def test_places_in_a_line_are_no_dates() -> None:
    places = Interactions.from_unsorted(np.array([0, 0]), np.array([0, 1]), np.array([0, 1]), 1, 2)
    assert longtail.activity_table(places).empty
    assert len(longtail.activity(places).data) == 1  # drawn, empty


def test_the_figure_shows_the_table() -> None:
    bars = longtail.activity(taken([0, 0, 2], [0, 1, 1])).data[0]
    assert list(bars.y) == [2, 0, 1] and list(bars.x) == ["2000-01-01", "2000-01-02", "2000-01-03"]
