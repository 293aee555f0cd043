"""A table of one's own: CSV, TSV or Parquet, packed with gzip or not, with a mapping of columns.

Where it stands: a reader of stage 1. What it does not know: any particular data set. Obvious column names are found, unclear ones refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec.contracts import Dataset
from llmrec.data.admit import BadData, admit
from llmrec.data.assemble import Repeats, assemble, check_repeats, name_of
from llmrec.data.catalogue import GENRES, TITLES, YEARS, clean_texts, item_frame, unique_keys
from llmrec.data.columns import MISSING, Keys, ids, numbers, times
from llmrec.data.files import Table, read_delimited, read_parquet, read_text

USERS = ("user", "user_id", "uid", "reviewer_id", "customer", "customer_id")
ITEMS = ("item", "item_id", "iid", "movie_id", "product_id", "asin", "parent_asin", "track_id", "artist_id", "book_id", "isbn")
TIMES = ("time", "timestamp", "ts", "date", "datetime", "unix_review_time")
SCORES = ("rating", "score", "stars", "overall")


@dataclass(frozen=True)
class TableFile:
    """Interactions in one table, and, where `items_path` is given, the catalogue of items in another.

    user, item, time, rating, title: names of columns; None: found where exactly one column bears an obvious name; "": there is none,
    whatever the names say. Without a column of times the order of the file is the order of time (noted). Titles are looked for in the
    items' table, else beside the interactions.
    text: the column of what users wrote of items (reviews, tags), read where it is named and only there.
    """

    path: str
    user: str | None = None
    item: str | None = None
    time: str | None = None
    rating: str | None = None
    title: str | None = None
    text: str | None = None
    items_path: str | None = None
    encoding: str = "utf-8"
    repeats: Repeats = "first"

    def __post_init__(self) -> None:
        check_repeats(self.repeats)

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        notes: list[str] = []
        table = read_table(Path(self.path).expanduser(), self.encoding)
        user, item = _required(table, self.user, USERS, "user"), _required(table, self.item, ITEMS, "item")
        time, rating = find_column(table, self.time, TIMES, "time"), find_column(table, self.rating, SCORES, "rating")
        users, items = ids(table, user, notes), ids(table, item, notes)
        if time is None:
            when = np.arange(len(table), dtype=np.float64)
            notes.append(f"{table.path.name} has no column of times: the order of the file is taken for the order of time")
        else:
            when = times(table, time, notes)
        score = None if rating is None else numbers(table, rating)
        said = None if self.text is None else self._written(table, notes)
        frame = self._catalogue(item, notes) if self.items_path else self._titles_beside(table, items, notes)
        return assemble(name_of(table.path), users, items, when, score, (None, frame), self.repeats, notes, said)

    def _written(self, table: Table, notes: list[str]) -> NDArray[np.object_]:
        table.need(str(self.text), "text")
        lines = clean_texts(_text(table.frame[self.text]), table.path.name, notes, "texts")
        return np.asarray(["" if line.lower() in MISSING else line for line in lines], dtype=object)

    def _catalogue(self, item: str, notes: list[str]) -> pd.DataFrame:
        table = read_table(Path(str(self.items_path)).expanduser(), self.encoding)
        key = item if item in table.frame.columns else _required(table, None, (*ITEMS, "id", "key"), "item")
        title = _required(table, self.title, TITLES, "title")
        year, genres = find_column(table, None, YEARS, "year"), find_column(table, None, GENRES, "genres")
        keys = unique_keys(table, key, notes)
        cells = table.frame
        frame = item_frame(
            keys,
            _text(cells[title]),
            table.path.name,
            notes,
            cells[year] if year else None,
            _lists(cells[genres]) if genres else None,
        )
        rest = [c for c in cells.columns if c not in {key, title, year, genres, "key", "title", "year", "genres"}]
        return pd.concat([frame, cells[rest]], axis=1)

    def _titles_beside(self, table: Table, items: Keys, notes: list[str]) -> pd.DataFrame | None:
        title = find_column(table, self.title, TITLES, "title")
        if title is None:
            return None
        _, first = np.unique(items.codes, return_index=True)
        return item_frame(items.keys, _text(table.frame[title].iloc[first]), table.path.name, notes)


def read_table(path: Path, encoding: str = "utf-8") -> Table:
    """A table by the ending of its name: .parquet, .tsv, .tab, or text whose header tells the separator; .gz may follow."""
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending == "parquet":
        return read_parquet(path)
    if ending not in {"csv", "tsv", "tab", "txt"}:
        admit(path)
        raise BadData(f"{path.name} is no kind of table that can be read; give .csv, .tsv, .txt or .parquet (text may be packed as .gz)")
    table = read_delimited(path, "\t" if ending in {"tsv", "tab"} else _separator(path, encoding), encoding=encoding)
    if not len(table):
        raise BadData(f"{path.name} holds a header and no rows; give a file with at least one row")
    return table


def find_column(table: Table, named: str | None, obvious: tuple[str, ...], setting: str) -> str | None:
    """The column that `named` names, else the only one with an obvious name, else None. Two candidates: `BadData` names them."""
    if named == "":
        return None
    if named is not None:
        table.need(named, setting)
        return named
    wanted = {bare(o) for o in obvious}
    found = [str(c) for c in table.frame.columns if bare(str(c)) in wanted]
    if len(found) > 1:
        raise BadData(f"{table.path.name} has several columns that may be the {setting}: {', '.join(found)}; choose one with {setting}=")
    return found[0] if found else None


def _required(table: Table, named: str | None, obvious: tuple[str, ...], setting: str) -> str:
    found = find_column(table, named, obvious, setting)
    if found is None:
        have = ", ".join(map(str, table.frame.columns))
        raise BadData(f"{table.path.name} has no column that is clearly the {setting} (it has {have}); name it with {setting}=")
    return found


def bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _separator(path: Path, encoding: str) -> str:
    lines = read_text(path, encoding)[:100_000].decode("utf-8", "ignore").lstrip().splitlines()
    return max(",\t;|", key=lines[0].count) if lines else ","


def _text(cells: pd.Series) -> list[str]:
    return ["" if missing else str(cell) for cell, missing in zip(cells, cells.isna(), strict=True)]


def _lists(cells: pd.Series) -> list[list[str]]:
    """Genres out of `a|b`, `a, b` or real lists."""
    if len(cells) and isinstance(cells.iloc[0], (list, np.ndarray)):
        return [[str(g) for g in cell] if isinstance(cell, (list, np.ndarray)) else [] for cell in cells]
    text = _text(cells)
    separator = "|" if any("|" in t for t in text) else ","
    return [t.split(separator) for t in text]
