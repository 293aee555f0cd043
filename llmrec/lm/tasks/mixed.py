"""The course that reads words among histories: batches of documents in words, each of one task, in a drawn order among the others.

Where it stands: between `finetune` and the loop. With no share given to a task in words, `finetune` does not come here, and nothing
changes. What it does not know: what a task says; how histories are scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llmrec import rng as streams
from llmrec.contracts import Catalog, Interactions
from llmrec.lm.dialogue.generator import Dialogues
from llmrec.lm.loop import Course, Scored
from llmrec.lm.model import LanguageModel
from llmrec.lm.processes import WHOLE, Share
from llmrec.lm.tasks import words
from llmrec.lm.tasks.explanation import Explanations
from llmrec.lm.tasks.facts import Facts
from llmrec.lm.tasks.rating import Ratings
from llmrec.lm.tasks.review import Reviews
from llmrec.lm.tasks.words import Document, Speaker

TASKS = ("rating", "explanation", "review", "dialogue")


class Task(Protocol):
    """What is read of train in words. bulk: how many times as many documents a batch holds as it would of histories."""

    @property
    def task(self) -> str: ...
    @property
    def train(self) -> Interactions: ...
    @property
    def bulk(self) -> int: ...
    def sayable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def length(self, rows: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def document(self, row: int, rng: np.random.Generator) -> Document: ...


@dataclass(frozen=True)
class Reading:
    """One batch of a task: which interactions of train it reads."""

    task: str
    rows: tuple[int, ...]

    def __len__(self) -> int:
        """How many documents it has."""
        return len(self.rows)


class Mixed:
    """A course of histories with documents in words between them. shares: the share of train's interactions read each epoch, by task."""

    def __init__(
        self, histories: Course, lm: LanguageModel, tasks: Sequence[Task], shares: Mapping[str, float], batch: int, seed: int
    ) -> None:
        self.histories, self.lm, self.batch, self.seed = histories, lm, batch, seed
        self.tasks = {task.task: task for task in tasks}
        self.shares = {name: shares[name] for name in self.tasks}
        self.epochs, self.select, self.folders = histories.epochs, histories.select, histories.folders

    def label(self, epoch: int) -> str:
        return self.histories.label(epoch)

    def batches(self, epoch: int) -> list[Any]:
        rng = streams.stream(self.seed, "words", str(epoch))
        both = [*self.histories.batches(epoch)]
        for name, task in self.tasks.items():
            both += readings(task, self.shares[name], self.batch, rng)
        return [both[i] for i in rng.permutation(len(both))]

    def loss(self, work: Any, epoch: int, at: int, share: Share = WHOLE) -> Scored:
        if not isinstance(work, Reading):
            return self.histories.loss(work, epoch, at, share)
        lm, rng = self.lm.train(), streams.stream(self.seed, "words", str(epoch), str(at))
        batch = words.speech([self.tasks[work.task].document(row, rng) for row in work.rows])
        mine = batch.taken(share).to(lm.device)
        loss = words.loss(lm, mine) if mine.documents else lm.rows.new.new_zeros(())
        return Scored(loss, batch.documents, int(batch.mask.sum()))

    def rate(self, step: int, total: int) -> float:
        return self.histories.rate(step, total)

    def validates_at(self, per_epoch: list[int]) -> set[int]:
        return self.histories.validates_at(per_epoch)

    def measure(self) -> dict[str, float]:
        return self.histories.measure()

    def save(self, folder: Path) -> None:
        self.histories.save(folder)


def readings(task: Task, share: float, batch: int, rng: np.random.Generator) -> list[Reading]:
    """A fresh share of train's interactions as batches of documents of like length."""
    rows = task.sayable(np.flatnonzero(rng.random(len(task.train)) < share))
    order = np.argsort(task.length(rows) + 3 * rng.random(len(rows)), kind="stable")
    size = batch * task.bulk
    return [Reading(task.task, tuple(rows[order[a : a + size]].tolist())) for a in range(0, len(rows), size)]


def tasks(speaker: Speaker, shares: Mapping[str, float], train: Interactions, catalog: Catalog | None) -> list[Task]:
    """The tasks in words that have a share, over train. ValueError with the reason where the data cannot give one."""
    chosen = [name for name in TASKS if shares.get(name)]
    told = [name for name in chosen if name in ("explanation", "dialogue")]
    if told and catalog is None:
        raise ValueError(f"the {told[0]} task says what the catalogue knows: give `fit` the catalogue")
    facts = Facts.of(train, catalog) if told and catalog is not None else None
    made: list[Task] = []
    for name in chosen:
        if name == "rating":
            made.append(Ratings(speaker, train))
        elif name == "review":
            made.append(Reviews(speaker, train))
        elif catalog is not None and facts is not None:
            made.append(Explanations(speaker, train, facts) if name == "explanation" else Dialogues(speaker, train, catalog, facts))
    return made
