"""Genres and decades in people's words, over films and over a catalogue that is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Catalog
from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.language import DECADE, Language
from llmrec.recommend.chat.values import Mention
from llmrec.recommend.chat.wishes import Wishes


def _language(*rows: tuple[int, list[str]]) -> Language:
    items = [{"key": str(i), "title": f"T{i}", "year": y, "genres": g} for i, (y, g) in enumerate(rows)]
    return Language(Catalog(pd.DataFrame({"key": ["a"]}), pd.DataFrame(items).astype({"year": "Int64"})))


FILMS = _language(*((1935 + 5 * n, [g]) for n, g in enumerate(asking.book()["attributes"])))
BOOKS = _language((1890, ["Science Fiction"]), (2005, ["Fiction"]), (2021, ["Health & Fitness"]), (2022, ["Poetry", "Kids"]))


@pytest.mark.parametrize(
    ("message", "wanted", "unwanted"),
    [
        ("serious films", ["Drama"], []),
        ("something scary, no love stories", ["Horror"], ["Romance"]),
        ("a romantic comedy", ["Comedy", "Romance"], []),
        ("films for kids from the nineties", ["Children's", "Children", "1990s"], []),
        ("I would rather avoid suspense", [], ["Thriller"]),
        ("funny ones of the ’80s, not sci fi", ["Comedy", "1980s"], ["Sci-Fi"]),
        ("1990's films noirs", ["Film-Noir", "1990s"], []),
        ("anything from the 1910s", ["1910s"], []),  # nothing fits, and that is said
        ("no horror. Well, horror then", ["Horror"], []),
        ("are you serious? that's funny", [], []),
        ("in my twenties", [], []),
        ("warm, dramatically, 190s", [], []),
    ],
)
def test_films(message: str, wanted: list[str], unwanted: list[str]) -> None:
    found = Wishes(FILMS).read(message)
    assert (sorted(found[0]), sorted(found[1])) == (sorted(wanted), sorted(unwanted))
    assert [bool(DECADE.fullmatch(w)) for w in found[0]] == sorted(bool(DECADE.fullmatch(w)) for w in found[0])  # genres first


@pytest.mark.parametrize(
    ("message", "wanted", "unwanted"),
    [
        ("science fiction of the 20s", ["Science Fiction", "2020s"], []),
        ("no fiction, but health & fitness", ["Health & Fitness"], ["Fiction"]),
        ("poetries for kids", ["Poetry", "Kids"], []),
        ("something scary", [], []),  # this catalogue has no word for it
    ],
)
def test_any_catalogue(message: str, wanted: list[str], unwanted: list[str]) -> None:
    assert Wishes(BOOKS).read(message) == (tuple(wanted), tuple(unwanted))


def test_titles_ask_nothing() -> None:
    assert Wishes(FILMS).read("War and Horror", [Mention("War and Horror", 0)]) == ((), ())


def test_a_catalogue_without_genres() -> None:
    assert Wishes(_language((1990, []))).read("comedies from the 90s") == (("1990s",), ())


def test_all_words_that_dialogues_are_made_of_are_known() -> None:
    """Whatever the generator of dialogues says for an attribute is read as it; "Children" and "Children's" go by the same words."""
    wishes, tongue, rng = Wishes(FILMS), asking.Tongue(FILMS), np.random.default_rng(0)
    words = [w for w in FILMS.bearers if not w.isdigit()]
    for word in words * 12:
        for said in (tongue.things([word], rng), tongue.kind([word], rng), tongue.matter(word, rng)):
            wanted, unwanted = wishes.read(f"I want {said}")
            assert word in wanted and set(wanted) <= {word} | {"Children", "Children's"} and not unwanted, said
            assert word in wishes.read(f"please no {said}")[1], said
