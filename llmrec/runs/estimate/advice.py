"""What to set so that memory suffices, from what was measured before, or from the recipe alone.

Where it stands: beside `trial`; the queue explains a death with it, the pages a refusal. What it does not know: how to measure.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from llmrec import artifacts, home
from llmrec.recipe import Recipe, settings
from llmrec.runs.estimate import room
from llmrec.runs.estimate.values import Estimate, Line, Room, setting

DEPTH = {"nano": 4, "tiny": 2, "smollm2-135m": 30}  # layers where none are cut


def now(recipe: Recipe) -> dict[str, int]:
    """The settings that decide how much memory a training takes, as they are."""
    layers = recipe.lm.layers or DEPTH.get(recipe.lm.name)
    found = {"train.batch": recipe.train.batch, "train.max_items": settings(recipe.train).get("max_items"), "lm.layers": layers}
    return {name: int(value) for name, value in found.items() if value}


def remedy(recipe: Recipe) -> str:
    """A sentence with the settings to halve, the costliest first; nothing is measured."""
    halves = [f"{name} = {value // 2} (now {value})" for name, value in now(recipe).items() if value > 1]
    if not halves:
        return "close other programs, or train on a machine with more memory"
    return f"set {', or '.join(halves[:2])}"


def smaller(recipe: Recipe, here: bool = True) -> str:
    """What to set after memory was short: what fits into what is free now by the last measurement of this recipe, at any batch; where there
    is none, or it found room enough, what to halve. here: this process trained it, so that what it holds will be free too."""
    line = _measured(recipe)
    if line is not None:
        found = Room(line.at(recipe.train.batch), room.free() - (0 if here else room.held()))
        if found.tight:
            return setting(found, line, now(recipe))
    return remedy(recipe)


def keep(recipe: Recipe, estimate: Estimate) -> None:
    """Remember how memory follows from the batch. A disk that is full forgets it."""
    if estimate.line is not None:
        with contextlib.suppress(OSError):
            artifacts.write_json({"line": dataclasses.asdict(estimate.line)}, _kept(recipe))


def _measured(recipe: Recipe) -> Line | None:
    """How memory follows from the batch, as it was kept."""
    with contextlib.suppress(artifacts.BadArtifact, KeyError, TypeError):
        return Line(**artifacts.read_json(_kept(recipe))["line"])
    return None


def _kept(recipe: Recipe) -> Path:
    """Where it is remembered: the same for every seed and batch."""
    any_batch = dataclasses.replace(recipe, seed=0, train=dataclasses.replace(recipe.train, batch=1))
    return home.home() / "estimates" / f"{any_batch.fingerprint()}.json"
