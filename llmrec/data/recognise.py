"""What some files in a folder are together: RecBole's, MovieLens', Amazon's, a table of one's own, or lines of histories.

Where it stands: between `received` and the readers. What it does not know: whether the files can be read to their end; the readers say so.

Names and the first bytes decide. What is found is the [data] section of a recipe with file names in the place of paths.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmrec.data import amazon
from llmrec.data.admit import BadData, admit, check_text
from llmrec.data.catalogue import TITLES
from llmrec.data.tabular import ITEMS, USERS, bare

TABLES = ("csv", "tsv", "tab", "txt", "parquet")
LINES = ("json", "jsonl", "ndjson")
MOVIELENS = (("u.data", "u.item", "u.user"), ("ratings.dat", "movies.dat", "users.dat"), ("ratings.csv", "movies.csv"))
HEAD = 1 << 18  # bytes of a file that are looked at
READABLE = "CSV, TSV or Parquet, RecBole's .inter with .item and .user, MovieLens' own files, or Amazon's reviews as JSON lines"


@dataclass(frozen=True)
class Recognised:
    """Files as a format. said: one sentence for a person; section: [data], paths being names in the folder; files: those that are read.

    shown: the file whose first rows are worth showing; encoded: whether its encoding can be chosen; aside: files that are not read.
    """

    said: str
    section: dict[str, Any]
    files: tuple[str, ...]
    shown: str
    encoded: bool = False
    aside: tuple[str, ...] = ()


def needed(names: Sequence[str]) -> tuple[str, ...]:
    """Of the files in an archive, those that some format asks for: MovieLens' own before everything else that ends like data."""
    for group in MOVIELENS:
        if group[0] in names and group[1] in names:
            return tuple(n for n in group if n in names)
    atomic = tuple(n for n in names if n.endswith((".inter", ".item", ".user")))
    return atomic if any(n.endswith(".inter") for n in atomic) else tuple(n for n in names if ending(n) in (*TABLES, *LINES))


def recognise(folder: Path) -> Recognised:
    """The format of the files in a folder. Raises `BadData` with what is missing, or with all that can be read."""
    names = sorted(p.name for p in folder.iterdir())
    for read in (_movielens, _recbole, _amazon, _tables):
        found = read(folder, names)
        if found is not None:
            return found
    raise BadData(f"{', '.join(names)[:200]}: no format that is known; give {READABLE}")


def head(path: Path, most: int = HEAD) -> bytes:
    """The first bytes of a file, unpacked where its name ends in .gz; text is checked for what it says it is. Raises `BadData`."""
    admit(path)
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            raw = file.read(most)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadData(f"{path.name} is not a whole gzip file ({error}); download it again") from None
    if ending(path.name) != "parquet":
        check_text(path, raw)
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise BadData(f"{path.name} is empty; give a file with at least one row")
    return raw


def encoded_as(raw: bytes, asked: str) -> str:
    """The encoding to read with: UTF-16 says so itself at its beginning."""
    return "utf-16" if asked.lower() in ("utf-8", "utf8") and raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else asked


