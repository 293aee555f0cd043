"""What train says for an answer: what a person took next, what goes with it, what they never took, their taste, and reasons.

Where it stands: between train and the generator of dialogues. It reads interactions of train and the catalogue alone.
What it does not know: words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Ints
from llmrec.lm.dialogue.language import Language
from llmrec.lm.dialogue.script import SHOWN
from llmrec.lm.tasks.facts import Facts, Statement

TASTES = 3  # attributes that a taste is summed up in
LEAST = 2  # items that must bear one
LIKE = 25  # places in the order of popularity within which two items are alike
RECENT = 5  # items of a history that speak for what goes with it


@dataclass(frozen=True)
class Moment:
    """One interaction of train as a moment: who, what they took before it, and what they took from it on, each once and new. forgotten:
    what they took before but is not told of them, as of somebody new."""

    user: int
    history: tuple[int, ...]
    following: tuple[int, ...]
    forgotten: tuple[int, ...] = ()

    @property
    def shown(self) -> tuple[int, ...]:
        """The part of the history that a model reads."""
        return self.history[-SHOWN:]

    @cached_property
    def taken(self) -> frozenset[int]:
        """All that they took in train."""
        return frozenset((*self.forgotten, *self.history, *self.following))

    def newest(self, n: int) -> Moment:
        """The same person, of whose history the newest n items alone are told."""
        at = max(0, len(self.history) - n)
        return replace(self, history=self.history[at:], forgotten=self.history[:at])


class Shelf:
    """Train beside its facts and the language over the catalogue."""

    def __init__(self, train: Interactions, facts: Facts, language: Language) -> None:
        self.train, self.facts, self.language = train, facts, language
        self.by_count = np.argsort(-facts.counts, kind="stable")  # items, the most taken first
        self.place = np.argsort(self.by_count)

    @cached_property
    def base(self) -> dict[str, float]:
        """The share of train's interactions that bear each attribute."""
        counts: dict[str, int] = {}
        for item, n in enumerate(np.bincount(self.train.item, minlength=self.train.n_items).tolist()):
            for word in self.facts.attributes[item]:
                counts[word] = counts.get(word, 0) + n
        return {word: n / max(1, len(self.train)) for word, n in counts.items()}

    def moment(self, row: int) -> Moment:
        """The moment of one interaction of train."""
        user = int(self.train.user[row])
        first, last = self.train.offsets[user : user + 2]
        before = tuple(self.train.item[first:row].tolist())
        after = dict.fromkeys(self.train.item[row:last].tolist())
        return Moment(user, before, tuple(i for i in after if i not in set(before)))

    def chosen(self, moment: Moment, fits: NDArray[np.bool_], among: Sequence[int], k: int) -> tuple[int, ...]:
        """At most k items that fit: what the person took next, in that order, then what goes best with some items."""
        own = [i for i in moment.following if fits[i]][:k]
        left = fits.copy()
        left[own] = False
        near = self.beside(among)
        near[~left] = -1.0
        rest = [i for i in np.argsort(-near, kind="stable")[: k - len(own)].tolist() if left[i]] if len(own) < k else []
        return (*own, *rest)

    def beside(self, items: Sequence[int]) -> NDArray[np.float64]:
        """How well every item goes with some: their summed cosines, and a little for being taken often: (m,)."""
        score = self.facts.counts / (1e6 + self.facts.counts)
        near = self.facts.near
        for item in items:
            first, last = near.indptr[item : item + 2]
            score[near.indices[first:last]] += near.data[first:last]
        return np.asarray(score, dtype=np.float64)

    def stranger(self, like: int, moment: Moment, rng: np.random.Generator) -> int | None:
        """An item about as popular as another that the person never took in train; None where they took all of those."""
        at = int(self.place[like])
        around = [int(i) for i in self.by_count[max(0, at - LIKE) : at + LIKE + 1] if int(i) not in moment.taken]
        return around[int(rng.integers(len(around)))] if around else None

    def taste(self, history: Sequence[int] | Ints) -> tuple[str, ...]:
        """The attributes that a history has more often than train, by how much more; at most three, of two items at least."""
        items = list(dict.fromkeys(int(i) for i in history))
        counts: dict[str, int] = {}
        for word in (w for i in items for w in self.facts.attributes[i]):
            counts[word] = counts.get(word, 0) + 1
        lift = {w: n / len(items) / self.base[w] for w, n in counts.items() if n >= LEAST and self.base.get(w)}
        return tuple(sorted((w for w in lift if lift[w] > 1), key=lambda w: (-lift[w], w))[:TASTES])

    def reason(self, moment: Moment, item: int) -> Statement | None:
        """What of the history that a model reads speaks for an item; who took it themselves does not count as their own reason."""
        return self.facts.reference(item, np.asarray(moment.shown, dtype=np.int64), but_one=item in moment.taken)
