"""Titles as people type them."""

from __future__ import annotations

import pandas as pd
import pytest

from llmrec.contracts import Catalog, Dataset
from llmrec.recommend import titles

FILMS = [
    ("The Godfather", 1972),
    ("The Godfather: Part II", 1974),
    ("Alien", 1979),
    ("Aliens", 1986),
    ("Sabrina", 1954),
    ("Sabrina", 1995),
    ("2001: A Space Odyssey", 1968),
    ("Les Misérables", 1995),
    ("Seven (Se7en)", 1995),
    ("Terminator 2: Judgment Day", 1991),
    ("Star Trek: First Contact", 1996),
    ("Star Trek III: The Search for Spock", 1984),
    ("Chasing Amy", 1997),
    ("Chasing Amy", 1997),
    ("Love & Death", None),
]
CATALOG = Catalog(
    pd.DataFrame({"key": ["u"]}),
    pd.DataFrame(
        {
            "key": [str(i) for i in range(len(FILMS))],
            "title": [t for t, _ in FILMS],
            "year": pd.array([y for _, y in FILMS], dtype="Int64"),
        }
    ),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Alien", 2),
        ("  aLIEN ", 2),
        ("aliens", 3),
        ("Alein", 2),
        ("Alien (1979)", 2),
        ("alien 1979", 2),
        ("Alien (1980)", 2),
        ("godfather", 0),
        ("Godfather, The", 0),
        ("the godfather (1972)", 0),
        ("godfather 2", 1),
        ("Godfather Part II, The (1974)", 1),
        ("2001", 6),
        ("les miserables", 7),
        ("se7en", 8),
        ("seven", 8),
        ("terminator 2", 9),
        ("judgment day", 9),
        ("terminatr 2 judgement day", 9),
        ("Sabrina (1995)", 5),
        ("search for spock", 11),
        ("chasing amy", 12),
        ("love and death", 14),
        ("Love & Death (1975)", 14),
    ],
)
def test_forgiven(text: str, found: int) -> None:
    assert titles.item(text, CATALOG) == found


@pytest.mark.parametrize(("text", "candidates"), [("sabrina", {4, 5}), ("star trek", {10, 11})])
def test_an_unclear_title_gives_its_candidates(text: str, candidates: set[int]) -> None:
    assert {m.item for m in titles.resolve(text, CATALOG)} == candidates
    with pytest.raises(titles.UnknownTitle, match="may mean"):
        titles.item(text, CATALOG)


def test_candidates_are_named_with_their_years() -> None:
    with pytest.raises(titles.UnknownTitle, match=r"Sabrina \(1954\); Sabrina \(1995\)"):
        titles.item("Sabrina", CATALOG)


@pytest.mark.parametrize("text", ["Zorba", "", "   ", "???", "x", "Sabrina (1930)", "; ;"])
def test_what_is_far_from_everything_is_no_match(text: str) -> None:
    assert titles.resolve(text, CATALOG) == ()


def test_an_unknown_title_is_told_the_nearest() -> None:
    with pytest.raises(titles.UnknownTitle, match=r"no item is called 'Alphaville': the nearest are .*Alien"):
        titles.item("Alphaville", CATALOG)


def test_a_history_keeps_its_order_and_says_each_once() -> None:
    assert titles.history("Aliens; the godfather ;; alien; ALIENS;", CATALOG) == [3, 0, 2]
    with pytest.raises(ValueError, match="history is empty"):
        titles.history(" ; ", CATALOG)


def test_every_film_of_movielens_is_found_by_its_own_title(ml100k: Dataset) -> None:
    catalog = ml100k.catalog
    lost = []
    for index in range(len(catalog.items)):
        shown = titles.shown(index, catalog)
        found = titles.resolve(shown, catalog)
        if not found or titles.shown(found[0].item, catalog) != shown or len({titles.shown(m.item, catalog) for m in found}) > 1:
            lost.append(shown)
    assert lost == []
