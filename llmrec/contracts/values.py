"""The values that travel between the stages.

Where it stands: everywhere. Every stage takes values from here and returns one of them; no stage imports another stage's internals.
What it does not know: files, language models, user interfaces.

Users and items are numbers that count from 0; keys and titles live in `Catalog` alone. Every value is frozen: a stage that wants to
change one makes a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from llmrec.contracts.protocols import Quantizer

Ints = NDArray[np.int32] | NDArray[np.int64]
Floats = NDArray[np.float32]
Part = Literal["valid", "test"]
Side = Literal["item", "user"]
ADDED = {"added": True}  # of a field that older files lack: written and compared only where it is not None


class Token(str):
    """One new row of the vocabulary, such as `<c12>`. Plain `str` is text and never becomes a Token, however it is spelled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Token({str.__repr__(self)})"


Piece = str | Token
Id = tuple[Piece, ...]


@dataclass(frozen=True)
class Interactions:
    """Who took what, oldest first within a user; ties in time keep file order.

    user, item: (n,) int32 from 0; time: (n,) int64 in seconds (any monotone unit will do); rating: (n,) float32 or None; text: (n,) what
    the user wrote of the item (a review, tags), "" where nothing, or None.
    Sorted by user, then time, then file order: `from_unsorted` does it, the constructor checks it.
    """

    user: Ints
    item: Ints
    time: NDArray[np.int64]
    n_users: int
    n_items: int
    rating: Floats | None = None
    text: NDArray[np.object_] | None = field(default=None, metadata=ADDED)

    def __post_init__(self) -> None:
        n = len(self.user)
        columns = (self.item, self.time, self.rating, self.text)
        if any(column is not None and len(column) != n for column in columns):
            raise ValueError("user, item, time, rating and text must have one entry per interaction")
        if n and (int(self.user.min()) < 0 or int(self.user.max()) >= self.n_users):
            raise ValueError(f"users must lie in 0..{self.n_users - 1}")
        if n and (int(self.item.min()) < 0 or int(self.item.max()) >= self.n_items):
            raise ValueError(f"items must lie in 0..{self.n_items - 1}")
        if n > 1:
            same = self.user[1:] == self.user[:-1]
            if (self.user[1:] < self.user[:-1]).any() or (same & (self.time[1:] < self.time[:-1])).any():
                raise ValueError("interactions must be sorted by user, then time: use Interactions.from_unsorted")

    @classmethod
    def from_unsorted(
        cls,
        user: Ints,
        item: Ints,
        time: NDArray[np.int64],
        n_users: int,
        n_items: int,
        rating: Floats | None = None,
        text: NDArray[np.object_] | None = None,
    ) -> Interactions:
        """Sort stably by user, then time; rows that tie keep the order they came in."""
        order = np.lexsort((time, user))  # lexsort is stable
        return cls(
            np.asarray(user, dtype=np.int32)[order],
            np.asarray(item, dtype=np.int32)[order],
            np.asarray(time, dtype=np.int64)[order],
            n_users,
            n_items,
            None if rating is None else np.asarray(rating, dtype=np.float32)[order],
            None if text is None else np.asarray(text, dtype=object)[order],
        )

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """(n_users + 1,) int64: user u's interactions are rows offsets[u]:offsets[u + 1]."""
        counts = np.bincount(self.user, minlength=self.n_users)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def history(self, user: int) -> Ints:
        """The items of one user, oldest first: (n_u,) a view, not a copy."""
        return self.item[self.offsets[user] : self.offsets[user + 1]]

    def times(self, user: int) -> NDArray[np.int64]:
        """The times that go with `history(user)`: (n_u,)."""
        return self.time[self.offsets[user] : self.offsets[user + 1]]

    def take(self, rows: NDArray[np.bool_] | Ints) -> Interactions:
        """A subset (boolean mask, or ascending row numbers) over the same users and items."""
        rating = None if self.rating is None else self.rating[rows]
        text = None if self.text is None else self.text[rows]
        return Interactions(self.user[rows], self.item[rows], self.time[rows], self.n_users, self.n_items, rating, text)


