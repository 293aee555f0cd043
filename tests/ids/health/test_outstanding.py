"""What stands out among a Token's bearers, against sums by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from llmrec.contracts import Catalog
from llmrec.ids.health import outstanding


def test_lift_is_the_share_here_over_the_share_everywhere() -> None:
    tags = [{"horror"}, {"horror", "sf"}, {"sf"}, {"drama"}, {"drama"}, {"drama"}]
    (one,) = outstanding.outstanding(tags, [0, 1], least=2)
    assert (one.tag, one.count, one.everywhere) == ("horror", 2, 2)
    assert one.lift == pytest.approx((2 / 2) / (2 / 6))


def test_what_is_no_more_frequent_here_is_left_out() -> None:
    tags = [{"a", "b"}, {"a", "b"}, {"a"}, {"a"}]
    assert [one.tag for one in outstanding.outstanding(tags, [0, 1])] == ["b"]
    assert outstanding.outstanding(tags, [0, 1, 2, 3]) == ()
    assert outstanding.outstanding(tags, []) == () and outstanding.outstanding([set(), set()], [0]) == ()


def test_one_member_alone_says_nothing_and_many_come_before_rare() -> None:
    tags = [{"often", "once"}, {"often"}, {"often", "twice"}, {"twice"}, *[set()] * 8]
    found = outstanding.outstanding(tags, [0, 1, 2, 3], most=2)
    assert [one.tag for one in found] == ["often", "twice"]
    assert all(one.tag != "once" for one in outstanding.outstanding(tags, [0, 1, 2, 3], most=9))


def test_words_genres_and_decades_of_a_catalogue() -> None:
    items = pd.DataFrame(
        {
            "key": ["a", "b"],
            "title": ["The Curse of the <b>Mummy</b> 2", "L'Été"],
            "year": pd.array([1999, None], dtype="Int64"),
            "genres": [["Horror"], None],
        }
    )
    catalog = Catalog(pd.DataFrame({"key": ["u"]}), items)
    assert outstanding.words(catalog) == [{"curse", "mummy"}, {"été"}]
    assert outstanding.decades(catalog) == [{"1990s"}, frozenset()]
    assert outstanding.genres(catalog) == [{"Horror"}, frozenset()]
    bare = Catalog(pd.DataFrame({"key": ["u"]}), items[["key", "title"]])
    assert outstanding.decades(bare) == outstanding.genres(bare) == [frozenset()] * 2
