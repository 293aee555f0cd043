"""The training loop: one readable file on accelerate.

Where it stands: the end of stage 4. Documents in, a tuned language model out; validated as it goes, stoppable and resumable at any step.
What it does not know: runs, queues and pages; it tells what happens through `emit` and asks `should_stop`.

Every batch is a pure function of (seed, epoch, step), so a resumed run sees what the uninterrupted one would have seen. The weights that
are validated and saved are an exponential moving average of the trained ones (`average`), which costs one copy and steadies small data.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llmrec import artifacts
from llmrec import rng as streams
from llmrec.contracts import Catalog, IdTable, Split, Vectors
from llmrec.lm import checkpoint
from llmrec.lm.average import Average
from llmrec.lm.documents import Window, Writer
from llmrec.lm.heads import Head
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import best_device, has_bf16
from llmrec.recommend.language import LanguageRecommender
from llmrec.report.evaluate import evaluate

Emit = Callable[[dict[str, Any]], None]
CHECKPOINT_SECONDS = 60.0
REPORT_SECONDS = 2.0
WEIGHT_DECAY = 0.01
WARMUP = 0.05  # share of the steps


@dataclass(frozen=True)
class FineTune:
    """Tune a language model to continue histories with names.

    epochs: passes over train; batch: documents a step; lr: peak of a cosine with 5 % warm-up; max_items: longest history in a document;
    direct: share of users whose history is also read in random order each epoch (META ID's direct task); average: decay of the moving
    average of weights (0: off); validations: how often validation is read, spread evenly; patience: validations without a better NDCG@10
    before it stops early.
    """

    epochs: int = 20
    batch: int = 32
    lr: float = 1e-3
    max_items: int = 50
    direct: float = 0.0
    average: float = 0.995
    validations: int = 10
    patience: int = 4

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "max_items", "validations", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be at least 1")
        if not 0 <= self.direct <= 1:
            raise ValueError(f"direct = {self.direct} is a share of users and must lie in 0 to 1")
        if not 0 < self.lr < 1:
            raise ValueError(f"lr = {self.lr} must lie between 0 and 1: 1e-3 suits training from scratch, 1e-4 to 5e-4 pretrained weights")
        if not 0 <= self.average < 1:
            raise ValueError(f"average = {self.average} must lie in 0 (off) to below 1")

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

        vectors: for a head that needs them; catalog: so that a refusal can say titles.
        """
        lm = lm.to(best_device())
        head.equip(lm, vectors, seed)
        ranking = LanguageRecommender(lm, table, head, head.compile(lm, table, catalog, vectors), max_items=self.max_items)
        return _Loop(self, ranking, split, folder, seed).run(emit, should_stop)


@dataclass
class Progress:
    """Where a training is: steps done, the best validation NDCG@10 and its step, validations since then, seconds spent."""

    step: int = 0
    best: float = -1.0
    best_step: int = 0
    worse: int = 0
    seconds: float = 0.0


class _Loop:
    """The state of one training: where it is, what was best, and what it costs."""

    def __init__(
        self,
        plan: FineTune,
        ranking: LanguageRecommender,
        split: Split,
        folder: Path,
        seed: int,
    ) -> None:
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState
        from accelerate.utils import set_seed

        device = best_device()
        self.plan, self.ranking, self.split, self.folder, self.seed = plan, ranking, split, folder, seed
        AcceleratorState._reset_state()  # one process may work several runs, in different precisions
        self.accelerator: Any = Accelerator(mixed_precision="bf16" if has_bf16(device) else "no", cpu=device.type == "cpu")
        if self.accelerator.num_processes > 1:
            raise ValueError("a run is worked by one process: start it without torchrun or `accelerate launch`")
        self.bare = ranking.lm.to(self.accelerator.device)
        if self.bare.backbone.tuned != "full" and has_bf16(device):
            _halve_frozen(self.bare)
        set_seed(seed)
        optimizer = torch.optim.AdamW(self.bare.trained().values(), lr=plan.lr, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98))
        self.lm, self.optimizer = self.accelerator.prepare(self.bare, optimizer)
        self.average = Average(self.bare.trained(), plan.average)
        self.writer = Writer(self.bare.vocab, ranking.compiled.names, ranking.table, plan.max_items, plan.direct)
        # windows begin at fresh offsets, so epochs differ by a few batches: count them all, for the schedule and for resuming
        self.per_epoch = [len(self._batches(epoch)) for epoch in range(plan.epochs)]
        self.total = sum(self.per_epoch)
        if not self.total or not len(split.valid):
            empty = "validation" if self.total else "train"
            raise ValueError(f"the {empty} part is empty, and a model needs both train and validation: change the filter or the split")
        self.validate_at = {round(self.total * (i + 1) / plan.validations) for i in range(plan.validations)}
        self.done = Progress()

    def run(self, emit: Emit, should_stop: Callable[[], bool]) -> dict[str, Any]:
        self.emit = emit
        self._resume()
        began, saved = time.monotonic() - self.done.seconds, time.monotonic()
        said, items, tokens = time.monotonic(), 0, 0
        losses: list[float] = []
        reason = "finished"
        while self.done.step < self.total and reason == "finished":
            epoch, first = self._place()
            batches = self._batches(epoch)
            for at in range(first, len(batches)):
                loss, n_items, n_tokens = self._step(batches[at], epoch, at)
                losses, items, tokens = [*losses[-99:], loss], items + n_items, tokens + n_tokens
                now = time.monotonic()
                self.done.seconds = now - began
                if now - said > REPORT_SECONDS:
                    self._report(losses, items / (now - said), tokens / (now - said))
                    said, items, tokens = now, 0, 0
                if self.done.step in self.validate_at and self._validate():
                    reason = f"stopped early: {self.plan.patience} validations brought nothing better"
                    break
                if now - saved > CHECKPOINT_SECONDS:
                    self._checkpoint()
                    saved = time.monotonic()
                if should_stop():
                    reason = "stopped by request"
                    break
        self.done.seconds = time.monotonic() - began
        return self._finish(reason)

    def _batches(self, epoch: int) -> list[list[Window]]:
        return self.writer.epoch(self.split.train, self.seed, epoch, self.plan.batch)

    def _place(self) -> tuple[int, int]:
        """The epoch the next step belongs to, and how many of its steps are done."""
        ends = list(itertools.accumulate(self.per_epoch))
        epoch = bisect.bisect_right(ends, self.done.step)
        return epoch, self.done.step - (ends[epoch - 1] if epoch else 0)

    def _step(self, windows: list[Window], epoch: int, at: int) -> tuple[float, int, int]:
        batch = self.writer.write(windows, streams.stream(self.seed, "write", str(epoch), str(at))).to(self.accelerator.device)
        self.lm.train()
        for form in self.optimizer.param_groups:
            form["lr"] = self.plan.lr * _schedule(self.done.step, self.total)
        with self.accelerator.autocast():
            loss = self.ranking.head.loss(self.lm, self.ranking.compiled, batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss became {value} at step {self.done.step}: lower train.lr (now {self.plan.lr})")
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.bare.trained().values(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.done.step += 1
        self.average.update(self.done.step)
        return value, batch.n_items, int(batch.mask.sum())

    def _report(self, losses: list[float], items_per_s: float, tokens_per_s: float) -> None:
        step = self.done.step
        left = self.done.seconds / step * (self.total - step)
        self.emit(
            {
                "event": "step",
                "step": step,
                "steps": self.total,
                "loss": sum(losses) / len(losses),
                "items_per_s": items_per_s,
                "tokens_per_s": tokens_per_s,
                "seconds_left": left,
                "progress": step / self.total,
            }
        )

    def _validate(self) -> bool:
        """Read validation with the averaged weights; keep the model when it is the best so far. True when patience is at its end."""
        with self.average.applied():
            measured = evaluate(self.ranking, self.split, "valid", masked=True, k=(10,)).metrics
            score = measured["ndcg@10"]
            better = score > self.done.best
            if better:
                self.done.best, self.done.best_step, self.done.worse = score, self.done.step, 0
                self._save_model()
            else:
                self.done.worse += 1
        self.emit({"event": "validation", "step": self.done.step, "steps": self.total, "metrics": measured, "best": better})
        return bool(self.done.worse >= self.plan.patience)

    def _save_model(self) -> None:
        self.bare.save(self.folder / "model")

    def _checkpoint(self) -> None:
        checkpoint.save(self.folder / "checkpoint", self.bare, self.optimizer, self.average, dataclasses.asdict(self.done))

    def _resume(self) -> None:
        artifacts.recover(self.folder / "model")
        done = checkpoint.load(self.folder / "checkpoint", self.bare, self.optimizer, self.average)
        if done is not None:
            self.done = Progress(**done)
            self.emit({"event": "resumed", "step": self.done.step, "steps": self.total})

    def _finish(self, reason: str) -> dict[str, Any]:
        """Leave a usable model behind, whatever the reason; a stop keeps the checkpoint so that the run can go on."""
        stopped = reason == "stopped by request"
        if stopped:
            self._checkpoint()
        if self.done.best_step == 0:
            with self.average.applied():
                self._save_model()
        if not stopped:
            checkpoint.remove(self.folder / "checkpoint")
        kept = self.done.best_step or self.done.step
        return {
            "reason": reason,
            "stopped": stopped,
            "steps": self.done.step,
            "steps_planned": self.total,
            "kept_step": kept,
            "validation_ndcg@10": None if self.done.best < 0 else self.done.best,
            "seconds": round(self.done.seconds, 1),
            "trained_weights": sum(p.numel() for p in self.bare.trained().values()),
        }


def _schedule(step: int, total: int) -> float:
    """Linear warm-up, then a cosine down to 2 %."""
    warm = max(1, round(WARMUP * total))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def _halve_frozen(lm: LanguageModel) -> None:
    """Frozen weights need no fp32 master. PEFT's copies of the new rows stay fp32: they are what is saved."""
    for name, parameter in lm.named_parameters():
        if not parameter.requires_grad and "trainable_tokens" not in name:
            parameter.data = parameter.data.to(torch.bfloat16)
