"""The first run of a fresh machine: in the queue like every other, while the pages are open already.

Where it stands: under `backend`. What it does not know: how training works. The queue works the run off, with or without a server.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from app.seam import Progress
from llmrec.registry import UnknownName

RECIPE = "metaid-ml-100k-sketch"
MOVING = ("queued", "running", "stopping")
CUT_SHORT = ("new", "interrupted", "failed")


class FirstRun:
    """Starts one training at most. recipe: a shipped recipe's name, or the path of another."""

    def __init__(self, recipe: str = RECIPE) -> None:
        self.recipe = recipe
        self._watch: Any = None
        self._trouble = ""

    def begin(self, runs: Sequence[Any]) -> None:
        """Follow a run that is under way, go on with one that was cut short, or put a new one into the queue. runs: newest first.

        One of this recipe that somebody stopped is left alone: it was meant.
        """
        from llmrec.runs import queue
        from llmrec.runs.live import Watch

        if self._watch is not None:
            return
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

    def progress(self) -> Progress | None:
        """How far it is; None where none was begun, or where it was deleted meanwhile."""
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

    def _submitted(self) -> Any:
        from llmrec import recipe
        from llmrec.commands.settings import recipe_path
        from llmrec.runs import queue

        return queue.submit(recipe.load(recipe_path(self.recipe)))
