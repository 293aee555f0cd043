"""Titles in messages: whole ones anywhere, misspelt ones after "liked", common words only where they are written as titles."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Catalog, Interactions
from llmrec.recommend.chat.mentions import Mentions

TITLES = [
    ("Alien", 1979),
    ("Aliens", 1986),
    ("Blade Runner", 1982),
    ("The Godfather: Part II", 1974),
    ("Sense and Sensibility", 1995),
    ("Pulp Fiction", 1994),
    ("Heat", 1995),
    ("Up", 2009),
    ("Kids", 1995),
    ("Hamlet", 1948),
    ("Hamlet", 1996),
    ("2001: A Space Odyssey", 1968),
    ("Star Trek: First Contact", 1996),
    ("Star Trek: Generations", 1994),
    ("Trust", 1990),
    ("Free Willy", 1993),
    ("Free Willy 2: The Adventure Home", 1995),
    ("The Quest", 1996),
    ("The Shining", 1980),
]


@pytest.fixture(scope="module")
def mentions() -> Mentions:
    items = pd.DataFrame([{"key": str(i), "title": t, "year": y} for i, (t, y) in enumerate(TITLES)]).astype({"year": "Int64"})
    catalog = Catalog(pd.DataFrame({"key": ["a", "b"]}), items)
    item = np.array([10, 0, 10], dtype=np.int32)
    taken = Interactions.from_unsorted(np.array([0, 0, 1], dtype=np.int32), item, np.arange(3), 2, len(TITLES))
    return Mentions(catalog, taken)


@pytest.mark.parametrize(
    ("message", "items"),
    [
        ("I liked Alien and Blade Runner, what next?", [0, 2]),
        ("i liked aliens and the godfather part ii", [1, 3]),
        ("I liked pulp ficton", [5]),
        ("Sense and Sensibility and Heat", [4, 6]),
        ("Alien (1979), Aliens (1986)", [0, 1]),
        ("I loved Hamlet", [10]),  # the one more people took
        ("I loved Hamlet (1948)", [9]),
        ("2001: A Space Odyssey was great", [11]),
        ("my kids grow up", []),
        ("I saw Up and Kids yesterday", [7, 8]),
        ('"up" was nice', [7]),
        ("Alien, alien and ALIEN", [0]),
        ("<b>Alien</b> <c3>", [0]),
        ("I liked it a lot, more please", []),
        ("", []),
        ("!!! 42", []),
        ("I trust you", []),
        ("Trust me on this", []),
        ("something like trust", [14]),
        ('"trust" was nice', [14]),
        ("I think Trust was nice", [14]),
        ("trust was nice", [14]),
        ("alien, trust and heat", [0, 14, 6]),
        ("Free Willy 2: The Adventrue Home", [16]),
        ("I liked free willy 2", [16]),
        ("Free Willy and Heat", [15, 6]),
        ("Aliens 2", [1]),
        ("qu'est-ce que tu recommandes ?", []),
        ("got something along the lines of The Shiing?", [18]),
        ("something like Sense and Sensibilty", [4]),
        ("I liked sense and sensibilty and alien", [4, 0]),
        ("I liked blade runer and pulp ficton", [2, 5]),
        ("do you think I will enjoy the shinning?", [18]),
    ],
)
def test_titles_are_found(mentions: Mentions, message: str, items: list[int]) -> None:
    found = mentions.find(message)
    assert [m.item for m in found if m.item is not None] == items
    assert all(m.item is not None for m in found)


def test_several_near_titles_are_offered_and_none_is_chosen(mentions: Mentions) -> None:
    (found,) = mentions.find("I liked Star Trek")
    assert found.item is None and set(found.near) == {12, 13}


def test_unknown_titles_are_told_apart_from_talk(mentions: Mentions) -> None:
    (found,) = mentions.find("I liked Zzyzx Road")
    assert found.item is None and found.text == "Zzyzx Road"
    assert mentions.find("I like scary stories with my friends") == ()


def test_a_very_long_message_ends(mentions: Mentions) -> None:
    assert [m.item for m in mentions.find("liked " + "Foo, " * 2000 + "Alien") if m.item is not None] == [0]


@pytest.mark.parametrize(
    "message",
    ["I liked Alien, pulp ficton and Zzyzx Road", "Great: Blade Runnner!", "@pulp ficton is great", "Star Trek", "'Up' and \"up\""],
)
def test_a_mention_says_where_it_stands(mentions: Mentions, message: str) -> None:
    found = mentions.find(message)
    assert found and all(message[m.start : m.start + len(m.text)] == m.text for m in found)


@pytest.mark.parametrize(
    ("message", "item", "text"),
    [
        ("what of @up today", 7, "up"),
        ("@blade runer is what i saw", 2, "blade runer"),
        ("more like @godfather part ii please", 3, "godfather part ii"),
        ("do i like @qqq xyzzy", None, "qqq xyzzy"),
    ],
)
def test_what_stands_after_an_at_sign_is_a_title(mentions: Mentions, message: str, item: int | None, text: str) -> None:
    (found,) = mentions.find(message)
    assert (found.item, found.text) == (item, text)


def test_titles_are_completed(mentions: Mentions) -> None:
    assert mentions.complete("al") == (0, 1)
    assert mentions.complete("The god") == (3,)
    assert mentions.complete("run") == (2,)  # a word inside
    assert mentions.complete("h", 2) == (10, 6)  # the most taken first, then the catalogue's order
    assert mentions.complete("")[0] == 10
    assert mentions.complete("zzz") == () and len(mentions.complete("", 4)) == 4
