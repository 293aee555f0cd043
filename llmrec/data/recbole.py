"""RecBole's atomic files: `name.inter`, `name.item`, `name.user`, tab-separated with typed headers such as `age:float`.

Where it stands: a reader of stage 1; MovieLens-100K comes through here too. What it does not know: where the files came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from llmrec.contracts import Dataset
from llmrec.data.assemble import REPEATS, Repeats, assemble, clean_titles
from llmrec.data.columns import ids, numbers, times
from llmrec.data.files import GIGABYTE, BadData, Table, read_delimited
from llmrec.data.titles import read_title

TYPES = ("token", "token_seq", "float", "float_seq")
TITLES = ("title", "movie_title", "item_title", "name", "item_name", "artist_name")
YEARS = ("year", "release_year", "movie_year")
GENRES = ("genres", "genre", "class", "categories", "category", "tags")


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
    max_bytes: int = GIGABYTE

    def __post_init__(self) -> None:
        if self.repeats not in REPEATS:
            raise ValueError(f"repeats is {self.repeats!r}; it must be one of {', '.join(REPEATS)}")

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        folder = Path(self.path).expanduser()
        found = sorted(folder.glob("*.inter"))
        if len(found) != 1:
            raise BadData(f"{folder} holds {len(found)} files *.inter where one is needed; give the folder of one data set")
        return self._load(found[0])

    def _load(self, path: Path) -> Dataset:
        notes: list[str] = []
        table, _ = read_atomic(path, self.max_bytes)
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
            _profile(users, self.user, self.max_bytes, notes) if users.exists() else None,
            self._items(items, notes) if items.exists() else None,
        )
        return assemble(path.stem, ids(table, self.user, notes), ids(table, self.item, notes), when, score, frames, self.repeats, notes)

    def _items(self, path: Path, notes: list[str]) -> pd.DataFrame:
        frame = _profile(path, self.item, self.max_bytes, notes)
        title = self.title or next((c for c in TITLES if c in frame.columns), None)
        if title is None:
            return frame
        if title not in frame.columns:
            raise BadData(f"{path.name} has no column {title!r} (it has {', '.join(frame.columns)}); name the right one with title=")
        raw = [" ".join(t) if isinstance(t, list) else str(t) for t in frame[title]]
        pairs = [read_title(t) for t in clean_titles(raw, path.name, notes)]
        frame = frame.drop(columns=title).assign(title=pd.Series([t for t, _ in pairs], dtype=object))
        year = next((c for c in YEARS if c in frame.columns), None)
        stated = pd.to_numeric(frame.pop(year), errors="coerce") if year else pd.Series(np.nan, index=frame.index)
        frame["year"] = stated.fillna(pd.Series([np.nan if y is None else y for _, y in pairs])).round().astype("Int64")
        genres = next((c for c in GENRES if c in frame.columns), None)
        if genres:
            lists = [g if isinstance(g, list) else [g] for g in frame.pop(genres)]
            frame["genres"] = pd.Series([[w for w in g if w and w.lower() != "unknown"] for g in lists], dtype=object)
        return frame[["key", "title", "year", *(c for c in frame.columns if c not in {"key", "title", "year"})]]


def read_atomic(path: Path, max_bytes: int = GIGABYTE) -> tuple[Table, dict[str, str]]:
    """One atomic file with bare column names, and the type of each column."""
    table = read_delimited(path, "\t", quoted=False, max_bytes=max_bytes)
    types: dict[str, str] = {}
    for header in table.frame.columns:
        name, _, kind = str(header).partition(":")
        if kind not in TYPES:
            raise BadData(f"{path.name}, line 1: the header {header!r} has no type; write it as name:type with one of {', '.join(TYPES)}")
        types[name] = kind
    return Table(table.frame.set_axis(list(types), axis=1), path, table.text, "\t", False, True), types


def _profile(path: Path, key: str, max_bytes: int, notes: list[str]) -> pd.DataFrame:
    """The `.user` or `.item` file as a frame: `key`, then every other column by its type; blanks part the words of a sequence."""
    table, types = read_atomic(path, max_bytes)
    table.need(key, path.suffix.lstrip("."))
    keys = ids(table, key, notes)
    if len(keys.keys) < len(table):
        row = int(pd.Series(keys.codes).duplicated().to_numpy().argmax())
        raise table.wrong(row, key, f"the id {keys.keys[keys.codes[row]]!r} stands here a second time", "keep one of the two lines")
    columns: dict[str, object] = {"key": pd.Series(keys.keys, dtype=object)}
    for name, kind in types.items():
        if name == key:
            continue
        cells = table.frame[name]
        if kind == "float":
            columns[name] = numbers(table, name)
        elif kind.endswith("_seq") and not (path.suffix == ".item" and name in TITLES):
            columns[name] = pd.Series([str(c).split() for c in cells], dtype=object)
        elif name == "age" and cells.str.fullmatch(r"\d{1,3}").all():
            columns[name] = cells.astype(int).astype("Int64")
        else:
            columns[name] = cells.astype(object)
    return pd.DataFrame(columns)
