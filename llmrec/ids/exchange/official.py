"""Names from anywhere: our own files and folders, and the forms in which META ID, TokenRec, LETTER and TIGER-like work release theirs.

Where it stands: beside the schemes; `read` is the one door for all of them. What it does not know: where the files come from (none ships).

    ours        what `llmrec ids export` wrote (.json, .parquet), or the folder that `llmrec ids fit` made
    META ID     `*_indexing_*.txt`: a line is a key, a blank and a name such as `<CT79><1220>`, `<CI1><CI34>` or `1001`; one file, or two
    TokenRec    a folder with `train.txt` and the `train_codebook.csv` beside it
    LETTER      `*.index.json`: {"0": ["<a_12>", "<b_3>"], ...}; TIGER and LC-Rec follow it
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from llmrec.contracts import Book, Catalog, IdTable, Names
from llmrec.data.admit import BadData, admit
from llmrec.data.files import read_bytes, read_text, usable
from llmrec.ids.exchange import files
from llmrec.ids.exchange.checked import MOST_BOOKS, MOST_CODES, PREFIX, check_prefixes
from llmrec.ids.exchange.keyed import KeyedTable

FORMS = (
    "our .json or .parquet (llmrec ids export), a folder of `llmrec ids fit`, META ID's .txt of items (or two: items, users), "
    "a TokenRec folder (train.txt with train_codebook.csv), LETTER's index.json"
)
SMALLEST = 256  # codes in a book of TokenRec's released runs; its files name only those that occur
_PIECE = re.compile(rf"<({PREFIX}?)([0-9]+)>")
_MADE_OF = "pieces such as <a_12>, whose prefixes have A to Z, a to z, 0 to 9, _, . and - alone"


def read(source: Path | str | Sequence[Path | str]) -> KeyedTable:
    """A table from a file, a folder, or a pair of META ID files (items, users). Refuses what it does not know, with the list of FORMS."""
    paths = [Path(p).expanduser() for p in ([source] if isinstance(source, (str, Path)) else source)]
    for path in paths:
        with usable(path):
            if not path.exists():
                raise BadData(f"{path} does not exist; check the path")
    if len(paths) == 2 and all(p.suffix == ".txt" for p in paths):
        return read_metaid(*paths)
    if len(paths) != 1:
        raise BadData(f"{', '.join(p.name for p in paths)}: only META ID's .txt files of items and of users go together; forms: {FORMS}")
    path = paths[0]
    if path.is_dir():
        return _read_folder(path)
    admit(path)
    if path.suffix == ".parquet":
        return files.load(path)
    if path.suffix == ".json":
        plain = files.read_json(path)
        return files.parse(plain, path) if {"books", "items"} & set(plain) else _letter(plain, path)
    if path.suffix == ".txt":
        return read_metaid(path)
    raise BadData(f"{path.name} is no form of names that is known here; give {FORMS}")


def read_metaid(items: Path | str, users: Path | str | None = None) -> KeyedTable:
    """META ID's files, its own names or those of its baselines: a line is a key, a blank and a name.

    Tokens `<CT79>` have the book of their prefix, users' and items' the same one; a bare number is text, `1001` in a book of digits.
    """
    item_names = _lines(Path(items))
    user_names = {} if users is None else _lines(Path(users))
    sides = _spelled([(item_names, Path(items)), *([] if users is None else [(user_names, Path(users))])])
    table = IdTable("metaid-official", sides[0], None if users is None else sides[1])
    return KeyedTable(table, tuple(item_names), tuple(user_names))


def read_letter(path: Path | str) -> KeyedTable:
    """LETTER's `*.index.json`: item (a number or a key) to pieces. The books' sizes come from the largest code."""
    return _letter(files.read_json(Path(path)), Path(path))


def read_tokenrec(sequences: Path | str, codebook: Path | str) -> KeyedTable:
    """TokenRec's `train.txt` and the `train_codebook.csv` beside it: the same items, once as numbers and once as names.

    Only codes that occur are known; books have at least SMALLEST codes, as in the released runs.
    """
    rows = _codebook(Path(codebook))
    lines = read_text(Path(sequences)).decode().splitlines()
    if len(lines) != len(rows):
        raise ValueError(f"{sequences} has {len(lines)} users, but {codebook} names {len(rows)}: give the two files of the same split")
    item_names: dict[int, str] = {}
    user_names: dict[int, str] = {}
    for number, (line, row) in enumerate(zip(lines, rows.itertuples(index=False), strict=True), start=1):
        if not re.fullmatch(r"\s*\d+(\s+\d+)*\s*", line, re.ASCII):
            raise BadData(f"{sequences}, line {number}: {line[:60]!r} is not a user and items, all numbers; give the released file")
        user, *history = (int(word) for word in line.split())
        names = str(row.item_cb_id).split()
        if len(history) != len(names):
            raise ValueError(f"{sequences}, line {number}: {len(history)} items, but {codebook} has {len(names)} names for them")
        user_names[user] = str(row.user_cb_id)
        for item, name in zip(history, names, strict=True):
            if item_names.setdefault(item, name) != name:
                raise ValueError(f"{codebook}, row {number}: item {item} is {name}, but was {item_names[item]} before")
    item_pieces, user_pieces = (
        {str(index): name.partition("_")[2] for index, name in sorted(names.items())} for names in (item_names, user_names)
    )
    where = Path(codebook)
    # each side has codebooks of its own, so the sizes are too
    (items,), (users,) = (_spelled([(pieces, where)], SMALLEST) for pieces in (item_pieces, user_pieces))
    return KeyedTable(IdTable("tokenrec-official", items, users), tuple(item_pieces), tuple(user_pieces))


def _read_folder(path: Path) -> KeyedTable:
    from llmrec import artifacts

    if (path / "catalog").is_dir() and (path / "ids").is_dir():
        return KeyedTable.of(artifacts.load(IdTable, path / "ids"), artifacts.load(Catalog, path / "catalog"))
    for name in ("train_codebook.csv", "train_codebook.csv.gz"):
        if (path / "train.txt").is_file() and (path / name).is_file():
            return read_tokenrec(path / "train.txt", path / name)
    if (path / "ids").is_dir() or (path / "value.json").is_file():
        raise BadData(f"{path} holds names without the keys of their items; write them to a file with `llmrec ids export`, and give that")
    indexings = sorted(p.name for p in path.glob("*indexing*.txt"))
    if indexings:
        raise BadData(f"{path} holds several ways of naming ({', '.join(indexings)}); name the file that is meant")
    raise BadData(f"{path} is no folder of names that is known here; give {FORMS}")


def _codebook(path: Path) -> pd.DataFrame:
    try:
        rows = pd.read_csv(io.BytesIO(read_bytes(path)), index_col=0, dtype=str)
    except (ValueError, pd.errors.ParserError) as error:
        raise BadData(f"{path.name} is not a CSV file ({error}); give the released file") from None
    for column in ("user_cb_id", "item_cb_id"):
        if column not in rows.columns:
            raise BadData(f"{path.name} has no column {column!r}; give the released codebook")
    return rows


def _letter(plain: dict[str, object], path: Path) -> KeyedTable:
    names: dict[str, str] = {}
    for number, (key, pieces) in enumerate(plain.items(), start=1):
        if not isinstance(pieces, list) or not pieces or not all(isinstance(p, str) and _PIECE.fullmatch(p) for p in pieces):
            raise BadData(f"{path.name}, entry {number} ({key!r:.60}): {str(pieces)[:60]!r} is not a list of {_MADE_OF}; forms: {FORMS}")
        names[key] = "".join(pieces)
    (items,) = _spelled([(names, path)])
    return KeyedTable(IdTable("letter-official", items), tuple(names))


def _lines(path: Path) -> dict[str, str]:
    """Key to written name, in the file's order."""
    names: dict[str, str] = {}
    for number, line in enumerate(read_text(path).decode().splitlines(), start=1):
        match = re.fullmatch(r"\s*(\S+)\s+((?:<[^<>\s]*\d+>)+|\d+)\s*", line, re.ASCII)
        if match is None:
            raise BadData(f"{path}, line {number}: {line[:60]!r} is not a key and a name such as <CT79><1220>; give a released file")
        if match[1] in names:
            raise BadData(f"{path}, line {number}: the key {match[1]!r} has a line already; name each once")
        names[match[1]] = match[2]
    return names


