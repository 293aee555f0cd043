"""What happens when a visitor does something: each act takes values and gives the parts of the panel that change, by name.

Where it stands: between the panel's controls and `seam.chat.TalksLike`. What it does not know: Gradio's components and events; which model
says what. A part that is not named stays as it is.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app import chips
from app.chat import addresses, cards, exporting, sides, stage, votes
from app.chat.drawing import Drawing, person_of, typed_user
from app.chat.stage import LETTERS, MOST, Room, Seat
from app.chat.streaming import Question, Visits, grow
from app.chat.votes import Vote
from app.seam import BackendLike, Card, Trouble
from app.seam.chat import TalksLike

Parts = dict[str, Any]
BUSY = "An answer is still growing. Stop it, or wait until it is there."
FULL = "Many people are being answered right now. Your message is kept: send it again in a moment."
ANEW = "Somebody else speaks from now on, so the talk begins anew."
LONGEST = 20_000


class Acts:
    """`backend`: asked for its talks only when somebody comes; `ballots`: the file of votes (None: the user's own)."""

    def __init__(self, backend: Callable[[], BackendLike], ballots: Path | None = None) -> None:
        self._backend, self._ballots = backend, ballots
        self.visits = Visits()

    @property
    def talks(self) -> TalksLike:
        return self._backend().talks()

    def open(self, params: dict[str, str]) -> Parts:
        """The panel as its address asks for it."""
        wanted, talks = addresses.read(params), self.talks
        try:
            models = talks.models()
            chosen, told = sides.standing(models, wanted.models)
            room = Room(wanted.user, blind=wanted.blind)
            if not chosen:
                return {**self._drawing().empty(), "notice": cards.notice(sides.NOBODY)}
            if wanted.user and wanted.user not in talks.people(chosen[0]):
                told = (*told, f"No user of this data has the key {wanted.user!r:.100}; a new person speaks.")
                room = replace(room, user="")
            talk = talks.person(chosen[0], room.user)
        except Trouble as trouble:
            return {**self._drawing().empty(), "notice": cards.notice(str(trouble))}
        seats = stage.padded(tuple(Seat(m, talk) for m in chosen))
        drawn = self._drawing()
        return {
            **drawn.everything(room, seats),
            **drawn.lists(room, seats),
            "box": wanted.message,
            "tally": self.tally(),
            "notice": cards.notice(" ".join(told)),
        }

    def send(self, message: str, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """A message to all sides: it stands there at once, and every side begins to think."""
        here = stage.taken(seats)
        if not here:
            return {"notice": cards.notice(sides.NOBODY)}
        if self.visits.going(visitor):
            return {"notice": cards.notice(BUSY)}
        if not self.visits.begin(visitor, range(len(here))):
            return {"notice": cards.notice(FULL)}
        order = list(range(len(here)))
        if room.blind and (room.present is None or not room.present.hidden):
            random.SystemRandom().shuffle(order)  # not from a seed: nobody shall guess who stands where
        room, here = stage.asked(room, here, message[:LONGEST], order)
        return {**self._drawing().talk(room, stage.padded(here)), "box": "", "notice": ""}

    async def answer(self, place: int, room: Room, seat: Seat, k: int, visitor: str) -> AsyncIterator[Parts]:
        """One side's answer again and again while it grows."""
        if not seat.model or room.present is None:
            return
        flag = self.visits.claim(visitor, place)
        if flag is None:
            return
        talks = self.talks
        drawing = self._drawing()
        look = drawing.look(room, seat.model, room.present.hidden)
        question = Question(seat.model, seat.talk, room.present.asked, max(1, min(10, k)), visitor)
        try:
            async for grown in grow(talks, question, flag):
                hidden = look.hidden and not self.visits.revealed(visitor)
                drawn = cards.answer(grown, replace(look, hidden=hidden))
                if not grown.over:
                    yield {f"live{place}": drawn}
                    continue
                self.visits.end(visitor, place, flag)
                talk = grown.done.conversation if grown.done is not None else seat.talk
                seat = replace(seat, talk=talk, answer=grown)
                more: Parts = {}
                if grown.done is not None:
                    more["bubble"] = cards.bubble(room.present.asked, [grown], look.card)
                    more["strip"] = drawing.strip(room, seat)
                yield {f"live{place}": drawn, f"seat{place}": seat, **more}
        finally:
            self.visits.end(visitor, place, flag)

    def vote(self, choice: str, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """Who answered better; the names are shown then."""
        after, turn = stage.voted(room, choice), room.present
        if after is room or turn is None:
            return {}
        self.visits.reveal(visitor)
        told = ""
        try:
            votes.cast(Vote(turn.models, turn.asked, choice, room.user, time.time() - turn.began, True, visitor), self._ballots)
        except (OSError, ValueError) as error:
            told = f"Your vote is shown here, but could not be kept: {error}."
        drawing = self._drawing()
        lives = {n: v for n, v in drawing.lives(after, seats).items() if not n.startswith("live") or self._still(n, visitor)}
        return {"room": after, **lives, **drawing.votes(after, seats), "tally": self.tally(), "notice": cards.notice(told)}

    def _still(self, name: str, visitor: str) -> bool:
        """Whether no answer grows there, which would be drawn over."""
        return int(name.removeprefix("live")) not in self.visits.going(visitor)

    def choose(self, place: int, key: str, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """Another model on one side. It begins without what was said before it came."""
        here, drawing = list(stage.taken(seats)), self._drawing()
        if place >= len(here) or here[place].model == key:
            return {}
        others = [s.model for at, s in enumerate(here) if at != place]
        told = BUSY if self.visits.going(visitor) else sides.refused(self.talks.models(), others, key)
        if told:
            return {"notice": cards.notice(told), f"picker{place}": here[place].model}
        room, here = self._closed(room, here)
        foreign = not others and self._foreign(key, here[place].model)
        if foreign:
            room = Room(blind=room.blind)
        try:
            here[place] = Seat(key, self._person(key, room))
        except Trouble as trouble:
            return {"notice": cards.notice(str(trouble)), f"picker{place}": seats[place].model}
        full = stage.padded(here)
        lists = drawing.lists(room, full) if foreign else {}
        told = "This model learned from other data: other titles, other people. The talk begins anew." if foreign else ""
        return {**drawing.everything(room, full), **lists, "notice": cards.notice(told)}

    def add(self, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """One more side, by a model that does not stand there yet."""
        here = list(stage.taken(seats))
        key = sides.beside(self.talks.models(), [s.model for s in here])
        told = (
            BUSY if self.visits.going(visitor) else "" if key else "There is no other model of this data; train another on the Train page."
        )
        if told or len(here) >= MOST:
            return {"notice": cards.notice(told)}
        room, here = self._closed(room, here)
        try:
            here.append(Seat(key, self._person(key, room)))
        except Trouble as trouble:
            return {"notice": cards.notice(str(trouble))}
        return {**self._drawing().everything(room, stage.padded(here)), "notice": ""}

    def remove(self, place: int, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """One side less."""
        here = list(stage.taken(seats))
        if self.visits.going(visitor):
            return {"notice": cards.notice(BUSY)}
        if len(here) < 2 or place >= len(here):
            return {}
        room, here = self._closed(room, here)
        del here[place]
        return {**self._drawing().everything(room, stage.padded(here)), "notice": ""}

    def person(self, typed: str, room: Room, seats: Sequence[Seat], sure: bool = False) -> Parts:
        """Somebody else speaks. sure: the visitor knows that the talk begins anew; before that is told and nothing changes."""
        here = stage.taken(seats)
        user = typed_user(typed)
        if not here or (user == room.user and not sure):
            return {"confirm": False, "notice": ""}
        try:
            talk = self.talks.person(here[0].model, user)
        except Trouble as trouble:
            return {"notice": cards.notice(str(trouble)), "who": person_of(room.user)}
        if room.begun and not sure:
            told = f"{person_of(user).capitalize()} would speak next: that starts a new talk, and this one ends."
            return {"confirm": True, "notice": cards.notice(told)}
        room, here = stage.anew(replace(room, user=user, liked=()), here, talk)
        drawing = self._drawing()
        titles = {} if user else {"titles": drawing.titles(here[0].model)}
        return {**drawing.everything(room, stage.padded(here)), **titles, "notice": cards.notice(ANEW if sure else "")}

    def kept(self, room: Room) -> Parts:
        """No, the same person goes on."""
        return {"who": person_of(room.user), "confirm": False, "notice": ""}

    def like(self, items: Sequence[int], room: Room, seats: Sequence[Seat]) -> Parts:
        """The titles that a new person picks before the talk begins."""
        if room.begun or room.user:
            return {"picks": list(room.liked)}
        room = replace(room, liked=tuple(int(i) for i in items))
        here = tuple(replace(s, talk=self._person(s.model, room)) for s in stage.taken(seats))
        full = stage.padded(here)
        strip = {"strip": self._drawing().strip(room, full[0])} if here else {}
        return {"room": room, **{f"seat{n}": s for n, s in enumerate(full)}, **strip}

    def over(self, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """Everything that was said is forgotten; the same sides, the same person."""
        self.visits.leave(visitor)
        here = stage.taken(seats)
        if not here:
            return {}
        room, here = stage.anew(room, here, self._person(here[0].model, room))
        return {**self._drawing().everything(room, stage.padded(here)), "notice": ""}

    def blind(self, on: bool, room: Room, seats: Sequence[Seat], visitor: str) -> Parts:
        """Names hidden from the next message on, or shown again."""
        if self.visits.going(visitor):
            return {"blind": room.blind, "notice": cards.notice(BUSY)}
        room, here = stage.blinded(room, stage.taken(seats), on)
        last = LETTERS[max(1, len(here)) - 1]
        told = f"Names are hidden and shuffled from the next message on. Vote for {LETTERS[0]} to {last}, and they are shown." if on else ""
        if on and len(here) < 2:
            told = "A blind vote needs two sides: add one."
        return {**self._drawing().everything(room, stage.padded(here)), "notice": cards.notice(told)}

    def complete(self, model: str, begun: str) -> list[dict[str, str]]:
        """Titles that go on as somebody began to type, for the list under the caret: plain texts, which the browser shows as such."""
        try:
            found = self.talks.complete(model, begun[:100], 8) if begun.strip() else ()
        except Trouble:
            return []
        return [{"insert": cards.plain(chips.label(c)), "title": cards.plain(c.title), "facts": cards.plain(_facts(c))} for c in found]

    def link(self, message: str, room: Room, seats: Sequence[Seat]) -> str:
        """The part of an address behind its question mark that opens this panel."""
        keys = sorted(s.model for s in stage.taken(seats)) if room.blind else [s.model for s in stage.taken(seats)]
        return addresses.write(keys, room.user, room.blind, message)

    def tally(self) -> str:
        """The votes of everybody here, counted."""
        try:
            return exporting.counted({m.key: m.label for m in self.talks.models()}, self._ballots)
        except (OSError, Trouble) as error:
            return cards.notice(f"The votes cannot be read: {error}")

    def file(self, what: str, room: Room, seats: Sequence[Seat], visitor: str) -> tuple[dict[str, str] | None, Parts]:
        """What the browser saves ("json", "markdown" or "votes"), or a sentence why there is nothing."""
        try:
            if what == "votes":
                made = exporting.ballots(visitor, self._ballots)
            elif self.visits.going(visitor):
                raise Trouble(BUSY)
            else:
                made = exporting.talk(self.talks, room, seats, what == "markdown")
        except (Trouble, OSError) as trouble:
            return None, {"notice": cards.notice(str(trouble))}
        return dataclasses.asdict(made), {"notice": ""}

    def leave(self, visitor: str) -> None:
        """The visitor closed the tab."""
        self.visits.leave(visitor)

    def _drawing(self) -> Drawing:
        return Drawing(self._backend())

    def _closed(self, room: Room, here: Sequence[Seat]) -> tuple[Room, list[Seat]]:
        room, seats = stage.closed(room, here)
        return room, list(seats)

    def _foreign(self, key: str, before: str) -> bool:
        known = {m.key: m.data for m in self.talks.models()}
        return known.get(key) != known.get(before)

    def _person(self, model: str, room: Room) -> Any:
        talk = self.talks.person(model, room.user)
        return replace(talk, history=room.liked) if not room.user and room.liked else talk


def _facts(card: Card) -> str:
    return " · ".join([*([str(card.year)] if card.year is not None else []), *card.genres])
