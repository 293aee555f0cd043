"""A language model that reads and says one row after another, with its key-value cache kept over an answer, and over a talk.

Where it stands: under the tuned speaker. Rows are read and scored through `lm.rows`, as in training.
What it does not know: what is said.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import autocast
from llmrec.lm.tasks.words import scores

KEPT = 4  # talks whose rows are kept, about 20 MB each for SmolLM2


class Voice:
    """One answer in the making. A row that is `say`d is read when the next is asked for, together with others that wait, and with rows that
    will likely follow (`guess`): where they do, their states are there already. What is said does not hang on guesses."""

    def __init__(self, lm: LanguageModel, ears: Ears) -> None:
        self.lm, self.ears = lm, ears
        self.rows: list[int] = []  # read or waiting, the prompt included
        self._held: list[int] = []  # read, guesses included
        self._cache: Any = None
        self._guess: list[int] = []
        self._from = 0  # the row of the first of these states; scores are made when asked for
        self._states: Tensor | None = None
        self._scores: Tensor | None = None

    def say(self, rows: Iterable[int]) -> None:
        """Go on with these rows."""
        self.rows += rows

    def back(self, length: int) -> None:
        """Unsay everything behind the first `length` rows."""
        self.rows = self.rows[:length]

    def guess(self, rows: Sequence[int]) -> None:
        """What may follow the rows so far. A few rows are read in hardly more time than one."""
        self._guess = list(rows)

    @torch.inference_mode()
    def word(self) -> Tensor:
        """Scores of every word that may be said next: (first,) fp32, -inf for marks of the tokenizer's own. Tokens are not among them."""
        states, at = self._heard()
        if self._scores is None:
            self._scores = states.float() @ self.lm.rows.words().float().T + self.ears.barred
        return self._scores[at]

    @torch.inference_mode()
    def among(self, rows: Iterable[int]) -> int:
        """The likeliest of some rows, Tokens or not."""
        some, (states, at) = sorted(rows), self._heard()
        return some[int(scores(self.lm, states[at], some).argmax())]

    def rest(self) -> None:
        """The answer is over: what was read is kept for the next one of this talk."""
        if self._cache is not None:
            self.ears.keep(self._held, self._cache)
            self._cache = self._states = None

    def _heard(self) -> tuple[Tensor, int]:
        """States of the newest rows, (n, d), and which of them is that after the last row said."""
        last = len(self.rows) - 1
        if self._cache is None:
            length, self._cache = self.ears.begin(self.rows)
            self._held, self._states = self.rows[:length], None
        if self._states is None or last < self._from or self._held[: last + 1] != self.rows:
            alike = min(last, _alike(self._held, self.rows))
            self._cache.crop(alike - len(self._held))
            self._held = [*self.rows, *self._guess]
            ids = torch.tensor([self._held[alike:]], device=self.lm.device)
            with autocast(self.lm.device):
                self._states = self.lm(ids, cache=self._cache)[0, last - alike :]
            self._from, self._scores = last, None
        return self._states, last - self._from


class Ears:
    """What answers of one model share: which rows are words, and the caches of the newest talks. Threads may share it."""

    def __init__(self, lm: LanguageModel, end: int) -> None:
        self.lm, self.end = lm, end
        self._lock = threading.Lock()
        self._kept: list[tuple[list[int], Any]] = []  # the newest last

    @cached_property
    def barred(self) -> Tensor:
        """What is added to the scores of words: (first,) 0, or -inf for special tokens other than the end mark."""
        out = torch.zeros(self.lm.vocab.first, device=self.lm.device)
        special = [i for i in self.lm.vocab.subwords.all_special_ids if i != self.end and i < len(out)]
        out[special] = -torch.inf
        return out

    def begin(self, rows: Sequence[int]) -> tuple[int, Any]:
        """How many rows from the beginning need not be read again, and a cache that holds them; it is this caller's alone."""
        from llmrec.lm.growing import growing

        with self._lock:
            alike = [(_alike(rows, read), place) for place, (read, _) in enumerate(self._kept)]
            length, place = max(alike, default=(0, -1))
            if length < max(16, len(self._kept[place][0]) // 2 if alike else 0):
                return 0, growing()
            read, cache = self._kept.pop(place)
        length = min(length, len(rows) - 1)  # the last is read again, for its state
        cache.crop(length - len(read))
        return length, cache

    def keep(self, rows: list[int], cache: Any) -> None:
        """Remember what a talk read so far; the oldest talk is forgotten."""
        with self._lock:
            self._kept = [*self._kept[-(KEPT - 1) :], (rows, cache)]


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many rows two begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
