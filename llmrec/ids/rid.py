"""RID: a random number for everybody, as text. The floor that every other name must beat.

Where it stands: stage 3. What it does not know: behaviour, content, subwords.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from llmrec.contracts import Catalog, IdTable, Interactions, Vectors
from llmrec.ids.digits import ITEMS_FROM, USERS_FROM, numbered


@dataclass(frozen=True)
class Rid:
    """Names such as `2024`, read by the model's own subwords: two items that share digits share nothing else.

    first: the smallest number of an item; users count from 1. The numbers are those of a range in a random order, so they are unique.
    words: write `item_2024` and `user_17` as P5 does; left out, because the word costs pieces in every name and tells nothing apart
    that the place in the sentence does not.
    Source: "How to Index Item IDs for Recommendation Foundation Models" (arXiv 2305.06569) and OpenP5, whose item files count from 1001.
    """

    first: int = ITEMS_FROM
    words: bool = False

    needs_vectors: ClassVar[bool] = False
    embedder: ClassVar[str | None] = None
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "nothing"

    def __post_init__(self) -> None:
        if self.first < 0:
            raise ValueError(f"rid: first is {self.first}, but numbers count from 0 or more: OpenP5 takes {ITEMS_FROM}")

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Deal the numbers. Only how many users and items there are is looked at."""
        items = self.first + rng.permutation(train.n_items)
        users = USERS_FROM + rng.permutation(train.n_users)
        return IdTable("rid", numbered(items, "item", self.words), numbered(users, "user", self.words))
