"""A newcomer on a tree of clusters: down the branches whose users are most like its own, to a leaf with a number to spare.

Where it stands: under newcomers, for CID. What it does not know: how the tree was grown, how codes are spelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from llmrec.contracts import Interactions, Ints, Names
from llmrec.ids.health.grouping import Array
from llmrec.ids.newcomers.freecode import free


def on_a_branch(items: Names, train: Interactions, users: Ints) -> tuple[tuple[int, ...], str]:
    """Codes for an item known by the users who took it, and a note.

    All codes but the last are clusters within clusters, -1 below a leaf; the last tells apart inside it. A branch is as near as the cosine
    of two vectors over users: who took the newcomer, and how many items of the branch each user took. Where the nearest leaf has no
    number left, the next nearest with one is taken; where none has, the name is shared.
    """
    from scipy.sparse import csc_array

    taken = csc_array((np.ones(len(train)), (train.user, train.item)), shape=(train.n_users, train.n_items))
    taken.sum_duplicates()
    taken.data[:] = 1.0
    size = items.books[-1].size
    nearest: tuple[int, ...] | None = None
    for rows in _leaves(items.codes, taken, np.unique(users).astype(np.int64), np.arange(len(items)), 0):
        leaf = tuple(int(code) for code in items.codes[rows[0], :-1])
        nearest = leaf if nearest is None else nearest
        number = free(items.codes[rows, -1], size)
        if number is not None:
            note = (
                "" if leaf == nearest else f"all {size} names in the nearest leaf {[c for c in nearest if c >= 0]} are taken: in the next"
            )
            return (*leaf, number), note
    assert nearest is not None
    return (*nearest, size - 1), f"all {size} names in every leaf are taken: the name is shared with a known one"


def _leaves(codes: Ints, taken: Any, users: Ints, rows: Array, level: int) -> Iterator[Array]:
    """The items of each leaf below a node, the nearest branch first at every turn; equal ones by number."""
    if level == codes.shape[1] - 1:
        yield rows
        return
    children, child = np.unique(codes[rows, level], return_inverse=True)
    if len(children) == 1:
        yield from _leaves(codes, taken, users, rows, level + 1)
        return
    of_child = np.zeros((len(rows), len(children)))
    of_child[np.arange(len(rows)), child] = 1.0
    per_user = taken[:, rows] @ of_child  # (n_users, n_children)
    length = np.linalg.norm(per_user, axis=0)
    near = np.divide(per_user[users].sum(axis=0), length, out=np.zeros(len(children)), where=length > 0)
    for c in np.argsort(-near, kind="stable"):
        yield from _leaves(codes, taken, users, rows[child == c], level + 1)
