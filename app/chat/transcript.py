"""A talk of one person with several models, written down: as JSON, which says all and can be gone on from, and read back with care.

Where it stands: between talks and whoever keeps them (a download, the API's `talk`). What it does not know: Gradio; Markdown is `reading`.

The form is told in docs/chat.md. Items stand by number, and `items` says each one's key and title: a talk that is read back must mean the
same items, so keys are compared with the catalogue's, and whatever else was altered by hand is refused with a sentence.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, get_args

from app.seam.chat import TalksLike
from app.seam.values import Card, Trouble
from llmrec.recommend.chat.values import MARK, Conversation, Done, Exchange, Mention, Skill, Timing, Understood

KIND, FORMAT = "llmrec-talk", 1
SIDES, TURNS, ITEMS, LETTERS, SIZE = 4, 200, 50_000, 200_000, 4_000_000  # the most of each that is read
REMEMBERED = ("history", "liked", "rejected", "named")


@dataclass(frozen=True)
class Turn:
    """One message and one model's answer to it. raw: as it was read and said in rows."""

    exchange: Exchange
    timing: Timing
    raw: str = ""
    sure: float | None = None
    stopped: bool = False


@dataclass(frozen=True)
class Side:
    """One model's talk. talk: what is remembered now, whose exchanges are the newest of the turns (all, if nobody said "start over")."""

    model: str
    talk: Conversation
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """person: a user's key, "" for a new person; data: what the models' data are called."""

    person: str
    data: str
    sides: tuple[Side, ...]


def turn(done: Done) -> Turn:
    """An answer that has ended, as it is written down."""
    return Turn(done.conversation.exchanges[-1], done.timing, done.raw, done.sure, done.stopped)


def written(transcript: Transcript, card: Callable[[str, int], Card]) -> dict[str, Any]:
    """The whole transcript as plain values for JSON. card: an item under a model, as `TalksLike.card` gives it. ValueError where a side
    remembers what none of its turns said."""
    items: dict[str, Any] = {}
    for side in transcript.sides:
        exchanges = tuple(t.exchange for t in side.turns)
        if exchanges[len(exchanges) - len(side.talk.exchanges) :] != side.talk.exchanges:
            raise ValueError(f"the talk of {side.model} remembers turns that it does not have: give every turn since it began")
        for item in _items(side):
            if str(item) not in items:
                found = card(side.model, item)
                items[str(item)] = {"key": found.key, "title": found.title, "year": found.year}
    sides = [_side(side) for side in transcript.sides]
    return {"kind": KIND, "format": FORMAT, "data": transcript.data, "person": transcript.person, "items": items, "sides": sides}


def to_json(transcript: Transcript, card: Callable[[str, int], Card]) -> str:
    """As text, for a download."""
    return json.dumps(written(transcript, card), indent=1)


def read(given: str | dict[str, Any], talks: TalksLike) -> Transcript:
    """A transcript as `written` or `to_json` gave it. `Trouble` with what is wrong in it, or what it names that is not here any more."""
    if isinstance(given, str) and len(given) > SIZE:
        raise Trouble(f"This talk is too long to go on with ({len(given):,} letters): start a new one.")
    try:
        found = json.loads(given) if isinstance(given, str) else given
        if not isinstance(found, dict) or found.get("kind") != KIND or found.get("format") != FORMAT:
            raise _Wrong(f"its kind is not {KIND!r}, format {FORMAT}")
        return _Reader(found, talks).transcript()
    except Trouble:
        raise
    except _Wrong as wrong:
        raise Trouble(f"This is no talk that can be gone on with: {wrong}. Send one back as it was given, or start a new one.") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError):
        raise Trouble("This is no talk that can be gone on with. Send one back as it was given, or start a new one.") from None


class _Wrong(ValueError):
    """What is wrong, as it ends "... can be gone on with: "."""


def _items(side: Side) -> Iterable[int]:
    talk = side.talk
    yield from (*talk.history, *talk.liked, *talk.rejected, *talk.named)
    for one in side.turns:
        said = one.exchange
        for mention in said.mentions:
            yield from (*(() if mention.item is None else (mention.item,)), *mention.near)
        yield from (*said.items, *(said.understood.among or ()), *(said.understood.like or ()))


def _side(side: Side) -> dict[str, Any]:
    remembered = {name: list(getattr(side.talk, name)) for name in REMEMBERED}
    turns = [_turn(t) for t in side.turns]
    return {"model": side.model, "remembered": {**remembered, "turns": len(side.talk.exchanges)}, "turns": turns}


