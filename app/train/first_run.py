"""The first runs of a fresh machine: those that ship as bundles, opened beside the pages; where none can be, one is trained.

Where it stands: under `backend`. What it does not know: how training works, and what a bundle holds. The queue works the run off, with or
without a server; bundles take seconds, and what the map still needs is made after them in the same thread.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from app.seam import Progress
from llmrec.registry import UnknownName

RECIPE = "metaid-ml-100k-sketch"
MOVING = ("queued", "running", "stopping")
CUT_SHORT = ("new", "interrupted", "failed")
log = logging.getLogger(__name__)


class FirstRun:
    """Opens shipped bundles or starts one training at most. recipe: a shipped recipe's name, or the path of another."""

    def __init__(self, recipe: str = RECIPE) -> None:
        self.recipe = recipe
        self._watch: Any = None
        self._trouble = ""
        self._opening: Opening | None = None

    def begin(self, runs: Sequence[Any]) -> None:
        """Open the bundles that ship, if no run was made here; else follow a run that is under way, go on with one that was cut short, or
        put a new one into the queue. runs: newest first.

        One of this recipe that somebody stopped is left alone: it was meant. Called again, it does nothing.
        """
        from llmrec.runs.bundles import shipped

        if self._watch is not None or self._opening is not None:
            return
        waiting: list[Path] = []
        with contextlib.suppress(ValueError, OSError):
            waiting = shipped.waiting()
        if waiting:
            self._opening = Opening(waiting, lambda: self._train(()))
        elif not any(_ready(run) for run in runs):
            if not shipped.found():
                log.info("no runs ship in %s: a first one is trained", shipped.folder())
            self._train(runs)

    def progress(self) -> Progress | None:
        """How far it is; None where none was begun, where it was deleted meanwhile, or where bundles were opened."""
        if self._opening is not None and self._opening.fraction is not None:
            stage = f"opening the runs that ship: {self._opening.stage}"
            return Progress(self._opening.run, stage, self._opening.fraction, seconds=time.monotonic() - self._opening.began)
        if self._trouble:
            return Progress("", "not started", state="failed", message=f"The first run could not be started: {self._trouble}")
        if self._watch is None or not self._watch.run.path.is_dir():
            return None
        live, name = self._watch.look(), self._watch.run.name
        if live.state == "done":
            return Progress(name, "done", 1.0, 0.0, live.seconds, state="done")
        if live.state in ("stopped", "failed"):
            message = (
                f"The first run {'has failed' if live.state == 'failed' else 'was stopped'}: {live.reason}. "
                "The Train page shows its log and lets it go on; the pages that need no model work."
            )
            return Progress(name, live.state, seconds=live.seconds, state="failed", message=message)
        losses = pd.DataFrame(list(live.curves.losses), columns=["step", "loss"])
        waiting = "waiting for a free place" if live.state == "queued" else live.stage or "starting"
        return Progress(name, waiting, live.fraction, live.seconds_left, live.seconds, losses)

    def _train(self, runs: Sequence[Any]) -> None:
        from llmrec.runs import queue
        from llmrec.runs.live import Watch

        whole = [r for r in runs if not r.broken]
        mine = [r for r in whole if r.info.get("recipe") == Path(self.recipe).stem]
        try:
            chosen = next((r for r in whole if r.status.state in MOVING), None)
            if chosen is None and mine and mine[0].status.state == "stopped":
                return
            if chosen is None and mine and mine[0].status.state in CUT_SHORT:
                chosen = mine[0]
                queue.resume(chosen)
            self._watch = Watch(chosen or self._submitted())
        except (ValueError, OSError, UnknownName) as error:
            self._trouble = str(error)

    def _submitted(self) -> Any:
        from llmrec import recipe
        from llmrec.commands.settings import recipe_path
        from llmrec.runs import queue

        return queue.submit(recipe.load(recipe_path(self.recipe)))


class Opening:
    """Bundles on their way in, in a thread of their own. otherwise: what is done where not one of them could be opened.

    run, stage, fraction: how far it is; fraction is None once all are open. `thread` goes on after that, with what the maps need.
    """

    def __init__(self, paths: list[Path], otherwise: Callable[[], None]) -> None:
        self.run, self.stage, self.fraction = "", "starting", 0.0 if paths else None
        self.began = time.monotonic()
        self._paths, self._otherwise = paths, otherwise
        self.thread = threading.Thread(target=self._work, name="bundles", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        from llmrec.runs.bundles import coordinates, shipped

        runs = []
        try:
            for step in shipped.open_all(self._paths):
                self.stage, self.fraction = step.path.name, step.number / step.of
                if step.trouble:
                    log.warning("a shipped run could not be opened: %s", step.trouble)
                if step.run is not None:
                    self.run = step.run.name
                    runs.append(step.run)
            if not runs:
                self._otherwise()
        finally:
            self.fraction = None
        for run in sorted(runs, key=_costly):
            try:
                coordinates.settle(run)
            except (ValueError, OSError) as error:  # deleted meanwhile, or no room: the page makes the map when asked
                log.warning("the map of %s is made when it is asked for: %s", run.name, error)


def _ready(run: Any) -> bool:
    return not run.broken and (run.path / "model").exists() and run.status.state not in ("running", "stopping")


def _costly(run: Any) -> tuple[bool, bool]:
    """What makes a run's map wait: vectors that are not there yet, and those that a language model reads longest of all."""
    return not (run.path / "vectors").exists(), run.info.get("scheme") == "tiger"
