"""Behind `seam.chat`: who can answer, whom they answer, and answers as they grow.

Where it stands: a room of the backend. What it does not know: Gradio, how an answer is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from app.chat import cores, listing, starters
from app.chat.listing import Known
from app.chat.speakers import Speakers
from app.chat.turns import Turns
from app.library import Library, told
from app.seam.chat import Model
from app.seam.values import Card, Trouble
from app.world import World
from llmrec.recommend.chat.values import Conversation, Done, Event, Speaker


class Talks:
    """See `seam.chat.TalksLike`."""

    def __init__(self, library: Library) -> None:
        self._library, self._speakers = library, Speakers(library)
        at_once, self._threads = cores.shares()
        self.turns = Turns(at_once)
        self._seen: tuple[object, list[Known]] = (None, [])

    def models(self) -> tuple[Model, ...]:
        """All that can answer: tuned runs first, newest first, then other runs, then baselines."""
        with told():
            return listing.models(self._runs())

    def people(self, model: str) -> list[str]:
        """Keys of the users of its data."""
        with told():
            return self._world(model)[1].dataset.catalog.user_keys

    def person(self, model: str, user: str) -> Conversation:
        """A talk that begins with a user of the data, all but the held-out item known; "" gives a new person's."""
        with told():
            _, world = self._world(model)
            if user == "":
                return Conversation()
            index = self._index(world, user)
            return Conversation(world.known_as(index), world.person(index).history)

    def known(self, model: str, talk: Conversation) -> tuple[Card, ...]:
        """What is known of the person, newest first: history, and what they liked in the talk."""
        from llmrec.recommend.chat import memory

        with told():
            run, world = self._world(model)
            return tuple(_card(world, item, run.name == model) for item in reversed(memory.known(talk)))

    def targets(self, model: str, user: str) -> frozenset[int]:
        """The items held out for a user of the data; none for a new person."""
        with told():
            _, world = self._world(model)
            return world.targets.get(self._index(world, user), frozenset()) if user else frozenset()

    def card(self, model: str, item: int) -> Card:
        """One item with its facts and its name under this model (a baseline's has no pieces)."""
        with told():
            run, world = self._world(model)
            return _card(world, item, run.name == model)

    def complete(self, model: str, begun: str, n: int = 8) -> tuple[Card, ...]:
        """Titles that go on as somebody began to type them, better known ones first; typos are forgiven where nothing begins so."""
        with told():
            run, world = self._world(model)
            return tuple(_card(world, item, run.name == model) for item in self._speakers.completing(run).find(begun, n))

    def examples(self, model: str) -> tuple[str, ...]:
        """Messages to begin with, over titles, genres and decades that this catalogue really has."""
        with told():
            run, found = self._find(model)
            return starters.examples(self._speakers.knowledge(run), found.tuned)

    def reply(
        self, model: str, talk: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False, visitor: str = ""
    ) -> Iterator[Event]:
        """Answer one message, growing; the last event is `Done`, whose seconds count from here, waiting for a turn among them."""
        began = time.perf_counter()
        with told():
            run, _ = self._find(model)
            self._fits(run, talk)
        return self._reply(began, run, model, visitor, lambda speaker: speaker.reply(talk, message, k, stop))

    def warm(self) -> None:
        """Open whom the first visitor will meet, and what completes titles."""
        known = self._runs()
        newest = next((m for m in listing.models(known) if m.scheme), None)
        if newest is not None:
            run, _ = listing.find(known, newest.key)
            self._speakers.speaker(run, newest.key)
            self._speakers.completing(run).prepare()

    def close(self) -> None:
        """Let everything go."""
        self._speakers.close()

    def _reply(self, began: float, run: Known, model: str, visitor: str, ask: Callable[[Speaker], Iterator[Event]]) -> Iterator[Event]:
        first: float | None = None
        with told():
            for event in self.turns.taken(visitor, self._computed(ask(self._speakers.speaker(run, model)))):
                if first is None:
                    first = time.perf_counter() - began
                yield _timed(event, first, time.perf_counter() - began)

    def _computed(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events; each thread that makes one takes its share of the cores and no more."""
        try:
            while True:
                cores.bound(self._threads)
                try:
                    event = next(events)
                except StopIteration:
                    return
                yield event
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()

    def _runs(self) -> list[Known]:
        """The runs that can answer; the library's list is taken as it was for a second, and so is this."""
        listed = self._library.runs()
        before, known = self._seen
        if before is not listed:
            known = listing.runs(self._library)
            self._seen = listed, known
        return known

    def _find(self, model: str) -> tuple[Known, Model]:
        return listing.find(self._runs(), model)

    def _world(self, model: str) -> tuple[Known, World]:
        run, _ = self._find(model)
        return run, self._library.world(run.name)

    def _index(self, world: World, user: str) -> int:
        """A user's number; `Trouble` names keys that are near."""
        index = world.index("user", user)
        if index is None:
            import difflib

            keys = world.dataset.catalog.user_keys
            near = difflib.get_close_matches(user[:40], keys[:100_000], n=3, cutoff=0.5) or keys[:3]
            raise Trouble(f"No user has the key “{user[:40]}”: there are {', '.join(near)} and others ({len(keys):,} in all).")
        return index

    def _fits(self, run: Known, talk: Conversation) -> None:
        """`Trouble` for a talk about items or a user that this data lack: it was begun over other data."""
        catalog = self._library.world(run.name).dataset.catalog
        said = (i for e in talk.exchanges for i in (*e.items, *(m.item for m in e.mentions if m.item is not None)))
        items = {*talk.history, *talk.liked, *talk.rejected, *talk.named, *said}
        if not -1 <= talk.user < len(catalog.users) or not all(0 <= i < len(catalog.items) for i in items):
            raise Trouble("This talk was begun over other data. Start a new one with this model.")


def _card(world: World, item: int, named: bool) -> Card:
    card = world.card("item", item)
    return card if named else replace(card, pieces=(), tones=())


def _timed(event: Event, first: float, total: float) -> Event:
    """An answer's end with the seconds that its visitor waited, in place of those that it was computed."""
    return replace(event, timing=replace(event.timing, first=first, total=total)) if isinstance(event, Done) else event
