"""What mutual training reads: who took what, with nothing but names in the main text, and what is said of people and items, in words.

Where it stands: between the split and the course. Pure: (seed, epoch) decide what is read, so a resumed run sees the same.
What it does not know: weights, losses, the order of the stages.

A document is a prompt, of words and of the Token it is about, and a main text, which alone is supervised. Names are Tokens looked up by
code: words that spell one stay words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from llmrec import rng as streams
from llmrec.contracts import Catalog, Interactions, Ints, Piece
from llmrec.lm import prompts
from llmrec.lm.documents import Batch, Writer, pad
from llmrec.lm.names import Array

UNTOLD = ("key", "zip_code")  # columns that say nothing in words
MAX_WORDS = 64  # subwords of one main text


@dataclass(frozen=True)
class Person:
    """One document of a person. given: the items in the prompt; asked: the items to be foreseen."""

    user: int
    given: Ints
    asked: Ints


@dataclass(frozen=True)
class Collaborative:
    """Writes what people took.

    writer: names and templates; reorder: whether items come in an order drawn afresh each time (else in order of time); mask: the share of
    a person's items that fine-tuning holds out.
    """

    writer: Writer
    reorder: bool
    mask: float

    def task(self, stage: str) -> str:
        """Whose templates a stage's documents and rankings stand under: "collaborative" or "recft", in order of time where that is kept."""
        return stage if self.reorder else f"{stage}-fixord"

    def people(self, train: Interactions, stage: str, seed: int, epoch: int) -> list[Person]:
        """Everybody's document of one epoch: for "collaborative" all items are asked, one after another; for "recft" those held out.

        Who took an item twice took it once, the first time: so nothing that is held out stands in the prompt. RecFT leaves out who took
        one item alone, and always gives one.
        """
        rng = streams.stream(seed, "people", str(epoch))
        out = []
        for user in np.flatnonzero(np.diff(train.offsets)).tolist():
            items = train.history(user)
            items = items[np.sort(np.unique(items, return_index=True)[1])]
            order = rng.permutation(len(items))[: self.writer.max_items]
            hidden = min(len(order) - 1, max(1, round(self.mask * len(order))))
            kept = np.delete(order, np.s_[:hidden])
            if stage == "recft" and hidden:
                out.append(Person(user, items[kept if self.reorder else np.sort(kept)], items[order[:hidden]]))
            elif stage != "recft":
                out.append(Person(user, items[:0], items[order if self.reorder else np.sort(order)]))
        return out

    def write(self, people: list[Person], stage: str) -> Batch:
        """Documents side by side. In fine-tuning all held-out items are predicted from one state, the prompt's last."""
        rows, starts = [], []
        for row, person in enumerate(people):
            if stage == "recft":
                name = self._name(person.user)
                head = prompts.header(name, task=self.task(stage))
                foot = self.writer.vocab.encode(prompts.footer(name, task=self.task(stage)))
                prompt = [*self.writer.vocab.encode(head), *self.writer.history(person.given).tolist(), *foot]
                columns = np.full(len(person.asked), len(prompt))
            else:
                prompt = self.writer.header(person.user, task=self.task(stage))
                columns = len(prompt) + np.arange(len(person.asked))
                prompt = [*prompt, *self.writer.history(person.asked).tolist()]
            rows.append(np.asarray(prompt, dtype=np.int64))
            starts.append(np.stack([np.full(len(columns), row), columns], 1))
        ids, mask = pad(rows, self.writer.vocab.subwords.pad_token_id or 0)
        return Batch(ids, mask, np.concatenate(starts), np.concatenate([p.asked for p in people]).astype(np.int64))

    def _name(self, user: int) -> tuple[Piece, ...]:
        assert self.writer.table.users is not None
        return self.writer.table.users.spell(user)


