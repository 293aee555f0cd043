"""What the probes' part of the Chat page sees: which probes are asked of whom, how far that is, and what came out.

Where it stands: in the seam. What it does not know: how probes are asked, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd


@dataclass(frozen=True)
class Ask:
    """What is asked. models: keys as in `app.seam.chat.Model`, all of one data set; users: how many ask; only: skills, none for all."""

    models: tuple[str, ...]
    users: int = 2
    only: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Sheet:
    """One table as texts, models line by line. about: the sentence that reads it."""

    name: str
    title: str
    about: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Failure:
    """One turn that fails. faults: each in a sentence."""

    model: str
    skill: str
    wording: str
    probe: str
    user: str
    message: str
    answer: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Going:
    """What is still being asked. waiting: models; stage: who asks whom; share: 0..1 or None; trouble: why a model could not be asked."""

    waiting: tuple[str, ...] = ()
    stage: str = ""
    share: float | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Board:
    """What is known so far. said: what was asked, in a sentence; asked: models -> how many users have asked it all."""

    said: str
    sheets: tuple[Sheet, ...] = ()
    failures: tuple[Failure, ...] = ()
    going: Going = Going()
    asked: tuple[tuple[str, int], ...] = ()


class ProbesLike(Protocol):
    """Probes as errands: whoever asks again hears how far they are. Raises `Trouble`."""

    def skills(self) -> tuple[tuple[str, str], ...]:
        """What probes ask for, each with how many turns of the shipped set do."""
        ...

    def board(self, ask: Ask, start: bool = False) -> Board:
        """What is known; start: have asked what is not, or go on with it. Asked again while it goes on, it says how far it is."""
        ...

    def result(self, ask: Ask) -> dict[str, Any]:
        """Every turn and what it comes to, as `llmrec probe --json` has it, of what is known."""
        ...

    def close(self) -> None:
        """Nothing is left running."""
        ...
