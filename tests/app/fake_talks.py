"""A fake that speaks `seam.chat.TalksLike` over the fake backend's films: rules, not models; events as real speakers give them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from app.seam import Card, Trouble
from app.seam.chat import Model
from llmrec.recommend.chat.values import (
    MARK,
    Chosen,
    Conversation,
    Done,
    Event,
    Exchange,
    Mention,
    Skill,
    Timing,
    Understood,
    Words,
)

FIXED = ("popularity", "itemknn-last3")
FOREIGN = Model("shelf", "shelf", "books", "titles", True, "Tuned on dialogues over other data.")
HOSTILE = '<img src=x onerror="document.title=1">'  # what item 6 is called here
BOLD = 6
SURE = 0.8


class FakeTalks:
    """`backend`: the fake backend, for its films and people. The runs that it lists are tuned; "plain", a run that was not, the baselines
    and a run over other data stand behind them; without runs nobody answers.

    `pace(model, n)`: called before the n-th event (from 0) of a model's answer; put an Event's wait or a barrier in it. `fails`: models
    whose answers break, by what they say after their first words. `asked`: every question; `ended`: models whose answers were finished,
    stopped or left, in that order of happening.
    """

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.pace: Callable[[str, int], None] = lambda model, n: None
        self.fails: dict[str, str] = {}
        self.asked: list[tuple[str, Conversation, str, int, str]] = []
        self.ended: list[str] = []

    def models(self) -> tuple[Model, ...]:
        names = self.backend.called
        if not names:
            return ()
        schemes = ("metaid", "semantic", "titles", "collaborative")
        tuned = [Model(n, n, "films", schemes[i % 4], True, "Tuned on dialogues: the words are its own.") for i, n in enumerate(names)]
        plain = Model("plain", "plain", "films", "random", False, "Not tuned on dialogues: it speaks in fixed sentences.")
        fixed = [Model(f"{b}@{names[0]}", b, "films", "", False, "A classical recommender; its sentences are fixed.") for b in FIXED]
        return (*tuned, plain, *fixed, FOREIGN)

    def people(self, model: str) -> list[str]:
        self._model(model)
        return self.backend.user_keys(None)

    def person(self, model: str, user: str) -> Conversation:
        if user == "":
            self._model(model)
            return Conversation()
        if user not in self.people(model):
            raise Trouble(f"No user has the key {user!r}; there are 100 and others.")
        index = self.backend.index(None, "user", user)
        return Conversation(index, self.backend.person(None, index).history)

    def known(self, model: str, talk: Conversation) -> tuple[Card, ...]:
        newest = [*reversed(talk.liked), *(i for i in reversed(talk.history) if i not in talk.liked)]
        return tuple(self.card(model, i) for i in newest)

    def targets(self, model: str, user: str) -> frozenset[int]:
        from tests.app.fake_backend import TASTES

        index = self.person(model, user).user
        return frozenset() if index < 0 else frozenset({TASTES[index][-1]})

    def card(self, model: str, item: int) -> Card:
        if not 0 <= item < len(self.backend.titles(None)):
            raise Trouble(f"There is no item {item} here.")
        found: Card = self.backend.card(model if self._model(model).scheme else None, "item", item)
        return replace(found, title=HOSTILE) if item == BOLD else found

    def complete(self, model: str, begun: str, n: int = 8) -> tuple[Card, ...]:
        cards = [self.card(model, i) for i in range(len(self.backend.titles(None)))]
        low = begun.casefold()
        found = [c for c in cards if c.title.casefold().startswith(low)] or [c for c in cards if low in c.title.casefold()]
        return tuple(found[:n])

    def examples(self, model: str) -> tuple[str, ...]:
        self._model(model)
        return ("Something like Alien, please.", "A Crime film of the 1990s?", "Would I like Heat?", "What can you do?")

    def reply(
        self, model: str, talk: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False, visitor: str = ""
    ) -> Iterator[Event]:
        self.asked.append((model, talk, message, k, visitor))
        found = self._model(model)
        return self._reply(found, talk, message, k, stop)

    def close(self) -> None: ...

    def _model(self, key: str) -> Model:
        found = next((m for m in self.models() if m.key == key), None)
        if found is None:
            raise Trouble(f"There is no model {key!r} to talk to.")
        return found

    def _reply(self, model: Model, talk: Conversation, message: str, k: int, stop: Callable[[], bool]) -> Iterator[Event]:
        began, n, halted = time.perf_counter(), 0, False
        first: float | None = None
        told: list[Event] = []
        text = " ".join(message.split())
        mentions = tuple(replace(m, start=max(0, text.casefold().find(m.text.casefold()))) for m in self.backend.mentions(None, text))
        understood, events, sure = self._answer(model, talk, text, mentions, k)
        try:
            for n, event in enumerate(events):
                if stop():
                    halted = True
                    break
                self.pace(model.key, n)
                if n == 1 and model.key in self.fails:
                    raise Trouble(self.fails[model.key])
                first = time.perf_counter() - began if first is None else first
                told.append(event)
                yield event
            self.pace(model.key, n + 1)
            said = "".join(MARK if isinstance(e, Chosen) else e.text for e in told if not isinstance(e, Done))
            items = tuple(e.item for e in told if isinstance(e, Chosen))
            after = _after(talk, Exchange(text, mentions, said, items, understood))
            total = time.perf_counter() - began
            raw = f"\nUser: {text}\nAssistant: {said}<end>" if model.tuned else said
            timing = Timing(total if first is None else first, total, len(told) if model.tuned else 0)
            yield Done(after, understood, timing, raw, sure, halted or stop())
        finally:
            self.ended.append(model.key)

    def _answer(
        self, model: Model, talk: Conversation, text: str, mentions: tuple[Mention, ...], k: int
    ) -> tuple[Understood, list[Event], float | None]:
        low, named = text.casefold(), tuple(m.item for m in mentions if m.item is not None)
        if any(m.item is None for m in mentions):
            return Understood(), _words("I know no such title. Do you mean Blade Runner?"), None
        if not low or any(word in low for word in ("hello", "what can you", "thank")):
            return Understood(), _words("Hello! Ask me for something to watch."), None
        if "would i" in low:
            return Understood("would", among=named), _words("Yes, that should suit you."), SURE
        wanted = tuple(g for g in ("Crime", "Horror", "Animation", "Sci-Fi") if g.casefold() in low)
        more = "else" in low
        skill: Skill = "like" if named else "else" if more else "attribute" if wanted else "recommend"
        opening = "Something else:" if more else f"{wanted[0]}:" if wanted else "Here is what fits you:"
        if named:
            opening = f"Close to {self.card(model.key, named[0]).title}:"
        items = self._ranked(model, talk, named, wanted)[:k]
        events = _words(opening)
        for place, item in enumerate(items, 1):
            events.append(Chosen(item, place, -float(place)))
            if model.tuned:
                events.append(Words("," if place < len(items) else "."))
        return Understood(skill, wanted, like=named or None), events, None

    def _ranked(self, model: Model, talk: Conversation, named: tuple[int, ...], wanted: tuple[str, ...]) -> list[int]:
        """Every model has an order of its own, so that sides differ."""
        from tests.app.fake_backend import FILMS

        out = {*talk.history, *talk.liked, *talk.rejected, *talk.named, *named}
        begin = 2 * [m.key for m in self.models()].index(model.key) + (named[0] if named else 0)
        order = [(begin + step) % len(FILMS) for step in range(1, len(FILMS) + 1)]
        return [i for i in order if i not in out and all(g in FILMS[i][2] for g in wanted)]


def _words(text: str) -> list[Event]:
    """A sentence word by word."""
    first, *others = text.split(" ")
    return [Words(first), *(Words(f" {word}") for word in others)]


def _after(talk: Conversation, exchange: Exchange) -> Conversation:
    liked = exchange.understood.like or ()
    return replace(
        talk,
        liked=(*(i for i in talk.liked if i not in liked), *liked),
        named=tuple(dict.fromkeys((*talk.named, *exchange.items))),
        exchanges=(*talk.exchanges, exchange),
    )
