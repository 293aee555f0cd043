"""A run looked at: its events in one picture, with the state that its folder tells.

Where it stands: on top of this room. What it does not know: who looks.
"""

from __future__ import annotations

from dataclasses import replace

from llmrec.runs.live.folding import fold
from llmrec.runs.live.tail import Tail
from llmrec.runs.live.values import Live
from llmrec.runs.status import Status
from llmrec.runs.store import Run


def picture(run: Run) -> Live:
    """A run as it is now. Damaged events are passed over; a run without events is a picture without curves."""
    return Watch(run).look()


class Watch:
    """Looks at one run again and again; a look costs as much as came since the last."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._tail = Tail(run.path / "events.jsonl")
        self._live: Live | None = None

    def look(self) -> Live:
        status = self.run.status  # before the events: of a run that has ended all of them are there
        fresh = self._tail.new()
        self._live = fold(None if self._tail.anew else self._live, fresh)
        return standing(self._live, status)


def standing(live: Live, status: Status) -> Live:
    """The picture with the state that the folder tells, which knows of deaths and queues."""
    live = replace(live, state=status.state, reason=status.reason)
    if status.state == "done":
        return replace(live, fraction=1.0, seconds_left=0.0)
    if status.state in ("running", "stopping"):
        return live
    return replace(live, seconds_left=None, stage="" if status.state in ("new", "queued") else live.stage)
