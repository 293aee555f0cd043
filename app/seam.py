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
Act = Literal["stop", "resume", "delete", "again", "open"]


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


@dataclass(frozen=True)
class Setting:
    """One setting in the form. where: "train.epochs"; kind: which control shows it ("toml": written as in the recipe); help: one sentence.

    default: what it is when the recipe does not say; None where nothing is chosen, or (`needed`) where there is no default.
    """

    where: str
    kind: Literal["whole", "number", "switch", "choice", "text", "toml"]
    value: Any
    default: Any
    choices: tuple[Any, ...] = ()
    optional: bool = False
    needed: bool = False
    help: str = ""


@dataclass(frozen=True)
class Plan:
    """A recipe in its forms: text, form, command line. plain: nested dictionaries, as TOML gives them; preset: which one it equals, or "".

    trouble: why it cannot be trained, in the words of the library, or ""; the text is then what was asked for. note: a hint, or "".
    """

    text: str
    plain: dict[str, Any]
    settings: tuple[Setting, ...]
    command: str = ""
    preset: str = ""
    trouble: str = ""
    note: str = ""


@dataclass(frozen=True)
class Choice:
    """One of the choices at the top of the form. where: "scheme.name"; names: with a sentence each."""

    where: str
    label: str
    names: dict[str, str]
    help: str


@dataclass(frozen=True)
class Forecast:
    """What a training would cost. numbers: (label, value, meaning); table: the stages; advice: sentences; trouble: why there is none."""

    state: Literal["measuring", "done", "failed"]
    numbers: tuple[tuple[str, str, str], ...] = ()
    table: pd.DataFrame | None = None
    advice: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Job:
    """One run in the list. what: scheme, head, model, data; reason: a sentence on its state; ahead: how many start before it.

    now: stage, share and time left while it runs; measured: its first numbers when it is done.
    """

    name: str
    state: str
    reason: str
    what: str
    ahead: int | None = None
    share: float | None = None
    now: str = ""
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """One run in full. numbers: (label, value, meaning); exhibits: its curves; log: its last lines; acts: what can be done with it now."""

    job: Job
    numbers: tuple[tuple[str, str, str], ...]
    exhibits: tuple[Exhibit, ...]
    log: str
    warnings: tuple[str, ...] = ()
    acts: frozenset[Act] = frozenset()


class WorkshopLike(Protocol):
    """What the Train page asks for. Texts and names come from a browser and are checked here. Raises `Trouble`."""

    def choices(self) -> tuple[Choice, ...]: ...
    def plan(self, text: str | None = None) -> Plan: ...
    def changed(self, plan: Plan, changes: dict[str, Any]) -> Plan: ...
    def again(self, run: str) -> Plan: ...
    def forecast(self, plan: Plan, begin: bool = False) -> Forecast | None: ...
    def start(self, plan: Plan) -> str: ...
    def jobs(self) -> tuple[Job, ...]: ...
    def training(self, run: str, dark: bool = False) -> Training: ...
    def stop(self, run: str) -> str: ...
    def resume(self, run: str) -> str: ...
    def freed(self, run: str) -> str: ...
    def delete(self, run: str) -> str: ...
    def differences(self, run: str, other: str) -> pd.DataFrame: ...
    def attend(self) -> None: ...


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
    def workshop(self) -> WorkshopLike: ...
    def close(self) -> None: ...
