"""What a file says of a table, checked and put together: the first thing that is wrong is named with file, row and remedy.

Where it stands: under `files` and `official`. What it does not know: how files are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmrec.contracts import Book, Id, IdTable, Names, Quantizer
from llmrec.data.admit import BadData
from llmrec.ids.exchange.keyed import KeyedTable

VERSION = 1
PREFIX = r"[A-Za-z0-9_.-]*"  # what the prefix of a book may be: it is written into labels and prompts, where it must be no markup
MOST_CODES, MOST_BOOKS = 10_000_000, 64  # more than any scheme uses: what a hostile file may make us build ends here
LONGEST = 10_000  # characters of a key, a title or a code's text: it is written into prompts and pages


def assemble(header: dict[str, Any], sides: dict[str, list[dict[str, Any]]], arrays: dict[str, Any], path: Path) -> KeyedTable:
    """A table from its header and rows, as a file has them, and from features and quantizers, where it has any. Raises `BadData`."""
    version = header.get("version", VERSION)
    if version != VERSION:
        raise BadData(f"{path.name} has version {version!r}, this program reads {VERSION}; export it again")
    scheme = header.get("scheme")
    if not isinstance(scheme, str) or not 0 < len(scheme) <= 200:
        raise BadData(f'{path.name}: "scheme" must be the name of the scheme, a text of 200 characters at most, not {say(scheme)}')
    books = _books(header.get("books"), path)
    items, item_keys, titles = _side("items", sides["items"], _choose(header, "item_books", books, path), path)
    users: Names | None = None
    user_keys: tuple[str, ...] = ()
    if "users" in sides:
        users, user_keys, _ = _side("users", sides["users"], _choose(header, "user_books", books, path), path)
    table = IdTable(scheme, items, users, **arrays)
    _check_arrays(table, path)
    return KeyedTable(table, item_keys, user_keys, titles)


def _side(
    side: str, rows: Sequence[dict[str, Any]], books: tuple[Book, ...], path: Path
) -> tuple[Names, tuple[str, ...], tuple[str, ...] | None]:
    """Codes, keys and titles of one side. The first row that is wrong is named."""
    if not rows:
        leave = ", or leave the users out" if side == "users" else ""
        raise BadData(f"{path.name} names no {side}; give at least one{leave}")
    codes = np.full((len(rows), len(books)), -1, dtype=np.int32)
    keys: dict[str, int] = {}
    titles: list[str] = []
    for number, row in enumerate(rows, start=1):
        key = row.get("key")
        where = f"{path.name}, {side}, row {number} ({key!r:.60})"
        if not isinstance(key, str) or not key or not _is_text(key):
            raise BadData(f'{where}: "key" must be a text of {LONGEST:,} characters at most and not empty; give each row its key')
        if key in keys:
            raise BadData(f"{where}: row {keys[key]} has the same key; name each once")
        if unknown := set(row) - {"key", "title", "pieces", "codes"}:
            raise BadData(f"{where}: unknown field {min(unknown)!r}; a row has key, title, pieces and codes")
        keys[key] = number
        title = row.get("title")
        if title is not None and (not isinstance(title, str) or not _is_text(title)):
            raise BadData(f'{where}: "title" must be a text, not {say(title)}; correct it, or leave it out')
        titles.append(key if title is None else title)
        found = _codes(row.get("codes"), books, where)
        codes[number - 1, : len(found)] = found
        pieces = row.get("pieces")
        spelled: Id = tuple(book.spell(code) for book, code in zip(books, found, strict=False) if code >= 0)
        if pieces is not None and not (isinstance(pieces, list) and all(isinstance(piece, str) for piece in pieces)):
            raise BadData(f'{where}: "pieces" must be a list of texts, not {say(pieces)}; correct it, or leave it out')
        if pieces is not None and pieces != list(spelled):
            raise BadData(
                f"{where}: the pieces {short(pieces)} are not what the codes say, {short(spelled)}; correct one, or leave the pieces out"
            )
    told = any("title" in row and row["title"] is not None for row in rows)
    return Names(codes, books), tuple(keys), tuple(titles) if told else None


def _codes(codes: Any, books: tuple[Book, ...], where: str) -> list[int]:
    if not isinstance(codes, list) or any(not isinstance(c, int) or isinstance(c, bool) for c in codes):
        raise BadData(f'{where}: "codes" must be a list of whole numbers, not {say(codes)}; give one per book')
    if len(codes) > len(books):
        raise BadData(f"{where}: {len(codes)} codes for {len(books)} books; give one per book")
    for book, code in zip(books, codes, strict=False):
        if not -1 <= code < book.size:
            raise BadData(
                f"{where}: code {short(code)} is outside book {book.prefix!r}, which has 0..{book.size - 1}; correct it or the book's size"
            )
    if all(code < 0 for code in codes):
        raise BadData(f"{where}: the name is empty; give at least one code")
    return codes


def _books(plain: Any, path: Path) -> tuple[Book, ...]:
    if not isinstance(plain, list) or not 0 < len(plain) <= MOST_BOOKS:
        raise BadData(f'{path.name}: "books" must be a list of 1 to {MOST_BOOKS} objects such as {{"prefix": "c", "size": 40}}')
    books = []
    for number, body in enumerate(plain, start=1):
        where = f"{path.name}, book {number}"
        if not isinstance(body, dict) or not set(body) <= {"prefix", "size", "token", "texts"}:
            raise BadData(f"{where} must have prefix and size, may have token and texts, and nothing else")
        prefix, size, token, texts = body.get("prefix"), body.get("size"), body.get("token", True), body.get("texts")
        if not isinstance(prefix, str) or not re.fullmatch(PREFIX, prefix):
            raise BadData(f'{where}: "prefix" must be a text of A to Z, a to z, 0 to 9, _, . and -, not {say(prefix)}; rename it')
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MOST_CODES:
            raise BadData(f'{where}: "size" must be a whole number from 1 to {MOST_CODES:,}, not {say(size)}')
        if not isinstance(token, bool):
            raise BadData(f'{where}: "token" must be true or false, not {say(token)}')
        if texts is not None and not (
            isinstance(texts, list) and len(texts) == size and all(isinstance(t, str) and _is_text(t) for t in texts)
        ):
            raise BadData(f'{where}: "texts" must be a list of {size:,} texts, one per code')
        books.append(Book(prefix, size, token, None if texts is None else tuple(texts)))
    check_prefixes(books, path)
    return tuple(books)


def check_prefixes(books: Sequence[Book], path: Path | str) -> None:
    """Refuse a prefix that could be markup, and two Token books that spell one Token, as prefixes `a` and `a1` do with `<a11>`."""
    for book in books:
        if not re.fullmatch(PREFIX, book.prefix):
            raise BadData(f"{Path(path).name}: the prefix {book.prefix[:60]!r} has more than A to Z, a to z, 0 to 9, _, . and -; rename it")
    prefixes = sorted({book.prefix for book in books if book.token and book.texts is None})
    for one in prefixes:
        for other in prefixes:
            rest = other.removeprefix(one)
            if other != one and other.startswith(one) and rest.isdecimal() and rest[0] != "0":
                raise BadData(f"{Path(path).name}: the books {one!r} and {other!r} can spell the same Token, <{other}1>; rename one")


def _choose(header: dict[str, Any], field: str, books: tuple[Book, ...], path: Path) -> tuple[Book, ...]:
    chosen = header.get(field, list(range(len(books))))
    right = isinstance(chosen, list) and 0 < len(chosen) <= MOST_BOOKS
    if not right or any(not isinstance(i, int) or isinstance(i, bool) or not 0 <= i < len(books) for i in chosen):
        raise BadData(f'{path.name}: "{field}" must list numbers of books, 0 to {len(books) - 1}, not {short(chosen)}')
    return tuple(books[i] for i in chosen)


def _check_arrays(table: IdTable, path: Path) -> None:
    """Features have a row per Token; a quantizer's codes fit the books whose places it fills."""
    n = sum(book.size for book in table.books)
    if table.features is not None and (not isinstance(table.features, np.ndarray) or table.features.ndim != 2 or len(table.features) != n):
        raise BadData(f"{path.name}: the features must have one row for each of the {n:,} Tokens; export the table again")
    if table.features is not None and not (table.features.dtype.kind == "f" and np.isfinite(table.features).all()):
        raise BadData(f"{path.name}: the features must be finite numbers, not {table.features.dtype}; export the table again")
    for quantizer, names in ((table.item_quantizer, table.items), (table.user_quantizer, table.users)):
        if quantizer is None:
            continue
        try:
            sizes = quantizer.sizes if isinstance(quantizer, Quantizer) else None
        except (TypeError, AttributeError, IndexError):  # its arrays are none, or not of its shapes
            sizes = None
        books = () if names is None else names.books
        if sizes is None or len(sizes) > len(books) or any(s > b.size for s, b in zip(sizes, books, strict=False)):
            raise BadData(f"{path.name}: a quantizer does not fit the books; export the table again")


def _is_text(value: str) -> bool:
    """Whether a text can be written: half a character, as hostile JSON may hold, cannot, and no page bears a text without end."""
    return len(value) <= LONGEST and (value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value))


def say(value: Any) -> str:
    return f"{type(value).__name__} {short(value)}"


def short(value: Any) -> str:
    text = repr(list(map(str, value)) if isinstance(value, (list, tuple)) else value)
    return text if len(text) <= 60 else text[:60] + "..."
