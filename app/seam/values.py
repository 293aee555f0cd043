"""Values that several pages show: runs, cards, charts, people, answers.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit, Gradio. Figures are plotly figures, tables are data frames,
the rest is text and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from llmrec.contracts import Id

Side = Literal["item", "user", "token"]


class Trouble(ValueError):
    """Something a person can mend; the message says what happened and what to do next."""


@dataclass(frozen=True)
class RunInfo:
    """One run in the picker. status: "done" runs can be used; others say how far they are."""

    name: str
    status: str
    data: str
    scheme: str
    recipe: str = ""
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return self.status in ("done", "stopped")


@dataclass(frozen=True)
class Card:
    """One item, user or Token as it is shown. index: its number; pieces: its name in the run, empty without a run.

    tones: which colour of the palette each piece has (`llmrec.view.levels`), here, on the map and in the tree; None: no colour.
    """

    side: Side
    index: int
    key: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    pieces: Id = ()
    tones: tuple[int | None, ...] = ()

    @property
    def node(self) -> str:
        return f"{self.side}:{self.key}"


@dataclass(frozen=True)
class Exhibit:
    """A chart, the sentence that reads it, and its table twin. table's columns are headed as a person should read them.

    moving: the same chart as data and a Vega-Lite specification, for as long as it grows: a new plotly figure would blink.
    """

    name: str
    title: str
    caption: str
    table: pd.DataFrame
    figure: Any = None
    moving: tuple[pd.DataFrame, dict[str, Any]] | None = None


@dataclass(frozen=True)
class Overview:
    """A data set at a glance. counts: (label, value, what it means)."""

    name: str
    counts: tuple[tuple[str, str, str], ...]
    exhibits: tuple[Exhibit, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """Whom to recommend for: a user of the data, or a new person (user -1) known by items alone, oldest first."""

    user: int = -1
    history: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pick:
    """One recommended item. target: it is the item that was held out for this user."""

    card: Card
    score: float
    target: bool = False


@dataclass(frozen=True)
class Answer:
    """What one model recommends. note: why it is shorter than asked, or anything else a reader must know."""

    model: str
    picks: tuple[Pick, ...]
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Progress:
    """How far the first run is. fraction in 0..1, or None where it cannot be known; losses: columns `step` and `loss`."""

    run: str
    stage: str
    fraction: float | None = None
    seconds_left: float | None = None
    seconds: float = 0.0
    losses: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"step": [], "loss": []}))
    state: Literal["running", "done", "failed"] = "running"
    message: str = ""
