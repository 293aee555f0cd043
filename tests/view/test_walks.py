"""A walk as a table and as a picture, on a graph small enough to know every way."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec.contracts import Catalog, Interactions
from llmrec.view.walks import from_person, walk, walk_table


def world(titles: tuple[str, ...] = ("A", "<b>B</b>", "C")) -> tuple[Interactions, Catalog]:
    user, item = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    train = Interactions.from_unsorted(user, item, np.arange(4), 4, 3)
    users = pd.DataFrame({"key": ["u0", "u1", "u2", "u3"]})
    return train, Catalog(users, pd.DataFrame({"key": ["a", "b", "c"], "title": list(titles)}))


@given(st.integers(0, 2**32), st.integers(2, 9))
def test_every_step_is_an_interaction(seed: int, length: int) -> None:
    train, _ = world()
    took = set(zip(train.user.tolist(), train.item.tolist(), strict=True))
    path = from_person(train, 0, length, np.random.default_rng(seed)).tolist()
    assert len(path) == length and path[0] == 0
    for a, b in itertools.pairwise(path):
        user, item = min(a, b), max(a, b) - train.n_users
        assert (user, item) in took


def test_who_took_nothing_walks_nowhere() -> None:
    train, _ = world()
    for user in (3, 4, -1):
        with pytest.raises(ValueError, match="took nothing"):
            from_person(train, user, 5, np.random.default_rng(0))


def test_the_table_by_hand() -> None:
    train, catalog = world()
    table = walk_table(np.array([0, 5, 1, 5]), train, catalog)
    assert table["side"].tolist() == ["user", "item", "user", "item"]
    assert table["key"].tolist() == ["u0", "b", "u1", "b"] and table["title"][1] == "<b>B</b>"
    assert table["ways"].tolist() == [2, 2, 1, 2]


def test_the_window_is_marked_and_titles_are_text() -> None:
    train, catalog = world(("A", "<b>B</b>" * 20, "C"))
    table = walk_table(np.array([0, 4, 0, 5, 1, 5, 0, 4, 0]), train, catalog)
    figure = walk(table, window=2, shown=7)
    box = figure.layout.shapes[0]
    assert [box.y0, box.y1] == pytest.approx([-5.42, -0.58])  # around step 3, the item nearest to the middle: steps 1 to 5
    texts = [text for trace in figure.data[1:] for text in trace.text]
    assert len(texts) == 7 and not any("<b>" in text for text in texts) and any("&lt;b&gt;" in text and "…" in text for text in texts)
