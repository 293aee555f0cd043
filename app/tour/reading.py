"""How a language model reads names: a Token is one row of its vocabulary, text is cut into subwords.

Where it stands: under the Tour's names. What it does not know: schemes, pages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Id, IdTable, Token
from llmrec.ids.health.grouping import labels, spelled_alike
from llmrec.view.levels import Levels

SMALL = 1024  # subwords of the small model that a sketch trains


@dataclass(frozen=True)
class Read:
    """All item names of a table as rows of a vocabulary.

    ids: flat (total,) int64, Tokens negative where text is there too; offsets: (m + 1,) int64; subwords: what cut the text (a
    `tokenizers.Tokenizer`), or None where all names are Tokens.
    """

    table: IdTable
    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    subwords: Any = None

    @cached_property
    def levels(self) -> Levels:
        return Levels(self.table)

    @property
    def mean(self) -> float:
        """Rows a name takes, on average."""
        return float(np.diff(self.offsets).mean()) if len(self.offsets) > 1 else 0.0

    @property
    def new_rows(self) -> int:
        return sum(book.size for book in self.table.books)

    @cached_property
    def collisions(self) -> int:
        """Items whose whole name another item bears."""
        found, n = labels(spelled_alike(self.table.items))
        counts = np.bincount(found, minlength=n)
        return int(counts[counts > 1].sum())

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """The row each name begins with."""
        first = np.zeros(len(self.offsets) - 1, dtype=np.int64)
        there = np.diff(self.offsets) > 0
        first[there] = self.ids[self.offsets[:-1][there]]
        return first

    def alike(self, item: int) -> NDArray[np.int64]:
        """The other items whose names begin with the same row, ascending."""
        same = np.flatnonzero(self._first == self._first[item])
        others: NDArray[np.int64] = same[(same != item) & (np.diff(self.offsets)[same] > 0)]
        return others

    def of(self, item: int) -> tuple[str, ...]:
        """What is read of one name, a text a row; a subword that begins a word begins with a blank."""
        out: list[str] = []
        for piece in self.table.items.spell(item):
            if isinstance(piece, Token):
                out.append(str(piece))
            else:
                out += [self.subwords.decode([i]) for i in _cut(self.subwords, [piece])[0]]
        return tuple(out)

    def name(self, item: int) -> tuple[Id, tuple[int | None, ...]]:
        """The pieces of one name and their colours."""
        return self.table.items.spell(item), self.levels.of(self.table.items, item)


def read(table: IdTable, subwords: Callable[[], Any]) -> Read:
    """A table's item names as a model reads them, as `llmrec.lm.vocab` does, but for end marks. subwords: makes the tokenizer; asked only
    where a name holds text."""
    names = table.items
    begin = np.cumsum([0, *(book.size for book in names.books)])[:-1]  # a book each: only alike or not matters
    texts = [place for place, book in enumerate(names.books) if not (book.token and book.texts is None)]
    if not texts:
        used = names.codes >= 0
        return Read(table, (names.codes + begin)[used].astype(np.int64), np.concatenate([[0], np.cumsum(used.sum(1))]).astype(np.int64))
    cutter = subwords()
    rows: list[list[int]] = [[] for _ in range(len(names))]
    for place, (book, column) in enumerate(zip(names.books, names.codes.T, strict=True)):
        bearers = np.flatnonzero(column >= 0)
        used, which = np.unique(column[bearers], return_inverse=True)
        cut = _cut(cutter, [str(book.spell(int(c))) for c in used]) if place in texts else [[-1 - int(begin[place]) - int(c)] for c in used]
        for bearer, text in zip(bearers.tolist(), which.tolist(), strict=True):
            rows[bearer] += cut[text]
    lengths = np.asarray([len(row) for row in rows], dtype=np.int64)
    flat = np.asarray([i for row in rows for i in row], dtype=np.int64)
    return Read(table, flat, np.concatenate([[0], np.cumsum(lengths)]), cutter)


def _cut(subwords: Any, texts: Sequence[str]) -> list[list[int]]:
    """Row numbers of texts, each after a blank, as words stand inside a sentence."""
    return [cut.ids for cut in subwords.encode_batch([f" {text}" for text in texts], add_special_tokens=False)]


def of_run(run: Any) -> Any:
    """The subwords of a run's own model, without its Tokens: text that spells one stays text. Read from its file alone, since importing
    `transformers` takes seconds and fails in two threads at once."""
    from tokenizers import Tokenizer

    plain = json.loads((run.path / "model" / "tokenizer.json").read_text(encoding="utf-8"))
    plain["added_tokens"] = [t for t in plain.get("added_tokens", []) if t.get("special")]
    return _text_only(Tokenizer.from_str(json.dumps(plain)))


def of_texts(titles: list[str]) -> Any:
    """The subwords that a small model trained on this catalogue would have."""
    from llmrec.lm import backbone, prompts

    return _text_only(backbone.small_tokenizer([*titles, *prompts.corpus()], SMALL).backend_tokenizer)


def _text_only(subwords: Any) -> Any:
    """Special spellings inside a text are text."""
    subwords.encode_special_tokens = True
    return subwords
