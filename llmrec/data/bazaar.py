"""A made-up market of a hundred thousand things with a known order: kinds, tastes, a long tail. To see whether pages and stages hold.

Where it stands: a reader of stage 1 that reads nothing, beside `synthetic`. What it does not know: anything real; no number about
recommendation quality should be taken from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Dataset, Interactions, Ints

STUFFS = "Amber Azure Brass Cedar Clay Copper Coral Cotton Ebony Felt Glass Golden Ivory Jade Linen Marble Pearl Silk Silver Velvet".split()
THINGS = "Basket Bell Bowl Carpet Chest Clock Cup Drum Fan Flute Kettle Lamp Lantern Mask Mirror Ring Scarf Slipper Teapot Vase".split()
FIRST_YEAR, YEARS = 1940, 80
TASTES = 3  # kinds that a user likes
LIKED = (0.6, 0.3, 0.1)  # how often the first of them, the second, the third
DAY = 86_400
OPENED = 1_500_000_000  # the second at which the market opens


@dataclass(frozen=True)
class Bazaar:
    """Things of `kinds` kinds, and users who like three kinds, mostly of one genre. A kind is a stuff and a thing: "Amber Lantern".

    users, items: how many; mean_history: how often a user chooses on average, 8 times at least, where a thing that is chosen again counts
    once; noise: the share of these choices that follows the crowd and not the user's own kinds; tail: the popularity of the r-th thing of
    its kind falls as r^-tail. Beside these choices every thing has one user who took it first, so that none was never taken.
    `kind_of_items` and `tastes` tell what is true.
    """

    users: int = 20_000
    items: int = 100_000
    kinds: int = 400
    mean_history: int = 30
    noise: float = 0.1
    tail: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.kinds <= len(STUFFS) * len(THINGS):
            raise ValueError(f"kinds is {self.kinds}; it must lie in 2 to {len(STUFFS) * len(THINGS)}")
        if self.items < 4 * self.kinds:
            raise ValueError(f"items is {self.items}; it must be four times kinds or more: lower kinds")
        if self.users < 1:
            raise ValueError(f"users is {self.users}; it must be 1 or more")
        if not 8 <= self.mean_history <= self.items // 4:
            raise ValueError(f"mean_history is {self.mean_history}; it must lie in 8 to a quarter of items")
        if not 0 <= self.noise <= 1:
            raise ValueError(f"noise is {self.noise}; it is a share and must lie in 0 to 1")
        if not 0 <= self.tail <= 3:
            raise ValueError(f"tail is {self.tail}; it must lie in 0 (all alike) to 3")

    def load(self) -> Dataset:
        """The data set: keys `u0`, `b0`, titles such as "Amber Lantern 17", the thing as genre, a year around the kind's own."""
        user, item = self._taken()
        time = OPENED + DAY * self._rng("time").integers(0, 2_000, size=len(user))
        interactions = Interactions.from_unsorted(user, item, time, self.users, self.items)
        users = pd.DataFrame({"key": [f"u{u}" for u in range(self.users)]})
        return Dataset("bazaar", interactions, Catalog(users, self._items()))

    def kind_of_items(self) -> Ints:
        """The kind of each item: (items,). Half of a kind's things are its even share, half are drawn, so that kinds differ in size."""
        even = np.arange(self.items) % self.kinds
        drawn = self._rng("sizes").integers(0, self.kinds, size=self.items)
        kind = np.where(np.arange(self.items) < self.items // 2, even, drawn)
        return np.asarray(self._rng("kinds").permutation(kind), dtype=np.int32)  # an item's number tells nothing of it

    def tastes(self) -> Ints:
        """The kinds that each user likes, the dearest first: (users, 3), neighbours in a list that is sorted by genre."""
        draw = self._rng("tastes")
        order = np.argsort(self.genre_of_kind(np.arange(self.kinds)), kind="stable")
        at = draw.integers(0, self.kinds, size=self.users)
        steps = np.stack([np.zeros(self.users, dtype=int), draw.integers(1, 4, self.users), draw.integers(4, 8, self.users)], axis=1)
        return np.asarray(order[(at[:, None] + steps) % self.kinds], dtype=np.int32)

    def genre_of_kind(self, kind: Ints) -> Ints:
        """The genre of a kind, as an index into THINGS."""
        return np.asarray(kind % len(THINGS), dtype=np.int32)

    def _taken(self) -> tuple[Ints, Ints]:
        """Who took what, each pair once: first every thing finds somebody who likes its kind, then people choose by taste and fame."""
        kind, tastes, draw = self.kind_of_items(), self.tastes(), self._rng("taken")
        lengths = np.maximum(8, np.round(self.mean_history * draw.lognormal(-0.32, 0.8, self.users))).astype(int)  # its mean is 1
        user = np.repeat(np.arange(self.users), lengths)
        wanted = tastes[user, draw.choice(TASTES, size=len(user), p=LIKED)]
        item = self._by_fame(kind, wanted, draw)
        crowd = draw.random(len(user)) < self.noise
        item[crowd] = self._by_fame(kind, kind[draw.integers(0, self.items, crowd.sum())], draw)
        first = self._first_takers(kind, tastes, draw)
        pairs = np.unique(np.concatenate([user, first]).astype(np.int64) * self.items + np.concatenate([item, np.arange(self.items)]))
        return (pairs // self.items).astype(np.int32), (pairs % self.items).astype(np.int32)

    def _first_takers(self, kind: Ints, tastes: Ints, draw: np.random.Generator) -> Ints:
        """For each item a user whose dearest kind is its own; anybody where no one's is."""
        order = np.argsort(tastes[:, 0], kind="stable")
        start = np.searchsorted(tastes[order, 0], np.arange(self.kinds + 1))
        many = np.diff(start)[kind]
        someone = order[np.minimum(start[kind] + (draw.random(self.items) * many).astype(int), self.users - 1)]
        return np.where(many > 0, someone, draw.integers(0, self.users, self.items))

    def _by_fame(self, kind: Ints, wanted: Ints, draw: np.random.Generator) -> Ints:
        """An item of each wanted kind, the famous ones of the kind more often."""
        fame = self._rng("fame").random(self.items)
        order = np.lexsort((fame, kind))  # items of a kind side by side, the most famous first
        start = np.searchsorted(kind[order], np.arange(self.kinds + 1))
        size = np.diff(start)
        place = np.arange(self.items) - np.repeat(start[:-1], size)
        weight = np.cumsum((1.0 + place) ** -self.tail)
        below = np.concatenate([[0.0], weight])[start]  # the weight of all kinds before
        at = below[wanted] + draw.random(len(wanted)) * (below[wanted + 1] - below[wanted])
        found = np.clip(np.searchsorted(weight, at), start[wanted], start[wanted + 1] - 1)  # a rounded sum may point one too far
        return np.asarray(order[found])

    def _items(self) -> pd.DataFrame:
        kind = self.kind_of_items()
        called = [f"{STUFFS[k // len(THINGS)]} {THINGS[k % len(THINGS)]}" for k in range(self.kinds)]
        number = 1 + pd.Series(kind).groupby(kind).cumcount().to_numpy()
        draw = self._rng("years")
        year = FIRST_YEAR + (draw.integers(0, YEARS, self.kinds)[kind] + np.round(4 * draw.standard_normal(self.items))) % YEARS
        genres = [[THINGS[g]] for g in range(len(THINGS))]
        return pd.DataFrame(
            {
                "key": [f"b{i}" for i in range(self.items)],
                "title": [f"{called[k]} {n}" for k, n in zip(kind, number, strict=True)],
                "year": pd.array(year.astype(int), dtype="Int64"),
                "genres": pd.Series([genres[g] for g in self.genre_of_kind(kind)], dtype=object),
            }
        )

    def _rng(self, what: str) -> np.random.Generator:
        from llmrec import rng

        return rng.stream(self.seed, "bazaar", what)
