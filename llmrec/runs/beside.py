"""A run that several processes train together, as under `accelerate launch` or torchrun: who leads, and what those beside do.

Where it stands: around `pipeline`, which the main process goes through alone. What it does not know: how a step is shared
(`llmrec.lm.processes`). The others wait for the main one's word that a training begins, take part in it, and write and tell nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llmrec.lm.processes import Deserted
from llmrec.runs import events, pipeline, stages, status
from llmrec.runs.signals import Stop
from llmrec.runs.status import Status
from llmrec.runs.store import Run, open_run

if TYPE_CHECKING:
    from llmrec.lm.processes import Share

LAST = "language model"  # the stage with which names and vectors lie in the run, and after which all train


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


def lead(share: Share, run: Run, emit: pipeline.Emit, numbers: bool = True) -> Status:
    """`pipeline.train` in the main process. The others hear once whether there is a training to take part in, however this one ends."""
    told = False

    def tell(event: events.Event) -> None:
        nonlocal told
        emit(event)
        if not told and (event.get("event"), event.get("stage"), event.get("state")) == ("stage", LAST, "begin"):
            told = True
            share.told(True)

    try:
        return pipeline.train(run, tell, numbers=numbers)
    finally:
        if not told:
            with contextlib.suppress(Deserted):  # they are gone already
                share.told(False)


def work(run: Run, share: Share) -> None:
    """Take part in the training that the main process begins; return once it is over, or where there is none.

    `Deserted` where the main process ends in the middle, unless it was asked to stop. A wish to stop that comes here is put to the vote
    with the others', after a step: nobody leaves alone.
    """
    with Stop(lambda: False, run.path) as stop:
        try:
            if share.told():
                _train(run, stop)
        except Deserted:
            if not stop() and status.read_file(run.path).state != "stopped":
                raise


def _train(run: Run, stop: Stop) -> None:
    """Only data and split are made here, or found in the cache: names and vectors are the run's own."""
    from llmrec.lm.model import LanguageModel

    recipe, table = run.recipe, run.table()
    data = run.dataset()
    split = stages.split(recipe, data)
    model = LanguageModel.create(recipe.lm, table, data.catalog, recipe.seed)
    recipe.train.fit(model, table, split, run.path, _nobody, stop, recipe.seed, recipe.head, data.catalog, run.vectors())


def _nobody(event: events.Event) -> None:
    """Only the main process tells."""
