"""A town of 160 books and scripted readers: one that does everything right, in plain Python, and others that each do one thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Interactions, Split
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import MARK, Chosen, Conversation, Done, Event, Exchange, Timing, Understood, Words
from llmrec.report.probes import book, filling, people, walk
from llmrec.report.probes.filling import Asked, Filler, Scene

N_USERS, N_ITEMS = 12, 160
GENRES = ("Gardening", "Sailing", "Chess", "Pottery")
FIRST = "Amber Brisk Copper Dusty Eager Faint Gentle Hollow Ivory Jagged Knotted Lunar Mellow Narrow Ochre Paper".split()
SECOND = "Anvils Barrels Candles Doorways Embers Ferries Granite Harbors Islets Juniper".split()


def catalog(genres: bool = True, years: bool = True) -> Catalog:
    """Two genres each, years from 1970 to 1999."""
    titles = [f"{a} {b}" for a in FIRST for b in SECOND]
    items = pd.DataFrame({"key": [f"i{n}" for n in range(N_ITEMS)], "title": titles})
    if genres:
        items["genres"] = [[GENRES[n % 4], GENRES[(n + 1 + n // 4 % 3) % 4]] for n in range(N_ITEMS)]
    if years:
        items["year"] = pd.array([1970 + 7 * n % 30 for n in range(N_ITEMS)], dtype="Int64")
    return Catalog(pd.DataFrame({"key": [f"u{n}" for n in range(N_USERS)]}), items)


def split() -> Split:
    """Everybody takes twelve, neighbours share half of them; the last is held out."""
    rows = [(u, (u * 6 + n * 5) % N_ITEMS, n) for u in range(N_USERS) for n in range(12)]
    user, item, time = (np.asarray(c) for c in zip(*rows, strict=True))
    whole = Interactions(user.astype(np.int32), item.astype(np.int32), time.astype(np.int64), N_USERS, N_ITEMS)
    last = time == 11
    return Split("loo", whole.take(~last), whole.take(np.zeros(len(time), dtype=bool)), whole.take(last))


class Perfect:
    """Answers what was meant, which it is handed; items out of the catalogue, first come first."""

    tuned = True

    def __init__(self) -> None:
        self.now: Asked | None = None
        self.plain: Any = None

    def reply(self, conversation: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        assert self.now is not None and self.now.text == message
        said, items = self.answer(self.now, conversation)
        parts = said.split(MARK)
        yield Words(parts[0])
        for item, part in zip(items, parts[1:], strict=True):
            yield Chosen(item, 1, 0.0)
            yield Words(part)
        yield self.done(self.now, conversation, said, items)

    def done(self, now: Asked, talk: Conversation, said: str, items: list[int]) -> Done:
        understood = self.understood(now)
        liked = (*talk.liked, *now.about) if now.step.group == "like" else talk.liked
        after = replace(talk, liked=liked, exchanges=(*talk.exchanges, Exchange(now.text, (), said, tuple(items), understood)))
        return Done(after, understood, Timing(0.1, 0.3, 5), said)

    def understood(self, now: Asked) -> Understood:
        return now.meant

    def answer(self, now: Asked, talk: Conversation) -> tuple[str, list[int]]:
        group = now.step.group
        if group in book.NAMING:
            items = self.items(now)
            return self.opening(now) + ",".join([MARK] * len(items)) + ".", items
        if group == "why":
            return self.reason(now, [*talk.history, *talk.liked])
        return {"would": self.would, "what": self.what, "taste": self.taste}.get(group, self.other)(now), []

    def opening(self, now: Asked) -> str:
        titles = " and ".join(self.plain.catalog.titles[i] for i in now.meant.like or ())
        return f"Close to {titles}:" if titles else "Here:"

    def items(self, now: Asked) -> list[int]:
        among = now.meant.among
        some = list(among) if among else self.plain.fitting(now.meant.wanted, now.meant.unwanted, now.out)
        if now.step.way == "list":
            some = [now.person.target]
        return some[: now.k or 5]

    def reason(self, now: Asked, known: list[int]) -> tuple[str, list[int]]:
        target = now.about[0]
        for item in reversed(known):
            shared = sorted(self.plain.shared([item, target]))
            if item != target and self.plain.together(item, target) and shared:
                return f"because of{MARK}: {', '.join(shared)}", [item]
        return "Nothing in your history speaks for it.", []

    def would(self, now: Asked) -> str:
        return "Yes, that should suit you." if now.about[0] == now.person.target else "No, rather not."

    def what(self, now: Asked) -> str:
        item = now.about[0]
        return f"{self.plain.catalog.titles[item]} is from {self.plain.years[item]}: {', '.join(self.plain.genres[item])}."

    def taste(self, now: Asked) -> str:
        known = now.person.talk.history
        counts = {g: sum(g in self.plain.words[i] for i in known) for g in GENRES}
        return f"You like {max(counts, key=lambda g: counts[g])}."

    def other(self, now: Asked) -> str:
        if now.step.group == "refuse":
            return "That is beyond me."
        return {"talk-hello": "Hello!", "talk-thanks": "You are welcome."}.get(now.step.way, "I recommend titles.")


def filler(seed: int = 0, **facts: bool) -> Filler:
    """Fills from the town."""
    return Filler(Knowledge(catalog(**facts), split().train), seed)


def turns(speaker: Any, n: int = 2, only: tuple[str, ...] = (), seed: int = 0, **facts: bool) -> list[walk.Turn]:
    """What a speaker answers to n people; a scripted one is handed what was meant."""
    filling_ = filler(seed, **facts)
    speaker.plain = filling_.plain
    asked, out = filling.Scene.ask, list[walk.Turn]()

    def handed(scene: Scene, place: int) -> Asked:
        speaker.now = asked(scene, place)
        return speaker.now

    filling.Scene.ask = handed  # type: ignore[method-assign]
    try:
        who = people.people(split(), catalog(**facts), n, seed)
        out += walk.walk(speaker, filling_, who, book.probes(only))
    finally:
        filling.Scene.ask = asked  # type: ignore[method-assign]
    return out
