"""The training loop: one readable file on accelerate. It works off a course, step by step, and can be stopped and resumed at any of them.

Where it stands: under `finetune` and `mutual`, which say what is read and how it is scored. Validated as it goes; the best is kept.
What it does not know: documents, heads, runs, queues and pages; it tells what happens through `emit` and asks `should_stop`.

Every batch is a pure function of (seed, epoch, step), so a resumed run sees what the uninterrupted one would have seen. The weights that
are validated and saved are an exponential moving average of the trained ones (`average`), which costs one copy and steadies small data.

Under `accelerate launch` or torchrun the same loop runs in every process (`processes`). All hold the same weights and take the same steps;
the main one alone validates, writes and tells, and the others hear from it what came of that.
"""

from __future__ import annotations

import bisect
import errno
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from llmrec.lm import checkpoint, processes, resuming, trouble
from llmrec.lm.average import Average
from llmrec.lm.checkpoint import Progress
from llmrec.lm.precision import best_device, has_bf16
from llmrec.lm.processes import WHOLE, Share
from llmrec.lm.trained import Trained

Emit = Callable[[dict[str, Any]], None]
CHECKPOINT_SECONDS = 60.0
REPORT_SECONDS = 2.0
WEIGHT_DECAY = 0.01
WARMUP = 0.05  # share of the steps


class Scored(NamedTuple):
    """What one step came to. loss: a scalar with a gradient, of this process's share (0 where none falls to it); n_items: supervised items;
    n_tokens: row numbers read; both of the whole step."""

    loss: Tensor
    n_items: int
    n_tokens: int


class Pace(Protocol):
    """The settings that a loop reads of a plan; see `FineTune` for what they mean."""

    @property
    def batch(self) -> int: ...
    @property
    def lr(self) -> float: ...
    @property
    def average(self) -> float: ...
    @property
    def validations(self) -> int: ...
    @property
    def patience(self) -> int: ...


class Course(Protocol):
    """What a training reads, in which order, and how it is scored. Everything but the weights is a pure function of the settings and seed.

    epochs: how many there are; select: the metric that chooses the model, such as "ndcg@10"; folders: what `save` writes into a
    run's folder.
    """

    @property
    def epochs(self) -> int: ...

    @property
    def select(self) -> str: ...

    @property
    def folders(self) -> tuple[str, ...]: ...

    def label(self, epoch: int) -> str:
        """What this epoch is called towards people, such as "fine-tuning"."""
        ...

    def batches(self, epoch: int) -> list[Any]:
        """The work of an epoch, one entry a step: the same for the same epoch."""
        ...

    def loss(self, work: Any, epoch: int, at: int, share: Share = WHOLE) -> Scored:
        """Score a share of one entry of `batches(epoch)`, the one at place `at`. The losses of all shares sum to that of the whole."""
        ...

    def rate(self, step: int, total: int) -> float:
        """The share of the peak learning rate that this step takes."""
        ...

    def validates_at(self, per_epoch: list[int]) -> set[int]:
        """After which steps validation is read. per_epoch: the number of steps of each epoch."""
        ...

    def measure(self) -> dict[str, float]:
        """Metrics on validation with the weights as they are."""
        ...

    def save(self, folder: Path) -> None:
        """Write the model as it is into a run's folder."""
        ...


class NothingToRead(ValueError):
    """No epoch of a course has a batch."""


