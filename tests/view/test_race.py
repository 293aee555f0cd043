"""A race as bars: medians, whiskers and the same numbers while it runs."""

from __future__ import annotations

import pytest

from llmrec.view import race

TIMES = {"retrieve": [3.0, 1.0, 2.0], "trie <b>": [10.0, 30.0], "asleep": []}


def test_a_way_is_told_by_its_median_and_its_extremes() -> None:
    table = race.table(TIMES)
    assert table.to_dict("records") == [
        {"way": "retrieve", "median ms": 2.0, "quickest ms": 1.0, "slowest ms": 3.0, "calls": 3},
        {"way": "trie <b>", "median ms": 20.0, "quickest ms": 10.0, "slowest ms": 30.0, "calls": 2},
    ]
    assert race.table({}).empty


@pytest.mark.parametrize("dark", [False, True])
def test_bars_and_whiskers_reach_as_far(dark: bool) -> None:
    figure = race.bars(race.table(TIMES), dark)
    bar = figure.data[0]
    assert list(figure.layout.yaxis.ticktext) == ["retrieve<br><b>2.0 ms</b>", "trie &lt;b&gt;<br><b>20.0 ms</b>"]
    assert list(bar.x) == [2.0, 20.0] and list(bar.error_x.array) == [1.0, 10.0] and list(bar.error_x.arrayminus) == [1.0, 10.0]


def test_while_it_runs_the_same_medians_are_drawn() -> None:
    table, spec = race.moving(race.table(TIMES))
    assert table["median ms"].tolist() == [2.0, 20.0] and spec["encoding"]["x"]["field"] == "median ms"
    assert spec["encoding"]["color"]["scale"]["domain"] == ["retrieve", "trie <b>"]