@dataclass(frozen=True)
class Catalog:
    """What users and items are called and what is known of them. Row i is user i or item i.

    users: column `key` (str, unique), then any profile columns (`age`, `gender`, `occupation`, ...).
    items: columns `key` (str, unique) and `title` (str), then any of `year` (Int64, may be missing), `genres` (list of str), ...
    """

    users: pd.DataFrame
    items: pd.DataFrame

    def __post_init__(self) -> None:
        for side, frame, columns in (("users", self.users, ["key"]), ("items", self.items, ["key", "title"])):
            missing = [c for c in columns if c not in frame.columns]
            if missing:
                raise ValueError(f"the catalogue's {side} lack the column {missing[0]!r}")
            if frame["key"].duplicated().any():
                raise ValueError(f"the catalogue's {side} name the key {frame['key'][frame['key'].duplicated()].iloc[0]!r} twice")

    @cached_property
    def item_keys(self) -> list[str]:
        return [str(k) for k in self.items["key"]]

    @cached_property
    def user_keys(self) -> list[str]:
        return [str(k) for k in self.users["key"]]

    @cached_property
    def titles(self) -> list[str]:
        return [str(t) for t in self.items["title"]]

    @cached_property
    def item_of_key(self) -> dict[str, int]:
        return {k: i for i, k in enumerate(self.item_keys)}

    @cached_property
    def user_of_key(self) -> dict[str, int]:
        return {k: i for i, k in enumerate(self.user_keys)}


@dataclass(frozen=True)
class Dataset:
    """One loaded data set: interactions, catalogue, and counted warnings about what was dropped or repaired on the way in."""

    name: str
    interactions: Interactions
    catalog: Catalog
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """Train, validation and test interactions over the same users and items.

    protocol: its name in `report.protocols`: "loo" (leave-one-out by time), "holdout" (80/10/10 at random per user), "unseen-users" or
    "unseen-items".
    held_out: users taken out of ALL training ("unseen users"); their last item is their test target, the rest only their history.
    known: of items taken out of all training ("unseen items"), who took them: what they may be placed by afterwards, and nothing else.
    taken: of those items, what those who are asked took before their test target: told to nobody, but seen, and masked as such.
    """

    protocol: str
    train: Interactions
    valid: Interactions
    test: Interactions
    held_out: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    held_out_history: Interactions | None = None
    known: Interactions | None = field(default=None, metadata=ADDED)
    taken: Interactions | None = field(default=None, metadata=ADDED)

    def queries(self, part: Part, masked: bool = True) -> Queries:
        """One query per user of `asked(part)`. History: train for "valid"; train and valid, in order of time, for "test".

        masked: what was seen must not come back: the history, and for "test" what was taken besides.
        A held-out user is a new person, user -1: nothing of them was trained, and their own name says nothing.
        """
        users = self.asked(part)
        histories = []
        for u in users:
            known = [self.train] if part == "valid" else [self.train, self.valid]
            if self.held_out_history is not None:
                known.append(self.held_out_history)
            items = np.concatenate([k.history(u) for k in known])
            order = np.argsort(np.concatenate([k.times(u) for k in known]), kind="stable")
            histories.append(items[order])
        who = np.where(np.isin(users, self.held_out), -1, users).astype(np.int32)
        seen = histories
        if part == "test" and self.taken is not None:
            seen = [np.concatenate([history, self.taken.history(u)]) for u, history in zip(users, histories, strict=True)]
        return Queries(who, tuple(histories), tuple(seen) if masked else None)

    def asked(self, part: Part) -> Ints:
        """The users with a target in `part`, ascending: one per query."""
        return np.unique((self.valid if part == "valid" else self.test).user).astype(np.int32)

    def targets(self, part: Part) -> tuple[Ints, ...]:
        """The items to be found, one array per query of `queries(part)`, in the same order."""
        target = self.valid if part == "valid" else self.test
        return tuple(target.history(u) for u in self.asked(part))


