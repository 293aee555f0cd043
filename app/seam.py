"""What the pages see: plain values, and the protocol of the backend that makes them.

Where it stands: between `backend.py` and every page; tests hand the pages a fake that speaks the same protocol.
What it does not know: llmrec's stages, Streamlit, Gradio. Figures are plotly figures, tables are data frames, the rest is text and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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

    tone: which colour of the palette its first piece has, here and on the map; None: no colour.
    """

    side: Side
    index: int
    key: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    pieces: Id = ()
    tone: int | None = None

    @property
    def node(self) -> str:
        return f"{self.side}:{self.key}"


@dataclass(frozen=True)
class Exhibit:
    """A chart, the sentence that reads it, and its table twin. table's columns are headed as a person should read them."""

    name: str
    title: str
    caption: str
    table: pd.DataFrame
    figure: Any = None


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
class Neighbour:
    """One of the nearest in the original space."""

    card: Card
    cosine: float


@dataclass(frozen=True)
class Shared:
    """Who carries one Token: how many, and the first of them."""

    token: str
    tone: int | None
    n_items: int
    n_users: int
    items: tuple[Card, ...]
    users: tuple[Card, ...]


@dataclass(frozen=True)
class Inspection:
    """Everything about one point of the map, or about one Token (then `card.side` is "token" and there are no neighbours)."""

    card: Card
    shared: tuple[Shared, ...]
    neighbours: tuple[Neighbour, ...] = ()
    genres: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Atlas:
    """The map of users and items. how: "UMAP" or "PCA"; waiting: a better map is being made; trouble: why none will come."""

    how: str
    figure: Any
    table: pd.DataFrame
    quality: tuple[tuple[str, float, str], ...] = ()
    note: str = ""
    waiting: bool = False
    trouble: str = ""


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


@dataclass(frozen=True)
class Mention:
    """A title found in a message. item: the catalogue's item, or None where nothing is near enough; near: the nearest then."""

    text: str
    item: int | None
    near: tuple[int, ...] = ()


class BackendLike(Protocol):
    """What the pages ask for. `run` is a name, or None for the default data without a model. Raises `Trouble`."""

    def versions(self) -> dict[str, str]: ...
    def runs(self) -> tuple[RunInfo, ...]: ...
    def first_run(self) -> Progress | None: ...
    def start_first_run(self) -> None: ...
    def warm(self) -> None: ...
    def overview(self, run: str | None, dark: bool = False) -> Overview: ...
    def titles(self, run: str | None) -> list[str]: ...
    def user_keys(self, run: str | None) -> list[str]: ...
    def card(self, run: str | None, side: Side, index: int) -> Card: ...
    def index(self, run: str | None, side: Side, key: str) -> int | None: ...
    def history(self, run: str | None, user: int) -> pd.DataFrame: ...
    def person(self, run: str | None, user: int) -> Person: ...
    def nodes(self, run: str) -> dict[str, str]: ...
    def atlas(self, run: str, focus: str | None = None, dark: bool = False) -> Atlas: ...
    def inspect(self, run: str, node: str) -> Inspection: ...
    def baselines(self) -> list[str]: ...
    def recommend(self, run: str | None, model: str | None, person: Person, k: int, seen: bool = False) -> Answer: ...
    def mentions(self, run: str | None, text: str) -> tuple[Mention, ...]: ...
    def close(self) -> None: ...
