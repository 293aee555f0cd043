"""k-core: only users and items with enough interactions, counted until nothing changes.

Where it stands: between reader and split. What it does not know: time and ratings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from llmrec.contracts import Catalog, Dataset, Interactions
from llmrec.data.admit import BadData


@dataclass(frozen=True)
class KCore:
    """Every user keeps at least `user` interactions and every item at least `item`; 0 and 0 leave the data as it is."""

    user: int = 0
    item: int = 0

    def __post_init__(self) -> None:
        for name in ("user", "item"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 (no filter) or more")

    def apply(self, dataset: Dataset) -> Dataset:
        """The data set that is left, renumbered, users and items without an interaction taken out, with a note that counts."""
        if not self.user and not self.item:
            return dataset
        old = dataset.interactions
        rows = self._core(old)
        if not len(rows):
            raise BadData(f"{dataset.name}: nothing is left of {len(old):,} interactions at user={self.user}, item={self.item}; lower them")
        users, user = np.unique(old.user[rows], return_inverse=True)
        items, item = np.unique(old.item[rows], return_inverse=True)
        kept = Interactions(
            user.astype(np.int32),
            item.astype(np.int32),
            old.time[rows],
            len(users),
            len(items),
            None if old.rating is None else old.rating[rows],
            None if old.text is None else old.text[rows],
        )
        catalog = Catalog(
            dataset.catalog.users.iloc[users].reset_index(drop=True), dataset.catalog.items.iloc[items].reset_index(drop=True)
        )
        sizes = ((len(users), old.n_users, "users"), (len(items), old.n_items, "items"), (len(rows), len(old), "interactions"))
        left = ", ".join(f"{n:,} of {of:,} {what}" for n, of, what in sizes)
        note = f"k-core (user {self.user}, item {self.item}): {left} are left"
        return replace(dataset, interactions=kept, catalog=catalog, notes=(*dataset.notes, note))

    def left(self, interactions: Interactions) -> tuple[int, int, int]:
        """How many users, items and interactions `apply` would leave, without making anything of them."""
        rows = self._core(interactions)
        users, items = (len(np.unique(column[rows])) for column in (interactions.user, interactions.item))
        return users, items, len(rows)

    def _core(self, old: Interactions) -> np.ndarray:
        """Ascending rows of the largest part that obeys both bounds."""
        rows = np.arange(len(old))
        while True:
            user, item = old.user[rows], old.item[rows]
            enough = np.bincount(user, minlength=old.n_users)[user] >= self.user
            enough &= np.bincount(item, minlength=old.n_items)[item] >= self.item
            if enough.all():
                return rows
            rows = rows[enough]
