"""What the X-ray page sees: what a model reads and how it chooses.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from app.seam.values import Card, Exhibit, Person, Pick

Kind = Literal["words", "person", "item"]


@dataclass(frozen=True)
class Question:
    """Which recommendation is looked into. template: its key; seen: what the person knows may come back; follow: the item whose way is
    shown, None for nobody."""

    person: Person
    template: str = "0"
    seen: bool = False
    follow: int | None = None


@dataclass(frozen=True)
class Bit:
    """One piece as the model reads it. place: from 0; row: its row number in the vocabulary; kind: a Token, text, or special."""

    text: str
    place: int
    row: int
    kind: Literal["token", "text", "special"]
    tone: int | None = None


@dataclass(frozen=True)
class Stretch:
    """Pieces that belong together: words, the person's name, or an item's. title: whose name it is."""

    kind: Kind
    bits: tuple[Bit, ...]
    title: str = ""


@dataclass(frozen=True)
class Prompt:
    """What the model reads. template: with its places for names; note: how much was cut, and in which order it is."""

    stretches: tuple[Stretch, ...]
    template: str
    note: str
    counts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Look:
    """One recommendation. fate: what became of the followed item, see `llmrec.recommend.trace.verdict`; short, text: that in words.

    picks: the list that the head gives; numbers: (label, value, meaning); exhibits: how it chose, by the run's own head.
    """

    fate: str
    short: str
    text: str
    prompt: Prompt
    picks: tuple[Pick, ...]
    numbers: tuple[tuple[str, str, str], ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    head: str = ""


@dataclass(frozen=True)
class Following:
    """What may come next. trail: the pieces chosen so far; deeper: prefix -> piece, for the likeliest that lead on; followed: the prefix
    that goes one piece further on the followed item's way, "" where there is none."""

    trail: tuple[Bit, ...]
    numbers: tuple[tuple[str, str, str], ...]
    exhibits: tuple[Exhibit, ...]
    deeper: dict[str, str] = field(default_factory=dict)
    followed: str = ""
    note: str = ""


class XrayLike(Protocol):
    """What the page asks for. `prefix` is row numbers joined by "-", out of an address. Raises `Trouble`."""

    def templates(self, run: str) -> dict[str, str]: ...
    def held_out(self, run: str, user: int) -> tuple[Card, ...]: ...
    def first(self, run: str) -> int: ...
    def look(self, run: str, question: Question, dark: bool = False) -> Look: ...
    def after(self, run: str, question: Question, prefix: str = "", dark: bool = False) -> Following: ...
    def what_if(self, run: str, question: Question, dark: bool = False) -> Exhibit: ...
    def close(self) -> None: ...
