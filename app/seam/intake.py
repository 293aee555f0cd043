"""What the Data page sees: data sets to look at, and files on their way to a new one.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pandas as pd

from app.seam.train import Setting
from app.seam.values import Overview


@dataclass(frozen=True)
class DataSet:
    """A data set that can be looked at. name: "" for that of the run in hand; kind: whose it is; about: one sentence."""

    name: str
    title: str
    kind: Literal["run", "named", "own"]
    about: str = ""


@dataclass(frozen=True)
class Wait:
    """Something is being read elsewhere. share: 0..1, or None; ahead: how much is worked before it."""

    stage: str
    share: float | None = None
    seconds: float = 0.0
    ahead: int = 0


@dataclass(frozen=True)
class Rows:
    """The first rows of a file."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Draft:
    """Files that were recognised. said: what they are, in a sentence; seen: the first rows of the file that says who took what.

    roles: column -> role, as far as it is known or guessed; open: the roles that can be chosen; aside: files that are not read.
    name: what the set could be called; encodings: empty where there is nothing to choose.
    """

    id: str
    said: str
    seen: Rows
    roles: Mapping[str, str] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    name: str = ""
    encodings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Files read to their end. key: what the next steps ask with; sizes: users, items, interactions; notes: what was repaired."""

    key: str
    sizes: tuple[int, int, int]
    titles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parts:
    """What filter and split would make of it. left: users, items, interactions; sizes: (label, value, meaning); trouble: or why not."""

    left: tuple[int, int, int]
    sizes: tuple[tuple[str, str, str], ...] = ()
    trouble: str = ""


Sections = Mapping[str, Mapping[str, Any]]


class IntakeLike(Protocol):
    """What the page asks for. `data`: a name of `sets`. Texts and files come from a browser and are checked here. Raises `Trouble`."""

    def sets(self, run: str | None) -> tuple[DataSet, ...]: ...
    def waiting(self, run: str | None, data: str) -> Wait | None: ...
    def overview(self, run: str | None, data: str, dark: bool = False) -> Overview: ...
    def users(self, run: str | None, data: str) -> list[str]: ...
    def history(self, run: str | None, data: str, user: str) -> pd.DataFrame: ...
    def find(self, run: str | None, data: str, words: str) -> tuple[tuple[str, str], ...]: ...
    def takers(self, run: str | None, data: str, item: str) -> tuple[str, pd.DataFrame]: ...
    def open(self, files: Sequence[tuple[str, bytes]]) -> Draft: ...
    def read(self, draft: Draft, roles: Mapping[str, str], encoding: str = "utf-8") -> Reading | Wait: ...
    def parts(self, reading: Reading, sections: Sections) -> Parts: ...
    def splits(self) -> dict[str, tuple[str, tuple[Setting, ...]]]: ...
    def keep(self, reading: Reading, name: str, sections: Sections) -> str: ...
    def recipe(self, data: str) -> str: ...
    def readers(self, data: str) -> tuple[str, ...]: ...
    def delete(self, data: str) -> str: ...
    def close(self) -> None: ...
