"""Who shares a whole name with whom.

Where it stands: part of a table's health. What it does not know: titles, behaviour, what a head demands of names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Id, IdTable, Ints
from llmrec.ids.health.grouping import Array, labels, rows_by_group, same_books, spelled_alike

MOST_GROUPS, MOST_BEARERS = 20, 10  # what is named; everything is counted


@dataclass(frozen=True)
class Shared:
    """One name with more than one bearer. size: how many bear it; items, users: the first of them, ascending."""

    name: Id
    size: int
    items: tuple[int, ...]
    users: tuple[int, ...]


@dataclass(frozen=True)
class Collisions:
    """Names that are borne more than once. bearers: users and items that bear one; names: how many such names there are;
    groups: the names with most bearers, largest first, equal ones by their first bearer."""

    bearers: int
    names: int
    groups: tuple[Shared, ...] = ()


def collisions(table: IdTable, most: int = MOST_GROUPS, bearers: int = MOST_BEARERS) -> Collisions:
    """Count every shared name, and name the `most` largest with their first `bearers`.

    A user and an item share a name only where both sides have the same books. Texts are compared as they are spelled.
    """
    if table.users is not None and same_books(table.items.books, table.users.books):
        sides = [(np.concatenate([spelled_alike(table.items), spelled_alike(table.users)]), 0)]
    else:
        both = [spelled_alike(names) for names in (table.items, table.users) if names is not None]
        sides = list(zip(both, (0, len(table.items)), strict=False))
    total, names, found = 0, 0, []
    for codes, first in sides:
        label, n = labels(codes)
        counts = np.bincount(label, minlength=n)
        shared = np.flatnonzero(counts > 1)
        total, names = total + int(counts[shared].sum()), names + len(shared)
        found += _largest(label, n, first, shared[np.argsort(-counts[shared], kind="stable")], most)
    found.sort(key=lambda rows: (-rows[0], rows[1][0]))
    return Collisions(total, names, tuple(_shared(table, size, rows, bearers) for size, rows in found[:most]))


def distinct(codes: Ints) -> int:
    """How many different rows there are."""
    return labels(codes)[1]


def _largest(label: Array, n: int, first: int, groups: Array, most: int) -> list[tuple[int, Array]]:
    """The rows of the largest groups, counted from `first`; all that tie with the last of them come along, to be sorted by row."""
    if not len(groups):
        return []
    order, starts = rows_by_group(label, n)
    sizes = starts[groups + 1] - starts[groups]
    kept = groups[sizes >= sizes[min(most, len(groups)) - 1]]
    kept = kept[np.lexsort((order[starts[kept]], -(starts[kept + 1] - starts[kept])))][:most]
    return [(int(starts[g + 1] - starts[g]), order[starts[g] : starts[g + 1]] + first) for g in kept]


def _shared(table: IdTable, size: int, rows: Array, bearers: int) -> Shared:
    n_items = len(table.items)
    items, users = rows[rows < n_items], rows[rows >= n_items] - n_items
    names, index = (table.items, items) if len(items) else (table.users, users)
    assert names is not None
    return Shared(names.spell(int(index[0])), size, tuple(items[:bearers].tolist()), tuple(users[:bearers].tolist()))
