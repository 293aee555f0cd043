"""The panel's parts as they stand for a room and its sides, by name.

Where it stands: under the acts. What it does not know: Gradio's components; who does what when.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from app import chips
from app.chat import cards, sides, stage
from app.chat.cards import Look
from app.chat.stage import LETTERS, MOST, Room, Seat
from app.seam import BackendLike, Trouble
from app.seam.chat import Model, TalksLike

NEW = "a new person"
LISTED = 5_000  # people, or titles, that one list holds
WELL_KNOWN = 50
IDEAS = 4
Parts = dict[str, Any]


def person_of(user: str) -> str:
    """How a person is called in the list."""
    return f"user {user}" if user else NEW


def typed_user(typed: str) -> str:
    """The key of somebody chosen from the list, or typed into it."""
    said = (typed or "").strip()
    return "" if said in ("", NEW) else said.removeprefix("user ").strip()


class Drawing:
    """`backend`: asked for names, cards and people."""

    def __init__(self, backend: BackendLike) -> None:
        self._backend = backend
        self.talks: TalksLike = backend.talks()

    @cached_property
    def models(self) -> dict[str, Model]:
        return {m.key: m for m in self.talks.models()}

    def empty(self) -> Parts:
        """The panel when nobody can answer."""
        return {"hello": hello("Here models will answer, side by side."), "add": False, "ideas": [""] * IDEAS}

    def everything(self, room: Room, seats: Sequence[Seat]) -> Parts:
        """All but the lists to choose from."""
        here = stage.taken(seats)
        drawn: Parts = {"who": person_of(room.user), "blind": room.blind, "add": len(here) < MOST, "confirm": False}
        for n, seat in enumerate(seats):
            shown = bool(seat.model) and not room.blind
            drawn |= {f"side{n}": shown, f"picker{n}": seat.model or None, f"drop{n}": shown and len(here) > 1}
        drawn |= {"picks": list(room.liked), "pick": not room.user and not room.begun, "curtain": _curtain(len(here)) if room.blind else ""}
        return {**drawn, **self.talk(room, seats), **self._begin(here)}

    def _begin(self, here: Sequence[Seat]) -> Parts:
        """What depends on the first side alone."""
        if not here:
            return {}
        ideas = list(self.talks.examples(here[0].model))[:IDEAS]
        at = f'<div data-model="{chips.text(here[0].model)}"></div>'
        return {"ideas": ideas + [""] * (IDEAS - len(ideas)), "at": at}

    def lists(self, room: Room, seats: Sequence[Seat]) -> Parts:
        """Models, people and titles to choose from."""
        here = stage.taken(seats)
        people = self.talks.people(here[0].model)
        listed = dict.fromkeys([*people[:LISTED], *([room.user] if room.user else [])])
        shown = [(NEW, NEW), *((cards.plain(person_of(u)), person_of(u)) for u in listed)]
        titles = self.titles(here[0].model) if not room.user else []
        models = [(cards.plain(label), key) for label, key in sides.choices(list(self.models.values()))]
        return {"models": models, "people": (shown, len(people) > LISTED), "titles": titles}

    def titles(self, model: str) -> list[tuple[str, int]]:
        """Titles to pick from, the best known first; of a large catalogue those alone: "@" finds the others."""
        best = [(cards.plain(chips.label(c)), c.index) for c in self.talks.complete(model, "", WELL_KNOWN)]
        titles = self._backend.titles(model.rpartition("@")[2])
        if len(titles) > LISTED:
            return best
        known = {index for _, index in best}
        others = [(cards.plain(chips.label(self.talks.card(model, i))), i) for i in range(len(titles)) if i not in known]
        return best + sorted(others)

    def talk(self, room: Room, seats: Sequence[Seat]) -> Parts:
        """Everything that was said."""
        names = {f"seat{n}": s for n, s in enumerate(seats)}
        looks = [[self.look(room, m, t.hidden) for m in t.models] for t in room.turns]
        past = "".join(cards.turn(t, self.models, looks[n]) for n, t in enumerate(room.turns))
        said = room.present
        first = stage.taken(seats)[:1]
        bubble = "" if said is None else cards.bubble(said.asked, [s.answer for s in seats], self.look(room, seats[0].model).card)
        strip = {"strip": self.strip(room, first[0])} if first else {}
        start = "" if room.begun else hello("Say what you like, or ask. All sides answer the same message.")
        follow = {"follow": room.begun, "hello": start, "pick": not room.user and not room.begun}
        return {
            "room": room,
            **names,
            "past": past,
            "bubble": bubble,
            **strip,
            **follow,
            **self.lives(room, seats),
            **self.votes(room, seats),
        }

    def lives(self, room: Room, seats: Sequence[Seat]) -> Parts:
        """The present answers."""
        drawn: Parts = {}
        present = room.present
        for n, seat in enumerate(seats):
            shown = present is not None and bool(seat.model)
            drawn[f"column{n}"] = shown
            if present is None or not seat.model:
                drawn |= {f"label{n}": "", f"live{n}": ""}
                continue
            won = cards.verdict(present, LETTERS[n])
            drawn[f"label{n}"] = cards.label(self.models.get(seat.model), LETTERS[n], present.hidden, won)
            drawn[f"live{n}"] = cards.answer(seat.answer, self.look(room, seat.model, present.hidden))
        return drawn

    def votes(self, room: Room, seats: Sequence[Seat]) -> Parts:
        """The bar to vote in."""
        here = len(stage.taken(seats))
        open_ = room.present is not None and room.present.hidden and here > 1
        return {"voting": open_, "choices": here if open_ else 0}

    def look(self, room: Room, model: str, hidden: bool = False) -> Look:
        """How an answer of this model is shown."""
        try:
            held_out = self.talks.targets(model, room.user) if room.user else frozenset()
        except Trouble:
            held_out = frozenset()
        return Look(lambda item: self.talks.card(model, item), held_out, hidden)

    def strip(self, room: Room, seat: Seat) -> str:
        """What is known of the person."""
        return cards.strip(person_of(room.user).capitalize(), self.talks.known(seat.model, seat.talk))


def hello(what: str) -> str:
    """The panel before the first message. what: a sentence below the question."""
    return f'<div class="lm-hello"><p>What shall we watch next?</p><span>{chips.text(what)}</span></div>'


def _curtain(count: int) -> str:
    letters = "".join(f'<i class="lm-letter">{LETTERS[n]}</i>' for n in range(count))
    return f'<p class="lm-curtain">{letters}<span>Names hidden and shuffled. Vote, and they are shown.</span></p>'
