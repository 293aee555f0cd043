"""The stages before the language model, worked for some seconds: how long they take, and values for what follows.

Where it stands: the first half of `trial`. What it does not know: language models, memory, disk.

A stage that is done in time is kept by its own cache, like in any run. One that is left early is told by how far it came, and what follows
gets stand-ins of the same shape: vectors at random, codes of a quantizer that has hardly learned.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from llmrec import progress
from llmrec.contracts import Dataset, IdTable, Split, Vectors
from llmrec.recipe import Recipe
from llmrec.runs import stages
from llmrec.runs.estimate.values import Stage
from llmrec.runs.stages import Prepared

T = TypeVar("T")
Clock = Callable[[], float]
OFF = 0.3  # of what was extrapolated, either way
QUICK = {"steps": 20, "epochs": 1}  # a fit that gives codes, whatever they are worth
FOLLOWED = {"walks"}  # steps after which another comes, of which nothing is known before it has begun
WIDTH = 576  # of vectors whose embedder does not say: SmolLM2's


class Enough(BaseException):
    """Raised by the listener to leave a stage; no Exception, so that no stage takes it for a fault of its own."""


@dataclass
class Watch:
    """Listens to one stage and leaves it after `limit` seconds, once it is known how far it is.

    begun: of each step inside it, by name, when it was first heard and at which share; open: the step that is at work, without those that
    it works inside itself; share: how far that is.
    """

    limit: float
    clock: Clock
    begun: dict[str, tuple[float, float]] = field(default_factory=dict)
    open: str = ""
    share: float = 1.0

    def __post_init__(self) -> None:
        self.start = self.clock()

    def __call__(self, event: dict[str, Any]) -> None:
        now, step, share = self.clock(), str(event["stage"]), float(event["share"])
        since, first = self.begun.setdefault(step, (now, share))
        if step != self.open and self.share < 1:
            return
        self.open, self.share = step, share
        if now - self.start > self.limit and now > since and first < share < 1 and step not in FOLLOWED:
            raise Enough

    def seconds(self) -> float:
        """The whole stage, which is only left in its last step: what was spent before that began, and the rest at the pace it has."""
        since, first = self.begun[self.open]
        return since - self.start + (self.clock() - since) * (1 - first) / (self.share - first)


@dataclass
class Early:
    """What was found out. stand_in: the sections whose values are none of the run's; told: the stages, in order."""

    recipe: Recipe
    clock: Clock = time.perf_counter
    told: list[Stage] = field(default_factory=list)
    stand_in: list[str] = field(default_factory=list)

    def work(self, embed: float, scheme: float) -> Prepared:
        """All four stages; about so many seconds for vectors and for names at most, where they say how far they are."""
        kept = set(stages.cached(self.recipe))
        data = self._whole("data", kept, lambda: stages.dataset(self.recipe))
        parts = self._whole("split", kept, lambda: stages.split(self.recipe, data))
        points = None
        if self.recipe.embed is not None:
            points = self._in_time("embed", kept, embed, lambda: stages.vectors(self.recipe, data, parts))
            if points is None:
                points = vectors_like(self.recipe, data)
        table = self._in_time("scheme", kept, scheme, lambda: self._names(data, parts, points))
        return Prepared(data, parts, points, table if table is not None else self._quick_names(data, parts, points))

    def _names(self, data: Dataset, parts: Split, points: Vectors | None) -> IdTable:
        if "embed" in self.stand_in:  # beside the cache: these names are nobody's
            return self._fit(self.recipe.scheme, data, parts, points)
        return stages.table(self.recipe, data, parts, points)

    def _quick_names(self, data: Dataset, parts: Split, points: Vectors | None) -> IdTable:
        known = {f.name for f in dataclasses.fields(self.recipe.scheme)}
        quick: Any = dataclasses.replace(self.recipe.scheme, **{name: least for name, least in QUICK.items() if name in known})
        return self._fit(quick, data, parts, points)

    def _fit(self, scheme: Any, data: Dataset, parts: Split, points: Vectors | None) -> IdTable:
        from llmrec import rng  # imports torch

        table: IdTable = scheme.fit(parts.train, data.catalog, points, rng.stream(self.recipe.seed, "scheme"))
        return table

    def _whole(self, section: str, kept: set[str], make: Callable[[], T]) -> T:
        start = self.clock()
        value = make()
        self._tell(section, kept, self.clock() - start)
        return value

    def _in_time(self, section: str, kept: set[str], limit: float, make: Callable[[], T]) -> T | None:
        """The value, or None where it was left early."""
        watch = Watch(limit, self.clock)
        try:
            with progress.listening(watch):
                value = make()
        except Enough:
            self.stand_in.append(section)
            seconds = watch.seconds()
            self.told.append(Stage(stages.label(self.recipe, section), seconds, "extrapolated", OFF * seconds))
            return None
        self._tell(section, kept, self.clock() - watch.start)
        return value

    def _tell(self, section: str, kept: set[str], seconds: float) -> None:
        label = stages.label(self.recipe, section)
        self.told.append(Stage(label, 0.0, "cached") if section in kept else Stage(label, seconds, "measured", 0.1 * seconds))


def vectors_like(recipe: Recipe, data: Dataset) -> Vectors:
    """Vectors at random, as wide as the embedder's: as costly as the real ones to read, and nothing else."""
    draw = np.random.default_rng(0)
    wide = int(getattr(recipe.embed, "d", WIDTH))
    took = data.interactions
    users, items = (draw.standard_normal((n, wide)).astype(np.float32) for n in (took.n_users, took.n_items))
    return Vectors(users, items)