@dataclass(frozen=True)
class Content:
    """What is said of whom: document i is about users[i] and items[i] (-1: nobody) and says texts[i]."""

    writer: Writer
    users: Ints
    items: Ints
    texts: tuple[str, ...]

    @classmethod
    def of(cls, writer: Writer, catalog: Catalog, train: Interactions) -> Content:
        """A document for every item and person of whom the catalogue says anything, and for every text of train.

        ValueError where there is none. A title that is the key, for want of a better one, says nothing.
        """
        about = [(-1, i, _told(row)) for i, row in enumerate(_rows(catalog.items))]
        about += [(u, -1, _told(row)) for u, row in enumerate(_rows(catalog.users))]
        if train.text is not None:
            about += list(zip(train.user.tolist(), train.item.tolist(), map(str, train.text), strict=True))
        about = [entry for entry in about if entry[2].strip()]
        if not about:
            raise ValueError("nothing is said of any user or item: give items_path or text, or set train.content = 0")
        users, items = (np.asarray([entry[side] for entry in about], dtype=np.int64) for side in (0, 1))
        return cls(writer, users, items, tuple(entry[2] for entry in about))

    def __len__(self) -> int:
        return len(self.texts)

    def drawn(self, share: float, seed: int, turn: int) -> list[int]:
        """The documents of one pass over content, the turn-th from 0: the next slice, a share of all, of a random order.

        When one order is through (its last slice may be short) the next pass begins another: nothing is read twice before all is read once.
        """
        size = max(1, round(share * len(self)))
        lap, place = divmod(turn, -(-len(self) // size))
        order = streams.stream(seed, "content", str(lap)).permutation(len(self))
        chosen: list[int] = order[place * size : (place + 1) * size].tolist()
        return chosen

    def mentioned(self, which: Sequence[int]) -> Array:
        """The row numbers of all that some documents are about, each once."""
        users, items = self.users[list(which)], self.items[list(which)]
        return rows_of(self.writer, users[users >= 0], items[items >= 0])

    def prompt(self, at: int) -> tuple[Piece, ...]:
        """The words and the Tokens before a main text."""
        user = self.users[at] >= 0 and self.writer.table.users is not None and self.writer.table.users.spell(int(self.users[at]))
        item = self.items[at] >= 0 and self.writer.table.items.spell(int(self.items[at]))
        if user and item:
            return (*user, " writes the following about", *item, ":")
        return ("The profile of", *user, " is:") if user else ("The content of", *(item or ()), " is:")

    def write(self, which: list[int]) -> Batch:
        """Documents side by side; `items` of the batch are the words of the main texts, as row numbers."""
        rows, starts, words = [], [], []
        for row, at in enumerate(which):
            prompt = self.writer.vocab.encode(self.prompt(at))
            main = self.writer.vocab.encode((f" {self.texts[at]}",))[:MAX_WORDS]
            rows.append(np.asarray([*prompt, *main], dtype=np.int64))
            starts.append(np.stack([np.full(len(main), row), len(prompt) + np.arange(len(main))], 1))
            words += main
        ids, mask = pad(rows, self.writer.vocab.subwords.pad_token_id or 0)
        return Batch(ids, mask, np.concatenate(starts), np.asarray(words, dtype=np.int64))


def rows_of(writer: Writer, users: Ints, items: Ints) -> Array:
    """The row numbers of some people and items, each once, ascending. Names are one Token each."""
    assert writer.table.users is not None
    people = writer.vocab.names(writer.table.users, np.unique(users).tolist()).ids
    return np.unique(np.concatenate([people, writer.history(items)]))


def batched(lengths: Array, size: int, rng: np.random.Generator) -> list[list[int]]:
    """Places 0..n in batches of `size` with similar lengths, in random order. lengths: (n,)."""
    order = np.argsort(lengths * (0.9 + 0.2 * rng.random(len(lengths))), kind="stable")
    batches = [order[a : a + size].tolist() for a in range(0, len(order), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    """What a catalogue says of each, column by column, the title first."""
    columns = [c for c in frame.columns if c not in UNTOLD]
    rows = [list(values) for values in zip(*(frame[c].tolist() for c in columns), strict=True)] if columns else []
    if "title" not in columns:
        return rows
    at = columns.index("title")
    return [[v for j, v in enumerate(row) if j != at or str(v) != str(key)] for key, row in zip(frame["key"], rows, strict=True)]


def _told(values: list[Any]) -> str:
    """Values as one line of words; what is missing is left out."""
    said = [", ".join(map(str, v)) if isinstance(v, (list, tuple, np.ndarray)) else "" if pd.isna(v) else str(v) for v in values]
    return ", ".join(s for s in said if s)
