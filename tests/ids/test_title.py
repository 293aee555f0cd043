"""Title: the catalogue's words, told apart by year, then by number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec.contracts import Catalog, Dataset, IdTable, Interactions
from llmrec.ids.title import Title, told_apart


def fit(titles: list[str | None], years: list[int | None] | None = None) -> IdTable:
    items = pd.DataFrame({"key": [f"k{i}" for i in range(len(titles))], "title": pd.Series(titles, dtype=object)})
    if years is not None:
        items["year"] = pd.array(years, dtype="Int64")
    none = np.zeros(0, dtype=np.int32)
    train = Interactions(none, none, none.astype(np.int64), 1, len(titles))
    return Title().fit(train, Catalog(pd.DataFrame({"key": ["u"]}), items), None, np.random.default_rng(0))


def said(titles: list[str | None], years: list[int | None] | None = None) -> list[str]:
    table = fit(titles, years)
    return [str(table.items.spell(i)[0]) for i in range(len(titles))]


def test_a_title_is_a_name_and_no_row_is_new() -> None:
    table = fit(["Toy Story", "E.T.", "8 1/2", "<c3>"])
    assert [table.items.spell(i) for i in range(4)] == [("Toy Story",), ("E.T.",), ("8 1/2",), ("<c3>",)]
    assert table.users is None and not table.tokens


def test_equal_titles_are_told_apart_by_year_then_by_number() -> None:
    titles: list[str | None] = ["Sabrina", "Up", "Sabrina", "Sabrina", "Up", "Sabrina", "Heat"]
    years: list[int | None] = [1995, None, 1954, 1995, None, None, 1995]
    assert said(titles, years) == ["Sabrina (1995)", "Up", "Sabrina (1954)", "Sabrina (1995) #2", "Up #2", "Sabrina", "Heat"]
    assert said(titles) == ["Sabrina", "Up", "Sabrina #2", "Sabrina #3", "Up #2", "Sabrina #4", "Heat"]  # no years known at all


def test_a_number_or_year_that_is_a_title_already_is_not_given_again() -> None:
    assert said(["Up", "Up #2", "Up", "Up"]) == ["Up", "Up #2", "Up #3", "Up #4"]
    assert said(["Up", "Up", "Up (2009)"], [2009, 2010, None]) == ["Up (2009)", "Up (2010)", "Up (2009) #2"]


def test_titles_that_differ_by_blanks_or_by_how_an_accent_is_stored_are_equal() -> None:
    assert said([" Up", "Up  ", "A\tB", "A B"]) == ["Up", "Up #2", "A B", "A B #2"]
    assert said(["Am\u00e9lie", "Ame\u0301lie"]) == ["Am\u00e9lie", "Am\u00e9lie #2"]


def test_an_item_without_a_title_is_named_by_its_key() -> None:
    assert said(["", None, "  ", "k0"]) == ["k0", "k1", "k2", "k0 #2"]


@given(st.lists(st.tuples(st.sampled_from(["A", "A #2", "A (1)", "", "A (1) #2"]), st.sampled_from([None, 1, 2])), min_size=1, max_size=12))
def test_names_are_unique_and_keep_what_was_unique(rows: list[tuple[str, int | None]]) -> None:
    titles = [t for t, _ in rows]
    names = told_apart(titles, [y for _, y in rows])
    assert len(set(names)) == len(names)
    assert all(name.startswith(title) for name, title in zip(names, titles, strict=True))
    dated = {f"{t} ({y})" for t, y in rows}
    alone = [t for t in titles if titles.count(t) == 1 and t not in dated]
    assert all(t in names for t in alone)


@pytest.mark.parametrize("title", ["Sabrina", "Ulee's Gold"])
def test_movielens_films_of_one_title(ml100k: Dataset, title: str) -> None:
    texts = Title().fit(ml100k.interactions, ml100k.catalog, None, np.random.default_rng(0)).items.books[0].texts
    assert texts is not None and len(set(texts)) == 1682
    expected = {"Sabrina": {"Sabrina (1995)", "Sabrina (1954)"}, "Ulee's Gold": {"Ulee's Gold (1997)", "Ulee's Gold (1997) #2"}}
    assert {t for t in texts if t.startswith(f"{title} (")} == expected[title]
