"""What to set so that memory suffices, from what was measured before, or from the recipe alone.

Where it stands: beside `trial`; the queue explains a death with it, the pages a refusal. What it does not know: how to measure.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from llmrec import artifacts, home
from llmrec.recipe import Recipe, settings
from llmrec.runs.estimate.values import Estimate, Line, Room, about_memory

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


def fitting(recipe: Recipe, memory_bytes: int) -> str | None:
    """What to set so that a training fits into so many bytes, from the last measurement of this recipe at any batch; "" where it fits with
    room to spare, None where nothing was measured."""
    with contextlib.suppress(artifacts.BadArtifact, KeyError, TypeError):
        line = Line(**artifacts.read_json(_kept(recipe))["line"])
        return about_memory(Room(line.at(recipe.train.batch), memory_bytes), line, now(recipe))
    return None


def keep(recipe: Recipe, estimate: Estimate) -> None:
    """Remember how memory follows from the batch. A disk that is full forgets it."""
    if estimate.line is not None:
        with contextlib.suppress(OSError):
            artifacts.write_json({"line": dataclasses.asdict(estimate.line)}, _kept(recipe))


def _kept(recipe: Recipe) -> Path:
    """Where it is remembered: the same for every seed and batch."""
    any_batch = dataclasses.replace(recipe, seed=0, train=dataclasses.replace(recipe.train, batch=1))
    return home.home() / "estimates" / f"{any_batch.fingerprint()}.json"
