"""A table of names that travels without its data set: the keys its rows stand for go with it.

Where it stands: beside the schemes; files are read into it and written from it. What it does not know: forms of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, IdTable, Ints, Names


@dataclass(frozen=True)
class KeyedTable:
    """Names with their bearers. item_keys[i] and user_keys[u]: what row i and row u stand for; titles: of items, or None where unknown."""

    table: IdTable
    item_keys: tuple[str, ...]
    user_keys: tuple[str, ...] = ()
    titles: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        n_users = 0 if self.table.users is None else len(self.table.users)
        for side, keys, n in (("items", self.item_keys, len(self.table.items)), ("users", self.user_keys, n_users)):
            if len(keys) != n:
                raise ValueError(f"the table names {n} {side}, but there are {len(keys)} keys of {side}: give one key per row")
            if len(set(keys)) < n:
                twice = pd.Series(keys)[pd.Series(keys).duplicated()].iloc[0]
                raise ValueError(f"the {side} have the key {twice!r} twice: name each once")
        if self.titles is not None and len(self.titles) != len(self.item_keys):
            raise ValueError(f"there are {len(self.titles)} titles for {len(self.item_keys)} items: give one per item, or none")

    @classmethod
    def of(cls, table: IdTable, catalog: Catalog) -> KeyedTable:
        """A table with the keys and titles of the data set it was fitted on."""
        return cls(table, tuple(catalog.item_keys), () if table.users is None else tuple(catalog.user_keys), tuple(catalog.titles))

    def catalog(self) -> Catalog:
        """All that the table knows of its bearers, as a catalogue; an item without a title is called by its key."""
        titles = self.item_keys if self.titles is None else self.titles
        users = pd.DataFrame({"key": pd.Series(self.user_keys, dtype=object)})
        return Catalog(users, pd.DataFrame({"key": list(self.item_keys), "title": list(titles)}))

    def aligned(self, catalog: Catalog, source: str) -> IdTable:
        """The same names in the order of a data set's catalogue; bearers that the data lacks are left out.

        source: what the names were read from, for the error where someone of the data has no name.
        """
        items = self.table.items
        rows = _rows(self.item_keys, catalog.item_keys, "items", source)
        users = self.table.users
        if users is not None:
            users = Names(users.codes[_rows(self.user_keys, catalog.user_keys, "users", source)], users.books)
        return replace(self.table, items=Names(items.codes[rows], items.books), users=users)


def _rows(named: Sequence[str], wanted: Sequence[str], side: str, source: str) -> Ints:
    if not named:
        raise ValueError(f"{source} names no {side}: give the names of this data set")
    row_of = {key: row for row, key in enumerate(named)}
    missing = [key for key in wanted if key not in row_of]
    if missing:
        shown = ", ".join(map(repr, missing[:3]))
        raise ValueError(
            f"{source} has no name for {len(missing):,} of the {len(wanted):,} {side} of the data, such as {shown} (it names {named[0]!r} "
            f"and others): give the names of this data set, or leave those {side} out of the data"
        )
    return np.asarray([row_of[key] for key in wanted], dtype=np.int64)