def _turn(one: Turn) -> dict[str, Any]:
    said = dataclasses.asdict(one.exchange)
    return {**said, "timing": dataclasses.asdict(one.timing), "raw": one.raw, "sure": one.sure, "stopped": one.stopped}


class _Reader:
    """Reads one transcript; each item's key is looked up once."""

    def __init__(self, given: dict[str, Any], talks: TalksLike) -> None:
        self.given, self.talks = given, talks
        self.checked: set[int] = set()

    def transcript(self) -> Transcript:
        sides = self.given["sides"]
        if not isinstance(sides, list) or not 1 <= len(sides) <= SIDES:
            raise _Wrong(f"it must have 1 to {SIDES} sides")
        person = _text(self.given["person"])
        read = tuple(self._side(side, person) for side in sides)
        if len({side.model for side in read}) < len(read):
            raise _Wrong("one model stands on two sides")
        return Transcript(person, _text(self.given["data"]), read)

    def _side(self, side: dict[str, Any], person: str) -> Side:
        model, kept = _text(side["model"]), side["remembered"]
        begun = self.talks.person(model, person)
        if not isinstance(side["turns"], list) or len(side["turns"]) > TURNS:
            raise _Wrong(f"a side may have up to {TURNS} turns")
        turns = tuple(self._turn(t, model) for t in side["turns"])
        n = _whole(kept["turns"], len(turns))
        history, liked, rejected, named = (self._numbers(kept[name], model) for name in REMEMBERED)
        exchanges = tuple(t.exchange for t in turns)[len(turns) - n :]
        return Side(model, Conversation(begun.user, history, liked, rejected, named, exchanges), turns)

    def _turn(self, one: dict[str, Any], model: str) -> Turn:
        understood, timing = one["understood"], one["timing"]
        if understood["skill"] not in get_args(Skill):
            raise _Wrong(f"there is no skill {str(understood['skill'])[:40]!r}")
        mentions = tuple(self._mention(m, model) for m in one["mentions"])
        among, like = (None if understood[n] is None else self._numbers(understood[n], model) for n in ("among", "like"))
        wanted, unwanted = (tuple(map(_text, understood[n])) for n in ("wanted", "unwanted"))
        said, items = _text(one["said"]), self._numbers(one["items"], model)
        if said.count(MARK) < len(items):
            raise _Wrong("an answer has more items than marks")
        exchange = Exchange(_text(one["asked"]), mentions, said, items, Understood(understood["skill"], wanted, unwanted, among, like))
        times = Timing(_seconds(timing["first"]), _seconds(timing["total"]), _whole(timing["tokens"], LETTERS))
        sure = None if one["sure"] is None else _seconds(one["sure"])
        return Turn(exchange, times, _text(one["raw"]), sure, one["stopped"] is True)

    def _mention(self, one: dict[str, Any], model: str) -> Mention:
        item = None if one["item"] is None else self._numbers([one["item"]], model)[0]
        return Mention(_text(one["text"]), item, self._numbers(one["near"], model), _whole(one["start"], LETTERS))

    def _numbers(self, given: Any, model: str) -> tuple[int, ...]:
        """Items of this catalogue, by their keys too."""
        if not isinstance(given, (list, tuple)) or len(given) > ITEMS:
            raise _Wrong("items must stand in lists")
        for item in given:
            number = _whole(item, 2**31)
            if number not in self.checked:
                self._check(number, model)
        return tuple(given)

    def _check(self, item: int, model: str) -> None:
        try:
            here = self.talks.card(model, item).key
        except (Trouble, IndexError):
            here = None
        if here is None or self.given["items"][str(item)]["key"] != here:
            raise _Wrong(f"item {item} is another one here")
        self.checked.add(item)


def _text(given: Any) -> str:
    if not isinstance(given, str) or len(given) > LETTERS:
        raise _Wrong("a text is missing or too long")
    return given


def _whole(given: Any, most: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= most:
        raise _Wrong("a number is missing or out of range")
    return given


def _seconds(given: Any) -> float:
    if not isinstance(given, (int, float)) or isinstance(given, bool) or not 0 <= given < 1e9:
        raise _Wrong("a time is missing or out of range")
    return float(given)


def gone_on(transcript: Transcript, model: str, done: Done) -> Transcript:
    """The transcript with one answer more."""
    sides = tuple(replace(s, talk=done.conversation, turns=(*s.turns, turn(done))) if s.model == model else s for s in transcript.sides)
    return replace(transcript, sides=sides)
