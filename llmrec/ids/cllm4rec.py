"""CLLM4Rec's names: one Token of its own per user and per item.

Where it stands: stage 3. What it does not know: everything; all that is known of anybody is learnt into their row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names, Vectors


@dataclass(frozen=True)
class Cllm4Rec:
    """Names of one Token: user 5 is `<u5>`, item 7 is `<i7>`. Nothing is shared, so nothing is
    confused and nothing is known of newcomers.

    The vocabulary grows by a row per user and item: 2,625 on MovieLens-100K. Source: arXiv 2311.01343.
    """

    needs_vectors: ClassVar[bool] = False
    embedder: ClassVar[str | None] = None
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "nothing"

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Number everybody. Only how many users and items there are is looked at."""
        items, users = (
            Names(np.arange(n, dtype=np.int32)[:, None], (Book(prefix, n),)) for prefix, n in (("i", train.n_items), ("u", train.n_users))
        )
        return IdTable("cllm4rec", items, users)
