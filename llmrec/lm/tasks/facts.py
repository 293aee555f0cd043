"""What train and the catalogue say for an item: items of the history that behave alike, and attributes that they share with it.

Where it stands: under the explanation task; its references are made here, and what a model says is checked here.
What it does not know: words, names, models. It reads interactions of train alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Interactions, Ints
from llmrec.data.titles import clean
from llmrec.recommend.itemknn import cosines

MOST_ITEMS = 3  # that one statement cites
NOBODY = -1  # an item that does not exist


@dataclass(frozen=True)
class Statement:
    """Why an item: items of the history, and attributes. formed: whether it was said as statements are; -1 stands for no such item."""

    items: tuple[int, ...]
    attributes: tuple[str, ...] = ()
    formed: bool = True


@dataclass(frozen=True)
class Verdict:
    """What holds of a statement. exists: each cited item is in the catalogue; in_history: and in the user's history; of_target, of_cited:
    each attribute belongs to the target, and to each item cited; near: each cited item is another than the target, and people of train
    took both; distinct: some item is cited, and no item or attribute twice.
    """

    formed: bool
    exists: bool
    in_history: bool
    of_target: bool
    of_cited: bool
    near: bool
    distinct: bool

    @property
    def repeating(self) -> bool:
        """True but for repetition: well formed, and all of this holds, whether or not it is distinct."""
        return self.formed and self.exists and self.in_history and self.of_target and self.of_cited and self.near

    @property
    def true(self) -> bool:
        """Well formed, and all of this holds."""
        return self.repeating and self.distinct


@dataclass(frozen=True, eq=False)
class Facts:
    """near: (m, m) sparse cosines of items over users of train; counts: (m,) how many users took each; attributes: of each item, genres and
    decade, in the catalogue's order."""

    near: sp.csr_matrix
    counts: Ints
    attributes: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, train: Interactions, catalog: Catalog) -> Facts:
        near = cosines(train).tocsr()
        near.sort_indices()
        taken = np.unique(np.stack([train.user, train.item]), axis=1)[1]
        return cls(near, np.bincount(taken, minlength=train.n_items), attributes(catalog))

    @property
    def words(self) -> tuple[str, ...]:
        """All attributes that the catalogue knows, by the alphabet."""
        return tuple(sorted({a for row in self.attributes for a in row}))

    @property
    def described(self) -> bool:
        """Whether the catalogue knows any attribute. Where it knows none, statements are about behaviour alone."""
        return any(self.attributes)

    def cosine(self, target: int, items: Ints, but_one: bool = False) -> NDArray[np.float64]:
        """The cosine of some items with the target: (n,). but_one: as if one user, who took the target and all of them, were not there."""
        first, last = self.near.indptr[target : target + 2]
        columns, value = self.near.indices[first:last], self.near.data[first:last]
        at = np.searchsorted(columns, items)
        at_safe = np.minimum(at, max(0, len(columns) - 1))
        there = (at < len(columns)) & (columns[at_safe] == items) if len(columns) else np.zeros(len(items), dtype=bool)
        near = np.where(there, value[at_safe], 0.0) if len(columns) else np.zeros(len(items))
        if not but_one:
            return near
        of_target, of_items = int(self.counts[target]), self.counts[items]
        both = np.rint(near * np.sqrt(of_target * of_items)) - 1
        rest = np.sqrt(np.maximum(1, (of_target - 1) * (of_items - 1)))
        return np.asarray(np.where(both > 0, both / rest, 0.0))

    def reference(self, target: int, history: Ints, but_one: bool = False) -> Statement | None:
        """The statement that train and catalogue support, or None where nothing of the history speaks for the target.

        Items in order of their cosine with the target (above 0; equals: the newest first), at most three, each sharing with the target
        some attribute that all cited before it share too; then exactly the attributes that the target and all of them share.
        but_one: whose history it is took the target in train, and does not count: a document must not be its own reason.
        """
        newest = _newest(history, target)
        near = self.cosine(target, newest, but_one)
        cited: list[int] = []
        common = self.attributes[target]
        for at in np.argsort(-near, kind="stable").tolist():
            if near[at] <= 0 or len(cited) == MOST_ITEMS:
                break
            shared = tuple(a for a in common if a in self.attributes[newest[at]])
            if shared or not self.described:
                cited.append(int(newest[at]))
                common = shared
        return Statement(tuple(cited), common) if cited else None

    def lookup(self, target: int, history: Ints) -> Statement | None:
        """What a table says without a model: the newest item that people took with the target and that shares an attribute with it, and
        exactly what they share. None where there is none."""
        newest = _newest(history, target)
        for item, near in zip(newest.tolist(), self.cosine(target, newest).tolist(), strict=True):
            shared = tuple(a for a in self.attributes[target] if a in self.attributes[item])
            if near > 0 and (shared or not self.described):
                return Statement((item,), shared)
        return None

    def check(self, said: Statement, target: int, history: Ints) -> Verdict:
        """What of a statement is true. Where the catalogue has attributes, a statement without any says too little to be true."""
        known = set(np.asarray(history).tolist())
        exists = bool(said.items) and NOBODY not in said.items
        told = bool(said.attributes) or not self.described
        return Verdict(
            formed=said.formed,
            exists=exists,
            in_history=exists and all(i in known for i in said.items),
            of_target=told and set(said.attributes) <= set(self.attributes[target]),
            of_cited=told and exists and all(set(said.attributes) <= set(self.attributes[i]) for i in said.items),
            near=exists and target not in said.items and bool((self.cosine(target, np.asarray(said.items)) > 0).all()),
            distinct=bool(said.items) and all(len(set(told)) == len(told) for told in (said.items, said.attributes)),
        )

    def popular(self, train: Interactions) -> str | None:
        """The attribute that most interactions of train bear; equals: the first by the alphabet."""
        counts: dict[str, int] = {}
        for item, n in enumerate(np.bincount(train.item, minlength=train.n_items).tolist()):
            for attribute in self.attributes[item]:
                counts[attribute] = counts.get(attribute, 0) + n
        return min(counts, key=lambda a: (-counts[a], a)) if counts else None


def _newest(history: Ints, target: int) -> Ints:
    """The items of a history, newest first, each once, without the target."""
    return np.asarray(list(dict.fromkeys(int(i) for i in history[::-1] if i != target)), dtype=np.int64)


def attributes(catalog: Catalog) -> tuple[tuple[str, ...], ...]:
    """Genres, then the decade (1980s), of each item; commas and colons inside a genre become blanks, since they part what is said."""
    items = catalog.items
    genres: Sequence[Sequence[str]] = list(items["genres"]) if "genres" in items.columns else [[]] * len(items)
    years = list(items["year"]) if "year" in items.columns else [None] * len(items)
    decades = [() if pd.isna(y) else (f"{int(y) // 10 * 10}s",) for y in years]
    plain = [tuple(dict.fromkeys(clean(g.replace(",", " ").replace(":", " ")) for g in row if g.strip())) for row in genres]
    return tuple((*g, *d) for g, d in zip(plain, decades, strict=True))
