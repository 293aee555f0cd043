"""The fixed speaker: its rules on a stand-in that ranks items by number, so that what comes is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Queries, Ranked
from llmrec.recommend.chat import fixed, memory
from llmrec.recommend.chat.fixed import Fixed
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import Chosen, Conversation, Done, Timing, Understood, Words
from tests.recommend.chat import world
from tests.recommend.chat.world import ALIEN, BLADE, CASA, FARGO, FILMS, HEAT, HISTORY, SCREAM, TOY

TALK = Conversation(0, HISTORY)


class ByNumber:
    """A stand-in for a recommender: every item that is not excluded, in the catalogue's order. It keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Queries] = []

    def recommend(self, queries: Queries, k: int) -> Ranked:
        self.asked.append(queries)
        out = set(queries.exclude[0].tolist()) if queries.exclude else set()
        items = [i for i in range(len(FILMS)) if i not in out][:k]
        items += [-1] * (k - len(items))
        return Ranked(np.asarray([items], dtype=np.int32), np.asarray([[float(-i) for i in items]], dtype=np.float32))


@pytest.fixture
def speaker() -> Fixed:
    return Fixed(ByNumber(), Knowledge(world.catalog(), world.train()))


def _ask(speaker: Fixed, talk: Conversation, message: str, k: int = 3) -> tuple[str, list[int], Done]:
    events = list(speaker.reply(talk, message, k))
    done = events[-1]
    assert isinstance(done, Done)
    return "".join(e.text for e in events if isinstance(e, Words)), [e.item for e in events if isinstance(e, Chosen)], done


@pytest.mark.parametrize(
    ("message", "opening", "items"),
    [
        ("what next?", "Here is what fits you:", [ALIEN, FARGO, TOY]),
        ("give me 2", "Here is what fits you:", [ALIEN, FARGO]),
        ("comedies", "Comedy:", [FARGO, TOY, 11]),
        ("comedies but no crime", "Comedy, without Crime:", [TOY, 11, 13]),
        ("no comedies, no horror", "Without Horror, without Comedy:", [7, 8, 9]),
        ("something from the 1940s", fixed.NO_MORE, []),  # Casablanca was seen
        ("I liked alien", "Close to Alien:", [FARGO, TOY, SCREAM]),
        ("not alien", "Leaving Alien aside:", [FARGO, TOY, SCREAM]),
        ("something else", "Something else:", [ALIEN, FARGO, TOY]),
        ("drop alien, what else?", "Leaving Alien aside:", [FARGO, TOY, SCREAM]),
        ("Alien was boring", "Leaving Alien aside:", [FARGO, TOY, SCREAM]),
        ("spare me comedies", "Without Comedy:", [ALIEN, SCREAM, 7]),
        ("something scary", "Horror:", [ALIEN, SCREAM]),
        ("serious ones from the 80s", "Drama, 1980s:", [10, 12, 14]),
        ("exactly two titles, no more", "Here is what fits you:", [ALIEN, FARGO]),
        ("what is close to alien?", "Close to Alien:", [FARGO, TOY, SCREAM]),
        ("find me something", "Here is what fits you:", [ALIEN, FARGO, TOY]),
        ("help me choose something to watch", "Here is what fits you:", [ALIEN, FARGO, TOY]),
    ],
)
def test_rules(speaker: Fixed, message: str, opening: str, items: list[int]) -> None:
    said, chosen, done = _ask(speaker, TALK, message)
    assert (said, chosen) == (opening, items)
    assert done.conversation.named == tuple(items) and not speaker.tuned


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("hello", fixed.HELLO),
        ("what can you do?", fixed.HELLO),
        ("thanks!", fixed.WELCOME),
        ("why?", fixed.CANNOT),
        ("would I like it?", fixed.CANNOT),
        ("lorem ipsum dolor", fixed.LOST),
        ("what should I eat tonight?", fixed.SCOPE),
        ("which pills should I take?", fixed.SCOPE),
        ("who won the election?", fixed.SCOPE),
        ("who directed Alien?", fixed.CANNOT),
        ("<script>alert(1)</script>", fixed.LOST),
        ("that is all, thanks", fixed.WELCOME),
    ],
)
def test_other_talk_gets_an_honest_sentence(speaker: Fixed, message: str, answer: str) -> None:
    said, chosen, _ = _ask(speaker, TALK, message)
    assert said == answer and not chosen


def test_what_was_liked_rejected_and_named_is_remembered(speaker: Fixed) -> None:
    _, _, done = _ask(speaker, TALK, "I liked alien but not fargo")
    assert (done.conversation.liked, done.conversation.rejected) == ((ALIEN,), (FARGO,))
    _, chosen, done = _ask(speaker, done.conversation, "something else")
    asked = speaker.recommender.asked[-1]  # type: ignore[attr-defined]
    assert done.understood == Understood("else", like=(ALIEN,)) and asked.histories[0].tolist() == [ALIEN]  # close to Alien still
    assert not {ALIEN, FARGO, BLADE, HEAT, CASA} & set(chosen)
    _, again, done = _ask(speaker, done.conversation, "more")
    assert not set(again) & set(chosen)
    _, _, done = _ask(speaker, done.conversation, "I liked fargo after all")
    assert done.conversation.rejected == () and done.conversation.liked == (ALIEN, FARGO)


@pytest.mark.parametrize(
    ("messages", "opening"),
    [
        (["comedies", "show me others"], "Something else, Comedy:"),
        (["comedies", "hello", "something else"], "Something else, Comedy:"),
        (["no comedies", "others?", "what else?"], "Something else, without Comedy:"),
        (["like alien", "more"], "Something else, close to Alien:"),
        (["like alien", "alien was boring", "more"], "Something else:"),
        (["crime films", "but only from the 90s", "I know all of those"], "Something else, Crime, 1990s:"),
        (["crime films from the 90s", "could they be from the eighties?"], "Crime, 1980s:"),
        (["comedies", "no crime"], "Comedy, without Crime:"),
        (["comedies", "not fargo"], "Leaving Fargo aside, Comedy:"),
        (["like alien", "without horror"], "Close to Alien, without Horror:"),
        (["no crime", "comedies, also crime"], "Comedy, Crime:"),
        (["comedies", "change of plan: horror instead"], "Horror:"),
        (["comedies", "what should I watch?", "something else"], "Something else:"),
        (["comedies", "start over", "something else"], "Something else:"),
    ],
)
def test_what_was_asked_for_stands_until_another_wish(speaker: Fixed, messages: list[str], opening: str) -> None:
    done = Done(TALK, Understood(), Timing(0, 0, 0), "")
    for message in messages:
        _, _, done = _ask(speaker, done.conversation, message)
    assert speaker.knowledge.language.opening(done.understood, memory.against(done.conversation.exchanges[-1])) == opening


def test_a_new_person_is_asked_for_titles(speaker: Fixed) -> None:
    said, chosen, _ = _ask(speaker, Conversation(), "what next?")
    assert said == fixed.EMPTY and not chosen
    assert _ask(speaker, Conversation(), "something like alien")[1] == [BLADE, FARGO, HEAT]


def test_stopping_keeps_what_came(speaker: Fixed) -> None:
    calls = iter([False, True, True])
    events = list(speaker.reply(TALK, "what next?", 3, lambda: next(calls)))
    done = events[-1]
    assert isinstance(done, Done) and done.stopped and done.conversation.named == (ALIEN,)
