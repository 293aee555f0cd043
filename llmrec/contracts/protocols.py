"""The protocols of the stages: what each takes and what it gives.

Where it stands: everywhere. A stage is a frozen dataclass of settings with one verb that returns a new value; no stage imports another
stage's internals. What it does not know: files, language models, user interfaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from llmrec.contracts.values import Catalog, Floats, IdTable, Interactions, Ints, Queries, Ranked, Side, Vectors


@runtime_checkable
class Quantizer(Protocol):
    """Vectors to codes and back. A frozen value of arrays; pure and idempotent: same rows in, same codes out, input untouched."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many codes each place has; their count is the depth."""
        ...

    def encode(self, rows: Floats) -> Ints:
        """(n, d) float32 to (n, depth) int32."""
        ...

    def decode(self, codes: Ints) -> Floats:
        """(n, depth) to (n, d) float32: what the codes say of the rows they were made from."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Vectors from interactions, or from what the catalogue tells. A frozen dataclass of settings; nothing held out can come in, by
    signature. One that reads the catalogue says so where it gets None."""

    def fit(self, train: Interactions, catalog: Catalog | None, rng: np.random.Generator) -> Vectors: ...


@runtime_checkable
class FoldsIn(Protocol):
    """An embedder that can place newcomers beside vectors it fitted, with nothing trained anew."""

    def fold_in(self, vectors: Vectors, train: Interactions, took: Sequence[Ints], side: Side) -> Floats:
        """side "user": each row is a new user, known by the items they took; "item": a new item, known by the users who took it.

        Returns (len(took), d) float32 in the space of `vectors.users` or `vectors.items`.
        """
        ...


@runtime_checkable
class ReadsText(Protocol):
    """An embedder that can place an item known by its text alone."""

    def read(self, texts: Sequence[str]) -> Floats:
        """(len(texts), d) float32, exactly as `fit` would have placed items with these texts."""
        ...


@runtime_checkable
class Scheme(Protocol):
    """A way of naming users and items.

    needs_vectors: whether `vectors` may not be None; embedder: registered name of the embedder it takes where the recipe names none;
    names_by: what similar names mean: similar "behaviour", similar "content", or "nothing".
    """

    needs_vectors: ClassVar[bool]
    embedder: ClassVar[str | None]
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]]

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable: ...


@runtime_checkable
class Recommender(Protocol):
    """Anything that ranks items. The history is an argument, so that new people need no refit."""

    def recommend(self, queries: Queries, k: int) -> Ranked: ...


@runtime_checkable
class Baseline(Protocol):
    """A classical recommender: settings that fit to a `Recommender`.

    One whose class says `personal = True` knows its users by more than their histories; to any other a person's number means nothing.
    """

    def fit(self, train: Interactions, rng: np.random.Generator) -> Recommender: ...
