"""Users and items as rows of a table: who they are, what they are called, piece by piece, and who shares the whole name.

Where it stands: under `names`; the selection, the code search and the export show it. What it does not know: Streamlit, files.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.seam.values import Side
from app.tokens.inspecting import popularity
from app.tokens.reading import Reading
from app.world import World
from llmrec.contracts import Names, Token
from llmrec.ids.health.grouping import labels, spelled_alike

END = ("taken", "same name")
PIECES = 6  # columns of pieces: longer names are text, and stand whole in `name`


def table(world: World, reading: Reading, items: NDArray[np.int64], users: NDArray[np.int64]) -> pd.DataFrame:
    """Columns node, side, key, title, year, genres, name, piece 1.., taken, same name; the most popular items first, then users."""
    by_items, by_users = popularity(world)
    items = items[np.argsort(-by_items[items], kind="stable")]
    users = users[np.argsort(-by_users[users], kind="stable")]
    parts = [_rows(world, reading, "item", items, by_items), _rows(world, reading, "user", users, by_users)]
    filled = [part for part in parts if len(part)] or parts[:1]
    whole = pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0].reset_index(drop=True)
    ends = [str(column) for column in whole if column not in END]
    pieces = {column: whole[column].fillna("") for column in ends if column.startswith("piece ")}  # one side may have fewer
    return whole.assign(**pieces)[[*ends, *END]]


def everybody(world: World, reading: Reading) -> pd.DataFrame:
    """All items and all users."""
    catalog = world.dataset.catalog
    return table(world, reading, np.arange(len(catalog.items)), np.arange(len(catalog.users)))


def _rows(world: World, reading: Reading, side: Side, rows: NDArray[np.int64], counts: NDArray[np.int64]) -> pd.DataFrame:
    assert world.table is not None
    catalog = world.dataset.catalog
    names = world.table.items if side == "item" else world.table.users
    keys = catalog.item_keys if side == "item" else catalog.user_keys
    titles = catalog.titles if side == "item" else [f"user {key}" for key in keys]
    whose = [keys[i] for i in rows]
    found = pd.DataFrame(
        {
            "node": [f"{side}:{key}" for key in whose],
            "side": side,
            "key": whose,
            "title": [titles[i] for i in rows],
            "year": _years(world, side, rows),
            "genres": _genres(world, side, rows),
            "name": _names(names, rows),
        }
    )
    for place, column in enumerate(_pieces(reading, side, rows), 1):
        found[f"piece {place}"] = column
    return found.assign(taken=counts[rows], **{"same name": _sharers(names)[rows] if names is not None else 0})


def _years(world: World, side: Side, rows: NDArray[np.int64]) -> pd.Series:
    items = world.dataset.catalog.items
    if side == "user" or "year" not in items.columns:
        return pd.Series([pd.NA] * len(rows), dtype="Int64")
    return pd.Series(pd.to_numeric(items["year"].iloc[rows], errors="coerce").to_numpy(), dtype="Float64").astype("Int64")


def _genres(world: World, side: Side, rows: NDArray[np.int64]) -> list[str]:
    items = world.dataset.catalog.items
    if side == "user" or "genres" not in items.columns:
        return [""] * len(rows)
    column = items["genres"].tolist()
    return [", ".join(map(str, column[i])) if isinstance(column[i], (list, tuple, np.ndarray)) else "" for i in rows]


def _names(names: Names | None, rows: NDArray[np.int64]) -> list[str]:
    """Names as they are written; every book is spelled once, not every name."""
    if names is None:
        return [""] * len(rows)
    columns = []
    for place, book in enumerate(names.books):
        codes = names.codes[rows, place]
        spelled = {int(c): book.spell(int(c)) for c in np.unique(codes) if c >= 0}
        gap = {c: str(p) if isinstance(p, Token) else f" {p}" for c, p in spelled.items()}
        columns.append([gap.get(int(c), "") for c in codes])
    return ["".join(parts).strip() for parts in zip(*columns, strict=True)]


def _pieces(reading: Reading, side: Side, rows: NDArray[np.int64]) -> list[list[str]]:
    """One column per piece, as the model reads it."""
    paths = reading.items if side == "item" else reading.users
    if paths is None:
        return []
    ids = paths.ids[rows][:, :PIECES]
    return [[str(paths.pieces[int(n)]).strip() if n >= 0 else "" for n in column] for column in ids.T]


def _sharers(names: Names) -> NDArray[np.int64]:
    """How many others of the side bear the same whole name: (n,)."""
    label, n = labels(spelled_alike(names))
    return np.bincount(label, minlength=n)[label] - 1
