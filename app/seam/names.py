"""What the Tokens page sees of names: one point or one Token, who shares what with it, who is near, how healthy the names are.

Where it stands: in the seam. What it does not know: llmrec's stages, Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import pandas as pd

from app.seam.values import Card, Exhibit, Side
from llmrec.contracts import Id

Tones = tuple[int | None, ...]
Shape = Literal["sunburst", "treemap"]
Form = Literal["csv", "json", "parquet"]


@dataclass(frozen=True)
class Neighbour:
    """One of the nearest in the original space. shared: how many pieces of both names are the same from the left, of `of`."""

    card: Card
    cosine: float
    shared: int = 0
    of: int = 0


@dataclass(frozen=True)
class Shared:
    """Who has one piece anywhere in the name, or begins with some pieces: how many, and the most popular of them.

    kind: "piece", "beginning", or "name" where it is the whole name and its sharers collide; cosine: to the item's own vector, on
    average over the items (of a user: over the users), None where no vector tells.
    """

    pieces: Id
    tones: Tones
    kind: Literal["piece", "beginning", "name"]
    n_items: int
    n_users: int
    items: tuple[Card, ...]
    users: tuple[Card, ...]
    cosine: float | None = None


@dataclass(frozen=True)
class Telling:
    """Something that the bearers of a Token have more often than all. lift: 1 where being a bearer says nothing."""

    tag: str
    count: int
    everywhere: int
    lift: float


@dataclass(frozen=True)
class Inspection:
    """Everything about one point of the map, or about one Token (then `card.side` is "token" and there are no neighbours).

    facts: (label, value, what it means); shared: by piece; beginnings: by the first two pieces, three, and so on, the whole name last;
    neighbours: None until the space they are near in is there; cosine: mean to all others of the side; telling: what stands out, (kind,
    tags); note: what is to be known of this kind of name.
    """

    card: Card
    facts: tuple[tuple[str, str, str], ...]
    shared: tuple[Shared, ...]
    beginnings: tuple[Shared, ...] = ()
    neighbours: tuple[Neighbour, ...] | None = ()
    cosine: float | None = None
    telling: tuple[tuple[str, tuple[Telling, ...]], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Predicted:
    """How often items that carry a Token are recommended. state: "ready", "waiting" or "failed" (then `reason` says why).

    users: test users that were asked, `slots` recommendations each; share: of all of these; people: users who got one or more;
    catalogue, targets: share of the items that carry it, and of the held-out ones.
    """

    state: Literal["ready", "waiting", "failed"]
    reason: str = ""
    users: int = 0
    slots: int = 0
    share: float = 0.0
    people: int = 0
    catalogue: float = 0.0
    targets: float = 0.0


@dataclass(frozen=True)
class Finding:
    """One sentence of the doctor. grave: something is wrong; node: where to look."""

    text: str
    grave: bool = False
    node: str | None = None


@dataclass(frozen=True)
class Health:
    """How well names use their alphabet. numbers: (label, value, what it means); books: (key, how it is written), a figure each;
    collisions: names with more than one bearer, the most borne first."""

    numbers: tuple[tuple[str, str, str], ...]
    findings: tuple[Finding, ...]
    books: tuple[tuple[str, str], ...]
    levels: pd.DataFrame
    collisions: tuple[Shared, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tree:
    """The names as a tree. note: what was cut and how the names are read; depth: pieces of the longest name; branches: the largest ones
    at the root, for whoever does not click on figures: (id, how it is written)."""

    exhibit: Exhibit
    note: str
    depth: int
    branches: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Place:
    """One place of a name. codes: (code, piece, bearers) of every code that is borne, ascending."""

    label: str
    codes: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True)
class Found:
    """Who has these pieces. pieces: what was asked, "" where any will do; table: one row per bearer, its column `node` says who."""

    pieces: tuple[str, ...]
    note: str
    n_items: int
    n_users: int
    table: pd.DataFrame


@dataclass(frozen=True)
class Ways:
    """How this run can name newcomers: "" where it can, else why not. slow: what is to be known before asking by text."""

    user: str
    item_users: str
    item_text: str
    slow: str = ""


@dataclass(frozen=True)
class Landed:
    """A newcomer's name. alike: the known ones whose names begin alike; nearest: the nearest by vector, where it has one."""

    side: Side
    pieces: Id
    tones: Tones
    note: str
    alike: tuple[Neighbour, ...]
    nearest: tuple[Neighbour, ...]
    seconds: float


class NamesLike(Protocol):
    """What is asked about names. `side` is "item" or "user", a node "item:50", "user:7" or "token:<c3>". Raises `Trouble`.

    Ask `text_read` until it says "ready" before `name_item` by a text: a language model may have to be loaded to read it.
    """

    def nodes(self, run: str) -> dict[str, str]: ...
    def inspect(self, run: str, node: str) -> Inspection: ...
    def predicted(self, run: str, token: str, again: bool = False) -> Predicted: ...
    def health(self, run: str) -> Health: ...
    def semantics(self, run: str) -> tuple[tuple[str, str, str], ...]: ...
    def usage(self, run: str, book: str, dark: bool = False) -> Exhibit: ...
    def sides(self, run: str) -> tuple[Side, ...]: ...
    def tree(self, run: str, side: Side, shape: Shape, by: str, depth: int, dark: bool = False) -> Tree: ...
    def branch(self, run: str, side: Side, branch: str) -> Found: ...
    def places(self, run: str, side: Side) -> tuple[Place, ...]: ...
    def read(self, run: str, name: str) -> tuple[Side, tuple[int | None, ...]]: ...
    def invert(self, run: str, side: Side, codes: tuple[int | None, ...]) -> Found: ...
    def beginning(self, run: str, side: Side, text: str) -> Found: ...
    def bearers(self, run: str, token: str) -> Found: ...
    def tones(self, run: str, pieces: tuple[str, ...]) -> tuple[Id, Tones]: ...
    def ways(self, run: str) -> Ways: ...
    def name_user(self, run: str, history: tuple[int, ...]) -> Landed: ...
    def text_read(self, run: str, text: str, again: bool = False) -> tuple[str, str]: ...
    def name_item(self, run: str, users: tuple[int, ...] = (), text: str = "") -> Landed: ...
    def listed(self, run: str, nodes: tuple[str, ...] | None, words: str = "") -> pd.DataFrame: ...
    def export(self, run: str, nodes: tuple[str, ...] | None, form: Form) -> bytes: ...
