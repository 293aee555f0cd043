"""Fine-tuning: a language model learns to continue histories with names, behind one head.

Where it stands: the end of stage 4. Documents in, a tuned language model out; `loop` works it off, stoppable and resumable at any step.
What it does not know: runs, queues and pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmrec import rng as streams
from llmrec.contracts import Catalog, IdTable, Split, Vectors
from llmrec.lm.documents import Window, Writer
from llmrec.lm.heads import Head
from llmrec.lm.loop import Course, Emit, Loop, NothingToRead, Scored, spread, warm_cosine
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import best_device, halve_frozen, has_bf16
from llmrec.lm.processes import WHOLE, Share
from llmrec.lm.tasks import mixed
from llmrec.lm.tasks.words import Speaker
from llmrec.recommend.language import LanguageRecommender
from llmrec.report import protocols
from llmrec.report.evaluate import evaluate
from llmrec.report.metrics import cut

# the share read each epoch unless a recipe says otherwise: of users for tasks of histories, of train's interactions for tasks in words
TASKS = {"sequential": 1.0, "direct": 0.0, **dict.fromkeys(mixed.TASKS, 0.0), "speech": 0.0}


@dataclass(frozen=True)
class FineTune:
    """Tune a language model to continue histories with names.

    epochs: passes over train; batch: documents a step; lr: peak of a cosine with 5 % warm-up; max_items: longest history in a document;
    tasks: what is read in an epoch, a share of users per task. "sequential" (1 unless given): histories in order of time; "direct" (0
    unless given): histories in an order drawn afresh (META ID's direct task; alone, with sequential = 0, TokenRec's unordered histories).
    "rating", "explanation", "review" (0 unless given), META ID's tasks in words, and "dialogue", what the chat needs, are shares of train's
    interactions, drawn afresh each epoch: rating = 0.2 reads a fifth of them as rating documents too, in batches of their own between
    those of histories.
    average: decay of the moving average of weights (0: off); validations: how often validation is read, spread evenly; patience:
    validations that bring nothing better before it stops early.
    """

    epochs: int = 20
    batch: int = 32
    lr: float = 1e-3
    max_items: int = 50
    tasks: Mapping[str, float] = field(default_factory=dict, hash=False)
    average: float = 0.995
    validations: int = 10
    patience: int = 4

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "max_items", "validations", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be at least 1")
        for task, share in self.tasks.items():
            if task not in TASKS:
                raise ValueError(f"no task is called {task!r}: there are {', '.join(TASKS)}")
            if not 0 <= share <= 1:
                raise ValueError(f"tasks: {task} = {share} is a share and must lie in 0 to 1")
        object.__setattr__(self, "tasks", {t: share for t, share in self.shares.items() if share != TASKS[t]})  # said in one way alone
        if not self.shares["sequential"] and not self.shares["direct"]:
            raise ValueError("tasks: a recommender learns from histories: give sequential or direct a share above 0")
        if not 0 < self.lr < 1:
            raise ValueError(f"lr = {self.lr} must lie between 0 and 1: 1e-3 suits training from scratch, 1e-4 to 5e-4 pretrained weights")
        if not 0 <= self.average < 1:
            raise ValueError(f"average = {self.average} must lie in 0 (off) to below 1")

    @property
    def shares(self) -> dict[str, float]:
        """The share of every task, with the defaults filled in."""
        return {**TASKS, **self.tasks}

    @property
    def ranks_by(self) -> str:
        """The task under whose words items are ranked."""
        return "sequential" if self.shares["sequential"] else "direct"

    def fit(
        self,
        lm: LanguageModel,
        table: IdTable,
        split: Split,
        folder: Path,
        emit: Emit,
        should_stop: Callable[[], bool],
        seed: int,
        head: Head,
        catalog: Catalog | None = None,
        vectors: Vectors | None = None,
    ) -> dict[str, Any]:
        """Train, validate, save the best into folder/model. Resumes from folder/checkpoint when there is one; returns a summary.

        vectors: for a head that needs them; catalog: for explanations, and so that a refusal can say titles.
        """
        device = best_device()
        lm = lm.to(device)
        head.equip(lm, vectors, seed)
        if lm.backbone.tuned != "full" and has_bf16(device):
            halve_frozen(lm)
        if not len(split.valid):
            raise ValueError("the validation part is empty, and a model needs both train and validation: change the filter or the split")
        ranking = LanguageRecommender(
            lm, table, head, head.compile(lm, table, catalog, vectors), max_items=self.max_items, task=self.ranks_by
        )
        course: Course = Histories(self, ranking, split, seed)
        speaker = Speaker(lm.vocab, ranking.compiled.names, table)
        spoken = mixed.tasks(speaker, self.shares, split.train, catalog)
        if spoken:
            course = mixed.Mixed(course, lm, spoken, self.shares, self.batch, seed)
        try:
            loop = Loop(course, lm, self, folder, seed)
        except NothingToRead:
            if not len(split.train):
                raise
            shares = ", ".join(f"{task} = {share}" for task, share in self.shares.items() if share)
            raise ValueError(f"train.tasks: {shares} draw nobody in {self.epochs} epochs: raise the share or the epochs") from None
        return loop.run(emit, should_stop)


class Histories:
    """The course of fine-tuning: every history of train, cut into windows, epoch after epoch."""

    folders = ("model",)

    def __init__(self, plan: FineTune, ranking: LanguageRecommender, split: Split, seed: int) -> None:
        self.plan, self.ranking, self.split, self.seed, self.epochs = plan, ranking, split, seed, plan.epochs
        self.select = protocols.of(split).select
        self.writer = Writer(ranking.lm.vocab, ranking.compiled.names, ranking.table, plan.max_items, plan.shares)

    def label(self, epoch: int) -> str:
        return "fine-tuning"

    def batches(self, epoch: int) -> list[list[Window]]:
        return self.writer.epoch(self.split.train, self.seed, epoch, self.plan.batch)

    def loss(self, work: list[Window], epoch: int, at: int, share: Share = WHOLE) -> Scored:
        lm = self.ranking.lm.train()
        batch = self.writer.write(work, streams.stream(self.seed, "write", str(epoch), str(at)))
        mine = batch.taken(share).to(lm.device)
        loss = self.ranking.head.loss(lm, self.ranking.compiled, mine) if mine.n_items else lm.rows.new.new_zeros(())
        return Scored(loss, batch.n_items, int(batch.mask.sum()))

    def rate(self, step: int, total: int) -> float:
        return warm_cosine(step, total)

    def validates_at(self, per_epoch: list[int]) -> set[int]:
        return spread(self.plan.validations, 0, sum(per_epoch))

    def measure(self) -> dict[str, float]:
        return evaluate(self.ranking, self.split, "valid", masked=True, k=(cut(self.select),)).metrics

    def save(self, folder: Path) -> None:
        self.ranking.lm.save(folder / "model")
