"""What the Compare page sees: runs and baselines as numbers beside each other.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from app.seam.values import Exhibit

KINDS = ("differences", "segments", "cuts", "cost")  # charts of one comparison


@dataclass(frozen=True)
class Ground:
    """What numbers must share to stand in one table. key: its mark; rules: the protocol in a sentence; runs: name -> what it is, newest
    first; usual: the newest of each scheme; metrics: name -> how it is written, the headline first."""

    key: str
    label: str
    rules: str
    runs: dict[str, str]
    usual: tuple[str, ...]
    metrics: dict[str, str]


@dataclass(frozen=True)
class Offer:
    """A baseline. seconds: about how long it takes to fit and rank here; quick: whether it is there without being asked for; kept: whether
    it was measured already."""

    name: str
    title: str
    quick: bool
    kept: bool
    seconds: float


@dataclass(frozen=True)
class Ask:
    """What is compared. part: "test" or "valid"; masked: whether seen items may not come back; against: a name, "" for the first."""

    ground: str
    runs: tuple[str, ...]
    baselines: tuple[str, ...] = ()
    part: str = "test"
    masked: bool = True
    against: str = ""


@dataclass(frozen=True)
class Sheet:
    """The numbers. numbers: each as a number, one line a recommender, for files; shown: the same as a person reads it, columns by group;
    best: column of `shown` -> line."""

    numbers: pd.DataFrame
    shown: dict[str, pd.DataFrame]
    best: dict[str, int]


@dataclass(frozen=True)
class Going:
    """What is still to be measured. waiting: who; stage: whose turn it is; share: 0..1 or None; trouble: why somebody could not be."""

    waiting: tuple[str, ...] = ()
    stage: str = ""
    share: float | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Board:
    """The comparison. said: what it shows in a sentence; names, titles: line by line; measured: the names that are known user by user;
    against: who was the reference."""

    said: str
    sheet: Sheet
    names: tuple[str, ...]
    titles: tuple[str, ...]
    measured: tuple[str, ...] = ()
    against: str = ""
    going: Going = Going()


@dataclass(frozen=True)
class Gap:
    """A pair that no run here fills. run: whose recipe is nearest, or None; words: what would fill it; refused: why it cannot be filled."""

    scheme: str
    head: str
    run: str | None
    words: str
    refused: str = ""


@dataclass(frozen=True)
class Matrix:
    """Schemes and heads. own: of this machine's runs; shipped: of the results book, where it is here; about: its protocol and seeds."""

    own: Exhibit
    gaps: tuple[Gap, ...]
    shipped: Exhibit | None = None
    about: str = ""


class ScoresLike(Protocol):
    """What the page asks for. Raises `Trouble`."""

    def grounds(self) -> tuple[Ground, ...]: ...
    def offers(self, ground: str) -> tuple[Offer, ...]: ...
    def board(self, ask: Ask, again: bool = False) -> Board: ...
    def exhibit(self, ask: Ask, kind: str, metric: str, dark: bool = False) -> Exhibit: ...
    def matrix(self, ground: str, metric: str, dark: bool = False) -> Matrix: ...
    def file(self, ask: Ask, form: str) -> bytes: ...
    def close(self) -> None: ...
