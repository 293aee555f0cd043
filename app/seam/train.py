"""What the Train page sees: a recipe as a form, the queue, a run in full.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pandas as pd

from app.seam.values import Exhibit

Act = Literal["stop", "resume", "delete", "again", "open"]


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
