"""What a talk is made of: conversations, what was understood of a message, and the events of an answer as it grows.

Where it stands: between the speakers of this room and whoever shows a talk (the panel, the terminal, the probes).
What it does not know: models, HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

Skill = Literal["recommend", "list", "like", "attribute", "without", "else", "would", "why", "what", "which", "taste", "talk"]
MARK = " *"


@dataclass(frozen=True)
class Mention:
    """A title that a message names. text: as typed; item: which, or None where none or several may be meant; near: those that may be;
    start: where in the message it stands."""

    text: str
    item: int | None
    near: tuple[int, ...] = ()
    start: int = 0


@dataclass(frozen=True)
class Understood:
    """What the answer's first words say of the message; it restricts the head. wanted: attributes that every item has; unwanted: that
    none has; among: only these items (None: any); like: these alone are the history (None: the person's)."""

    skill: Skill = "talk"
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    among: tuple[int, ...] | None = None
    like: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Exchange:
    """One message and what was answered. said: the words, each item as a mark; items: those at the marks, in order."""

    asked: str
    mentions: tuple[Mention, ...]
    said: str
    items: tuple[int, ...]
    understood: Understood


@dataclass(frozen=True)
class Conversation:
    """What is remembered, all that a speaker needs. user: their number, -1 a new person; history: items before the talk, oldest first;
    liked, rejected: said so in the talk, oldest first; named: recommended in it. Every number is an item's."""

    user: int = -1
    history: tuple[int, ...] = ()
    liked: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True)
class Words:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class Chosen:
    """An item that the head chose at a mark. rank: its place in the head's ranking, 1 the best; score: the head's."""

    item: int
    rank: int
    score: float


@dataclass(frozen=True)
class Timing:
    """Seconds from the message: first, to the first event; total. tokens: rows that the model said one by one, marks included."""

    first: float
    total: float
    tokens: int


@dataclass(frozen=True)
class Done:
    """The end of an answer: what is remembered now, what was read and said in row spelling, how sure a yes or no is (0 to 1)."""

    conversation: Conversation
    understood: Understood
    timing: Timing
    raw: str
    sure: float | None = None
    stopped: bool = False


Event = Words | Chosen | Done


class Speaker(Protocol):
    """Somebody to talk to: a tuned run, or a baseline that speaks in fixed sentences."""

    @property
    def tuned(self) -> bool:
        """Whether the words are a model's own."""
        ...

    def reply(self, conversation: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Answer one message, growing; the last event is `Done`."""
        ...
