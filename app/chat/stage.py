"""What stands on the stage: the sides, what each said to the present message, and the turns before it. Plain, frozen values.

Where it stands: under the panel; a session's whole memory is one `Room` and its `Seat`s. What it does not know: Gradio, HTML, models.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from llmrec.recommend.chat.values import Chosen, Conversation, Done, Words

MOST = 4  # sides that stand beside one another
LETTERS = "ABCD"
TIE, BAD = "tie", "bad"  # votes for nobody


@dataclass(frozen=True)
class Answer:
    """What one side said to one message, as far as it has grown. done: its end; trouble: why it broke off; stopped: somebody did that;
    waited: seconds without a word, 0 where they are few."""

    events: tuple[Words | Chosen, ...] = ()
    done: Done | None = None
    trouble: str = ""
    stopped: bool = False
    waited: int = 0

    @property
    def over(self) -> bool:
        return self.done is not None or bool(self.trouble) or self.stopped

    @property
    def items(self) -> tuple[int, ...]:
        return tuple(e.item for e in self.events if isinstance(e, Chosen))

    @property
    def words(self) -> str:
        """All that was said, each item as " *"."""
        return "".join(e.text if isinstance(e, Words) else " *" for e in self.events)


@dataclass(frozen=True)
class Seat:
    """One side. model: its key, "" for a side that is not there; answer: to the present message, None before there is one."""

    model: str = ""
    talk: Conversation = field(default_factory=Conversation)
    answer: Answer | None = None


@dataclass(frozen=True)
class Turn:
    """One message with all answers, by position. models: who stood where; hidden: their names are not known to the visitor;
    vote: a letter, `TIE`, `BAD`, or "" for none; began: seconds since 1970."""

    asked: str
    models: tuple[str, ...]
    answers: tuple[Answer | None, ...] = ()
    hidden: bool = False
    vote: str = ""
    began: float = 0.0


@dataclass(frozen=True)
class Room:
    """What all sides share. user: a key, "" for a new person; liked: titles a new person picked, oldest first; turns: those before the
    present one; present: the newest, whose answers the seats hold."""

    user: str = ""
    liked: tuple[int, ...] = ()
    blind: bool = False
    turns: tuple[Turn, ...] = ()
    present: Turn | None = None

    @property
    def begun(self) -> bool:
        return self.present is not None or bool(self.turns)


def taken(seats: Sequence[Seat]) -> tuple[Seat, ...]:
    """The sides that are there."""
    return tuple(s for s in seats if s.model)


def padded(seats: Sequence[Seat]) -> tuple[Seat, ...]:
    """As many as there can be."""
    return (*seats, *[Seat()] * (MOST - len(seats)))


def finished(room: Room, seats: Sequence[Seat]) -> tuple[Turn, ...]:
    """Every turn with its answers, the present one last."""
    if room.present is None:
        return room.turns
    said = {s.model: s.answer for s in seats}
    return (*room.turns, replace(room.present, answers=tuple(said.get(m) for m in room.present.models)))


def closed(room: Room, seats: Sequence[Seat]) -> tuple[Room, tuple[Seat, ...]]:
    """The present turn among those before, and sides that await a message."""
    return replace(room, turns=finished(room, seats), present=None), tuple(replace(s, answer=None) for s in seats)


def asked(room: Room, seats: Sequence[Seat], message: str, order: Sequence[int]) -> tuple[Room, tuple[Seat, ...]]:
    """A message to all sides. order: which side stands where from now on."""
    room, seats = closed(room, seats)
    seats = tuple(replace(seats[i], answer=Answer()) for i in order)
    hidden = room.blind and len(seats) > 1
    return replace(room, present=Turn(message, tuple(s.model for s in seats), (), hidden, began=time.time())), seats


def voted(room: Room, choice: str) -> Room:
    """A vote on the present turn, once, which reveals who said what. choice: a letter, `TIE` or `BAD`."""
    turn = room.present
    if turn is None or turn.vote or not turn.hidden:
        return room
    if choice not in (*LETTERS[: len(turn.models)], TIE, BAD):
        return room
    return replace(room, present=replace(turn, hidden=False, vote=choice))


def blinded(room: Room, seats: Sequence[Seat], on: bool) -> tuple[Room, tuple[Seat, ...]]:
    """Blind from the next message on, or not any more: then every name is shown, and what was not voted on stays so."""
    room, seats = closed(room, seats)
    turns = room.turns if on else tuple(replace(t, hidden=False) for t in room.turns)
    return replace(room, blind=on, turns=turns), seats


def anew(room: Room, seats: Sequence[Seat], talk: Conversation) -> tuple[Room, tuple[Seat, ...]]:
    """Nothing said yet, by the same sides to the same person."""
    return replace(room, turns=(), present=None), tuple(replace(s, talk=talk, answer=None) for s in seats)


Phase = Literal["waiting", "growing", "over"]


def phase(answer: Answer | None) -> Phase:
    """How far an answer is."""
    if answer is None:
        return "waiting"
    return "over" if answer.over else "growing"
