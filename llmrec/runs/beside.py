"""What the processes beside the main one do for a run that several train together, as under `accelerate launch` or torchrun.

Where it stands: beside `pipeline`, which the main process goes through alone. What it does not know: how a step is shared
(`llmrec.lm.processes`). The others wait for the names, take part in the training, and write and tell nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llmrec.runs import events, pipeline, status
from llmrec.runs.signals import Halt, Stop
from llmrec.runs.store import Run, open_run

if TYPE_CHECKING:
    from llmrec.lm.processes import Share

LOOK = 0.1  # seconds between two looks at what the main process has done


def agreed(share: Share, made: Callable[[], Run]) -> Run | None:
    """The run that all processes work on: made by the main one, told to the others. None for the others where making it failed."""
    if not share.main:
        said = share.told()
        return None if said is None else open_run(Path(said))
    try:
        run = made()
    except BaseException:
        share.told(None)  # nobody waits for what will not come
        raise
    share.told(str(run.path.absolute()))
    return run


def work(run: Run) -> None:
    """Take part in the training that the main process begins; return once it is over, or where there is none."""
    with Stop(lambda: False, run.path) as stop:
        try:
            with stop.at_once():
                if _prepared(run):
                    _train(run, stop)
        except Halt:  # the main process has heard it too
            return


def _prepared(run: Run) -> bool:
    """Wait until the main process has the names. False where it ends without training."""
    seen = False
    while status.read_file(run.path).state != "done":
        if not status.is_locked(run.path):
            if seen:
                return False
        elif (run.path / "ids").exists():
            return True
        else:
            seen = True
        time.sleep(LOOK)
    return False


def _train(run: Run, stop: Stop) -> None:
    from llmrec.lm.model import LanguageModel

    recipe = run.recipe
    prepared = pipeline.prepare(recipe, _nobody)
    if pipeline.is_trained(run):
        return  # it was trained before; the main process only measures
    table, vectors, catalog = run.table(), run.vectors(), prepared.dataset.catalog
    model = LanguageModel.create(recipe.lm, table, catalog, recipe.seed)
    with stop.gently():
        recipe.train.fit(model, table, prepared.split, run.path, _nobody, stop, recipe.seed, recipe.head, catalog, vectors)


def _nobody(event: events.Event) -> None:
    """Only the main process tells."""
