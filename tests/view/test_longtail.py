"""The tables behind the data figures, counted by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmrec.contracts import Interactions
from llmrec.view.longtail import history_length_table, history_lengths, long_tail, long_tail_table


def taken(lengths: list[int], n_items: int = 4) -> Interactions:
    user = np.repeat(np.arange(len(lengths)), lengths)
    return Interactions.from_unsorted(user, np.arange(len(user)) % n_items, np.arange(len(user)), len(lengths), n_items)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=30))
def test_every_user_falls_into_one_bin(lengths: list[int]) -> None:
    table = history_length_table(taken(lengths))
    assert table["users"].sum() == len(lengths)
    for row in table.itertuples():
        assert row.users == sum(row[1] <= n <= row[2] for n in lengths)
    assert (table["from"].to_numpy()[1:] == table["to"].to_numpy()[:-1] + 1).all()


def test_the_long_tail_by_hand() -> None:
    train = Interactions.from_unsorted(np.array([0, 0, 0, 1]), np.array([2, 2, 0, 2]), np.arange(4), 2, 4)
    table = long_tail_table(train)
    assert table["item"].tolist() == [2, 0, 1, 3] and table["interactions"].tolist() == [3, 1, 0, 0]
    assert table["share"].tolist() == [0.75, 1.0, 1.0, 1.0]
    figure = long_tail(train, dark=True)
    assert list(figure.data[0].y) == [3, 1]  # a logarithm has no place for items nobody took
    assert "the first 1 of 4 items" in figure.layout.annotations[0].text


def test_a_long_tail_of_equals_is_drawn_by_its_corners() -> None:
    counts = [5, 2, 2, 2, 1, 1, 1, 1, 0]
    item = np.repeat(np.arange(9), counts)
    user = np.concatenate([np.arange(n) for n in counts])
    line = long_tail(Interactions.from_unsorted(user, item, np.arange(len(item)), 5, 9)).data[0]
    assert list(zip(line.x, line.y, strict=True)) == [(1, 5), (2, 2), (4, 2), (5, 1), (8, 1)]


def test_the_histogram_shows_its_table() -> None:
    train = taken([1, 1, 5])
    assert sum(history_lengths(train).data[0].y) == 3
    assert len(long_tail(taken([0])).data) == 1  # nothing taken: an empty line, no error
