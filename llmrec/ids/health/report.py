"""How well a table uses its alphabet: sizes, entropy, dead codes, collisions, lengths; and one report that gathers all that is known.

Where it stands: beside the schemes; the command line and the page show it. What it does not know: how a table was made. What names say of
behaviour is `semantics`, what they say of genre and year is `purity`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Book, Catalog, Floats, IdTable, Interactions, Names
from llmrec.ids.health.collisions import Collisions, collisions, distinct
from llmrec.ids.health.grouping import spelled_alike
from llmrec.ids.health.purity import Purity, purity
from llmrec.ids.health.semantics import Diversity, Memorization, NothingToCompare, diversity, memorization


class Lengths(Protocol):
    """Rows of unequal length, of which only the offsets are looked at: (n + 1,) int64."""

    @property
    def offsets(self) -> NDArray[np.int64]: ...


Subwords = Callable[[Names], Lengths]


@dataclass(frozen=True)
class Level:
    """One place in the names and the book that fills it, over users and items together where both have that book there.

    size: codes in the book; used: those that occur; dead_codes: those that nobody bears, ascending; largest: bearers of the commonest
    code; entropy: of the codes, in bits. Of a book of plain digits, such as RID's and SID's, no code is called dead: it has no row to
    learn, and its numbers need not start at 0.
    """

    place: int
    book: str
    size: int
    used: int
    dead_codes: tuple[int, ...]
    largest: int
    entropy: float

    @property
    def dead(self) -> int:
        """Codes that never occur; 0 for digits."""
        return len(self.dead_codes)

    @property
    def perplexity(self) -> float:
        """2 ** entropy: the number of equally used codes that would be as varied."""
        return float(2**self.entropy)


@dataclass(frozen=True)
class Spread:
    """Least, mean and most of a count."""

    least: int
    mean: float
    most: int


@dataclass(frozen=True)
class Pieces:
    """How long the names are. depth: pieces of the longest name; unit: what the spreads count, "pieces" or "subwords"."""

    depth: int
    unit: str
    items: Spread
    users: Spread | None


@dataclass(frozen=True)
class Health:
    """A table at a glance.

    levels: by place, items' before users'; new_rows: Tokens the vocabulary must learn; n_items, n_users: how many there are;
    distinct_items, distinct_users: how many different names they bear, each side alone; shared: names with more than one bearer.
    """

    levels: tuple[Level, ...]
    new_rows: int
    n_items: int
    n_users: int
    distinct_items: int
    distinct_users: int
    shared: Collisions
    pieces: Pieces

    @property
    def depth(self) -> int:
        """Pieces of the longest name."""
        return self.pieces.depth

    @property
    def collisions(self) -> int:
        """Users and items that share their whole name with another one of either side."""
        return self.shared.bearers


@dataclass(frozen=True)
class HealthReport:
    """All that can be said of a table with what was given; what was not given, or says nothing, is None, and `notes` say why."""

    scheme: str
    health: Health
    memorization: Memorization | None = None
    diversity: Diversity | None = None
    purity: Purity | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold, derived counts included."""
        plain = asdict(self)
        plain["health"] |= {"depth": self.health.depth, "collisions": self.health.collisions}
        for level, out in zip(self.health.levels, plain["health"]["levels"], strict=True):
            out |= {"dead": level.dead, "perplexity": level.perplexity}
        return plain


def health(table: IdTable, subwords: Subwords | None = None) -> Health:
    """Count what a table's names use. Works on codes alone, so a million names take no spelling.

    subwords: reads names as a language model does, such as `Vocab.of_table(tokenizer, table).names` (its end marks count, where it sets
    them); without it a piece counts as one, however long its text is.
    """
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
        new_rows=sum(book.size for book in table.books),  # not len(table.tokens): that would spell them all
        n_items=len(table.items),
        n_users=0 if table.users is None else len(table.users),
        distinct_items=distinct(spelled_alike(table.items)),
        distinct_users=0 if table.users is None else distinct(spelled_alike(table.users)),
        shared=collisions(table),
        pieces=Pieces(
            max(int((names.codes >= 0).sum(axis=1).max(initial=0)) for names in sides),
            "pieces" if subwords is None else "subwords",
            _spread(table.items, subwords),
            None if table.users is None else _spread(table.users, subwords),
        ),
    )


def report(
    table: IdTable,
    train: Interactions | None = None,
    catalog: Catalog | None = None,
    rows: Floats | None = None,
    rng: np.random.Generator | None = None,
    level: int = 0,
    subwords: Subwords | None = None,
    years: bool = False,
) -> HealthReport:
    """Everything at once: counts always; memorization with `train`, purity of `level` with `catalog`, diversity always.

    rows: (n_tokens, d) float32, learned vectors of the table's Tokens in its order; without them Ids are compared by the pieces they share.
    rng: for the pairs that are sampled (default: seed 0, so the same table gives the same report). years: purity of single years too.
    """
    seeds = (rng if rng is not None else np.random.default_rng(0)).integers(2**63, size=3)
    draws = [np.random.default_rng(int(seed)) for seed in seeds]  # one each: leaving one part out changes no other
    notes: list[str] = []
    if any(digits(book) for names in (table.items, table.users) if names is not None for book in names.books):
        notes.append("no dead codes of plain digits: a number that nobody bears has no row to learn, and numbers need not start at 0")
    remembered, varied, pure = None, None, None
    if train is None:
        notes.append("no memorization: it compares names with training interactions, and none were given")
    else:
        remembered = _or_note(lambda: memorization(table, train, rows, rng=draws[0]), notes)
    varied = _or_note(lambda: diversity(table, rows, rng=draws[1]), notes)
    if catalog is None:
        notes.append("no purity: it compares Tokens with genres and years, and no catalogue was given")
    else:
        pure = _or_note(lambda: purity(table, catalog, level, rng=draws[2], years=years), notes)
    return HealthReport(table.scheme, health(table, subwords), remembered, varied, pure, tuple(notes))


def _or_note(measure: Callable[[], Any], notes: list[str]) -> Any:
    """A part of the report, or None and the reason why it cannot be had."""
    try:
        return measure()
    except NothingToCompare as error:
        notes.append(str(error))
        return None


def _level(place: int, book: Book, codes: np.ndarray) -> Level:
    counts = np.bincount(codes[codes >= 0], minlength=book.size)
    share = counts[counts > 0] / max(int(counts.sum()), 1)
    entropy = float(-(share * np.log2(share)).sum()) + 0.0  # -0.0 for one code alone
    dead = () if digits(book) else tuple(np.flatnonzero(counts == 0).tolist())
    return Level(place, book.prefix, book.size, int(np.count_nonzero(counts)), dead, int(counts.max(initial=0)), entropy)


def digits(book: Book) -> bool:
    """Whether a book's codes are spelled as plain numbers, which cost no row and may start anywhere."""
    return not book.token and book.texts is None


def _spread(names: Names, subwords: Subwords | None) -> Spread:
    counts = (names.codes >= 0).sum(axis=1) if subwords is None else np.diff(subwords(names).offsets)
    return Spread(int(counts.min()), float(counts.mean()), int(counts.max())) if len(counts) else Spread(0, 0.0, 0)
