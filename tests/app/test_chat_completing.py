"""What "@" offers: an order by hand over a few titles, typos, and whatever a person may type."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.chat.completing import MOST, Completing
from llmrec.contracts import Catalog, Interactions

TITLES = [
    ("Star Wars", 1977),
    ("Star Trek: First Contact", 1996),
    ("Starship Troopers", 1997),
    ("A Fallen Star", 1990),
    ("The Godfather", 1972),
    ("Rocky II", 1979),
    ("Amélie (Le Fabuleux destin)", None),
    ("<img src=x onerror=alert(1)>", 2000),
    ("Alien", 1979),
    ("Aliens", 1986),
    ("Alien", 1979),
    ("2001: A Space Odyssey", 1968),
]
TAKEN = [5, 9, 2, 20, 3, 1, 1, 1, 7, 8, 6, 1]  # how often each was taken


@pytest.fixture(scope="module")
def completing() -> Completing:
    n, people = len(TITLES), max(TAKEN)
    years = pd.array([y for _, y in TITLES], dtype="Int64")
    items = pd.DataFrame({"key": [str(i) for i in range(n)], "title": [t for t, _ in TITLES], "year": years})
    catalog = Catalog(pd.DataFrame({"key": [str(u) for u in range(people)]}), items)
    pairs = sorted((u, i) for i, times in enumerate(TAKEN) for u in range(times))
    users, taken = (np.array(column, dtype=np.int32) for column in zip(*pairs, strict=True))
    return Completing(catalog, Interactions(users, taken, np.zeros(len(taken), dtype=np.int64), people, n))


def found(completing: Completing, typed: str, n: int = 8) -> list[str]:
    return [TITLES[i][0] for i in completing.find(typed, n)]


def test_titles_that_begin_so_come_first_and_then_words_the_best_known_first(completing: Completing) -> None:
    assert found(completing, "star") == ["Star Trek: First Contact", "Star Wars", "Starship Troopers", "A Fallen Star"]
    assert found(completing, "star", 2) == ["Star Trek: First Contact", "Star Wars"]
    assert found(completing, "fallen") == ["A Fallen Star"]
    assert found(completing, "trek") == ["Star Trek: First Contact"]


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("GODF", "The Godfather"),
        ("the godf", "The Godfather"),
        ("godfather, the", "The Godfather"),
        ("rocky 2", "Rocky II"),
        ("rocky ii", "Rocky II"),
        ("amelie", "Amélie (Le Fabuleux destin)"),
        ("le fab", "Amélie (Le Fabuleux destin)"),
        ("aliens 1986", "Aliens"),
        ("2001", "2001: A Space Odyssey"),
        ("2001: a", "2001: A Space Odyssey"),
        ("<img", "<img src=x onerror=alert(1)>"),
        ("  star   wars ", "Star Wars"),
        ("@godf", "The Godfather"),
    ],
)
def test_case_accents_articles_and_signs_are_forgiven(completing: Completing, typed: str, title: str) -> None:
    assert found(completing, typed)[0] == title


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("satr wars", "Star Wars"),
        ("strar wa", "Star Wars"),
        ("godfahter", "The Godfather"),
        ("xtarsh", "Starship Troopers"),
        ("troppers", "Starship Troopers"),
    ],
)
def test_a_typo_is_forgiven_where_nothing_begins_so(completing: Completing, typed: str, title: str) -> None:
    assert found(completing, typed)[0] == title


def test_equal_titles_come_once(completing: Completing) -> None:
    assert completing.find("alien") == (9, 8)


def test_nothing_typed_gives_the_best_known(completing: Completing) -> None:
    assert found(completing, "", 2) == found(completing, "@", 2) == ["A Fallen Star", "Star Trek: First Contact"]


@pytest.mark.parametrize(
    "typed", ["!!!", "\x00\x1b", "\u202e", "[", ".*(?", "qqqqqqq", "x" * 10_000, "\ud800", "\n\n\n;\n?", "zzz " * 5_000]
)
def test_whatever_else_is_typed_gives_nothing(completing: Completing, typed: str) -> None:
    assert completing.find(typed) == ()


def test_no_more_come_than_a_list_can_show(completing: Completing) -> None:
    assert completing.find("star", 0) == completing.find("star", -3) == ()
    assert len(completing.find("", 10_000)) == len(TITLES) - 1 <= MOST
