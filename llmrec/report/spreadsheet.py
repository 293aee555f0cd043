"""Tables that leave for a spreadsheet: CSV in which no cell is a formula.

Where it stands: last, before a download. What it does not know: what the table shows.

A spreadsheet takes a cell that begins with = + - @ (or with a space, a tab or a line's end before it) for a formula, which can read other
cells and send them away; titles and names come from strangers. Such a text gets an apostrophe in front, which spreadsheets show as "this
is text". Numbers stay numbers, and so does a text that is one.

Where the machine's language divides lists by semicolons, a spreadsheet cuts the file there, and quotes inside a row hold nothing together:
what follows a semicolon, a tab or a line's end within a text is a cell of its own then, and gets its apostrophe there.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

END = "\r\n"  # as RFC 4180 has it; with "\n" alone, a carriage return within a cell would not be quoted and would end the row
_BLANK = r"\s\ufeff\u200b-\u200f"  # is passed over before a formula
_SIGN = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"  # the wide forms as well: some programs read them alike
_FORMULA = re.compile(f"[\t\r\n]|[{_BLANK}]*{_SIGN}")
_INSIDE = re.compile(f'([;\t\r\n][{_BLANK}"]*)({_SIGN}?)')  # a quote there opens a cell anew
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def harmless(value: Any) -> Any:
    """A cell's value as it may stand in a spreadsheet: apostrophes before what would be a formula, all else as it is."""
    if isinstance(value, str):
        text = value.replace("\x00", "")
        if _NUMBER.fullmatch(text.strip(" ")):
            return text
        return ("'" if _FORMULA.match(text) else "") + _INSIDE.sub(lambda m: f"{m[1]}'{m[2]}" if m[2] else m[1], text)
    if isinstance(value, (list, tuple)):
        return harmless(", ".join(map(str, value)))
    return value


def to_csv(table: pd.DataFrame) -> bytes:
    """A table as CSV in UTF-8, without its index; column names are cells as well."""
    columns = [table.iloc[:, n] for n in range(table.shape[1])]
    safe = [c if pd.api.types.is_numeric_dtype(c) else c.astype(object).map(_cell) for c in columns]
    whole = pd.concat(safe, axis=1) if safe else table
    return whole.set_axis([harmless(str(name)) for name in table.columns], axis=1).to_csv(index=False, lineterminator=END).encode()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, list, tuple)):
        return harmless(value)
    return harmless(str(value)) if not pd.api.types.is_scalar(value) or not pd.isna(value) else value
