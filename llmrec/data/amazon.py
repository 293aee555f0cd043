"""Amazon reviews as their collectors ship them: one JSON object a line, reviews in one file, metadata of the products in another.

Where it stands: a reader of stage 1. What it does not know: the files of ratings alone and of sequences, which are tables and lines
(`tabular`, `sequences`).
Sources: McAuley's collections of 2014, 2018 (`reviewerID, asin, overall, unixReviewTime`) and 2023 (`user_id, parent_asin, rating,
timestamp` in milliseconds). Metadata of 2014 is no JSON but Python's own writing of a dictionary; only literals in it are read.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from llmrec.contracts import Dataset
from llmrec.data.admit import MOST_COLUMNS, BadData
from llmrec.data.assemble import Repeats, assemble, check_repeats, name_of
from llmrec.data.catalogue import clean_texts, item_frame
from llmrec.data.columns import Keys, ids, numbers, times
from llmrec.data.files import Table, read_text

# what a field is called in the collections of 2014 and 2018, and in that of 2023
USER, ITEM = ("reviewerID", "user_id"), ("parent_asin", "asin")
TIME, RATING, TEXT = ("unixReviewTime", "timestamp"), ("overall", "rating"), ("reviewText", "text")
GENRES = ("categories", "category", "main_category")
LONGEST_LITERAL = 200_000  # bytes of a line that is read as Python's writing: its reader is slow and deep


@dataclass(frozen=True)
class AmazonReviews:
    """Reviews, one JSON object a line, and, where `items_path` is given, the products' metadata with titles and categories.

    text: whether what people wrote is kept, for tasks in words.
    """

    path: str
    items_path: str | None = None
    text: bool = False
    repeats: Repeats = "first"

    def __post_init__(self) -> None:
        check_repeats(self.repeats)

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        notes: list[str] = []
        path = Path(self.path).expanduser()
        wanted = (USER, ITEM, TIME, RATING, *((TEXT,) if self.text else ()))
        table = _table(path, wanted)
        user, item = ids(table, "user", notes), ids(table, "item", notes)
        when = times(table, "time", notes)
        said = np.asarray(clean_texts(list(table.frame["text"]), path.name, notes, "texts"), dtype=object) if self.text else None
        frame = None if self.items_path is None else _products(Path(self.items_path).expanduser(), item, notes)
        return assemble(name_of(path), user, item, when, numbers(table, "rating"), (None, frame), self.repeats, notes, said)


def objects(path: Path, text: bytes) -> list[dict[str, Any]]:
    """The object on every line of `text` that is not blank. Raises `BadData` with the line of one that is none."""
    found = [_object(path, number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not found:
        raise BadData(f"{path.name} is empty; give a file with one JSON object a line")
    return found


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        value = _literal(line)
        if value is None:
            raise BadData(
                f"{path.name}, line {number}: no JSON object ({error!s:.100}); give one object a line, as the collection ships them"
            ) from None
    if not isinstance(value, dict):
        raise BadData(f"{path.name}, line {number}: {line[:40]!r} is no JSON object; give one object a line, not a list of them")
    if len(value) > MOST_COLUMNS:
        raise BadData(f"{path.name}, line {number}: an object with {len(value):,} fields; {MOST_COLUMNS:,} are the most, leave some out")
    return value


def _literal(line: bytes) -> Any:
    """A dictionary as Python writes it, of literals alone: nothing in it is run. None where it is none."""
    if not line.lstrip().startswith(b"{'") or len(line) > LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(line.decode().strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _table(path: Path, wanted: Sequence[tuple[str, ...]]) -> Table:
    """The reviews as columns user, item, time (seconds), rating and, where wanted, text."""
    text = read_text(path)
    rows = objects(path, text)
    columns: dict[str, list[Any]] = {}
    bare = Table(pd.DataFrame(index=range(len(rows))), path, text, quoted=False, header=False)
    for name, fields in zip(("user", "item", "time", "rating", "text"), wanted, strict=False):
        columns[name] = _column(bare, rows, fields, needed=name != "text")
    if "timestamp" in rows[0] and "unixReviewTime" not in rows[0]:
        columns["time"] = [t / 1000 if isinstance(t, (int, float)) and not isinstance(t, bool) else t for t in columns["time"]]
    return Table(pd.DataFrame(columns, dtype=object), path, text, quoted=False, header=False)


def _column(bare: Table, rows: list[dict[str, Any]], fields: tuple[str, ...], needed: bool) -> list[Any]:
    """One field of every row: a text or a number. A product of 2023 is known by its `parent_asin` and keeps that where it has both."""
    field = next((f for f in fields if f in rows[0]), None)
    if field is None and needed:
        raise BadData(
            f"{bare.path.name}, line {bare.line(0)}: no field {' or '.join(map(repr, fields))} "
            f"(it has {', '.join(map(str, rows[0]))[:300]}); "
            "give the file of reviews as the collection ships it"
        )
    out = []
    for number, row in enumerate(rows):
        value = row.get(field) if field else None
        if isinstance(value, (dict, list)) or (needed and value is None):
            raise bare.wrong(number, str(field), f"{value!r:.80} where a text or a number belongs", "correct the line or delete it")
        out.append("" if value is None else value if needed else str(value))
    return out


def _products(path: Path, item: Keys, notes: list[str]) -> pd.DataFrame:
    """Titles and categories of the products that somebody reviewed; the first line of a product counts."""
    known = set(item.keys)
    keys, titles, genres = [], [], []
    again = 0
    seen: set[str] = set()
    rows = objects(path, read_text(path))
    field = next((f for f in ITEM if f in rows[0]), None)
    if field is None:
        raise BadData(f"{path.name} has no field 'asin' or 'parent_asin'; give the collection's file of metadata")
    for row in rows:
        key = str(row.get(field, ""))
        if key not in known:
            continue
        again += key in seen
        if key not in seen:
            seen.add(key)
            keys.append(key)
            titles.append(str(row.get("title") or key))
            genres.append(_genres(row))
    if not keys:
        raise BadData(f"{path.name} names none of the {len(known):,} products that were reviewed; give the metadata of the same collection")
    if again:
        notes.append(f"{path.name}: {again:,} products stand there more than once; the first was kept")
    return item_frame(keys, titles, path.name, notes, None, genres if any(genres) else None)


def _genres(row: dict[str, Any]) -> list[str]:
    """The categories of a product, each once and 20 at most: one text, a list, or 2014's list of paths."""
    found: Any = next((row[f] for f in GENRES if row.get(f)), [])
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list):
        return []
    flat = [word for entry in found for word in (entry if isinstance(entry, list) else [entry])]
    return list(dict.fromkeys(str(word) for word in flat))[:20]
