"""Asked to stop: a signal, a word left in the run's folder or a caller's word, as one question that a worker puts now and then.

Where it stands: around a worker's work. What it does not know: what the work is.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from llmrec.runs import status

LOOK = 0.3  # seconds between two looks into the run's folder


class Halt(BaseException):
    """Leave the current stage at once: there is nothing in it to be kept."""


class Stop:
    """Callable: has somebody asked to stop? Inside `at_once` that leaves the stage by `Halt`; elsewhere, and in `gently`, the work sees it
    when it asks, so that no word is lost while a run is begun or its end is written down.

    folder: the run's, where a file `stop` is such a word, from any process or machine, and where its disappearance ends the work too.
    A second Ctrl-C always is a `KeyboardInterrupt`. Stages are left in the main thread alone; elsewhere the work sees it when it asks.
    """

    def __init__(self, should_stop: Callable[[], bool], folder: Path | None = None) -> None:
        self._should_stop, self._folder = should_stop, folder
        self._signal: int | None = None
        self._found = ""  # what was found in the folder
        self._gentle = True
        self._before: dict[int, Any] = {}
        self._over = threading.Event()
        self._guard = threading.Lock()  # no signal is sent once the handlers are on their way out
        self._main = threading.current_thread() is threading.main_thread()

    def __call__(self) -> bool:
        return self._signal is not None or bool(self._found) or self._should_stop()

    @property
    def reason(self) -> str:
        """A few words why."""
        if self._found or self._signal is None:
            return self._found or "stopped on request"
        return "stopped by Ctrl-C" if self._signal == signal.SIGINT else "stopped by SIGTERM"

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, a wish to stop raises `Halt`, and one of before does so at the door."""
        self._gentle = False
        try:
            if self._signal is not None:
                raise Halt
            yield
        finally:
            self._gentle = True

    @contextlib.contextmanager
    def gently(self) -> Iterator[None]:
        """Inside, a wish to stop only sets the answer: the work sees it and keeps what it has."""
        before, self._gentle = self._gentle, True
        try:
            yield
        finally:
            self._gentle = before

    def __enter__(self) -> Stop:
        if self._main:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._asked)
        if self._folder is not None:
            threading.Thread(target=self._watch, args=(self._folder,), name="stop", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._guard:
            self._over.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _watch(self, folder: Path) -> None:
        while not self._over.is_set():
            if not (folder / "run.json").exists():  # a write in the same moment may have brought back the folder, never this
                self._found = "its folder was deleted"
            elif (folder / status.STOP).exists():
                self._found = "stopped on request"
            if self._found:
                with self._guard:
                    if self._main and not self._over.is_set():  # the main thread may sit in a stage that asks nobody
                        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                return
            self._over.wait(LOOK)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        again = self._signal is not None
        self._signal = number
        if again and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self._gentle and not again:
            raise Halt
