"""Names as the authors of META ID and TokenRec released them, read into the same value that our schemes fill.

Where it stands: beside the schemes, for comparison. What it does not know: where the files come from; nothing of them is shipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from llmrec.contracts import Book, IdTable, Ints, Names


@dataclass(frozen=True)
class Official:
    """A released table with the keys its rows stand for."""

    table: IdTable
    item_keys: tuple[str, ...]
    user_keys: tuple[str, ...]


def read_metaid(items: Path | str, users: Path | str) -> Official:
    """META ID's `*_metapath_indexing_*.txt`: a line is a key, a space and a name such as `<CT79><1220>`."""
    item_keys, item_codes = _metaid_side(Path(items))
    user_keys, user_codes = _metaid_side(Path(users))
    top = np.maximum(item_codes.max(axis=0), user_codes.max(axis=0))
    books = (Book("CT", int(top[0]) + 1), Book("", int(top[1]) + 1))
    return Official(IdTable("metaid-official", Names(item_codes, books), Names(user_codes, books)), item_keys, user_keys)


def read_tokenrec(sequences: Path | str, codebook: Path | str) -> Official:
    """TokenRec's `train.txt` and the `train_codebook.csv` beside it: the same items, once as numbers and once as names."""
    rows = pd.read_csv(codebook, index_col=0, dtype=str)
    lines = Path(sequences).read_text(encoding="utf-8").splitlines()
    if len(lines) != len(rows):
        raise ValueError(f"{sequences} has {len(lines)} users, but {codebook} names {len(rows)}: give the two files of the same split")
    item_names: dict[int, str] = {}
    user_names: dict[int, str] = {}
    for number, (line, row) in enumerate(zip(lines, rows.itertuples(index=False), strict=True), start=1):
        user, *history = (int(word) for word in line.split())
        names = str(row.item_cb_id).split()
        if len(history) != len(names):
            raise ValueError(f"{sequences}, line {number}: {len(history)} items, but {codebook} has {len(names)} names for them")
        user_names[user] = str(row.user_cb_id)
        for item, name in zip(history, names, strict=True):
            if item_names.setdefault(item, name) != name:
                raise ValueError(f"{codebook}, row {number}: item {item} is {name}, but was {item_names[item]} before")
    items, users = _tokenrec_side(item_names, codebook), _tokenrec_side(user_names, codebook)
    return Official(IdTable("tokenrec-official", items, users), tuple(map(str, sorted(item_names))), tuple(map(str, sorted(user_names))))


def _metaid_side(path: Path) -> tuple[tuple[str, ...], Ints]:
    keys: list[str] = []
    codes: list[tuple[int, int]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = re.fullmatch(r"(\S+) <CT(\d+)><(\d+)>", line.strip())
        if match is None:
            raise ValueError(f"{path}, line {number}: {line[:60]!r} is not a key and a name such as <CT79><1220>")
        keys.append(match[1])
        codes.append((int(match[2]), int(match[3])))
    if not codes:
        raise ValueError(f"{path} is empty: give the released file")
    return tuple(keys), np.asarray(codes, dtype=np.int32)


def _tokenrec_side(names: dict[int, str], path: Path | str) -> Names:
    """One row per user or item in ascending order; `item_<0-119><1-125><2-192>` has a book per place, `0-`, `1-`, `2-`."""
    pieces = {index: re.findall(r"<([^<>-]+-)(\d+)>", name) for index, name in names.items()}
    if not pieces:
        raise ValueError(f"{path} names nobody: give the released file")
    prefixes = [prefix for prefix, _ in next(iter(pieces.values()))]
    for index, parts in pieces.items():
        if [prefix for prefix, _ in parts] != prefixes or not parts:
            raise ValueError(f"{path}: {names[index]!r} does not have the pieces of the names before it ({prefixes})")
    codes = np.asarray([[int(code) for _, code in pieces[index]] for index in sorted(pieces)], dtype=np.int32)
    return Names(codes, tuple(Book(prefix, 256) for prefix in prefixes))
