"""What the Tour page sees: the eight names of one item, and META ID's story. TokenRec's and CLLM4Rec's stories have rooms of their own.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from app.seam.values import Card, Exhibit
from llmrec.contracts import Id


@dataclass(frozen=True)
class Making:
    """Something that is being computed in a process of its own. share: 0..1 or None; ahead: how many are worked before it; trouble: why
    it will not come, or ""."""

    stage: str = ""
    share: float | None = None
    ahead: int = 0
    seconds: float = 0.0
    trouble: str = ""


@dataclass(frozen=True)
class Written:
    """An item's name in one scheme. read: what the language model reads of it, one text a row of its vocabulary (a subword that begins a
    word begins with a blank); run: the run whose name it is, or "" where no run of the scheme is there."""

    pieces: Id
    tones: tuple[int | None, ...]
    read: tuple[str, ...]
    run: str = ""


@dataclass(frozen=True)
class Habits:
    """A scheme over all items. pieces: rows of the vocabulary that a name takes, on average; new_rows: rows the model must learn for its
    Tokens; collisions: items whose whole name another item bears too."""

    pieces: float
    new_rows: int
    collisions: int


@dataclass(frozen=True)
class Company:
    """Who begins alike. n: items whose name begins with the same row, this one left out; first: the most taken of them."""

    n: int
    first: tuple[Card, ...] = ()


@dataclass(frozen=True)
class Score:
    """How well a run of the scheme finds held-out items, with the interval of its report."""

    run: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Naming:
    """One scheme and what it calls one item. `written`, `habits` and `company` are None while `making` tells how far its names are."""

    scheme: str
    called: str
    says: str
    written: Written | None = None
    habits: Habits | None = None
    company: Company | None = None
    score: Score | None = None
    making: Making | None = None


@dataclass(frozen=True)
class Walk:
    """One walk from one person. key: whom it starts from; pairs: how many pairs of this walk the skip-gram learns from; per_node: how
    many walks start at each user and item in the recipe."""

    key: str
    exhibit: Exhibit
    pairs: int
    per_node: int


@dataclass(frozen=True)
class Forming:
    """The space as it forms, or how far its making is."""

    exhibit: Exhibit | None = None
    making: Making | None = None


@dataclass(frozen=True)
class Clusters:
    """Names at one K, or how far the vectors are. own: META ID's own K here; most: the largest K; name: the item's; numbers: (label,
    value, what it means); near: the item's neighbours and who is with it."""

    own: int = 0
    most: int = 0
    name: Written | None = None
    exhibit: Exhibit | None = None
    numbers: tuple[tuple[str, str, str], ...] = ()
    near: pd.DataFrame | None = None
    says: str = ""
    making: Making | None = None


class TourLike(Protocol):
    """What the page asks for; `run` gives the data, None is the default data. Raises `Trouble`."""

    def items(self, run: str | None) -> dict[str, str]: ...
    def item(self, run: str | None, key: str | None) -> Card: ...
    def taken(self, run: str | None, item: int) -> tuple[int, int]: ...
    def names(self, run: str | None, item: int) -> tuple[Naming, ...]: ...
    def people(self, run: str | None) -> list[str]: ...
    def walk(self, run: str | None, key: str | None, seed: int, dark: bool = False) -> Walk: ...
    def forming(self, run: str | None, item: int, dark: bool = False) -> Forming: ...
    def clusters(self, run: str | None, item: int, k: int | None, dark: bool = False) -> Clusters: ...
    def masking(self) -> Any: ...
    def pulling(self) -> Any: ...
    def close(self) -> None: ...
