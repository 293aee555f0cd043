"""One run's values, loaded when first asked for and then kept: data, split, names, vectors, and what is looked up in them.

Where it stands: under `backend`. What it does not know: pages, locks of models, the disk.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from app.seam.values import Card, Person, Side, Trouble
from llmrec.contracts import Dataset, IdTable, Split, Vectors
from llmrec.recommend.chat.mentions import Mentions
from llmrec.view.levels import Levels

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

    @property
    def vectors(self) -> Vectors | None:
        """What the map shows and nearness is measured in; None without a run, and until the space that is lent to it was walked."""
        from app.tokens import projecting

        if "_space" not in vars(self) and (self.run is None or projecting.unwalked(self.run)):
            return None
        return self._space[0]

    @property
    def lent(self) -> bool:
        """Whether those are not the run's own: its scheme names without vectors."""
        if "_space" in vars(self):
            return not self._space[1]
        return self.run is not None and self.run.recipe.embed is None

    @cached_property
    def _space(self) -> tuple[Vectors, bool]:
        from app.tokens import projecting

        return projecting.space(self.run)

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
            tones=self.levels.of(self.table.items, index) if self.levels is not None and self.table is not None else (),
        )

    def _user(self, index: int) -> Card:
        catalog = self.dataset.catalog
        row = catalog.users.iloc[index]
        facts = tuple(f"age {row[c]}" if c == "age" else str(row[c]) for c in PROFILE if c in row and not pd.isna(row[c]))
        named = self.table.users if self.table is not None else None
        return Card(
            "user",
            index,
            catalog.user_keys[index],
            f"user {catalog.user_keys[index]}",
            facts=facts,
            pieces=named.spell(index) if named is not None else (),
            tones=self.levels.of(named, index) if self.levels is not None and named is not None else (),
        )

    @cached_property
    def levels(self) -> Levels | None:
        """The colours of Tokens; None without names."""
        return Levels(self.table) if self.table is not None else None

    def index(self, side: Side, key: str) -> int | None:
        catalog = self.dataset.catalog
        return (catalog.item_of_key if side == "item" else catalog.user_of_key).get(key)

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
