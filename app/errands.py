"""Errands: long work of the pages in processes of its own, a few at a time, with how far each is.

Where it stands: under the rooms of the backend; trainings have a queue of their own. What it does not know: what an errand does.

An errand is a module of this project that is run as `python -m MODULE WORDS...` with some text on its standard input. It keeps its result
where it belongs (mostly `llmrec.runs.cache`), so that the asker looks there first and asks here only where nothing is. It may print one
JSON object a line: `{"stage": "walks", "share": 0.4}` says how far it is, `{"trouble": "a sentence"}` why it gave up.

What waits and is not asked about any more is dropped, so that nobody waits for what somebody left. What runs ends with its server,
however that ends (`app.errand`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import IO, Any, Literal

from llmrec.runs import launch

AT_ONCE = 2 if (os.cpu_count() or 1) > 2 else 1  # a training may run beside
WAITING = 24  # the most that wait
LEFT = 15.0  # seconds after which what waits is dropped where nobody asks about it
LIMIT = 1800.0  # seconds that one may take
AGAIN = 60.0  # seconds after which a failed one is tried again
JUST = 5.0  # seconds for which one that is done is only that: who asks may have looked for its result just before
KEPT = 64  # errands that are remembered when they have ended
GRACE = 3.0  # seconds that a process has to end by itself
TAIL = 4000
THREADS = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True)
class Errand:
    """How an errand stands. share: 0..1, or None where it cannot be known; ahead: how many are worked before it; reason: why it failed."""

    state: Literal["waiting", "running", "done", "failed"]
    stage: str = ""
    share: float | None = None
    seconds: float = 0.0
    ahead: int = 0
    reason: str = ""


class Errands:
    """All errands of one server. limit: seconds that one may take; clock: seconds."""

    def __init__(self, at_once: int = AT_ONCE, limit: float = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once, self._limit, self._clock = at_once, limit, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, _Work] = OrderedDict()

    def ask(self, key: Hashable, module: str, *words: str, text: str = "", again: bool = False) -> Errand:
        """Have it done once per key and say how it stands; ask only where the result is not there. Cheap enough to ask often.

        A failed one is tried again after a minute, or now where `again` is said. One that is done is done anew where it is still asked for,
        since its result is gone; where that happens at once again, it has failed.
        """
        with self._lock:
            self._swept(key)
            work = self._known.get(key)
            if work is None or (work.ended and self._anew(work, again)):
                if sum(one.waiting for one in self._known.values()) >= WAITING:
                    return Errand("failed", reason="too much is being computed for others; ask again in a minute")
                redone = work is not None and work.told(0).state == "done" and not again
                work = self._known[key] = _Work(module, words, text, self._clock, redone)
            work.seen = self._clock()
            self._known.move_to_end(key)
            self._turn()
            ahead = [w for w in self._known.values() if not w.ended and w.asked < work.asked]
            return work.told(len(ahead))

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            for work in self._known.values():
                work.end()

    def _anew(self, work: _Work, again: bool) -> bool:
        """Whether one that ended is to be worked once more."""
        state, since = work.told(0).state, self._clock() - work.over
        if state == "done" and work.redone and JUST < since < AGAIN:
            work.fail("it ended without a result")
            return again
        return again or since > (JUST if state == "done" else AGAIN)

    def _swept(self, asked: Hashable) -> None:
        """Drop what was left, end what takes too long, forget what ended long ago."""
        now = self._clock()
        for key, work in list(self._known.items()):
            if work.waiting and key != asked and now - work.seen > LEFT:
                del self._known[key]
            elif work.running and now - work.began > self._limit:
                work.end(f"it took longer than {self._limit / 60:.0f} minutes and was stopped")
        ended = [key for key, work in self._known.items() if work.ended and key != asked]
        for key in ended[: max(0, len(self._known) - KEPT)]:
            del self._known[key]

    def _turn(self) -> None:
        running = sum(work.running for work in self._known.values())
        for work in sorted((w for w in self._known.values() if w.waiting), key=lambda w: w.asked):
            if running >= self._at_once:
                break
            work.start()
            running += work.running


class _Work:
    """One errand's process and what it printed.

    seen: when it was last asked about; over: when it was found to have ended; redone: done once more, as its result was gone.
    """

    def __init__(self, module: str, words: tuple[str, ...], text: str, clock: Callable[[], float], redone: bool = False) -> None:
        self._module, self._words, self._text, self._clock, self.redone = module, words, text, clock, redone
        self.asked = self.began = self.seen = self.over = clock()
        self._seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._over: Errand | None = None

    @property
    def waiting(self) -> bool:
        return self._process is None and self._over is None

    @property
    def running(self) -> bool:
        return self._over is None and self._process is not None and self._process.poll() is None

    @property
    def ended(self) -> bool:
        return not self.waiting and not self.running

    def start(self) -> None:
        """Start its process; where there can be none it has failed."""
        self.began = self._clock()
        try:
            self._said = tempfile.TemporaryFile()
            with tempfile.TemporaryFile() as given:
                given.write(self._text.encode())
                given.seek(0)
                self._process = subprocess.Popen(
                    launch.command("app.errand", str(os.getpid()), self._module, *self._words),
                    env=launch.environment(**THREADS),
                    stdin=given,
                    stdout=self._said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            self.fail(f"its process could not be started: {error.strerror or error}")

    def fail(self, reason: str) -> None:
        """Say that it failed, and why."""
        told = f"{reason.rstrip('. ')}; it can be tried again in a minute"
        self._over, self.over = Errand("failed", seconds=self._seconds, reason=told), self._clock()
        if self._said is not None:
            self._said.close()

    def end(self, reason: str = "") -> None:
        """End its process with all that it started. reason: why; without one it tells itself how it ended."""
        if self._process is None or self._over is not None:
            return
        group = self._process.pid  # it leads a session of its own
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        self._process.wait()
        if reason:
            self.fail(reason)
        else:
            self.told(0)

    def told(self, ahead: int) -> Errand:
        """How it stands now."""
        if self._over is not None:
            return self._over
        if self._process is None:
            return Errand("waiting", ahead=ahead)
        lines, running = self._lines(), self.running
        last: dict[str, Any] = next((one for one in reversed(lines) if "stage" in one), {})
        share = last.get("share")
        if running:
            self._seconds = self._clock() - self.began
            return Errand("running", str(last.get("stage", "")), None if share is None else float(share), self._seconds)
        return self._ended()

    def _ended(self) -> Errand:
        assert self._process is not None
        assert self._said is not None
        code = self._process.returncode
        if code:
            trouble = next((str(one["trouble"]) for one in reversed(self._lines()) if "trouble" in one), "")
            self.fail(trouble or f"its process ended with code {code}")
        else:
            self._over, self.over = Errand("done", seconds=self._seconds), self._clock()
            self._said.close()
        assert self._over is not None
        return self._over

    def _lines(self) -> list[dict[str, Any]]:
        assert self._said is not None
        size = self._said.seek(0, 2)
        self._said.seek(max(0, size - TAIL))
        found = []
        for line in self._said.read().decode(errors="replace").splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if isinstance(one, dict):
                found.append(one)
        return found
