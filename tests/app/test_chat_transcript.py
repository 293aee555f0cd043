"""Transcripts: nothing is lost on the way there and back, nothing altered is believed, and nothing typed becomes markup."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.chat import reading, transcript
from app.chat.transcript import Side, Transcript
from app.seam import Trouble
from tests.app.fake_backend import FakeBackend

TEXT = 'like <b>Alien</b>, "Heat" [x](javascript:alert(1)) =1+1 `code` https://evil.example www.evil.example | # *'


@pytest.fixture
def talks() -> Any:
    return FakeBackend().talks()


def grown(talks: Any, *messages: str, models: tuple[str, ...] = ("alpha", "popularity@alpha"), person: str = "100") -> Transcript:
    talk = Transcript(person, "films", tuple(Side(m, talks.person(m, person)) for m in models))
    for message in messages:
        for side in talk.sides:
            done = list(talks.reply(side.model, next(s.talk for s in talk.sides if s.model == side.model), message, 3))[-1]
            talk = transcript.gone_on(talk, side.model, done)
    return talk


def test_there_and_back_it_is_the_same(talks: Any) -> None:
    told = grown(talks, TEXT, "zzyzx?", "Would I like Heat?", "something else", "")
    text = transcript.to_json(told, talks.card)
    assert transcript.read(text, talks) == told == transcript.read(transcript.written(told, talks.card), talks)
    assert json.loads(text)["items"]["0"] == {"key": "1", "title": "Alien", "year": 1979}
    new = grown(talks, "hello", person="")
    assert transcript.read(transcript.to_json(new, talks.card), talks) == new


def test_what_was_forgotten_stays_written(talks: Any) -> None:
    told = grown(talks, "hello", "something like Alien")
    side = replace(told.sides[0], talk=talks.person("alpha", "100"))  # "start over"
    told = replace(told, sides=(side,))
    assert transcript.read(transcript.to_json(told, talks.card), talks) == told
    wrong = replace(told, sides=(replace(grown(talks, "hello").sides[0], turns=()),))
    with pytest.raises(ValueError, match="remembers turns"):
        transcript.to_json(wrong, talks.card)


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(talk: dict[str, Any]) -> None:
        *where, last = [int(p) if p.isdigit() else p for p in path.split(".")]
        at: Any = talk
        for step in where:
            at = at[str(step)] if isinstance(at, dict) else at[step]
        at[str(last) if isinstance(at, dict) else last] = value

    return change


TURN = "sides.0.turns.0."
ALTERED = [
    changed("kind", "other"),
    changed("format", 2),
    changed("person", "nobody"),
    changed("person", 7),
    changed("sides", []),
    changed("sides", "x"),
    changed("sides.0.model", "nobody"),
    changed("sides.1.model", "alpha"),
    changed("sides.0.turns", [{}] * 300),
    changed("sides.0.remembered.turns", 5),
    changed("sides.0.remembered.liked", [99]),
    changed("sides.0.remembered.liked", [-1]),
    changed("sides.0.remembered.liked", [True]),
    changed("sides.0.remembered.liked", ["0"]),
    changed("sides.0.remembered.liked", [11]),  # nobody spoke of it: `items` does not say what it is
    changed("sides.0.remembered.history", {"0": 1}),
    changed("items.0.key", "2"),
    changed("items", []),
    changed(TURN + "understood.skill", "hack"),
    changed(TURN + "understood.wanted", [1]),
    changed(TURN + "said", "no marks"),
    changed(TURN + "said", "x" * 300_000),
    changed(TURN + "timing.first", float("nan")),
    changed(TURN + "timing.tokens", -1),
    changed(TURN + "mentions", [{"text": "x"}]),
    changed(TURN + "asked", None),
    lambda talk: talk.pop("sides"),
    lambda talk: talk["sides"][0].pop("remembered"),
]


@pytest.mark.parametrize("change", ALTERED, ids=range(len(ALTERED)))
def test_an_altered_talk_is_refused_with_a_sentence(talks: Any, change: Callable[[dict[str, Any]], None]) -> None:
    told = transcript.written(grown(talks, "something like Alien"), talks.card)
    altered = copy.deepcopy(json.loads(json.dumps(told)))
    change(altered)
    with pytest.raises(Trouble, match=r"no talk|No user|no model"):
        transcript.read(altered, talks)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '"x"', "x" * 5_000_000])
def test_what_is_no_talk_is_refused(talks: Any, text: str) -> None:
    with pytest.raises(Trouble, match="start a new one"):
        transcript.read(text, talks)


def test_markdown_shows_all_and_takes_nothing_for_markup(talks: Any) -> None:
    told = grown(talks, TEXT, "something like <b>Bold</b> & Co")
    text = reading.to_markdown(told, talks.card, raw=True)
    assert text.count("## Message") == 2 and "**alpha** said:" in text and "**popularity\\@alpha** said:" in text
    for line in text.replace("```text", "```").split("```")[::2]:  # outside of fences
        assert "<" not in line and "](" not in line and "https://" not in line and "www.e" not in line
    assert "\\=1\\+1" in text and "onerror" in text
    assert all(line[:1] not in ("=", "+", "@", "-", "\t") for line in text.splitlines())


def test_a_strangers_text_stays_one_line_of_text() -> None:
    assert reading.plain("a\n# b\r\n\x00\u202e*c*\u2028| d") == "a \\# b \\*c\\* \\| d"
    assert reading.plain("<i>&amp;") == "&lt;i&gt;&amp;amp;"
    assert reading.plain("\ud800x") == "x"


def test_titles_stand_where_marks_stood() -> None:
    name = ["Zero", "One * star", "Two"].__getitem__
    assert reading.answered("Close to X: *, *, *.", (0, 1, 2), name) == "Close to X: Zero, One * star, Two."
    assert reading.answered("Hello!", (), name) == "Hello!"
    assert reading.answered("2 * 3 *.", (2,), name) == "2 Two 3 *."
