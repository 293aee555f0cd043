"""Items that come after training: a split that takes them out of it and says who took them.

Where it stands: beside the other splits, the last step of stage 1. What it does not know: titles, how new items are placed.

Every user is either asked or tells, by a coin. Who tells is a taker that new items are known by; who is asked is asked for one new item,
and nothing that they did with any new item is told to anybody. So no asked pair, and no trace of it, is in what is learned or folded in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Split


@dataclass(frozen=True)
class UnseenItems:
    """A random share of the items, of those with at least `least` interactions, is new: out of train and validation altogether.

    test: for each asked user the last new item that at least min_history + 1 old ones came before. Their later items go nowhere: the
    history of the query is what came before. valid: the last old item of whoever has min_history more. known: what is told of new items.
    taken: other new items that the asked took before theirs: no part of the history, but masked with it where seen items are.
    """

    share: float = 0.05
    least: int = 5
    min_history: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share is {self.share}; it must lie between 0 and 1")
        for name in ("least", "min_history"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")

    def split(self, interactions: Interactions, rng: np.random.Generator) -> Split:
        """The split; the same `rng` state gives the same one."""
        able = np.flatnonzero(np.bincount(interactions.item, minlength=interactions.n_items) >= self.least)
        n = int(np.floor(self.share * len(able) + 1e-9))
        if not n:
            raise ValueError(f"share {self.share} of {len(able)} items with {self.least} interactions is none; take more, or lower least")
        new = np.isin(interactions.item, rng.choice(able, n, replace=False))
        asks = (rng.random(interactions.n_users) < 0.5)[interactions.user]
        known = interactions.take(new & ~asks)
        target = self._targets(interactions, new, asks & np.isin(interactions.item, known.item))
        if not target.any():
            raise ValueError("nobody can be asked about a new item: take a larger share, a smaller min_history or more data")
        asked = np.bincount(interactions.user[target], minlength=interactions.n_users) > 0
        cut = np.full(interactions.n_users, len(interactions))
        cut[interactions.user[target]] = np.flatnonzero(target)
        before = np.arange(len(interactions)) < cut[interactions.user]
        old, taken = interactions.take(~new & before), interactions.take(new & before & asked[interactions.user])
        last = np.zeros(len(old), dtype=bool)
        last[old.offsets[1:][np.diff(old.offsets) > self.min_history] - 1] = True
        return Split("unseen-items", old.take(~last), old.take(last), interactions.take(target), known=known, taken=taken)

    def _targets(self, interactions: Interactions, new: NDArray[np.bool_], able: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """One row at most of each user, the last that can be asked: (n,)."""
        olds = np.concatenate([[0], np.cumsum(~new)])
        before = olds[:-1] - olds[interactions.offsets[:-1]][interactions.user]
        rows = np.flatnonzero(new & able & (before > self.min_history))
        users = interactions.user[rows]
        target = np.zeros(len(interactions), dtype=bool)
        target[rows[np.append(users[1:] != users[:-1], True)[: len(rows)]]] = True
        return target
