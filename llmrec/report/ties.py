"""Ties: a lesson. The same recommender on the same data, where interactions of the same second are put in another order.

Where it stands: after `evaluate`, for the studio and the docs. What it does not know: which order is true; nobody does.

Many people of MovieLens rate a page of films in one second. Which of these is "the last" is up to whoever sorts: by item id, ascending or
descending, the id decides what the test asks for, and any recommender that feels the id, through popularity say, looks worse or better.
So two numbers may be compared only where the order is the same. The rule of this project is file order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from llmrec import rng
from llmrec.contracts import Baseline, Interactions, Split
from llmrec.report.evaluate import evaluate
from llmrec.report.table import Row

Splitter = Callable[[Interactions, np.random.Generator], Split]
ORDERS = ("file order", "random", "item id, ascending", "item id, descending")


def tie_table(interactions: Interactions, item_keys: Sequence[str], splitter: Splitter, baseline: Baseline, seed: int = 0) -> list[Row]:
    """One row per order of `ORDERS`: hit@10 and ndcg@10 on test, seen items masked, and how many users got another target.

    item_keys: what the items are called in the source, `Catalog.item_keys`.
    splitter: interactions and a generator to a split, such as `LeaveOneOut().split`.
    """
    out: list[Row] = []
    first: Split | None = None
    for order in ORDERS:
        split = splitter(reorder(interactions, order, item_keys, seed), rng.stream(seed, "ties", "split"))
        first = first or split
        moved = sum(not np.array_equal(a, b) for a, b in zip(first.targets("test"), split.targets("test"), strict=True))
        found = evaluate(baseline.fit(split.train, rng.stream(seed, "ties")), split, "test", True, (10,)).metrics
        out.append({"ties broken by": order, "hit@10": found["hit@10"], "ndcg@10": found["ndcg@10"], "other targets": moved})
    return out


def reorder(interactions: Interactions, order: str, item_keys: Sequence[str], seed: int = 0) -> Interactions:
    """The same interactions, those of one user and one time put in another order."""
    x = interactions
    if order not in ORDERS:
        raise ValueError(f"no order is called {order!r}; there are {'; '.join(ORDERS)}")
    if order == "file order":
        return x
    if order == "random":
        key: NDArray[np.int64] = rng.stream(seed, "ties", "order").permutation(len(x))
    else:
        rank = _rank_of_ids(item_keys)[x.item]
        key = rank if order == "item id, ascending" else -rank
    return _sorted(x, key)


def tied_share(interactions: Interactions) -> float:
    """The share of interactions that another of the same user and the same time ties with."""
    x = interactions
    if len(x) < 2:
        return 0.0
    same = (x.user[1:] == x.user[:-1]) & (x.time[1:] == x.time[:-1])
    return float((np.append(same, False) | np.append(False, same)).mean())


def _rank_of_ids(keys: Sequence[str]) -> NDArray[np.int64]:
    """The place of each item when sorted by id: as numbers where all ids are numbers, else as text."""
    numeric = all(k.isascii() and k.isdigit() for k in keys)
    order = sorted(range(len(keys)), key=(lambda i: (int(keys[i]), keys[i])) if numeric else (lambda i: (0, keys[i])))
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.arange(len(keys))
    return rank


def _sorted(x: Interactions, key: NDArray[np.int64]) -> Interactions:
    rows = np.lexsort((key, x.time, x.user))
    rating = None if x.rating is None else x.rating[rows]
    return Interactions(x.user[rows], x.item[rows], x.time[rows], x.n_users, x.n_items, rating)
