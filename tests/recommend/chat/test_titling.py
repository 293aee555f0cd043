"""Titles in an answer's own words are the catalogue's, whatever the model would have spelled."""

from __future__ import annotations

import pytest

from llmrec.recommend.chat.titling import Titles
from llmrec.recommend.chat.tuned import Tuned
from llmrec.recommend.chat.values import Conversation, Done
from tests.recommend.chat import world
from tests.recommend.chat.world import BLADE, FARGO, HISTORY, WESTERN

TALK = Conversation(0, HISTORY)


@pytest.fixture(scope="module")
def speaker() -> Tuned:
    return world.talker()


def _said(speaker: Tuned, message: str, talk: Conversation = TALK) -> Done:
    done = list(speaker.reply(talk, message))[-1]
    assert isinstance(done, Done)
    return done


def test_one_title_goes_on_where_another_ends() -> None:
    left = Titles({0: [5, 6], 1: [5, 6, 7], 2: [8]})
    assert left.next() == {5, 8} and not left.whole
    left.say(5)
    left.say(6)
    assert left.whole and left.next() == {7}
    left.say(7)
    assert left.whole and left.next() == set()


@pytest.mark.parametrize("item", [FARGO, WESTERN, 15])
def test_a_title_that_was_never_trained_on_is_spelled_right(speaker: Tuned, item: int) -> None:
    """The model has learnt the titles of two films by heart, and no other."""
    title = world.FILMS[item][0]
    done = _said(speaker, f"something like {title.lower()}")
    assert done.conversation.exchanges[-1].said.startswith(f"Close to {title}")  # how it goes on, such a small model has not learnt


def test_what_is_left_aside_is_spelled_right_too(speaker: Tuned) -> None:
    done = _said(speaker, "not toy story")
    assert done.conversation.exchanges[-1].said.startswith("Leaving Toy Story")


def test_who_has_no_title_to_say_says_none(speaker: Tuned) -> None:
    """Nothing was mentioned, so no answer is close to anything."""
    for message in ("something like", "something like that thing, you know", "not"):
        said = _said(speaker, message).conversation.exchanges[-1].said
        assert not said.startswith(("Close to", "Leaving")), said


def test_a_description_is_the_catalogues_from_its_first_words_on(speaker: Tuned) -> None:
    for item in (FARGO, BLADE):
        title, year, genres = world.FILMS[item]
        said = _said(speaker, f"what is {title.lower()}?").conversation.exchanges[-1].said
        assert not said.startswith(title) or said == f"{title} is from {year}: {', '.join(genres)}."
