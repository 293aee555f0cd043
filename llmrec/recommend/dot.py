"""Dot products: a person and an item match as far as their collaborative vectors do.

Where it stands: baselines of `recommend/`, on top of `embed/`. What it does not know: how the vectors were learned; order in time.

These baselines know their users: user 7 is scored by the vector that was learned for user 7, a new person by one folded in from the
history. On ML-100K (leave-one-out, ties in file order, seen items masked, test) H@10/N@10 is .137/.069 for LightGCN (.133/.070 where
everybody is taken for new) and .122/.060 to .136/.064 for BPR-MF, by seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from llmrec.contracts import Embedder, Floats, FoldsIn, Interactions, Ints, Queries, Ranked, Vectors
from llmrec.embed.bpr import Bpr
from llmrec.embed.lightgcn import LightGcn
from llmrec.recommend.topk import draw_ties, history_matrix, rank_in_blocks


class Foldable(Embedder, FoldsIn, Protocol):
    """An embedder that places newcomers too."""


@dataclass(frozen=True)
class Dot:
    """Recommend by the dot product of the vectors of an embedder with one space for users and items."""

    embedder: Foldable

    personal: ClassVar[bool] = True  # a known user is more than their history

    def fit(self, train: Interactions, rng: np.random.Generator) -> FittedDot:
        """Fit the vectors on train alone; rng draws them and the order of ties."""
        vectors = self.embedder.fit(train, None, rng)
        if not vectors.joint:
            raise ValueError(f"{self.embedder}: users and items lie in two spaces and have no dot product: take lightgcn or bpr")
        return FittedDot(self.embedder, vectors, train, draw_ties(train.n_items, rng))


@dataclass(frozen=True)
class BprMf(Dot):
    """BPR-MF as a recommender."""

    embedder: Foldable = field(default=Bpr())


@dataclass(frozen=True)
class LightGcnDot(Dot):
    """LightGCN as a recommender."""

    embedder: Foldable = field(default=LightGcn())


@dataclass(frozen=True, eq=False)
class FittedDot:
    """vectors: of the users and items of train; ties: (m,) see `topk`."""

    embedder: FoldsIn
    vectors: Vectors
    train: Interactions
    ties: Ints

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k items with the highest dot product. A new person without a train item gets no recommendation."""
        history_matrix(queries, len(self.vectors.items))  # an unknown item is an error here as it is elsewhere

        def score(part: Queries) -> Floats:
            # one product a person: a product of two matrices rounds by how many are asked at once
            return np.stack([self.vectors.items @ person for person in self._people(part)])

        return rank_in_blocks(queries, k, self.ties, score)

    def _people(self, queries: Queries) -> Floats:
        """The vector of every query: (b, d)."""
        users = np.asarray(queries.users, dtype=np.int64)
        highest = int(users.max(initial=-1))
        if highest >= len(self.vectors.users):
            raise ValueError(
                f"user {highest} is asked for, but this recommender was fitted on users 0..{len(self.vectors.users) - 1}: "
                "ask for -1, a new person known by history"
            )
        people: Floats = self.vectors.users[users]  # (b, d) a copy; the rows of strangers are replaced
        new = np.flatnonzero(users < 0)
        if len(new):
            people[new] = self.embedder.fold_in(self.vectors, self.train, [queries.histories[b] for b in new], "user")
        return people
