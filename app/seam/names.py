"""What the Tokens page sees of names: one point or one Token, who shares what with it, who is near.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.seam.values import Card


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


class NamesLike(Protocol):
    """What is asked about names. Raises `Trouble`."""

    def nodes(self, run: str) -> dict[str, str]: ...
    def inspect(self, run: str, node: str) -> Inspection: ...
