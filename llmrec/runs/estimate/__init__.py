"""Estimates before a start: seconds, memory and disk, from a short measurement on this machine.

Where it stands: before a run. `ask` measures in a process of its own, `measure` in this one; `smaller` says what would fit after memory was
short, `remedy` what needs less without any measurement. What it does not know: queues and pages. Nothing heavy is imported before it is
needed.

    estimate = ask(recipe)        # .seconds .span .memory_bytes .memory_free .disk_bytes .disk_free .stages .fits .advice
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmrec.runs.estimate.advice import remedy, smaller
from llmrec.runs.estimate.asking import ask
from llmrec.runs.estimate.values import Estimate, Room, Stage

if TYPE_CHECKING:
    from llmrec.recipe import Recipe

__all__ = ["Estimate", "Room", "Stage", "ask", "measure", "remedy", "smaller"]


def measure(recipe: Recipe, budget: float = 15.0, folder: Path | None = None) -> Estimate:
    """Measure in this process for about `budget` seconds; see `ask`. folder: where to write, None for one of its own."""
    from llmrec.runs.estimate import trial

    return trial.measure(recipe, budget, folder)
