"""Which column is what: guessed from names, then from contents, with the first rows to see whether the guess is right.

Where it stands: before a table is read, for whoever maps its columns by hand. What it does not know: the rest of the table.
A guess is a proposal: the readers themselves take obvious names only.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from llmrec.data import amazon
from llmrec.data.admit import MOST_COLUMNS, BadData
from llmrec.data.catalogue import TITLES
from llmrec.data.columns import YEAR_2200
from llmrec.data.files import first_rows
from llmrec.data.recognise import Recognised, columns, encoded_as, ending, head, separator
from llmrec.data.tabular import ITEMS, SCORES, TIMES, USERS, bare

ROLES = ("user", "item", "time", "rating", "title")
CHOSEN = {"table": ROLES, "recbole": ("user", "item", "time", "rating")}  # readers whose columns can be chosen
NEEDED = ("user", "item")
ROWS, LONGEST = 6, 120
_NAMES = {"user": USERS, "item": ITEMS, "time": TIMES, "rating": SCORES, "title": TITLES}
_PARTS = {  # where no name is obvious, what the name of a column may hold
    "user": ("user", "customer", "client", "member", "reviewer", "account", "visitor", "person", "session"),
    "item": ("item", "product", "movie", "film", "track", "song", "artist", "book", "article", "sku", "asin", "isbn"),
    "time": ("time", "date", "when"),
    "rating": ("rating", "score", "stars"),
    "title": ("title",),
}
_ASKED = {"user": "who took something", "item": "what was taken"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Preview:
    """The first rows of a file as text. roles: column -> what it is taken for; open: the roles that can be chosen otherwise; encoding:
    what it was read with."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    roles: dict[str, str]
    open: tuple[str, ...] = ()
    encoding: str = "utf-8"


def preview(folder: Path, found: Recognised, encoding: str = "utf-8") -> Preview:
    """The first rows of the file that says who took what, and a guess of its columns. Raises `BadData`."""
    path, reader = folder / found.shown, str(found.section["name"])
    if reader == "movielens":
        names, rows = _movielens(path)
        return Preview(path.name, names, rows, dict(zip(names, ("user", "item", "rating", "time"), strict=False)))
    if reader == "amazon":
        return _amazon(path)
    if reader == "sequences":
        lines = [line.split() for line in head(path).decode(encoding, errors="replace").splitlines()[:ROWS]]
        return Preview(
            path.name, ("user", "items, oldest first"), tuple((x[0], _cut(" ".join(x[1:]))) for x in lines if x), {"user": "user"}
        )
    binary = ending(path.name) == "parquet"
    encoding = encoding if binary else encoded_as(head(path), encoding)
    names = tuple(columns(path, encoding))
    if len(names) > MOST_COLUMNS:
        raise BadData(f"{path.name}, line 1: {len(names):,} columns; {MOST_COLUMNS:,} are the most, or name the right separator")
    rows = _parquet(path) if binary else _cells(path, names, encoding)
    if reader == "table" and not binary and len(names) > 1 and all(_number(name) for name in names):
        said = f"{path.name}, line 1: {', '.join(names)[:80]} are no names of columns"
        raise BadData(f"{said}; add a first line such as user,item,rating,time")
    wanted = tuple(r for r in CHOSEN[reader] if r != "title" or "items_path" not in found.section)  # the items' table has the titles
    return Preview(path.name, names, rows, guess(names, rows, wanted), wanted, encoding)


def section(found: Recognised, seen: Preview, roles: dict[str, str], encoding: str = "utf-8") -> dict[str, Any]:
    """[data] with the columns that `roles` (role -> column, "" for none) names. Raises `BadData` where user and item are not told."""
    body = dict(found.section)
    for role in seen.open:
        column = roles.get(role, "")
        if column and column not in seen.columns:
            raise BadData(f"{seen.file} has no column {column!r} (it has {', '.join(seen.columns)[:300]}); choose the {role} among them")
        if role in NEEDED and not column:
            raise BadData(f"no column of {seen.file} is chosen as the {role}; choose the one that says {_ASKED[role]}")
        body[role] = column
    chosen = [roles[role] for role in seen.open if roles.get(role)]
    twice = next((c for c in chosen if chosen.count(c) > 1), None)
    if twice is not None:
        both = " and the ".join(role for role in seen.open if roles.get(role) == twice)
        raise BadData(f"the column {twice!r} is chosen as the {both}; choose a column of its own for each")
    return body | encoding_of(found, seen, encoding)


