"""What the stories of TokenRec and CLLM4Rec see: one scene at a time, with what is still being made for it.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol

from app.seam.values import Answer, Card, Exhibit


@dataclass(frozen=True)
class Pending:
    """Work that a scene waits for, done once and kept. what: what is made; cost: about how long it takes; share: 0..1, or None.

    ahead: how much is worked before it; trouble: why it will not come, or ""; key: what `retry` calls it, or None.
    """

    what: str
    cost: str
    share: float | None = None
    seconds: float = 0.0
    ahead: int = 0
    trouble: str = ""
    key: Hashable = None


@dataclass(frozen=True)
class Scene:
    """One step of a story. sentence: what is seen, in numbers of this scene; numbers: (label, value, meaning).

    beside: exhibits stand beside each other where there is room; names: cards with a word each; pending: what it still waits for.
    """

    sentence: str = ""
    numbers: tuple[tuple[str, str, str], ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    beside: bool = False
    names: tuple[tuple[str, Card], ...] = ()
    pending: Pending | None = None


@dataclass(frozen=True)
class Race:
    """How a race stands. done, of: timed calls of each racer; answers: what each found, once known; notes: what a reader must know."""

    done: int
    of: int
    exhibit: Exhibit
    sentence: str
    answers: tuple[Answer, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Near:
    """The nearest of one item by each of its two rows, with cosines. both: how many stand in both lists."""

    card: Card
    collaborative: tuple[tuple[Card, float], ...]
    content: tuple[tuple[Card, float], ...]
    both: int


class MaskingLike(Protocol):
    """What the story of TokenRec asks for. run: the run in hand, or None. Raises `Trouble`."""

    def origin(self, run: str | None) -> Scene: ...
    def step(self, run: str | None, step: str, item: int, share: float, draw: int, dark: bool = False) -> Scene: ...
    def choices(self, run: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]: ...
    def sizes(self, run: str | None, books: int, codes: int, dark: bool = False) -> Scene: ...
    def racers(self, run: str | None) -> tuple[str, ...]: ...
    def race(self, run: str | None, user: int, dark: bool = False) -> Iterator[Race]: ...
    def retry(self, key: Hashable) -> None: ...


class PullingLike(Protocol):
    """What the story of CLLM4Rec asks for. run: the run in hand, or None. Raises `Trouble`."""

    def strengths(self) -> tuple[float, ...]: ...
    def films(self, run: str | None) -> tuple[Card, ...]: ...
    def scene(self, run: str | None, strength: float, dark: bool = False) -> Scene: ...
    def near(self, run: str | None, strength: float, item: int) -> Near: ...
    def retry(self, key: Hashable) -> None: ...
