"""Phrasings, people's words for attributes, and titles as they are typed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from llmrec.contracts import Catalog
from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.asking import Tongue
from llmrec.lm.dialogue.language import Language, pointed
from llmrec.lm.dialogue.talk import Talk
from llmrec.recommend import titles
from llmrec.recommend.chat.values import Mention
from tests.lm import world
from tests.lm.dialogue import films

SKILLS = {"recommend", "list", "like", "attribute", "without", "else", "would", "why", "what", "which", "taste", "talk"}
SLOTS = {"title", "other", "titles", "attribute", "kind", "without", "k", "year", "things", "thing", "see"}


def _all(way: str) -> list[str]:
    """Every phrasing of a way, its choices spelled out."""
    return [t for p in (*asking.phrasings(way), *asking.phrasings(way, unseen=True)) for t in asking.expanded(p)]


def test_choices_in_a_phrasing_are_drawn_and_all_of_them_known() -> None:
    assert asking.expanded("(a|b) c( d|)") == ("a c d", "a c", "b c d", "b c")
    rng = np.random.default_rng(0)
    assert {asking.settled("(a|b) c( d|)", rng) for _ in range(60)} == {"a c d", "a c", "b c d", "b c"}
    assert asking.settled("plain (as it is)", rng) == "plain (as it is)" == asking.expanded("plain (as it is)")[0]


def test_the_ways_of_asking_cover_every_skill_and_use_known_slots() -> None:
    assert {asking.skill(way) for way in asking.ways()} == SKILLS
    for way in asking.ways():
        for text in _all(way):
            assert set(re.findall(r"\{(\w+)\}", text)) <= SLOTS and text == text.strip() and not set(text) & set("[|"), text
        talk = way.startswith("talk-")
        assert bool(asking.book()[way].get("answer")) == talk


def test_every_way_of_asking_is_made_somewhere() -> None:
    maker, rng = films.generator(), np.random.default_rng(0)
    for way in asking.ways():
        made = [Talk(maker.shelf, maker.tongue, maker.shelf.moment(row), rng) for row in films.rows(40)]
        for talk in made:
            talk.turn("attribute")
        found = [t for t in (talk.turn(way) for talk in made) if t is not None]
        assert found and all("{" not in t.asked for t in found), way
        skills = {t.understood.skill for t in found}
        assert skills == {asking.skill(way)} or (way in ("without", "narrow") and skills <= {"attribute", "like", "without"}), way


def test_no_phrasing_points_without_meaning_to() -> None:
    """Words that point ("that one", "it?") stand in no phrasing of a skill that names items out of the blue."""
    blank = {slot: ["xyz"] for slot in SLOTS}
    for way in asking.ways():
        for text in _all(way):
            if asking.skill(way) not in ("talk", "why") and "{title" not in text:
                assert pointed(asking.filled(text, blank)[0], (1, 2, 3)) == (), text


def test_slots_are_filled_and_mentions_found_where_they_stand() -> None:
    text, found = asking.filled("{title} or {other}, {k}?", {"title": [Mention("A b", 1)], "other": [Mention("C", None)], "k": ["3"]})
    assert text == "A b or C, 3?"
    assert found == (Mention("A b", 1, (), 0), Mention("C", None, (), 7))


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        (("Sci-Fi",), {"sci-fi", "science fiction"}),
        (("Horror",), {"scary films", "horror"}),
        (("1990s",), {"90s movies", "films from the nineties"}),
        (("Comedy", "1990s"), {"comedies from the 90s", "90s comedies"}),
        (("2000s",), {"2000s films", "movies of the 2000s"}),
    ],
)
def test_attributes_are_said_as_people_do(wanted: tuple[str, ...], heard: set[str]) -> None:
    tongue, rng = Tongue(Language(films.catalog())), np.random.default_rng(0)
    said = {tongue.things(wanted, rng) for _ in range(300)}
    assert heard <= said
    counted = {tongue.things(wanted, rng, "give me {k} ") for _ in range(300)}
    assert not any(s.startswith(("a ", "something")) for s in counted)


def test_other_catalogues_go_by_their_own_spelling() -> None:
    plain = films.catalog()
    garden = Catalog(plain.users, plain.items.assign(genres=[["Lily"] if i % 2 else ["Rose"] for i in range(films.N_ITEMS)]))
    tongue, rng = Tongue(Language(garden)), np.random.default_rng(0)
    assert {tongue.things(("Lily",), rng) for _ in range(60)} == {"Lily", "lily", "lily titles"}
    assert {tongue.matter("Rose", rng) for _ in range(60)} == {"Rose", "rose"}
    assert {tongue.thing(rng) for _ in range(60)} == {"titles"} and "watch" not in {tongue.see(rng) for _ in range(60)}


def test_titles_are_typed_in_many_ways_that_mostly_find_them() -> None:
    language, rng = Language(films.catalog()), np.random.default_rng(0)
    godfather = films.TITLES.index("The Godfather")
    ways = {asking.typed(language.titles[godfather], language.years[godfather], rng) for _ in range(800)}
    year = language.years[godfather]
    assert {"The Godfather", "the godfather", "Godfather", "godfather", "Godfather, The", f"The Godfather ({year})"} <= ways
    assert any(asking.mistyped("Godfather", rng) != "Godfather" for _ in range(5)) and asking.mistyped("Up", rng) == "Up"
    found = 0
    for item in range(films.N_ITEMS):
        for _ in range(5):
            typed = asking.typed(language.titles[item], language.years[item], rng)
            found += item in [m.item for m in titles.resolve(typed, films.catalog())]
    assert found > 0.9 * 5 * films.N_ITEMS


def test_a_mistyped_word_is_one_slip_away() -> None:
    from rapidfuzz.distance import DamerauLevenshtein

    rng = np.random.default_rng(0)
    assert all(DamerauLevenshtein.distance("Notorious", asking.mistyped("Notorious", rng)) <= 1 for _ in range(100))


def test_films_are_told_from_other_things_by_their_genres() -> None:
    assert Tongue(Language(films.catalog())).of_films
    assert not Tongue(Language(world.catalog(2, ["A", "B"]))).of_films
