"""One run's values, loaded when first asked for and then kept: data, split, names, vectors, and what is looked up in them.

Where it stands: under `backend`. What it does not know: pages, locks of models, the disk.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from app.mentions import Mentions
from app.seam import Card, Inspection, Neighbour, Person, Shared, Side, Trouble
from llmrec.contracts import Dataset, IdTable, Split, Token, Vectors
from llmrec.ids import lookup
from llmrec.view import neighbours
from llmrec.view.palette import LIGHT

SHOWN = 60
TONES = len(LIGHT.categories)
PROFILE = ("occupation", "age", "gender")


class World:
    """`run`: a `llmrec.runs.store.Run`, or None for the data of `recipe` without a model."""

    def __init__(self, run: Any, recipe: Any = None) -> None:
        self.run, self.recipe = run, recipe

    @cached_property
    def dataset(self) -> Dataset:
        from llmrec.runs import stages

        return self.run.dataset() if self.run is not None else stages.dataset(self.recipe)

    @cached_property
    def split(self) -> Split:
        from llmrec.runs import stages

        return self.run.split() if self.run is not None else stages.split(self.recipe, self.dataset)

    @cached_property
    def table(self) -> IdTable | None:
        """The names that the model ranks by: those of items kept for later among them."""
        from llmrec.runs import newcomers

        return newcomers.pool(self.run, self.run.table(), None)[0] if self.run is not None else None

    @cached_property
    def vectors(self) -> Vectors | None:
        """What the map shows and nearness is measured in; None without a run."""
        return self._space[0] if self._space is not None else None

    @property
    def lent(self) -> bool:
        """Whether those are not the run's own: its scheme names without vectors."""
        return self._space is not None and not self._space[1]

    @cached_property
    def _space(self) -> tuple[Vectors, bool] | None:
        from app import maps

        return maps.space(self.run) if self.run is not None else None

    @cached_property
    def _cards(self) -> dict[tuple[Side, int], Card]:
        return {}

    def card(self, side: Side, index: int) -> Card:
        """One item or user; `Trouble` where there is none."""
        catalog = self.dataset.catalog
        size = len(catalog.items if side == "item" else catalog.users)
        if not 0 <= index < size:
            raise Trouble(f"There is no {side} {index} here: they count from 0 to {size - 1}.")
        if (side, index) not in self._cards:
            self._cards[side, index] = self._item(index) if side == "item" else self._user(index)
        return self._cards[side, index]

    def _item(self, index: int) -> Card:
        catalog = self.dataset.catalog
        row = catalog.items.iloc[index]
        year = row.get("year")
        genres = row.get("genres")
        return Card(
            "item",
            index,
            catalog.item_keys[index],
            catalog.titles[index],
            None if year is None or pd.isna(year) else int(year),
            tuple(str(g) for g in genres) if genres is not None and not isinstance(genres, float) else (),
            pieces=self.table.items.spell(index) if self.table is not None else (),
            tone=self._tone("item", index),
        )

    def _user(self, index: int) -> Card:
        catalog = self.dataset.catalog
        row = catalog.users.iloc[index]
        facts = tuple(f"age {row[c]}" if c == "age" else str(row[c]) for c in PROFILE if c in row and not pd.isna(row[c]))
        named = self.table is not None and self.table.users is not None
        return Card(
            "user",
            index,
            catalog.user_keys[index],
            f"user {catalog.user_keys[index]}",
            facts=facts,
            pieces=self.table.users.spell(index) if named and self.table is not None and self.table.users is not None else (),
            tone=self._tone("user", index),
        )

    def _tone(self, side: Literal["item", "user"], index: int) -> int | None:
        names = None if self.table is None else self.table.items if side == "item" else self.table.users
        if names is None or not names.books[0].token or names.codes[index, 0] < 0:
            return None
        return self._colour(names.books[0].prefix, int(names.codes[index, 0]))

    def _colour(self, prefix: str, code: int) -> int:
        """As the map colours by coarse Token: users' own books are shifted, so that they do not look like items'."""
        assert self.table is not None
        own = prefix != self.table.items.books[0].prefix
        return (code + TONES // 2 if own else code) % TONES

    def token_tone(self, token: str) -> int | None:
        """The colour of a Token that begins names, else None."""
        for names in (self.table.items, self.table.users) if self.table is not None else ():
            if names is not None and names.books[0].token:
                book = names.books[0]
                digits = token[len(book.prefix) + 1 : -1]
                if token == f"<{book.prefix}{digits}>" and digits.isdigit():
                    return self._colour(book.prefix, int(digits))
        return None

    @cached_property
    def nodes(self) -> dict[str, str]:
        """Everything that can be searched: node -> how it is written in the list."""
        catalog = self.dataset.catalog
        out: dict[str, str] = {}
        years = catalog.items["year"] if "year" in catalog.items else pd.Series([None] * len(catalog.items))
        for key, title, year in zip(catalog.item_keys, catalog.titles, years, strict=True):
            known = year is not None and not pd.isna(year) and str(year) not in title
            out[f"item:{key}"] = f"{title} ({year})  ·  item {key}" if known else f"{title}  ·  item {key}"
        out |= {f"user:{key}": f"user {key}" for key in catalog.user_keys}
        if self.table is not None:
            out |= {f"token:{token}": f"Token {token}" for token in self._carried}
        return out

    @cached_property
    def _carried(self) -> list[str]:
        """Tokens that some name has, in the table's order."""
        assert self.table is not None
        used: set[str] = set()
        for names in (self.table.items, self.table.users):
            for column, book in enumerate(names.books if names is not None else ()):
                if names is not None and book.token and book.texts is None:
                    used |= {str(book.spell(int(c))) for c in np.unique(names.codes[:, column]) if c >= 0}
        return [str(t) for t in self.table.tokens if str(t) in used]

    def inspect(self, node: str) -> Inspection:
        """One point or one Token, with whom it shares what and who is near."""
        side, _, key = node.partition(":")
        if self.table is None:
            raise Trouble("There are no names without a trained run.")
        if side == "token":
            if node not in self.nodes:
                raise Trouble(f"No name of this run has the Token {key}.")
            tone = self.token_tone(key)
            shared = self._shared(Token(key), tone)
            genres = Counter(g for c in shared.items for g in c.genres)
            card = Card("token", 0, key, "Everyone who carries this Token", pieces=(Token(key),), tone=tone)
            return Inspection(card, (shared,), (), tuple(genres.most_common(4)))
        index = self.index(side, key)  # type: ignore[arg-type]
        if index is None:
            raise Trouble(f"There is no {side} with the key {key!r} here.")
        card = self.card(side, index)  # type: ignore[arg-type]
        tokens = tuple(self._shared(p, card.tone if n == 0 else None) for n, p in enumerate(card.pieces) if isinstance(p, Token))
        return Inspection(card, tokens, self._near(side, index))  # type: ignore[arg-type]

    def index(self, side: Side, key: str) -> int | None:
        catalog = self.dataset.catalog
        return (catalog.item_of_key if side == "item" else catalog.user_of_key).get(key)

    def _shared(self, token: Token, tone: int | None) -> Shared:
        assert self.table is not None
        found = lookup.members(self.table, token)
        popular = np.bincount(self.dataset.interactions.item, minlength=self.dataset.interactions.n_items)
        items = sorted((int(i) for i in found.items), key=lambda i: -int(popular[i]))
        return Shared(
            str(token),
            tone,
            len(found.items),
            len(found.users),
            tuple(self.card("item", i) for i in items[:SHOWN]),
            tuple(self.card("user", int(u)) for u in found.users[:SHOWN]),
        )

    def _near(self, side: Literal["item", "user"], index: int, k: int = 12) -> tuple[Neighbour, ...]:
        if self.vectors is None:
            return ()
        among: Literal["item", "user"] = "item" if side == "item" or self.vectors.joint else "user"
        found = neighbours.nearest(self.vectors, side, index, k, among)
        return tuple(Neighbour(self.card(found.side, int(i)), 1 - float(d)) for i, d in zip(found.indices, found.distances, strict=True))

    @cached_property
    def mentions(self) -> Mentions:
        """What finds titles in messages."""
        return Mentions(self.dataset.catalog, self.dataset.interactions)

    @cached_property
    def _asked(self) -> dict[int, tuple[int, ...]]:
        histories = self.split.queries("test", masked=False).histories
        return {int(u): tuple(int(i) for i in h) for u, h in zip(self.split.asked("test"), histories, strict=True)}

    @cached_property
    def targets(self) -> dict[int, frozenset[int]]:
        """The held-out items of each user."""
        test = self.split.test
        return {int(u): frozenset(int(i) for i in test.history(int(u))) for u in np.unique(test.user)}

    def person(self, user: int) -> Person:
        """A user as the test asks about them: all but the held-out item is known."""
        known = self._asked.get(user)
        return Person(user, known if known is not None else tuple(int(i) for i in self.split.train.history(user)))

    def known_as(self, user: int) -> int:
        """The user a model may know this person by: -1 for somebody who was held out of all training."""
        return -1 if user in self.split.held_out else user

    def history(self, user: int) -> pd.DataFrame:
        """What a user took, oldest first, as a person reads it."""
        taken = self.dataset.interactions
        rows = []
        times, rating = taken.times(user), taken.rating
        for n, item in enumerate(taken.history(user)):
            card = self.card("item", int(item))
            row: dict[str, Any] = {"title": card.title, "year": card.year, "genres": ", ".join(card.genres)}
            if rating is not None:
                row["rating"] = float(rating[taken.offsets[user] + n])
            rows.append({**row, "date": _date(int(times[n])), "part": self._part(user, int(item))})
        table = pd.DataFrame(rows, columns=None if rows else ["title", "year", "genres", "date", "part"])
        return table.astype({"year": "Int64"})

    def _part(self, user: int, item: int) -> str:
        if item in self.targets.get(user, ()):
            return "test"
        if self.known_as(user) < 0:
            return "history"
        return "validation" if item in self.split.valid.history(user) else "train"


def _date(seconds: int) -> str:
    return pd.Timestamp(seconds, unit="s").strftime("%Y-%m-%d") if 100_000_000 < seconds < 7_000_000_000 else str(seconds)
