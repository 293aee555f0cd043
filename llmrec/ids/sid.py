"""SID: items are numbered as users come upon them, so that what one user takes in a row shares digits.

Where it stands: stage 3. What it does not know: who took an item second, content, subwords.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Catalog, IdTable, Interactions, Vectors
from llmrec.ids.digits import ITEMS_FROM, USERS_FROM, numbered


@dataclass(frozen=True)
class Sid:
    """Numbers in order of first appearance in train, user after user and oldest first within a user; users are numbered as they come.

    Items that nobody takes in train get the last numbers, in a random order: numbered as they turn up in validation and test, as OpenP5
    does, an item's number would tell next to whose answer it stands.
    first: the smallest number of an item; users count from 1. words: write `item_2024` and `user_17` as P5 does.
    Source: arXiv 2305.06569, sequential indexing, and OpenP5's `original` order.
    """

    first: int = ITEMS_FROM
    words: bool = False

    needs_vectors: ClassVar[bool] = False
    embedder: ClassVar[str | None] = None
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "behaviour"

    def __post_init__(self) -> None:
        if self.first < 0:
            raise ValueError(f"sid: first is {self.first}, but numbers count from 0 or more: OpenP5 takes {ITEMS_FROM}")

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Number items along train. `catalog` and `vectors` are not looked at."""
        items = numbered(self.first + appearance(train, rng), "item", self.words)
        return IdTable("sid", items, numbered(USERS_FROM + np.arange(train.n_users), "user", self.words))


def appearance(train: Interactions, rng: np.random.Generator) -> NDArray[np.int64]:
    """Each item's place in the order of first appearance, from 0: (n_items,). Items not in train come last, shuffled."""
    seen, first_row = np.unique(train.item, return_index=True)
    unseen = np.setdiff1d(np.arange(train.n_items), seen)
    place = np.empty(train.n_items, dtype=np.int64)
    place[np.concatenate([seen[np.argsort(first_row)], rng.permutation(unseen)])] = np.arange(train.n_items)
    return place
