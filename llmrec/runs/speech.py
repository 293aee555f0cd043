"""The speech that a run begins with: learned once, kept among the results of stages, and adopted by every run that asks for the same.

Where it stands: in the pipeline, between a fresh language model and its training. What it does not know: how speech is learned.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec import artifacts, home
from llmrec.recipe import Recipe, settings
from llmrec.runs import cache, stages
from llmrec.runs.stages import Prepared

if TYPE_CHECKING:
    from llmrec.lm.loop import Emit
    from llmrec.lm.model import LanguageModel

STAGE, PART = "speech", "speech"  # among the results; and in a run's folder while it is learned


def share(recipe: Recipe) -> float:
    """The share of train's interactions that a recipe wants read as speech; 0 where its training knows no such thing."""
    return float(getattr(recipe.train, "shares", {}).get("speech", 0.0))


def place(recipe: Recipe) -> Path:
    """Where the speech of a recipe is kept. Equal for recipes of equal data, split, seed, backbone and pace, whatever their names are."""
    from llmrec.lm.dialogue import speech

    plan = recipe.train
    pace = [share(recipe), *(getattr(plan, name) for name in ("batch", "lr", "average", "validations", "patience"))]
    backbone = settings(dataclasses.replace(recipe.lm, augment=0.0))
    key = cache.key(STAGE, stages.keys(recipe)["split"], backbone, pace, recipe.seed, cache.code(speech.__name__))
    return home.stages() / STAGE / key


def kept(recipe: Recipe) -> bool:
    """Whether it has been learned."""
    try:
        artifacts.check(place(recipe))
    except (artifacts.BadArtifact, OSError):
        return False
    return True


def give(
    model: LanguageModel, recipe: Recipe, prepared: Prepared, folder: Path, tell: Emit, stop: Callable[[], bool]
) -> dict[str, Any] | None:
    """Let a fresh model begin with the recipe's speech, learning it first where nobody has. folder: the run's.

    Returns what learning it came to, None where it was there. Stopped on the way, the model has none, and learning goes on the next time.
    """
    from llmrec.lm.dialogue import speech

    facts, there = None, place(recipe)
    if not kept(recipe):
        facts = speech.learn(
            recipe.lm, prepared.split, prepared.dataset.catalog, recipe.train, share(recipe), folder / PART, tell, stop, recipe.seed
        )
        if facts["stopped"]:
            return facts
        shutil.rmtree(there, ignore_errors=True)  # damaged, or half deleted
        there.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # another run was quicker: its result is as good
            os.replace(folder / PART / "model", there)
        shutil.rmtree(folder / PART, ignore_errors=True)
    model.adopt(there)
    return facts
