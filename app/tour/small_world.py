"""The densest corner of a data set: the items most taken and the people most active among them, small enough to train on while one waits.

Where it stands: under the story of CLLM4Rec. What it does not know: models, vectors, Streamlit.
"""

from __future__ import annotations

import numpy as np

from llmrec.contracts import Catalog, Interactions, Ints, Split


def smallest(catalog: Catalog, split: Split, n_items: int, n_users: int) -> tuple[Catalog, Split, Ints]:
    """The n_items most taken items of train and the n_users who took most of them, numbered anew; and which items they were, (n_items,).

    Train and validation alone: the test part stays empty. Fewer come back where there are fewer. Ties go to the earlier number.
    """
    taken = np.bincount(split.train.item, minlength=split.train.n_items)
    items = _first(taken, n_items)
    inside = np.isin(split.train.item, items)
    users = _first(np.bincount(split.train.user[inside], minlength=split.train.n_users), n_users)
    train, valid = (_corner(part, users, items) for part in (split.train, split.valid))
    corner = Catalog(catalog.users.iloc[users].reset_index(drop=True), catalog.items.iloc[items].reset_index(drop=True))
    return corner, Split(split.protocol, train, valid, train.take(np.zeros(len(train), dtype=np.bool_))), items


def _first(counts: Ints, n: int) -> Ints:
    """The n highest of some counts that are not 0, ascending by number."""
    order = np.argsort(-counts, kind="stable")[:n]
    return np.sort(order[counts[order] > 0])


def _corner(part: Interactions, users: Ints, items: Ints) -> Interactions:
    """What these users took of these items, both numbered by their place here."""
    kept = np.isin(part.user, users) & np.isin(part.item, items)
    few = part.take(kept)
    return Interactions(
        np.searchsorted(users, few.user).astype(np.int32),
        np.searchsorted(items, few.item).astype(np.int32),
        few.time,
        len(users),
        len(items),
        few.rating,
        few.text,
    )
