"""Columns of a catalogue file to the frame of one side: unique keys, titles as people read them, year and genres apart.

Where it stands: between `files` and `assemble`, shared by every reader. What it does not know: which format the file had.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from llmrec.data.columns import ids
from llmrec.data.files import Table
from llmrec.data.titles import clean, has_control, read_title

TITLES = ("title", "movie_title", "item_title", "product_title", "name", "item_name", "artist_name")
YEARS = ("year", "release_year", "movie_year")
GENRES = ("genres", "genre", "class", "categories", "category", "tags")
NO_GENRE = {"", "unknown", "(no genres listed)"}


def unique_keys(table: Table, column: str, notes: list[str]) -> list[str]:
    """The keys of a catalogue file, one per row; a key that stands twice is an error."""
    keys = ids(table, column, notes)
    if len(keys.keys) < len(table):
        row = int(pd.Series(keys.codes).duplicated().to_numpy().argmax())
        raise table.wrong(row, column, f"the id {keys.keys[keys.codes[row]]!r} stands here a second time", "keep one of the two lines")
    return keys.keys


def item_frame(
    keys: Sequence[str],
    titles: Sequence[str],
    source: str,
    notes: list[str],
    years: pd.Series | None = None,
    genres: Sequence[Sequence[str]] | None = None,
) -> pd.DataFrame:
    """The items' frame. years: stated years, filled from the titles where they are missing or no number."""
    pairs = [read_title(t) for t in clean_texts(titles, source, notes)]
    told = pd.Series([np.nan if y is None else y for _, y in pairs], dtype=float)
    stated = told if years is None else pd.to_numeric(years, errors="coerce").reset_index(drop=True).fillna(told)
    frame = pd.DataFrame({"key": pd.Series(list(keys), dtype=object), "title": pd.Series([t for t, _ in pairs], dtype=object)})
    if stated.notna().any():
        frame["year"] = stated.where(stated.between(1000, 2999)).round().astype("Int64")
    if genres is not None:
        frame["genres"] = pd.Series([[w for w in map(clean, g) if w.lower() not in NO_GENRE] for g in genres], dtype=object)
    return frame


def clean_texts(texts: Sequence[str], source: str, notes: list[str], what: str = "titles") -> list[str]:
    """Texts without control characters, counted. HTML stays text: nothing here interprets it."""
    dirty = sum(map(has_control, texts))
    if dirty:
        notes.append(f"{source}: control characters were taken out of {dirty:,} {what}")
    return [clean(t) for t in texts]


def whole_numbers(cells: pd.Series) -> pd.Series:
    """A text column as Int64 where every cell is a whole number, else as it is."""
    whole = cells.astype(str).str.fullmatch(r"\d{1,9}")
    return cells.astype(int).astype("Int64") if len(cells) and whole.all() else cells.astype(object)
