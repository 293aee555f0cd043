"""What the Tokens page sees of the map: every user and item as a point, areas drawn on it, and two schemes on one layout.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pandas as pd

from app.seam.values import Exhibit

How = Literal["UMAP", "PCA"]


@dataclass(frozen=True)
class Lay:
    """How the points are laid out. neighbors, dist and seed are UMAP's: how many neighbours count as near, how tightly points may lie."""

    how: How = "UMAP"
    neighbors: int = 15
    dist: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Quality:
    """How far one layout can be trusted: both numbers in 0..1, on `scored` points."""

    how: How
    trustworthiness: float
    kept: float
    scored: int


@dataclass(frozen=True)
class Atlas:
    """The map of users and items. how: what is shown, "PCA" while UMAP is made; figure: None where there is not even a first map yet;
    table: the points that are drawn; points: how many there are; waiting: how far a better map is, "" where none is being made; trouble:
    why none will come."""

    how: How
    figure: Any
    table: pd.DataFrame
    points: int
    quality: tuple[Quality, ...] = ()
    note: str = ""
    waiting: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Area:
    """What was drawn on the map: the corners of an outline, or two opposite corners of a box, in the map's coordinates."""

    kind: Literal["lasso", "box"]
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Change:
    """Two runs' names on one layout. agreement: one row per pair of levels; table: the items that moved most, `nodes` names its rows;
    flow: where the largest Tokens' items are in the other run; notes: what to know beside; how, waiting: of the layout, as in `Atlas`."""

    figure: Any
    agreement: pd.DataFrame
    table: pd.DataFrame
    nodes: tuple[str, ...]
    flow: Exhibit | None = None
    notes: tuple[str, ...] = ()
    how: How = "UMAP"
    waiting: str = ""


@dataclass(frozen=True)
class Found:
    """What a search found: node -> how it is written, the best first; more: how many were left off."""

    nodes: dict[str, str] = field(default_factory=dict)
    more: int = 0


class MapsLike(Protocol):
    """What is asked about the map. Raises `Trouble`."""

    def atlas(self, run: str, focus: str | None = None, dark: bool = False, lay: Lay = ..., outline: tuple[Area, ...] = ()) -> Atlas: ...
    def coordinates(self, run: str, lay: Lay) -> pd.DataFrame: ...
    def within(self, run: str, lay: Lay, areas: Sequence[Area]) -> list[str]: ...
    def find(self, run: str, words: str, k: int = 30) -> Found: ...
    def change(self, run: str, other: str, focus: str | None = None, dark: bool = False, lay: Lay = ...) -> Change: ...
