"""A data set and a split in numbers, as plain values that JSON can carry.

Where it stands: read by `llmrec data` and the Data page. What it does not know: how numbers are shown.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np

from llmrec.contracts import Dataset, Interactions, Split
from llmrec.data.columns import YEAR_2200

QUANTILES = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "max": 1.0}


def describe(dataset: Dataset) -> dict[str, Any]:
    """Counts, sparsity, history lengths, long tail, times, ratings, years, genres and profiles. Shares lie between 0 and 1.

    long_tail: the share of interactions that the most taken fifth of the items hold (`head_20`), the share of items that take part in
    fewer than ten (`rare`), and the Gini coefficient of the items' popularity.
    """
    taken = dataset.interactions
    users, items = dataset.catalog.users, dataset.catalog.items
    per_user, per_item = np.diff(taken.offsets), np.bincount(taken.item, minlength=taken.n_items)
    years = [int(y) for y in items["year"].dropna()] if "year" in items else []
    return {
        "name": dataset.name,
        "n_users": taken.n_users,
        "n_items": taken.n_items,
        "n_interactions": len(taken),
        "sparsity": 1 - len(taken) / (taken.n_users * taken.n_items),
        "history": _quantiles(per_user),
        "item_interactions": _quantiles(per_item),
        "long_tail": _tail(per_item),
        "times": _times(taken),
        "ratings": {} if taken.rating is None else _counted(taken.rating.tolist(), by_count=False),
        "years": {"min": min(years), "max": max(years), "missing": len(items) - len(years)} if years else {},
        "decades": _counted([f"{y // 10 * 10}s" for y in years], by_count=False),
        "genres": _counted([g for row in items["genres"] for g in row]) if "genres" in items else {},
        "profiles": {str(c): _counted(users[c].astype(str).tolist()) for c in users.columns if c != "key" and users[c].nunique() <= 100},
        "notes": list(dataset.notes),
    }


def describe_split(split: Split) -> dict[str, Any]:
    """How many interactions each part holds, who is asked about, and who is too short for it and only trained on."""
    asked = np.unique(split.test.user)
    trained = np.unique(split.train.user)
    return {
        "protocol": split.protocol,
        "n_train": len(split.train),
        "n_valid": len(split.valid),
        "n_test": len(split.test),
        "users_asked": len(asked),
        "users_train_only": len(np.setdiff1d(trained, asked)),
        "users_held_out": len(split.held_out),
        "items_unseen_in_train": int(split.train.n_items - len(np.unique(split.train.item))),
    }


def _quantiles(counts: np.ndarray) -> dict[str, float]:
    found = {name: float(np.quantile(counts, q)) for name, q in QUANTILES.items()}
    return found | {"mean": float(counts.mean())}


def _tail(per_item: np.ndarray) -> dict[str, float]:
    rising = np.sort(per_item)
    n, total = len(rising), max(int(rising.sum()), 1)
    head = rising[n - max(n // 5, 1) :].sum()
    gini = float((2 * np.arange(1, n + 1) - n - 1) @ rising) / (n * total)
    return {"head_20": float(head / total), "rare": float((per_item < 10).mean()), "gini": gini}


def _times(taken: Interactions) -> dict[str, Any]:
    """First and last time; as dates too where they can be seconds since 1970 and not places in a line."""
    first, last = int(taken.time.min()), int(taken.time.max())
    out: dict[str, Any] = {"first": first, "last": last}
    if 100_000_000 < first and last <= YEAR_2200:
        out |= {"from": datetime.fromtimestamp(first, UTC).date().isoformat(), "to": datetime.fromtimestamp(last, UTC).date().isoformat()}
    ties = (taken.time[1:] == taken.time[:-1]) & (taken.user[1:] == taken.user[:-1])
    return out | {"tied": float(ties.mean()) if len(ties) else 0.0}


def _counted(values: list[Any], by_count: bool = True) -> dict[str, int]:
    counts = Counter(values)
    ordered = counts.most_common() if by_count else sorted(counts.items())
    return {str(value): n for value, n in ordered}
