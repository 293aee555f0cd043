"""Plain text for people: tables with a title, numbers to the width they need.

Where it stands: under every command's `text`. What it does not know: what the columns mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llmrec.data.titles import printable


class Told(dict[str, Any]):
    """A result in plain values, and the same as a person reads it."""

    def __init__(self, plain: Mapping[str, Any], text: str) -> None:
        super().__init__(plain)
        self.text = text


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A titled table; numbers to the right, texts to the left."""
    if not rows:
        return f"{title}\n  (none)"
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]
    right = [all(isinstance(row[i], (int, float)) or row[i] is None for row in rows) for i in range(len(columns))]

    def line(values: Sequence[str]) -> str:
        parts = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
        return ("  " + "  ".join(parts)).rstrip()

    return "\n".join([title, line(list(columns)), line(["-" * w for w in widths]), *(line(c) for c in cells)])


def cell(value: Any) -> str:
    """One value: numbers below ten to four places, larger ones to one, nothing as a dash. Control characters never reach a terminal."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return printable(str(value))


def plain(text: str) -> str:
    """A text of many lines for a terminal: lines and tabs stay, whatever else moves the cursor, colours or turns the line is a blank."""
    return text if text.isprintable() else "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def as_json(value: Any) -> str:
    """A value as one line of JSON that says the same and holds nothing that a terminal obeys: such characters are spelled as \\u009b is."""
    line = json.dumps(value, ensure_ascii=False)
    return line if line.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def size(n: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} GB"
