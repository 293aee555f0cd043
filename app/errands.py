"""Errands: long work of the pages in processes of its own, a few at a time, with how far each is.

Where it stands: under the rooms of the backend; trainings have a queue of their own. What it does not know: what an errand does.

An errand is a module of this project that is run as `python -m MODULE WORDS...` with some text on its standard input. It keeps its result
where it belongs (mostly `llmrec.runs.cache`), so that the asker looks there first and asks here only where nothing is. It may print one
JSON object a line: `{"stage": "walks", "share": 0.4}` says how far it is, `{"trouble": "a sentence"}` why it gave up.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import IO, Any, Literal

from llmrec.runs import launch

AT_ONCE = 1  # two cores, and a training may run beside
KEPT = 64  # errands that are remembered when they have ended
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
    """All errands of one server."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, _Work] = OrderedDict()

    def ask(self, key: Hashable, module: str, *words: str, text: str = "", again: bool = False) -> Errand:
        """Have it done once per key and say how it stands; a failed one is tried again where `again` is said. Cheap enough to ask often."""
        with self._lock:
            work = self._known.get(key)
            if work is None or (again and work.ended):
                work = self._known[key] = _Work(module, words, text)
            self._known.move_to_end(key)
            self._turn()
            ahead = [w for w in self._known.values() if not w.ended and w.asked < work.asked]
            return work.told(len(ahead))

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            for work in self._known.values():
                work.end()

    def _turn(self) -> None:
        running = sum(work.running for work in self._known.values())
        for work in sorted((w for w in self._known.values() if w.waiting), key=lambda w: w.asked):
            if running >= self._at_once:
                break
            work.start()
            running += 1
        for key in [key for key, work in self._known.items() if work.ended][: max(0, len(self._known) - KEPT)]:
            del self._known[key]


class _Work:
    """One errand's process and what it printed."""

    def __init__(self, module: str, words: tuple[str, ...], text: str) -> None:
        self._module, self._words, self._text = module, words, text
        self.asked = self._began = time.monotonic()
        self._seconds = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._over: Errand | None = None

    @property
    def waiting(self) -> bool:
        return self._process is None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        self._began = time.monotonic()
        self._said = tempfile.TemporaryFile()
        with tempfile.TemporaryFile() as given:
            given.write(self._text.encode())
            given.seek(0)
            self._process = subprocess.Popen(
                launch.command(self._module, *self._words),
                env=launch.environment(**THREADS),
                stdin=given,
                stdout=self._said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self) -> None:
        if self._process is not None and self._over is None:
            self._process.terminate()
            self._process.wait()
            self.told(0)

    def told(self, ahead: int) -> Errand:
        if self._process is None:
            return Errand("waiting", ahead=ahead)
        if self._over is not None:
            return self._over
        lines = self._lines()
        last = next((one for one in reversed(lines) if "stage" in one), {})
        share = last.get("share")
        if self.running:
            self._seconds = time.monotonic() - self._began
            return Errand("running", str(last.get("stage", "")), None if share is None else float(share), self._seconds)
        self._over = self._last(lines)
        if self._said is not None:
            self._said.close()
        return self._over

    def _last(self, lines: list[dict[str, Any]]) -> Errand:
        code = 0 if self._process is None else self._process.returncode
        if code == 0:
            return Errand("done", seconds=self._seconds)
        trouble = next((str(one["trouble"]) for one in reversed(lines) if "trouble" in one), "")
        return Errand("failed", seconds=self._seconds, reason=trouble or f"its process ended with code {code}")

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
