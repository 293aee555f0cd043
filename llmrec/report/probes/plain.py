"""The catalogue and train read once more, plainly: what answers are held against, apart from what speakers read it with.

Where it stands: under `checks` and `filling`. What it does not know: speakers, the closed language.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Interactions

MOST_GENRES = 6  # that a description tells


class Plain:
    """`catalog`, `train`: of one data set. Genres as answers spell them: without commas and colons, blanks run together."""

    def __init__(self, catalog: Catalog, train: Interactions) -> None:
        self.catalog, self.train = catalog, train
        self.n_items = len(catalog.items)

    @cached_property
    def genres(self) -> list[list[str]]:
        """Of each item, in the catalogue's order."""
        if "genres" not in self.catalog.items.columns:
            return [[] for _ in range(self.n_items)]
        rows = [[" ".join(str(g).replace(",", " ").replace(":", " ").split()) for g in row] for row in self.catalog.items["genres"]]
        return [[g for g in dict.fromkeys(row) if g] for row in rows]

    @cached_property
    def years(self) -> list[int | None]:
        """Of each item, where it is known."""
        if "year" not in self.catalog.items.columns:
            return [None] * self.n_items
        return [None if pd.isna(y) else int(y) for y in self.catalog.items["year"]]

    @cached_property
    def words(self) -> list[set[str]]:
        """All that may be asked for in each item: genres, the decade, the year."""
        return [
            {*genres, *([] if year is None else [f"{year // 10}0s", str(year)])}
            for genres, year in zip(self.genres, self.years, strict=True)
        ]

    @cached_property
    def decades(self) -> list[str]:
        """Every decade of the catalogue."""
        return sorted({f"{year // 10}0s" for year in self.years if year is not None})

    @cached_property
    def counts(self) -> list[int]:
        """How many interactions of train each item has."""
        counts: list[int] = np.bincount(self.train.item, minlength=self.n_items).tolist()
        return counts

    @cached_property
    def takers(self) -> list[set[int]]:
        """Who took each item in train."""
        out: list[set[int]] = [set() for _ in range(self.n_items)]
        for user, item in zip(self.train.user.tolist(), self.train.item.tolist(), strict=True):
            out[item].add(user)
        return out

    @property
    def described(self) -> bool:
        """Whether any item has an attribute."""
        return any(self.words)

    def bears(self, item: int, wanted: Iterable[str], unwanted: Iterable[str] = ()) -> bool:
        """Whether an item has all of the first and none of the second."""
        words = self.words[item]
        return all(w in words for w in wanted) and not any(w in words for w in unwanted)

    def fitting(self, wanted: Iterable[str], unwanted: Iterable[str] = (), out: Iterable[int] = ()) -> list[int]:
        """The items that have all of the first and none of the second, without some."""
        want, bar, gone = list(wanted), list(unwanted), set(out)
        return [i for i in range(self.n_items) if i not in gone and self.bears(i, want, bar)]

    def together(self, one: int, other: int) -> bool:
        """Whether somebody in train took both."""
        return bool(self.takers[one] & self.takers[other])

    def shared(self, items: Iterable[int]) -> set[str]:
        """Genres and the decade that all of some items have."""
        rows = [self.words[i] - ({str(self.years[i])} if self.years[i] is not None else set()) for i in items]
        return set.intersection(*rows) if rows else set()
