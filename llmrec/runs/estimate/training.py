"""Some real steps of a training, timed: the plan's own `fit` on real documents, stopped as a person would stop it.

Where it stands: the second half of `trial`. What it does not know: how a step goes. It sees a training from outside, through the two
questions that every plan asks its caller: what to tell, and whether to stop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llmrec.contracts import Split
from llmrec.recipe import Recipe
from llmrec.runs.estimate.values import mean_and_give
from llmrec.runs.stages import Prepared

Clock = Callable[[], float]
FEW = 64  # people whom a validation inside a measured training asks


class Part(NamedTuple):
    """One kind of steps of a plan. passes: how often it is gone through, None where one `fit` goes through all of it; less: a part whose
    steps stand in the same count, and come later."""

    label: str
    plan: Any
    passes: int | None = None
    less: str | None = None


@dataclass
class Steps:
    """What was measured. setup: seconds before the first step; each: seconds of steps, warm ones; planned: how many there are; saving:
    seconds of a checkpoint and a model."""

    setup: float
    each: list[float]
    planned: int
    saving: float
    weights: int

    def whole(self, steps: float) -> tuple[float, float]:
        """Seconds of so many steps, and how many they may be off."""
        mean, give = mean_and_give(self.each)
        return mean * steps, give * steps


@dataclass
class Meter:
    """Asked after each step whether to stop: notes the time, and says yes when enough was seen."""

    seconds: float
    least: int
    clock: Clock
    marks: list[float] = field(default_factory=list)
    measured: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.start = self.clock()

    def __call__(self) -> bool:
        self.marks.append(self.clock())
        return len(self.marks) > self.least and self.marks[-1] - self.start > self.seconds

    def hear(self, event: dict[str, Any]) -> None:
        """A validation before a mark: the time up to it is no step's."""
        if event.get("event") == "validation":
            self.measured.add(len(self.marks))

    def steps(self, done: int) -> list[float]:
        """Seconds of each step but the first, which compiles and allocates. done: how many steps there were."""
        spans = [(b - a, i + 1) for i, (a, b) in enumerate(zip(self.marks, self.marks[1:], strict=False))]
        plain = [seconds for seconds, at in spans if at not in self.measured] or [seconds for seconds, _ in spans]
        if not plain:  # a training of one step: warm or not
            return [self.marks[0] - self.start] if self.marks else [self.clock() - self.start]
        often = max(1.0, done / len(self.marks))  # where not every step asks
        return [seconds / often for seconds in plain]


def parts(plan: Any) -> list[Part]:
    """The kinds of steps a plan has: passes over people and over content cost differently, histories do not differ."""
    from llmrec.lm.mutual.plan import Mutual

    if not isinstance(plan, Mutual):
        return [Part("training", dataclasses.replace(plan, validations=1))]
    from llmrec.lm.mutual.course import stages

    inside = stages(plan, plan.content > 0)
    kinds = {"collaborative": (0, 1, 0), "recft": (0, 0, 1), "content": (1, 1, 0)}
    out = []
    for kind, epochs in kinds.items():
        if kind in inside or (kind == "collaborative" and "content" in inside):
            less = "collaborative" if kind == "content" else None
            out.append(Part(kind, dataclasses.replace(plan, epochs=epochs, validations=1), inside.count(kind), less))  # type: ignore[arg-type]
    return out


def some_steps(recipe: Recipe, lm: Any, prepared: Prepared, split: Split, plan: Any, folder: Path, meter: Meter) -> Steps:
    """Train in `folder` until the meter has enough; the model and a checkpoint are left there."""
    facts = plan.fit(
        lm, prepared.table, split, folder, meter.hear, meter, recipe.seed, recipe.head, prepared.dataset.catalog, prepared.vectors
    )
    end = meter.clock()
    each = meter.steps(facts["steps"])
    first = meter.marks[0] if meter.marks else end
    setup = max(0.0, first - meter.start - sum(each) / len(each))
    saving = end - (meter.marks[-1] if meter.marks else end)
    return Steps(setup, each, int(facts["steps_planned"]), saving, int(facts["trained_weights"]))


def asks_few(split: Split, few: int = FEW) -> Split:
    """The same training, validated on few people, spread over all: for a measurement in which a validation falls."""
    chosen = spread_over(split.asked("valid"), few)
    return dataclasses.replace(split, valid=split.valid.take(np.isin(split.valid.user, chosen)))


def longest(split: Split, documents: int) -> Split:
    """Only those with the longest histories train: the fullest batches that the real training meets."""
    lengths = np.diff(split.train.offsets)
    chosen = np.argsort(-lengths, kind="stable")[: max(1, documents)]
    return dataclasses.replace(asks_few(split, 2), train=split.train.take(np.isin(split.train.user, chosen)))


def everybody(plan: Any, batch: int) -> Any:
    """The plan for a measurement of memory: small shares of users fill no batch, so histories are read of all, in the task that ranks."""
    changed: dict[str, Any] = {"batch": batch, "validations": 1}
    if hasattr(plan, "tasks"):
        changed["tasks"] = {"sequential": 0.0, plan.ranks_by: 1.0}
    return dataclasses.replace(plan, **changed)


def spread_over(users: Any, few: int) -> Any:
    """At most `few` of some users, evenly over all of them."""
    return users[np.unique(np.linspace(0, len(users) - 1, min(few, len(users))).round().astype(int))] if len(users) else users