class Loop:
    """The state of one training: where it is, what was best, and what it costs. Resumes from folder/checkpoint when there is one."""

    def __init__(self, course: Course, model: Trained, pace: Pace, folder: Path, seed: int) -> None:
        from accelerate.utils import set_seed

        self.course, self.model, self.pace, self.folder, self.seed = course, model, pace, folder, seed
        self.share = processes.join()
        self.accelerator: Any = accelerator()
        set_seed(seed)
        optimizer = torch.optim.AdamW(groups(model), lr=pace.lr, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98))
        self.accelerator.prepare_model(model, evaluation_mode=True)  # no wrapper that sums gradients: `Share.summed` does
        self.optimizer = self.accelerator.prepare(optimizer)
        self.average = Average(model.trained(), pace.average)
        # epochs may differ by a few batches: count them all, for the schedule and for resuming
        self.per_epoch = [len(course.batches(epoch)) for epoch in range(course.epochs)]
        self.total = sum(self.per_epoch)
        if not self.total:
            raise NothingToRead("the train part is empty, and a model needs both train and validation: change the filter or the split")
        self.validate_at = course.validates_at(self.per_epoch)
        self.done = Progress()
        self.safe = 0  # the step of the checkpoint that lies in the folder

    def run(self, emit: Emit, should_stop: Callable[[], bool]) -> dict[str, Any]:
        """Train, validate, save the best into the folder; returns a summary."""
        self.emit = emit if self.share.main else _nobody
        self._resume()
        self._look_ahead()
        began, saved = time.monotonic() - self.done.seconds, time.monotonic()
        said, items, tokens = time.monotonic(), 0, 0
        losses: list[float] = []
        reason = "finished"
        while self.done.step < self.total and reason == "finished":
            epoch, first = self._place()
            batches = self.course.batches(epoch)
            for at in range(first, len(batches)):
                loss, n_items, n_tokens = self._step(batches[at], epoch, at)
                losses, items, tokens = [*losses[-99:], loss], items + n_items, tokens + n_tokens
                now = time.monotonic()
                self.done.seconds = now - began
                if now - said > REPORT_SECONDS:
                    self._report(epoch, losses, items / (now - said), tokens / (now - said))
                    said, items, tokens = now, 0, 0
                if self.done.step in self.validate_at and self._enough():
                    reason = f"stopped early: {self.pace.patience} validations brought nothing better"
                    break
                if now - saved > CHECKPOINT_SECONDS:
                    self._checkpoint_in_passing()
                    saved = time.monotonic()
                if self.share.anyone(should_stop()):
                    reason = "stopped by request"
                    break
        self.done.seconds = time.monotonic() - began
        return self._finish(reason)

    def _place(self) -> tuple[int, int]:
        """The epoch the next step belongs to, and how many of its steps are done."""
        ends = list(itertools.accumulate(self.per_epoch))
        epoch = bisect.bisect_right(ends, self.done.step)
        return epoch, self.done.step - (ends[epoch - 1] if epoch else 0)

    def _step(self, work: Any, epoch: int, at: int) -> tuple[float, int, int]:
        for form in self.optimizer.param_groups:
            form["lr"] = self.pace.lr * self.course.rate(self.done.step, self.total)
        weights = list(self.model.trained().values())
        with trouble.memory(f"at step {self.done.step + 1}, {trouble.documents(work)}", trouble.smaller(self.pace.batch, self.pace)):
            with self.accelerator.autocast(), self.share.dropping(self.seed, self.done.step):
                loss, n_items, n_tokens = self.course.loss(work, epoch, at, self.share)
            if loss.requires_grad:
                self.accelerator.backward(loss)
            value = self.share.summed(weights, float(loss.detach()))
            if not math.isfinite(value):
                raise FloatingPointError(f"the loss became {value} at step {self.done.step}: lower train.lr (now {self.pace.lr})")
            self.accelerator.clip_grad_norm_(weights, 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.done.step += 1
            self.average.update(self.done.step)
        return value, n_items, n_tokens

    def _report(self, epoch: int, losses: list[float], items_per_s: float, tokens_per_s: float) -> None:
        step = self.done.step
        left = self.done.seconds / step * (self.total - step)
        self.emit(
            {
                "event": "step",
                "phase": self.course.label(epoch),
                "step": step,
                "steps": self.total,
                "loss": sum(losses) / len(losses),
                "items_per_s": items_per_s,
                "tokens_per_s": tokens_per_s,
                "seconds_left": left,
                "progress": step / self.total,
                "memory_bytes": trouble.memory_bytes(self.accelerator.device),
            }
        )

    def _enough(self) -> bool:
        """Validate, in the main process while the others wait. True when patience is at its end."""
        if self.share.main:
            with trouble.memory("for ranking on validation", trouble.smaller(0, self.pace)):
                self._validate()
        self.done = Progress(**self.share.told(asdict(self.done)))
        return bool(self.done.worse >= self.pace.patience)

    def _validate(self) -> None:
        """Read validation with the averaged weights; keep the model when it is the best so far."""
        with self.average.applied():
            measured = self.course.measure()
            score = measured[self.course.select]
            better = score > self.done.best
            if better:
                self.done.best, self.done.best_step, self.done.worse = score, self.done.step, 0
                self._save()
            else:
                self.done.worse += 1
        self.emit({"event": "validation", "step": self.done.step, "steps": self.total, "metrics": measured, "best": better})

    def _save(self) -> None:
        """Write the model. `NoSpace` where the disk has no room: the checkpoint stays, and a resumed training comes here again."""
        try:
            self.course.save(self.folder)
        except Exception as error:
            if not trouble.no_room(error):
                raise
            need = trouble.megabytes(self._model_size())
            raise trouble.NoSpace(f"no space left for the model: free {need} where {self.folder} is and resume") from error

    def _checkpoint(self) -> str:
        """Write a checkpoint, in the main process. Where the disk has no room the one before stays; returns what is lacking, in words."""
        if not self.share.main:
            return ""
        need, free = checkpoint.size(self.model, self.average), trouble.free(self.folder)
        try:
            if free < need:
                raise OSError(errno.ENOSPC, "less is free than a checkpoint needs")
            checkpoint.save(self.folder / resuming.CHECKPOINT, self.model, self.optimizer, self.average, self.done)
        except Exception as error:  # libraries have their own kinds for a full disk
            if not trouble.no_room(error):
                raise
            return (
                f"there was no room for the checkpoint at step {self.done.step}: it needs {trouble.megabytes(need)} and "
                f"{trouble.megabytes(free)} are free"
            )
        self.safe = self.done.step
        return ""

    def _checkpoint_in_passing(self) -> None:
        lacking = self._checkpoint()
        if lacking:
            self._warn(f"{lacking}; training goes on, the checkpoint before stays, and the next try is in {CHECKPOINT_SECONDS:.0f} s")

    def _look_ahead(self) -> None:
        """Say at the beginning where the disk has less room than checkpoint and model will need; a new one is written beside the old."""
        one, other, free = checkpoint.size(self.model, self.average), self._model_size(), trouble.free(self.folder)
        need = one + other + max(one, other) - resuming.taken(self.folder, self.course.folders)
        if free < need:
            self._warn(f"this training needs room for {trouble.megabytes(need)} and {trouble.megabytes(free)} are free: make room in time")

    def _model_size(self) -> int:
        return sum(p.numel() * p.element_size() for p in self.model.trained().values())

    def _warn(self, text: str) -> None:
        self.emit({"event": "warning", "text": text})

    def _resume(self) -> None:
        """Go on from the checkpoint, in all processes or in none."""
        course, main = self.course, self.share.main
        saved = resuming.whole(self.folder, course.folders, self.model, self.average, self._warn) if main else None
        found = self.share.told(saved is not None)
        if found and not self.share.main:
            saved = checkpoint.read(self.folder / resuming.CHECKPOINT, self.model, self.average)
        if saved is not None:
            checkpoint.restore(saved, self.model, self.optimizer, self.average)
            self.done, self.safe = saved.done, saved.done.step
            self.emit({"event": "resumed", "step": self.done.step, "steps": self.total})
        self.share.alike(self.model.trained().values())

    def _finish(self, reason: str) -> dict[str, Any]:
        """Leave a usable model behind, whatever the reason; a stop keeps the checkpoint so that the run can go on."""
        stopped = reason == "stopped by request"
        lacking = self._checkpoint() if stopped else ""
        if lacking:
            left = f"goes on from step {self.safe}" if self.safe else "begins anew"
            reason = f"{reason}, and {lacking}: what came after is lost, and a resumed training {left}"
            self._warn(reason)
        if self.done.best_step == 0 and self.share.main:
            with self.average.applied():
                self._save()
        if not stopped and self.share.main:
            checkpoint.remove(self.folder / resuming.CHECKPOINT)
        kept = self.done.best_step or self.done.step
        return {
            "reason": reason,
            "stopped": stopped,
            "steps": self.done.step,
            "steps_planned": self.total,
            "kept_step": kept,
            f"validation_{self.course.select}": None if self.done.best < 0 else self.done.best,
            "seconds": round(self.done.seconds, 1),
            "trained_weights": sum(p.numel() for p in self.model.trained().values()),
        }


def warm_cosine(step: int, total: int) -> float:
    """A share of the peak rate: linear warm-up, then a cosine down to 2 %."""
    warm = max(1, round(WARMUP * total))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def groups(model: Trained) -> list[Any]:
    """What the optimizer is given, in the order of `trained`, by which checkpoints go: one group a weight where some are not decayed."""
    weights, free = model.trained(), model.undecayed()
    if not free:
        return list(weights.values())
    return [{"params": [p], "weight_decay": 0.0 if name in free else WEIGHT_DECAY} for name, p in weights.items()]


def spread(n: int, first: int, total: int) -> set[int]:
    """n steps spread evenly over those after `first`, the last one included."""
    return {first + round((total - first) * (i + 1) / n) for i in range(n)}


def accelerator() -> Any:
    """A fresh accelerator, for this process: in bf16 where that is fast."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    device = best_device()
    AcceleratorState._reset_state()  # one process may work several runs, in different precisions
    return Accelerator(mixed_precision="bf16" if has_bf16(device) else "no", cpu=device.type == "cpu")


def _nobody(event: dict[str, Any]) -> None:
    """Who hears the processes beside the main one."""