@dataclass(frozen=True)
class Queries:
    """Whom to recommend for. A new person is user -1 and is known by history alone.

    users: (b,) int32; histories: b arrays of items, oldest first; exclude: b arrays of items that must not come back, or None.
    """

    users: Ints
    histories: tuple[Ints, ...]
    exclude: tuple[Ints, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.histories) != len(self.users) or (self.exclude is not None and len(self.exclude) != len(self.users)):
            raise ValueError("a query needs one history, and one list of excluded items where any are given, per user")

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, rows: slice) -> Queries:
        return Queries(self.users[rows], self.histories[rows], None if self.exclude is None else self.exclude[rows])

    @classmethod
    def of_history(cls, history: Sequence[int], exclude: Sequence[int] | None = None, user: int = -1) -> Queries:
        """One query for one person; what they have seen is excluded unless `exclude` says otherwise."""
        items = np.asarray(history, dtype=np.int32)
        out = items if exclude is None else np.asarray(exclude, dtype=np.int32)
        return cls(np.asarray([user], dtype=np.int32), (items,), (out,))


@dataclass(frozen=True)
class Ranked:
    """Recommendations, best first. items: (b, k) int32, -1 where fewer than k were found; scores: (b, k) float32, -inf there."""

    items: Ints
    scores: Floats

    def __post_init__(self) -> None:
        if self.items.shape != self.scores.shape or self.items.ndim != 2:
            raise ValueError(f"items and scores must both be (b, k), got {self.items.shape} and {self.scores.shape}")


@dataclass(frozen=True)
class Vectors:
    """Collaborative or content vectors. users: (n, d) float32; items: (m, d) float32; both in one space where `joint`."""

    users: Floats
    items: Floats
    joint: bool = True


@dataclass(frozen=True)
class Book:
    """One alphabet of codes and how a code is spelled.

    With `texts` a code is spelled by that text; else as the Token `<{prefix}{code}>` or, where `token` is False, as the digits of the code.
    Books of the same prefix are the same book: users and items that share one share its Tokens.
    """

    prefix: str
    size: int
    token: bool = True
    texts: tuple[str, ...] | None = None

    def spell(self, code: int) -> Piece:
        if not 0 <= code < self.size:
            raise ValueError(f"code {code} is outside book {self.prefix!r}, which has 0..{self.size - 1}")
        if self.texts is not None:
            return self.texts[code]
        return Token(f"<{self.prefix}{code}>") if self.token else str(code)


@dataclass(frozen=True)
class Names:
    """The codes of one side, users or items. codes: (n, depth) int32, one column per book, -1 where a name leaves a place out."""

    codes: Ints
    books: tuple[Book, ...]

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.books):
            raise ValueError(f"codes {self.codes.shape} need one column per book ({len(self.books)})")

    def __len__(self) -> int:
        return len(self.codes)

    def spell(self, index: int) -> Id:
        """The pieces that name one user or item, spelled now and not before."""
        return tuple(book.spell(int(c)) for book, c in zip(self.books, self.codes[index], strict=True) if c >= 0)


@dataclass(frozen=True)
class IdTable:
    """The hinge of the house: schemes fill it, everything after reads it and knows no scheme.

    users: None where the scheme names items only. features: (len(tokens), f) float32, what the scheme knows of each Token (META ID: the
    centre of a coarse Token), or None. item_quantizer, user_quantizer: what turned vectors into the first codes of a name, frozen, so that
    newcomers can be named; None where the scheme has none. Codes after a quantizer's depth tell apart those who share what is before.
    """

    scheme: str
    items: Names
    users: Names | None = None
    features: Floats | None = None
    item_quantizer: Quantizer | None = None
    user_quantizer: Quantizer | None = None

    @cached_property
    def books(self) -> tuple[Book, ...]:
        """Every Token book once, users' after items', in order of first use."""
        seen: dict[str, Book] = {}
        for names in (self.items, self.users):
            for book in names.books if names is not None else ():
                if book.token and book.texts is None:
                    old = seen.get(book.prefix)
                    if old is None or book.size > old.size:
                        seen[book.prefix] = book
        return tuple(seen.values())

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The new rows of the vocabulary in a fixed order: book by book, code by code. Never the order of a set."""
        return tuple(Token(book.spell(code)) for book in self.books for code in range(book.size))
