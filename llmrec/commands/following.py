"""Following a run from outside: its place in the line, its new events and its state, until it ends.

Where it stands: under `train` and `runs watch`. What it does not know: what the events mean, and who works the run off.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmrec.runs.live import Tail
    from llmrec.runs.status import Status
    from llmrec.runs.store import Run

LOOK = 0.3  # seconds between two looks at a run
TURN = 2.0  # seconds between two turns of the queue, so that a run goes on even where everything else was killed
ENDED = ("new", "stopped", "done", "failed", "broken", "deleted")
log = logging.getLogger(__name__)


class Ends:
    """Call it with a run's state for whether the run has ended. A dead worker's run counts as ended only once the queue has given it up."""

    def __init__(self) -> None:
        self._lost = 0

    def __call__(self, run: Run, state: str) -> bool:
        from llmrec.runs import queue

        if state != "interrupted" or any(place.run_name == run.name for place in queue.listing()):
            self._lost = 0
            return state in ENDED
        self._lost += 1  # between two looks it may have been put back in line
        return self._lost > 2


class Heard:
    """While it is entered, a Ctrl-C that Python loses is heard at the next call: raised inside a callback of the import system or of a
    dying object, it would only be printed. In another thread than the main one this does nothing."""

    def __init__(self) -> None:
        self._heard = False
        self._before: Any = None

    def __enter__(self) -> Heard:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def __call__(self) -> None:
        """Raises KeyboardInterrupt where one was lost."""
        if self._heard:
            raise KeyboardInterrupt

    def _on_signal(self, *_: object) -> None:
        self._heard = True
        raise KeyboardInterrupt


class Turns:
    """Call it now and then: turns the queue every `TURN` seconds. A queue that cannot be turned is told once and stops nothing."""

    def __init__(self) -> None:
        self._last = -TURN
        self._told = False

    def __call__(self) -> None:
        if time.monotonic() - self._last >= TURN:
            self._last = time.monotonic()
            self._told = not turned(quiet=self._told) or self._told


def turned(quiet: bool = False) -> bool:
    """One turn of the queue; False, and a line in the log, where it cannot be turned."""
    from llmrec.runs import queue

    try:
        queue.tick()
    except (ValueError, OSError, sqlite3.Error) as error:
        if not quiet:
            log.warning("the queue stands still: %s", error)
        return False
    return True


def follow(run: Run, tail: Tail, emit: Callable[[dict[str, Any]], None], stop: Callable[[], bool] = lambda: False) -> Status:
    """Show a run's new events until it ends; returns how. While it waits, {"event": "queue", "ahead": n} tells how many are before it.

    stop: asked now and then; once it says yes the run is asked to stop, and its end is waited for.
    """
    from llmrec.runs import queue

    ended, turn, behind = Ends(), Turns(), None
    while True:
        now = run.status  # before the events: at the end all of them are there
        if not run.path.is_dir():
            raise ValueError(f"run {run.name} was deleted while it was followed")
        ahead = next((place.ahead for place in queue.listing() if place.run_name == run.name), None) if now.state == "queued" else None
        if ahead != behind and ahead:
            emit({"event": "queue", "ahead": ahead})
        behind = ahead
        for event in tail.new():
            emit(event)
        if ended(run, now.state):
            return now
        if stop() and now.state != "stopping":
            with contextlib.suppress(ValueError):  # it ended in between, or the queue is busy: the next look tells
                queue.stop(run)
        turn()
        time.sleep(LOOK)
