"""RecBole's atomic files: `name.inter`, `name.item`, `name.user`, tab-separated with typed headers such as `age:float`.

Where it stands: a reader of stage 1; MovieLens-100K comes through here too. What it does not know: where the files came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from llmrec.contracts import Dataset
from llmrec.data.admit import BadData
from llmrec.data.assemble import Repeats, assemble, check_repeats
from llmrec.data.catalogue import GENRES, TITLES, YEARS, item_frame, unique_keys, whole_numbers
from llmrec.data.columns import ids, numbers, times
from llmrec.data.files import Table, read_delimited

TYPES = ("token", "token_seq", "float", "float_seq")


@dataclass(frozen=True)
class RecBoleFolder:
    """A folder of RecBole atomic files. The `.item` and `.user` files may be missing; `.kg`, `.link` and others are not read."""

    path: str
    user: str = "user_id"
    item: str = "item_id"
    time: str = "timestamp"
    rating: str = "rating"
    title: str | None = None
    repeats: Repeats = "first"

    def __post_init__(self) -> None:
        check_repeats(self.repeats)

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        folder = Path(self.path).expanduser()
        found = sorted(folder.glob("*.inter"))
        if len(found) != 1:
            raise BadData(f"{folder} holds {len(found)} files *.inter where one is needed; give the folder of one data set")
        return self._load(found[0])

    def _load(self, path: Path) -> Dataset:
        notes: list[str] = []
        table, _ = read_atomic(path)
        table.need(self.user, "user")
        table.need(self.item, "item")
        if self.time in table.frame.columns:
            when = times(table, self.time, notes)
        else:
            when = np.arange(len(table), dtype=np.float64)
            notes.append(f"{path.name} has no column {self.time!r}: the order of the file is taken for the order of time")
        score = numbers(table, self.rating) if self.rating in table.frame.columns else None
        items, users = path.with_suffix(".item"), path.with_suffix(".user")
        frames = (
            _profile(users, self.user, notes) if users.exists() else None,
            self._items(items, notes) if items.exists() else None,
        )
        return assemble(path.stem, ids(table, self.user, notes), ids(table, self.item, notes), when, score, frames, self.repeats, notes)

    def _items(self, path: Path, notes: list[str]) -> pd.DataFrame:
        frame = _profile(path, self.item, notes)
        title = self.title or next((c for c in TITLES if c in frame.columns), None)
        if title is None:
            return frame
        if title not in frame.columns:
            raise BadData(f"{path.name} has no column {title!r} (it has {', '.join(frame.columns)}); name the right one with title=")
        year, genres = (next((c for c in names if c in frame.columns), None) for names in (YEARS, GENRES))
        items = item_frame(
            list(frame["key"]),
            [" ".join(t) if isinstance(t, list) else str(t) for t in frame[title]],
            path.name,
            notes,
            frame[year] if year else None,
            [g if isinstance(g, list) else [str(g)] for g in frame[genres]] if genres else None,
        )
        rest = [c for c in frame.columns if c not in {"key", title, year, genres}]
        return pd.concat([items, frame[rest]], axis=1)


def read_atomic(path: Path) -> tuple[Table, dict[str, str]]:
    """One atomic file with bare column names, and the type of each column."""
    table = read_delimited(path, "\t", quoted=False)
    types: dict[str, str] = {}
    for header in table.frame.columns:
        name, _, kind = str(header).partition(":")
        if kind not in TYPES:
            raise BadData(f"{path.name}, line 1: the header {header!r} has no type; write it as name:type with one of {', '.join(TYPES)}")
        types[name] = kind
    return Table(table.frame.set_axis(list(types), axis=1), path, table.text, "\t", False, True), types


def _profile(path: Path, key: str, notes: list[str]) -> pd.DataFrame:
    """The `.user` or `.item` file as a frame: `key`, then every other column by its type; blanks part the words of a sequence."""
    table, types = read_atomic(path)
    table.need(key, path.suffix.lstrip("."))
    columns: dict[str, Any] = {"key": pd.Series(unique_keys(table, key, notes), dtype=object)}
    for name, kind in types.items():
        if name == key:
            continue
        cells = table.frame[name]
        if kind == "float":
            columns[name] = numbers(table, name)
        elif kind.endswith("_seq") and not (path.suffix == ".item" and name in TITLES):
            columns[name] = pd.Series([str(c).split() for c in cells], dtype=object)
        elif name == "age":
            columns[name] = whole_numbers(cells)
        else:
            columns[name] = cells.astype(object)
    return pd.DataFrame(columns)
