"""Columns of text to ids, times and numbers, or one clear error with its line.

Where it stands: between `files` (tables of text) and `assemble` (the data set). What it does not know: which column means what.

Ids are text: `007` is not `7`. An id column that a spreadsheet or a data frame turned into `1.0`, `2.0` is read as `1`, `2`, with a note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec.data.files import Table, first_row

MISSING = {"", "nan", "null", "none", "<na>"}
YEAR_2200 = 7_258_118_400
_FLOAT_ID = re.compile(r"-?\d+\.0+")
_DIGITS = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Keys:
    """One id column, coded: row r has the id `keys[codes[r]]`; keys stand in order of first appearance."""

    codes: NDArray[np.int64]
    keys: list[str]


def ids(table: Table, column: str, notes: list[str]) -> Keys:
    """The ids of a column. Empty ids and ids that are spelled two ways (`1` and `1.0`) are errors."""
    codes, uniques = pd.factorize(table.frame[column], use_na_sentinel=False)
    keys = [_as_text(value) for value in uniques]
    for j, key in enumerate(keys):
        if key.lower() in MISSING:
            raise table.wrong(int((codes == j).argmax()), column, f"an empty id ({key!r})", "delete the row or give it an id")
    floats = [j for j, key in enumerate(keys) if _FLOAT_ID.fullmatch(key)]
    if floats and all(_FLOAT_ID.fullmatch(key) or _DIGITS.fullmatch(key) for key in keys):
        whole = set(keys)
        for j in floats:
            plain = keys[j].partition(".")[0]
            if plain in whole:
                raise table.wrong(
                    int((codes == j).argmax()), column, f"the id {keys[j]!r} stands beside {plain!r}", "spell one id one way throughout"
                )
            keys[j] = plain
        notes.append(f"{table.path.name}: {len(floats):,} ids of column {column!r} looked like 1.0 and were read as 1")
    again, names = pd.factorize(np.asarray(keys, dtype=object))
    return Keys(again[codes].astype(np.int64), [str(name) for name in names])


def numbers(table: Table, column: str) -> NDArray[np.float64]:
    """A column of finite numbers; text, an empty cell, nan or inf in it is an error."""
    values = np.asarray(pd.to_numeric(table.frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    row = first_row(~np.isfinite(values))
    if row is not None:
        raise table.wrong(row, column, f"{table.frame[column].iloc[row]!r} is not a number", "correct the cell or delete the row")
    return values


def times(table: Table, column: str, notes: list[str]) -> NDArray[np.float64]:
    """Times as float64 seconds: numbers as they are (any unit: order is what counts), ISO dates in UTC.

    Not a time: an error. Before 1970 or after 2200: kept and counted, since a wrong clock still tells an order.
    """
    cells = table.frame[column]
    if pd.api.types.is_datetime64_any_dtype(cells) or re.match(r"\d{4}-\d\d-\d\d", str(cells.iloc[0])):
        stamps = pd.to_datetime(cells, errors="coerce", utc=True, format=None if cells.dtype.kind == "M" else "ISO8601")
        row = first_row(stamps.isna())
        if row is not None:
            raise table.wrong(row, column, f"{cells.iloc[row]!r} is not a date", "write dates as 2024-12-31 or 2024-12-31T23:59:59")
        values = np.asarray((stamps - pd.Timestamp(0, tz="UTC")).dt.total_seconds(), dtype=np.float64)
    else:
        values = numbers(table, column)
    row = first_row(np.abs(values) > 2**62)
    if row is not None:
        raise table.wrong(row, column, f"the time {cells.iloc[row]!r} is too large to keep", "give seconds since 1970, or any smaller unit")
    early, late = int((values < 0).sum()), int((values > YEAR_2200).sum())
    if early:
        notes.append(f"{table.path.name}: {early:,} times lie before 1970; kept, as they still tell an order")
    if late == len(values):
        notes.append(f"{table.path.name}: times are not in seconds (milliseconds or finer?); kept, as they still tell an order")
    elif late:
        notes.append(f"{table.path.name}: {late:,} times lie after the year 2200; kept, so they are the last of their users' histories")
    return values


def _as_text(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    return str(value).strip()
