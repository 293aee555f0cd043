"""Checked columns to a `Dataset`: duplicates counted and dropped, users and items numbered, the catalogue put in step.

Where it stands: the last step of every reader. What it does not know: files and formats.

Users and items are numbered in the order of their catalogue file; where there is none, in order of first appearance.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Dataset, Interactions
from llmrec.data.admit import BadData
from llmrec.data.columns import Keys

Repeats = Literal["first", "last", "all"]
SAY_NOTHING = {"interactions", "ratings", "reviews", "data", "train", "test", "user_sequence", "sequences", "sequential_data"}
REPEATS = ("first", "last", "all")


def assemble(
    name: str,
    user: Keys,
    item: Keys,
    time: NDArray[np.float64],
    rating: NDArray[np.float64] | None = None,
    frames: tuple[pd.DataFrame | None, pd.DataFrame | None] = (None, None),
    repeats: Repeats = "first",
    notes: list[str] | None = None,
    text: NDArray[np.object_] | None = None,
) -> Dataset:
    """One data set from coded columns, in file order. `frames`: the users' and items' catalogue, each with a column `key`, or None.

    text: what the user wrote of the item, "" where nothing, or None; a repeat that is dropped takes its text along.
    """
    notes = list(notes or [])
    order = np.argsort(time, kind="stable")  # before whole seconds are taken, so that fractions still tell an order
    users, user_of = _side(user, frames[0], "users", notes)
    items, item_of = _side(item, frames[1], "items", notes)
    u, i, t = user_of[user.codes][order], item_of[item.codes][order], np.floor(time[order]).astype(np.int64)
    r = None if rating is None else rating[order].astype(np.float32)
    w = None if text is None else text[order]
    keep = _kept(u, i, time[order], [c for c in (r, w) if c is not None], len(items), repeats, notes)
    u, i, t, r, w = u[keep], i[keep], t[keep], None if r is None else r[keep], None if w is None else w[keep]
    if not len(u):
        raise BadData(f"{name} holds no interactions; give a file with at least one row")
    return Dataset(
        name,
        Interactions.from_unsorted(u, i, t, len(users), len(items), r, w),
        Catalog(users, items),
        tuple(notes),
    )


def name_of(path: Path) -> str:
    """What a data set is called: its file's bare name, or its folder's where that says nothing."""
    bare = path.name.partition(".")[0]
    return path.resolve().parent.name if bare.lower() in SAY_NOTHING else bare


def check_repeats(repeats: str) -> None:
    """Raise unless `repeats` is a known choice."""
    if repeats not in REPEATS:
        raise ValueError(f"repeats is {repeats!r}; it must be one of {', '.join(REPEATS)}")


def _side(keys: Keys, frame: pd.DataFrame | None, side: str, notes: list[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The catalogue of one side, and the row of each coded key in it."""
    if frame is None:
        frame = pd.DataFrame({"key": pd.Series(keys.keys, dtype=object)})
    else:
        frame, used = frame.reset_index(drop=True), set(keys.keys)
        idle = ~frame["key"].isin(used)
        if idle.any():
            notes.append(f"{int(idle.sum()):,} {side} of the catalogue have no interaction and are left out")
            frame = frame[~idle].reset_index(drop=True)
        known = set(frame["key"])
        strangers = [k for k in keys.keys if k not in known]
        if strangers:
            notes.append(f"{len(strangers):,} {side} are missing in the catalogue (first: {strangers[0]}); they are called by their id")
            frame = pd.concat([frame, pd.DataFrame({"key": strangers})], ignore_index=True)
    if side == "items":
        titles = frame["title"] if "title" in frame.columns else frame["key"]
        frame = frame.assign(title=titles.where(titles.notna() & (titles != ""), frame["key"]).astype(object))
        if "genres" in frame.columns:
            frame = frame.assign(genres=pd.Series([g if isinstance(g, list) else [] for g in frame["genres"]], dtype=object))
    row = {k: j for j, k in enumerate(frame["key"])}
    return frame, np.asarray([row[k] for k in keys.keys], dtype=np.int64)


def _kept(
    u: NDArray[np.int64],
    i: NDArray[np.int64],
    t: NDArray[np.float64],
    said: Sequence[NDArray[Any]],
    n_items: int,
    repeats: Repeats,
    notes: list[str],
) -> NDArray[np.int64]:
    """Rows to keep of rows that stand in order of time: no exact duplicate, and one row per user and item unless `repeats` is "all".

    said: further columns, ratings and texts, in which exact duplicates agree as well.
    """
    pair = u * n_items + i
    columns = {"pair": pair, "time": t, **{f"said {n}": column for n, column in enumerate(said)}}
    exact = pd.DataFrame(columns).duplicated().to_numpy()
    if exact.any():
        notes.append(f"{int(exact.sum()):,} exact duplicate rows were dropped")
    rows = np.flatnonzero(~exact)
    if repeats == "all":
        return rows
    again = pd.Series(pair[rows]).duplicated(keep=repeats).to_numpy()
    if again.any():
        notes.append(f"{int(again.sum()):,} repeats of a user and item at another time were dropped, the {repeats} was kept")
    return rows[~again]