def encoding_of(found: Recognised, seen: Preview, chosen: str = "utf-8") -> dict[str, Any]:
    """The setting of a file's encoding: the chosen one, else what the file itself says; none where that is UTF-8."""
    encoding = seen.encoding if chosen == "utf-8" else chosen
    return {"encoding": encoding} if found.encoded and encoding != "utf-8" else {}


def guess(names: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[str] = ROLES) -> dict[str, str]:
    """Column -> role, each at most once: by a name that says it, by a part of a name, then by what stands in the column."""
    found: dict[str, str] = {}
    for obvious in (True, False):
        for role in wanted:
            if role in found.values():
                continue
            known = [bare(n) for n in _NAMES[role]] if obvious else list(_PARTS[role])
            free = [n for n in names if n not in found]
            column = next((n for n in free if (bare(n) in known if obvious else any(part in bare(n) for part in known))), None)
            if column is not None:
                found[column] = role
    by_content: tuple[tuple[str, Callable[[list[str]], bool]], ...] = (("time", _times), ("rating", _ratings))
    for role, looks in by_content:
        if role in wanted and role not in found.values():
            for place, name in enumerate(names):
                cells = [row[place] for row in rows if place < len(row)]
                if name not in found and cells and looks(cells):
                    found[name] = role
                    break
    return found


def obvious(names: Sequence[str], wanted: Sequence[str] = ROLES) -> dict[str, str]:
    """Role -> column, where one column alone has a name that says it: what may be taken without asking."""
    fits = {role: [n for n in names if bare(n) in {bare(known) for known in _NAMES[role]}] for role in wanted}
    return {role: found[0] for role, found in fits.items() if len(found) == 1}


def _times(cells: list[str]) -> bool:
    return all(_DATE.match(c) or (_number(c) and 100_000_000 < float(c) < YEAR_2200 * 1000) for c in cells)


def _ratings(cells: list[str]) -> bool:
    return all(_number(c) and 0 <= float(c) <= 10 for c in cells)


def _number(cell: str) -> bool:
    return re.fullmatch(r"\s*-?\d{1,20}(\.\d{1,20})?\s*", cell) is not None


def _cells(path: Path, names: Sequence[str], encoding: str) -> tuple[tuple[str, ...], ...]:
    text = head(path).decode(encoding, errors="replace").lstrip("\ufeff").lstrip()
    atomic = path.suffix in (".inter", ".item", ".user")
    mark = "\t" if atomic else separator(path.name, text.splitlines()[0])
    try:
        lines = list(
            islice(csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=csv.QUOTE_NONE if atomic else 0), 1, ROWS + 1)
        )
    except csv.Error:
        lines = []
    return tuple(tuple(_cut(c) for c in (*line, *[""] * len(names))[: len(names)]) for line in lines if line)


def _parquet(path: Path) -> tuple[tuple[str, ...], ...]:
    """The first rows alone: the file may be large."""
    frame = first_rows(path, ROWS)
    return tuple(tuple("" if cell is None else _cut(str(cell)) for cell in row) for row in frame.itertuples(index=False))


def _movielens(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    names = tuple(columns(path)) if path.suffix == ".csv" else ("user", "item", "rating", "time")
    mark = {".data": "\t", ".dat": "::"}.get(path.suffix, ",")
    lines = head(path).decode("utf-8", errors="replace").splitlines()[path.suffix == ".csv" :]
    return names, tuple(tuple(_cut(c) for c in (*line.split(mark), *[""] * 4)[:4]) for line in lines[:ROWS])


def _amazon(path: Path) -> Preview:
    lines = [line for line in head(path).splitlines() if line.strip()]
    rows = [amazon.objects(path, line)[0] for line in lines[: min(ROWS, max(1, len(lines) - 1))]]
    names = tuple(str(name) for name in rows[0])[:12]
    fields = {"user": amazon.USER, "item": amazon.ITEM, "time": amazon.TIME, "rating": amazon.RATING}
    roles = {column: role for role, known in fields.items() if (column := next((f for f in known if f in rows[0]), None)) is not None}
    return Preview(path.name, names, tuple(tuple(_cut(str(row.get(n, ""))) for n in names) for row in rows), roles)


def _cut(cell: str) -> Any:
    return cell if len(cell) <= LONGEST else cell[: LONGEST - 1] + "…"
