"""What the items of one Token have in common: genre and decade, or the year itself, beside what chance would give.

Where it stands: part of a table's health. What it does not know: behaviour, language models; genres and years come from the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Catalog, IdTable, Names

SHUFFLES = 20


@dataclass(frozen=True)
class Common:
    """The commonest tag of one Token. known: its items whose tag is known; tag, share: the tag that most of them have, and how many do."""

    piece: str
    known: int
    tag: str
    share: float


@dataclass(frozen=True)
class Tag:
    """One kind of tag over the whole level.

    purity: share of items whose tag is (or tags include) the commonest of their Token, so each Token counts by its size; chance: the
    same after the names were shuffled among the items, on average; lift: purity / chance, 1 where a Token says nothing of the tag.
    n_known: items whose tag is known, which alone are counted. tokens: the Tokens with such items, largest first; none of them are listed
    where each has one item alone.
    """

    purity: float
    chance: float
    lift: float
    n_known: int
    tokens: tuple[Common, ...]


@dataclass(frozen=True)
class Purity:
    """Genre and decade of one level of the items' names; None where the catalogue does not know them, and `notes` say so.

    year: the same by single years, where it was asked for.
    """

    place: int
    book: str
    genre: Tag | None
    decade: Tag | None
    notes: tuple[str, ...] = ()
    year: Tag | None = None


def purity(
    table: IdTable,
    catalog: Catalog,
    level: int = 0,
    rng: np.random.Generator | None = None,
    shuffles: int = SHUFFLES,
    years: bool = False,
) -> Purity:
    """How far the Tokens at one place of the item names are of one genre and one decade.

    An item of several genres counts for each of them, so genre purity is a share of items, not of tags. Small Tokens are pure by chance
    alone (a Token of one item always is): read the lift. rng: for the shuffles, default seed 0. years: look at single years as well.
    """
    names = table.items
    if not 0 <= level < len(names.books):
        raise ValueError(
            f"level is {level}, but {table.scheme} names items by {len(names.books)} pieces: choose 0 to {len(names.books) - 1}"
        )
    if len(catalog.items) != len(names):
        raise ValueError(f"the catalogue has {len(catalog.items)} items, but the table names {len(names)}: give the catalogue it names")
    seeds = (rng if rng is not None else np.random.default_rng(0)).integers(2**63, size=3)
    notes: list[str] = []
    tags: dict[str, Tag | None] = {}
    kinds = (("genre", _genres), ("decade", _decades), *([("year", _years)] if years else []))
    for seed, (kind, read) in zip(seeds, kinds, strict=False):  # the year's seed comes last: asking for it changes no other
        matrix, labels = read(catalog)
        known = np.flatnonzero((np.diff(matrix.indptr) > 0) & (names.codes[:, level] >= 0))
        if not len(known):
            column = "genres" if kind == "genre" else "years"
            notes.append(f"no {kind} purity: the catalogue has no {column}, or none for an item with a piece at place {level}")
            tags[kind] = None
        else:
            tags[kind] = _tag(names, level, matrix[known], known, labels, (np.random.default_rng(int(seed)), shuffles))
    return Purity(level, names.books[level].prefix, tags["genre"], tags["decade"], tuple(notes), tags.get("year"))


def _tag(
    names: Names, level: int, matrix: Any, known: NDArray[np.int64], labels: list[str], chance: tuple[np.random.Generator, int]
) -> Tag:
    """matrix: (n_known, n_tags) sparse 0/1."""
    codes, token = np.unique(names.codes[known, level], return_inverse=True)
    if len(codes) == len(known):
        return Tag(1.0, 1.0, 1.0, len(known), ())  # each has a name of its own: pure, and so in every shuffle
    sizes = np.bincount(token)
    counts = _counted(token, matrix, len(codes))
    most = _most(counts)
    pure = float(most.sum() / len(known))
    rng, shuffles = chance
    drawn = [_most(_counted(rng.permutation(token), matrix, len(codes))).sum() for _ in range(shuffles)]
    by_chance = float(np.mean(drawn) / len(known)) if drawn else pure
    best = _commonest(counts, most)
    tokens = tuple(
        Common(str(names.books[level].spell(int(codes[t]))), int(sizes[t]), labels[best[t]], float(most[t] / sizes[t]))
        for t in np.argsort(-sizes, kind="stable")
    )
    return Tag(pure, by_chance, pure / by_chance, len(known), tokens)


def _counted(token: NDArray[np.int64], matrix: Any, n_tokens: int) -> Any:
    """(n_tokens, n_tags) sparse: how many items of each Token have each tag. No row is empty: every item here has a tag."""
    from scipy.sparse import csr_matrix

    n = len(token)
    return csr_matrix((np.ones(n), (token, np.arange(n))), shape=(n_tokens, n)) @ matrix


def _most(counts: Any) -> NDArray[np.float64]:
    """(n_tokens,) how many have the tag that most have."""
    return np.asarray(np.maximum.reduceat(counts.data, counts.indptr[:-1]), dtype=np.float64)


def _commonest(counts: Any, most: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n_tokens,) that tag; of tags that tie, the first in order of labels."""
    counts.sort_indices()
    row = np.repeat(np.arange(len(most)), np.diff(counts.indptr))
    places = np.flatnonzero(counts.data == most[row])
    return np.asarray(counts.indices[places[np.unique(row[places], return_index=True)[1]]], dtype=np.int64)


def _genres(catalog: Catalog) -> tuple[Any, list[str]]:
    """(n_items, n_genres) sparse 0/1, and the genres in order of the alphabet."""
    column = catalog.items["genres"] if "genres" in catalog.items.columns else [None] * len(catalog.items)
    lists = [sorted({str(g) for g in genres}) if isinstance(genres, (list, tuple, np.ndarray)) else [] for genres in column]
    return _one_hot(lists)


def _decades(catalog: Catalog) -> tuple[Any, list[str]]:
    """(n_items, n_decades) sparse 0/1, and the decades as `1990s`."""
    return _one_hot([[] if year is None else [f"{year // 10 * 10}s"] for year in _known_years(catalog)])


def _years(catalog: Catalog) -> tuple[Any, list[str]]:
    """(n_items, n_years) sparse 0/1, and the years as `1995`."""
    return _one_hot([[] if year is None else [str(year)] for year in _known_years(catalog)])


def _known_years(catalog: Catalog) -> list[int | None]:
    import pandas as pd

    column = catalog.items["year"] if "year" in catalog.items.columns else [None] * len(catalog.items)
    return [None if pd.isna(year) else int(year) for year in column]


def _one_hot(lists: list[list[str]]) -> tuple[Any, list[str]]:
    from scipy.sparse import csr_matrix

    labels = sorted({tag for tags in lists for tag in tags})
    number = {tag: i for i, tag in enumerate(labels)}
    columns = np.asarray([number[tag] for tags in lists for tag in tags], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum([len(tags) for tags in lists])]).astype(np.int64)
    return csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(lists), len(labels))), labels