def _spelled(sides: list[tuple[dict[str, str], Path]], smallest: int = 1) -> list[Names]:
    """Written names to codes: a book for each prefix, as large as its largest code asks on any side, and one for bare numbers."""
    codes, prefixes = zip(*(_codes(names, path) for names, path in sides), strict=True)
    tops: dict[str | None, int] = {}
    for found, places in zip(codes, prefixes, strict=True):
        for place, prefix in enumerate(places):
            tops[prefix] = max(tops.get(prefix, smallest - 1), int(found[:, place].max()))
    books = {prefix: Book(prefix or "", top + 1, token=prefix is not None) for prefix, top in tops.items()}
    check_prefixes(list(books.values()), sides[0][1])
    return [Names(found, tuple(books[prefix] for prefix in places)) for found, places in zip(codes, prefixes, strict=True)]


def _codes(names: dict[str, str], path: Path) -> tuple[np.ndarray, list[str | None]]:
    """(n, depth) codes and the prefix of each place; None is the prefix of a bare number. A place has one prefix in all names."""
    if not names:
        raise BadData(f"{path} names nobody; give the released file")
    prefixes: list[str | None] = []
    rows: list[list[int]] = []
    for number, (key, name) in enumerate(names.items(), start=1):
        where = f"{path}, name {number} ({key!r:.60})"
        pieces: list[tuple[str | None, str]] = [(None, name)] if name.isdecimal() else _PIECE.findall(name)
        spelled = "".join(digits if prefix is None else f"<{prefix}{digits}>" for prefix, digits in pieces)
        if not pieces or spelled != name:
            raise BadData(f"{where}: {name[:60]!r} is not made of {_MADE_OF}; give the released file")
        row = []
        for place, (prefix, digits) in enumerate(pieces):
            if place == len(prefixes) < MOST_BOOKS:
                prefixes.append(prefix)
            if place == len(prefixes) or prefixes[place] != prefix:
                raise BadData(
                    f"{where}: {name[:60]!r} does not have the pieces of the names before it ({prefixes}); give one file of one scheme"
                )
            if str(int(digits[:20])) != digits or int(digits) >= MOST_CODES:
                raise BadData(f"{where}: {digits[:20]!r} must be a code from 0 to {MOST_CODES - 1:,} without leading zeros; correct it")
            row.append(int(digits))
        rows.append(row)
    codes = np.full((len(rows), len(prefixes)), -1, dtype=np.int32)
    for index, (row, (key, name)) in enumerate(zip(rows, names.items(), strict=True)):
        if len(row) < len(prefixes) and len(set(prefixes)) > 1:  # only a tree with one book for all its levels, as CID's, is uneven
            raise BadData(f"{path}, name {index + 1} ({key!r:.60}): {name[:60]!r} lacks a piece of {prefixes[-1]!r}; complete it")
        codes[index, : len(row)] = row
    return codes, prefixes
