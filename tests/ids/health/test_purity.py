"""Purity by hand, beside its chance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Book, Catalog, IdTable, Names
from llmrec.ids.health.purity import Common, _commonest, purity


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


def test_against_a_loop_with_ties_several_tags_and_gaps() -> None:
    rng = np.random.default_rng(4)
    n = 300
    tags = [sorted({"abcdefg"[g] for g in rng.integers(0, 7, size=rng.integers(0, 4))}) for _ in range(n)]
    codes = rng.integers(-1, 60, size=n)
    found = purity(IdTable("toy", Names(codes.astype(np.int32)[:, None], (Book("c", 60),))), films(tags, None, n)).genre
    assert found is not None
    hits = 0
    for token in set(codes.tolist()) - {-1}:
        members = [tags[i] for i in np.flatnonzero(codes == token) if tags[i]]
        if not members:
            continue
        often = Counter(tag for member in members for tag in member)
        best = min(often, key=lambda tag: (-often[tag], tag))
        hits += often[best]
        assert Common(f"<c{token}>", len(members), best, often[best] / len(members)) in found.tokens
    assert found.purity == pytest.approx(hits / found.n_known) and found.n_known == sum(
        bool(t) and c >= 0 for t, c in zip(tags, codes, strict=True)
    )


def test_names_of_one_token_each_are_not_shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million of them would be counted twenty times for a chance that is certain."""
    monkeypatch.setattr("llmrec.ids.health.purity._counted", lambda *_: pytest.fail("counted"))
    table = IdTable("one", Names(np.arange(6, dtype=np.int32)[:, None], (Book("i", 6),)))
    found = purity(table, films([["a"], [], ["b"], ["c", "d"], ["e"], ["f"]], [1990] * 6))
    assert found.genre is not None and found.decade is not None
    assert (found.genre.purity, found.genre.chance, found.genre.n_known, found.decade.lift) == (1.0, 1.0, 5, 1.0)


def test_the_commonest_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shuffles need how many have it, not which it is."""
    calls = []
    monkeypatch.setattr("llmrec.ids.health.purity._commonest", lambda counts, most: calls.append(1) or _commonest(counts, most))
    purity(by([0, 0, 1, 1, 1, 0]), films([["a"], ["b"]] * 3, None))
    assert len(calls) == 1


def test_single_years_where_they_are_asked_for() -> None:
    catalog = films([["a"]] * 6, [1991, 1991, 1995, 2001, 2002, None])
    table = by([0, 0, 0, 1, 1, 1])
    plain, found = purity(table, catalog), purity(table, catalog, years=True)
    assert plain.year is None and (plain.genre, plain.decade) == (found.genre, found.decade)
    assert found.year is not None and found.decade is not None
    assert found.year.tokens == (Common("<c0>", 3, "1991", 2 / 3), Common("<c1>", 2, "2001", 1 / 2))
    assert (found.year.purity, found.decade.purity) == (3 / 5, 1.0)
    assert purity(table, films([["a"]] * 6, None), years=True).notes[1].startswith("no year purity: the catalogue has no years")