def columns(path: Path, encoding: str = "utf-8") -> list[str]:
    """The names of a table's columns; of RecBole's without their types."""
    if ending(path.name) == "parquet":
        import pyarrow
        import pyarrow.parquet as parquet

        try:
            return [str(name) for name in parquet.read_schema(path).names]
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise BadData(f"{path.name} is no readable Parquet file ({error!s:.200}); write it again") from None
    raw = head(path)
    lines = raw.decode(encoded_as(raw, encoding), errors="replace").lstrip("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise BadData(f"{path.name} is empty; give a file with at least one row")
    atomic = path.suffix in (".inter", ".item", ".user")
    cells = first.split("\t" if atomic else separator(path.name, first))
    return [cell.partition(":")[0] if atomic else cell.strip().strip('"') for cell in cells]


def separator(name: str, line: str) -> str:
    """What parts the cells of a table's first line, as `tabular` decides it."""
    return "\t" if ending(name) in ("tsv", "tab") else max(",\t;|", key=line.count)


def _movielens(folder: Path, names: list[str]) -> Recognised | None:
    for group in MOVIELENS:
        if group[0] not in names or (group[0].endswith(".csv") and (group[1] not in names or "movieId" not in columns(folder / group[0]))):
            continue
        if group[1] not in names:
            raise BadData(f"{group[0]} is MovieLens' list of ratings; give {group[1]}, which has the titles, together with it")
        files = tuple(n for n in group if n in names)
        section = {"name": "movielens", "path": "."}
        return Recognised(f"MovieLens, as GroupLens ships it: {_listed(files)}", section, files, group[0], aside=_rest(names, files))
    return None


def _recbole(folder: Path, names: list[str]) -> Recognised | None:
    found = [n for n in names if n.endswith(".inter")]
    if not found:
        if any(n.endswith((".item", ".user")) for n in names):
            raise BadData("RecBole's .item and .user describe what a file .inter says who took; give the .inter together with them")
        return None
    if len(found) > 1:
        raise BadData(f"{_listed(found)} are {len(found)} data sets; give the files of one")
    stem = found[0].removesuffix(".inter")
    files = tuple(n for n in (f"{stem}.inter", f"{stem}.item", f"{stem}.user") if n in names)
    strange = [n for n in names if n.endswith((".item", ".user")) and n not in files]
    if strange:
        raise BadData(f"{strange[0]} belongs to another data set than {found[0]}; call them alike, such as {stem}{Path(strange[0]).suffix}")
    said, section = f"RecBole's atomic files: {_listed(files)}", {"name": "recbole", "path": "."}
    return Recognised(said, section, files, files[0], aside=_rest(names, files))


def _amazon(folder: Path, names: list[str]) -> Recognised | None:
    found = [n for n in names if ending(n) in LINES]
    if not found:
        return None
    reviews: list[str] = []
    products: list[str] = []
    for name in found:
        fields = _fields(folder / name)
        (reviews if fields & set(amazon.USER) else products).append(name)
    if len(reviews) != 1 or len(products) > 1:
        raise BadData(
            f"{_listed(found)}: {len(reviews)} files of reviews and {len(products)} of products, told by their first line; "
            "give one file of reviews (with reviewerID or user_id), and one of metadata if you have it"
        )
    section = {"name": "amazon", "path": reviews[0], **({"items_path": products[0]} if products else {})}
    files = (*reviews, *products)
    told = f"Amazon reviews, one a line: {reviews[0]}" + (f", titles from {products[0]}" if products else "; without metadata, no titles")
    return Recognised(told, section, files, reviews[0], aside=_rest(names, files))


def _tables(folder: Path, names: list[str]) -> Recognised | None:
    found = [n for n in names if ending(n) in TABLES]
    if not found:
        return None
    if len(found) == 1 and _is_sequences(folder / found[0]):
        section = {"name": "sequences", "path": found[0]}
        said = f"Histories, one user a line: {found[0]}; the place in the line stands for the time"
        return Recognised(said, section, (found[0],), found[0], True, _rest(names, found))
    if len(found) > 2:
        raise BadData(f"{_listed(found)} are {len(found)} tables; give one of interactions and, if you have it, one of items with titles")
    rows, items = _parted(folder, found)
    section = {"name": "table", "path": rows, **({"items_path": items} if items else {})}
    said = f"A table of interactions: {rows}" + (f", and one of items: {items}" if items else "")
    encoded = ending(rows) != "parquet" or (items is not None and ending(items) != "parquet")
    return Recognised(said, section, tuple(n for n in (rows, items) if n), rows, encoded, _rest(names, found))


def _parted(folder: Path, found: list[str]) -> tuple[str, str | None]:
    """Which of two tables holds who took what: the one with a column of users."""
    if len(found) == 1:
        return found[0], None
    has = {n: {bare(c) for c in columns(folder / n)} for n in found}
    users = [n for n in found if any(bare(u) in has[n] for u in USERS)]
    if len(users) == 1:
        return users[0], next(n for n in found if n != users[0])
    titled = [n for n in found if any(bare(t) in has[n] for t in TITLES) and any(bare(i) in has[n] for i in (*ITEMS, "id", "key"))]
    if len(titled) == 1:
        return next(n for n in found if n != titled[0]), titled[0]
    raise BadData(f"{_listed(found)}: it is not clear which of them says who took what; call its columns user and item, or give it alone")


def _is_sequences(path: Path) -> bool:
    """Lines `user item item ...` of different lengths, without a separator of tables."""
    if ending(path.name) != "txt":
        return False
    lines = [line for line in head(path).decode("utf-8", errors="replace").splitlines()[:50] if line.strip()]
    fields = [len(line.split()) for line in lines[:-1] or lines]
    return bool(lines) and not any(c in lines[0] for c in ",;|\t") and min(fields) > 1 and len(set(fields)) > 1


def _fields(path: Path) -> set[str]:
    raw = head(path)
    first = next(line for line in raw.splitlines() if line.strip())
    if len(first) == len(raw) == HEAD or first.lstrip()[:1] == b"[":
        raise BadData(f"{path.name} is no file of JSON lines; give one object a line, as Amazon's collections ship them")
    return {str(key) for key in amazon.objects(path, first)[0]}


def ending(name: str) -> str:
    """How a file's name ends, without .gz: what a file is read as, however its name is written."""
    return name.lower().removesuffix(".gz").rpartition(".")[2]


def _rest(names: Sequence[str], read: Sequence[str]) -> tuple[str, ...]:
    return tuple(n for n in names if n not in read)


def _listed(names: Sequence[str]) -> str:
    return re.sub(r", (?=[^,]*$)", " and ", ", ".join(names))
