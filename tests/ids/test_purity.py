"""Purity by hand, beside its chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Book, Catalog, IdTable, Names
from llmrec.ids.purity import Common, purity


def films(genres: list[list[str]] | None, years: list[int | None] | None, n: int = 6) -> Catalog:
    items = pd.DataFrame({"key": [str(i) for i in range(n)], "title": ["x"] * n})
    if genres is not None:
        items["genres"] = pd.Series(genres, dtype=object)
    if years is not None:
        items["year"] = pd.array(years, dtype="Int64")
    return Catalog(pd.DataFrame({"key": ["u"]}), items)


def by(codes: list[int]) -> IdTable:
    return IdTable("toy", Names(np.array(codes, dtype=np.int32)[:, None], (Book("c", 4),)))


def test_by_hand() -> None:
    genres = [["War"], ["War", "Drama"], ["Drama"], ["Drama", "Comedy"], [], ["Comedy"]]
    found = purity(by([0, 0, 0, 1, 1, 1]), films(genres, [1991, 1999, 1988, None, 2001, 2009]))
    assert found.genre is not None and found.decade is not None and found.notes == ()
    # Token 0: War and Drama both have two of three, the alphabet decides; Token 1: Comedy has two of the two that are known
    assert found.genre.tokens == (Common("<c0>", 3, "Drama", 2 / 3), Common("<c1>", 2, "Comedy", 1.0))
    assert (found.genre.purity, found.genre.n_known) == (4 / 5, 5)
    assert found.decade.tokens == (Common("<c0>", 3, "1990s", 2 / 3), Common("<c1>", 2, "2000s", 1.0))
    assert found.genre.lift == pytest.approx(found.genre.purity / found.genre.chance)


def test_chance_is_the_mean_over_all_orders() -> None:
    """Two Tokens of two items over the tags a, a, b, b: four of the six ways are mixed (purity 1/2), two are pure."""
    catalog = films([["a"], ["a"], ["b"], ["b"]], None, n=4)
    found = purity(by([0, 0, 1, 1]), catalog, shuffles=4000).genre
    assert found is not None and found.purity == 1.0
    assert found.chance == pytest.approx((2 * 1 + 4 * 0.5) / 6, abs=0.02)


def test_names_that_say_nothing_have_no_lift() -> None:
    rng = np.random.default_rng(0)
    n = 2000
    tags = [["even" if i % 2 else "odd"] for i in range(n)]
    table = IdTable("toy", Names(rng.integers(0, 4, size=(n, 1)).astype(np.int32), (Book("c", 4),)))
    found = purity(table, films(tags, [1990] * n, n))
    assert found.genre is not None and found.decade is not None
    assert found.genre.lift == pytest.approx(1.0, abs=0.04)
    assert (found.decade.purity, found.decade.lift) == (1.0, 1.0)  # one decade: pure, and by chance as well
    parity = IdTable("toy", Names((np.arange(n) % 2).astype(np.int32)[:, None], (Book("c", 2),)))
    lifted = purity(parity, films(tags, None, n)).genre
    assert lifted is not None and lifted.purity == 1.0 and lifted.lift > 1.9


def test_what_the_catalogue_lacks_is_said() -> None:
    found = purity(by([0] * 6), films(None, [None] * 6))
    assert (found.genre, found.decade) == (None, None)
    assert [note.split(":")[0] for note in found.notes] == ["no genre purity", "no decade purity"]
    with pytest.raises(ValueError, match="level is 1, .* choose 0 to 0"):
        purity(by([0] * 6), films(None, None), level=1)
    with pytest.raises(ValueError, match="catalogue has 5 items, but the table names 6"):
        purity(by([0] * 6), films(None, None, n=5))


def test_names_nobody_shares_are_not_listed() -> None:
    table = IdTable("sid", Names(np.arange(6, dtype=np.int32)[:, None], (Book("i", 6, token=False),)))
    found = purity(table, films([["a"]] * 6, None)).genre
    assert found is not None and found.tokens == () and (found.purity, found.lift) == (1.0, 1.0)
