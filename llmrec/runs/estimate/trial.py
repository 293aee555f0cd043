"""What a run would take on this machine, found by doing a little of it: every stage, some steps, one ranking.

Where it stands: before a start. It calls what a run calls, in the same order, so that an estimate refuses what a run would refuse, in the
same words. What it does not know: run folders, queues, pages. Nothing of it is kept but what the stages keep themselves when they are done.

The peak of memory is that of this process: ask for an estimate in a process of its own (`estimate.ask`), or know what else it holds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmrec import artifacts
from llmrec.recipe import Recipe
from llmrec.runs.estimate import room, scratch, training
from llmrec.runs.estimate.advice import now
from llmrec.runs.estimate.early import OFF, Clock, Early
from llmrec.runs.estimate.values import MIB, TIGHT, Estimate, Line, Room, Stage

# shares of the budget: vectors, names, steps; the ranking takes what one batch of people takes
EMBED, SCHEME, STEPS = 0.4, 0.2, 0.4
LEAST = 4  # steps of a measured training, the cold first one included
ASKED = 64  # people ranked at once, as the recommender does
BOOKS = 2 * MIB  # of events, log and metrics in a run's folder


def measure(recipe: Recipe, budget: float = 15.0, folder: Path | None = None, clock: Clock = time.perf_counter) -> Estimate:
    """Measure for about `budget` seconds beyond what is needed at the least. folder: where models are written, None for one of its own.

    ValueError where a run of this recipe would be refused, or where the disk is full.
    """
    room.forget_peak()
    free = room.free()
    with scratch.folder() if folder is None else contextlib.nullcontext((folder, -1)) as (place, _):
        work = Measuring(recipe, place, budget, clock, free)
        told = work.told()
        disk = room.disk(work.disk())
        peak = max(work.most, room.peak(), work.line.at(recipe.train.batch) if work.line else 0)
    return Estimate(tuple(told), Room(peak, min(free, room.address_room() or free)), disk, work.line, now(recipe))


class Measuring:
    """One measurement in a folder of its own. line: memory by batch, once two batches were tried; most: the most bytes held, as far as
    they were asked for."""

    def __init__(self, recipe: Recipe, folder: Path, budget: float, clock: Clock, free: int) -> None:
        self.recipe, self.folder, self.budget, self.clock, self.free = recipe, folder, budget, clock, free
        self.line: Line | None = None
        self.weights, self.most = 0, 0

    def told(self) -> list[Stage]:
        """Every stage with its seconds, in the order of a run."""
        early = Early(self.recipe, self.clock)
        prepared = early.work(self.budget * EMBED, self.budget * SCHEME)
        self.prepared, self.stand_in = prepared, early.stand_in
        start = self.clock()
        from llmrec.lm.model import LanguageModel  # seconds where the process is fresh, as a worker's is

        lm = LanguageModel.create(self.recipe.lm, prepared.table, prepared.dataset.catalog, self.recipe.seed)
        created = self.clock() - start
        trained = list(self._training(lm))
        loading, a_query = self._ranking(lm)
        return [*early.told, Stage("language model", created, "measured", 0.1 * created), *trained, *self._asked(loading, a_query)]

    def disk(self) -> int:
        """Bytes of the run's folder at its fullest: a checkpoint and a model, and the larger of them twice while it is replaced."""
        plan, prepared = self.recipe.train, self.prepared
        checkpoint = room.taken(self.folder / "run" / "checkpoint") or 4 * self.weights * (4 if plan.average else 3)
        model = room.taken(self.folder / "run") - room.taken(self.folder / "run" / "checkpoint")
        names = {"scheme": room.taken(artifacts.save(prepared.table, self.folder / "ids")), "embed": 0}
        if prepared.vectors is not None:
            names["embed"] = room.taken(artifacts.save(prepared.vectors, self.folder / "vectors"))
        kept_too = sum(names[section] for section in self.stand_in)  # by the cache, once they are made
        return checkpoint + model + max(checkpoint, model) + sum(names.values()) + kept_too + BOOKS

    def _training(self, lm: Any) -> Iterator[Stage]:
        whole, saving, planned = 0.0, 0.0, {}
        give = 0.0
        kinds = training.parts(self.recipe.train)
        for part in kinds:
            steps, passes = self._part(lm, part, STEPS * self.budget / len(kinds))
            planned[part.label] = steps.planned
            count = (steps.planned - planned.get(part.less or "", 0)) * (1 if passes is None else passes)
            seconds, off = steps.whole(count)
            whole, give, saving = whole + steps.setup / len(kinds) + seconds, give + off, max(saving, steps.saving)
            self.weights = max(self.weights, steps.weights)
        written = 1 + whole / 60 + self.recipe.train.validations  # checkpoints, one a minute, and the models that were the best
        yield Stage("training", whole + saving * written, "extrapolated", give)

    def _part(self, lm: Any, part: training.Part, seconds: float) -> tuple[training.Steps, int | None]:
        """Steps of one kind, at the recipe's batch where memory allows, else at the largest that was safe."""
        batch = self._try_memory(lm, part.plan)
        split = training.asks_few(self.prepared.split)
        steps = self._steps(lm, split, dataclasses.replace(part.plan, batch=batch), training.Meter(seconds, LEAST, self.clock))
        if batch < part.plan.batch:  # fewer steps of as many documents: as long in all, or a little shorter
            steps.planned = max(1, round(steps.planned * batch / part.plan.batch))
            steps.each = [s * part.plan.batch / batch for s in steps.each]
        return steps, part.passes

    def _try_memory(self, lm: Any, plan: Any) -> int:
        """Two small batches and then the recipe's, of the longest documents: the line of memory, and a batch that fits."""
        least, wanted = max(1, plan.batch // 4), plan.batch
        room.let_go()
        before, free = room.held(), min(self.free, room.address_room() or self.free)  # by now torch has mapped what it maps
        peaks: dict[int, int] = {least: self._peak(lm, plan, least)}
        grown = max(0, peaks[least] - before)
        if before + grown * wanted / least > TIGHT * free and wanted > 2 * least and before + 3 * grown < free:
            peaks[2 * least] = self._peak(lm, plan, 2 * least)
        line = Line.through(*_ends(peaks))
        foretold = line.at(wanted) if line and line.each else before + grown * wanted / least
        if wanted > max(peaks) and foretold <= 0.9 * free:
            peaks[wanted] = self._peak(lm, plan, wanted)
        if len(peaks) == 1 and wanted > least:  # no second batch was safe: everything that came with the first is laid to its documents
            peaks[0] = before
        line = Line.through(*_ends(peaks))
        if line is not None and (self.line is None or line.at(wanted) > self.line.at(wanted)):
            self.line = line
        return max(peaks)

    def _peak(self, lm: Any, plan: Any, batch: int) -> int:
        """The most memory held in two steps of the longest documents. What was held before they began is kept in mind apart."""
        split = training.longest(self.prepared.split, 3 * batch)
        self.most = max(self.most, room.peak())
        room.forget_peak()
        self._steps(lm, split, training.everybody(plan, batch), training.Meter(0.0, 1, self.clock))
        found = room.peak()
        self.most = max(self.most, found)
        return found

    def _steps(self, lm: Any, split: Any, plan: Any, meter: training.Meter) -> training.Steps:
        import shutil

        shutil.rmtree(self.folder / "run", ignore_errors=True)  # else it would be resumed
        (self.folder / "run").mkdir()
        return training.some_steps(self.recipe, lm, self.prepared, split, plan, self.folder / "run", meter)

    def _ranking(self, lm: Any) -> tuple[float, float]:
        """Seconds to load the model, and of one question, as `Run.recommender` and the evaluation ask it."""
        from llmrec.lm.model import LanguageModel
        from llmrec.lm.precision import best_device
        from llmrec.recommend.language import LanguageRecommender
        from llmrec.report.evaluate import evaluate

        recipe, prepared, start = self.recipe, self.prepared, self.clock()
        if (self.folder / "run" / "model").exists():
            lm = LanguageModel.load(self.folder / "run" / "model").to(best_device())
        compiled = recipe.head.compile(lm, prepared.table, vectors=prepared.vectors if recipe.head.needs_vectors else None)
        asked = LanguageRecommender(lm, prepared.table, recipe.head, compiled, recipe.train.max_items, task=recipe.train.ranks_by)
        loading = self.clock() - start
        few = training.asks_few(prepared.split, ASKED)
        for _ in range(2):  # the first is cold, and decides where the second would take too long
            start = self.clock()
            evaluate(asked, few, "valid", masked=True)
            seconds = self.clock() - start
            if seconds > 0.2 * self.budget:
                break
        return loading, seconds / len(few.asked("valid"))

    def _asked(self, loading: float, a_query: float) -> list[Stage]:
        """Loading, the validations of the training, and the four evaluations in its end."""
        from llmrec.runs.pipeline import PARTS

        sizes = {part: len(self.prepared.split.asked(part)) for part, _ in PARTS}
        validations = self.recipe.train.validations * sizes["valid"] * a_query
        evaluations = sum(sizes[part] for part, _ in PARTS) * a_query
        return [
            Stage("validation while training", validations, "extrapolated", OFF * validations),
            Stage("loading the model", loading, "measured", 0.1 * loading),
            Stage("evaluation", evaluations, "extrapolated", OFF * evaluations),
        ]


def _ends(peaks: dict[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The smallest and the largest batch that were tried, with their bytes."""
    return (min(peaks), peaks[min(peaks)]), (max(peaks), peaks[max(peaks)])
