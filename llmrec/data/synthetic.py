"""A world with known answers: even users like even items, odd users like odd items, and the diagonal is withheld.

Where it stands: a reader of stage 1 that reads nothing; tests and lessons use it. What it does not know: anything real.
The idea is that of the checkerboard in benfred/implicit's tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Dataset, Interactions

GENRE = ("even", "odd")


@dataclass(frozen=True)
class Checkerboard:
    """User u has taken every item of its own parity but one, u modulo n_items, in a random order that `seed` fixes.

    So the whole world has one right answer per user (`withheld`), and any held-out item must be of the user's parity (`is_right`).
    share: the part of those items that a user has taken (rounded down, 5 at least): less than 1 makes the world sparse.
    """

    n_users: int = 200
    n_items: int = 120
    share: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_users < 2:
            raise ValueError(f"n_users is {self.n_users}; it must be 2 or more, one even and one odd")
        if self.n_items < 12 or self.n_items % 2:
            raise ValueError(f"n_items is {self.n_items}; it must be an even number of 12 or more, so that both halves are alike")
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}; it must lie above 0 and be 1 at most")

    def load(self) -> Dataset:
        """The data set: keys `u0`, `i0`, titles `Even 0`, `Odd 1`, genres `even` and `odd`."""
        rng = np.random.default_rng(self.seed)
        rows = []
        for u in range(self.n_users):
            liked = np.arange(u % 2, self.n_items, 2)
            order = rng.permutation(liked[liked != self.withheld(u)])
            rows.append(order[: max(5, int(self.share * len(order)))])
        lengths = [len(r) for r in rows]
        interactions = Interactions.from_unsorted(
            np.repeat(np.arange(self.n_users), lengths),
            np.concatenate(rows),
            np.concatenate([np.arange(n) for n in lengths]).astype(np.int64),
            self.n_users,
            self.n_items,
        )
        parity = [GENRE[i % 2] for i in range(self.n_items)]
        items = pd.DataFrame(
            {
                "key": [f"i{i}" for i in range(self.n_items)],
                "title": [f"{p.capitalize()} {i}" for i, p in enumerate(parity)],
                "year": pd.array([1980 + i % 40 for i in range(self.n_items)], dtype="Int64"),
                "genres": pd.Series([[p] for p in parity], dtype=object),
            }
        )
        users = pd.DataFrame({"key": [f"u{u}" for u in range(self.n_users)], "parity": [GENRE[u % 2] for u in range(self.n_users)]})
        return Dataset("checkerboard", interactions, Catalog(users, items))

    def withheld(self, user: int) -> int:
        """The one item of the user's parity that nobody told: the right answer."""
        return user % self.n_items

    def is_right(self, user: int, item: int) -> bool:
        """Whether the user would like the item."""
        return user % 2 == item % 2
