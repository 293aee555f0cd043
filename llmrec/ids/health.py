"""How well a table uses its alphabet: sizes, entropy, dead codes, collisions.

Where it stands: beside the schemes; reports and the page show it. What it does not know: vectors, behaviour, language models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Book, IdTable, Names


@dataclass(frozen=True)
class Level:
    """One place in the names and the book that fills it, over users and items together where both have that book there.

    size: codes in the book; used: codes that occur; dead: codes that never do; largest: bearers of the commonest code;
    entropy: of the codes, in bits; perplexity: 2 ** entropy, the number of equally used codes that would be as varied.
    """

    place: int
    book: str
    size: int
    used: int
    dead: int
    largest: int
    entropy: float
    perplexity: float


@dataclass(frozen=True)
class Health:
    """A table at a glance.

    levels: by place, items' before users'; depth: pieces of the longest name; new_rows: Tokens the vocabulary must learn; n_items, n_users:
    how many there are; distinct_items, distinct_users: how many different names they bear, each side alone;
    collisions: users and items that share their whole name with another one of either side.
    """

    levels: tuple[Level, ...]
    depth: int
    new_rows: int
    n_items: int
    n_users: int
    distinct_items: int
    distinct_users: int
    collisions: int


def health(table: IdTable) -> Health:
    """Count what a table's names use. Works on codes alone, so a million names take no spelling."""
    sides = [names for names in (table.items, table.users) if names is not None]
    columns: dict[tuple[int, str, bool], list[np.ndarray]] = {}
    books: dict[tuple[int, str, bool], Book] = {}
    for names in sides:
        for place, book in enumerate(names.books):
            key = (place, book.prefix, book.token)
            columns.setdefault(key, []).append(names.codes[:, place])
            books[key] = max(books.get(key, book), book, key=lambda b: b.size)
    levels = tuple(_level(key[0], books[key], np.concatenate(columns[key])) for key in sorted(columns, key=lambda key: key[0]))
    return Health(
        levels=levels,
        depth=max((int((names.codes >= 0).sum(axis=1).max(initial=0)) for names in sides), default=0),
        new_rows=sum(book.size for book in table.books),  # not len(table.tokens): that would spell them all
        n_items=len(table.items),
        n_users=0 if table.users is None else len(table.users),
        distinct_items=_distinct(table.items),
        distinct_users=0 if table.users is None else _distinct(table.users),
        collisions=_collisions(table),
    )


def _level(place: int, book: Book, codes: np.ndarray) -> Level:
    counts = np.bincount(codes[codes >= 0], minlength=book.size)
    share = counts[counts > 0] / max(int(counts.sum()), 1)
    entropy = float(-(share * np.log2(share)).sum()) + 0.0  # -0.0 for one code alone
    used = int((counts > 0).sum())
    return Level(place, book.prefix, book.size, used, book.size - used, int(counts.max(initial=0)), entropy, float(2**entropy))


def _distinct(names: Names) -> int:
    return len(np.unique(names.codes, axis=0))


def _collisions(table: IdTable) -> int:
    """Bearers of a name that is borne more than once; a user and an item collide only where they share every book."""
    together = table.users is not None and [_spelling(b) for b in table.users.books] == [_spelling(b) for b in table.items.books]
    if table.users is not None and together:
        groups = [np.concatenate([table.items.codes, table.users.codes])]
    else:
        groups = [names.codes for names in (table.items, table.users) if names is not None]
    total = 0
    for codes in groups:
        counts = np.unique(codes, axis=0, return_counts=True)[1]
        total += int(counts[counts > 1].sum())
    return total


def _spelling(book: Book) -> tuple[str, bool, tuple[str, ...] | None]:
    return book.prefix, book.token, book.texts
