"""Asked to stop: SIGTERM, Ctrl-C or a caller's word, as one question that a worker puts now and then.

Where it stands: around a worker's work. What it does not know: what the work is.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any


class Halt(BaseException):
    """Leave the current stage at once: there is nothing in it to be kept."""


class Stop:
    """Callable: has somebody asked to stop? Outside `gently` a signal leaves the stage by `Halt`; inside it, the work ends itself.

    A second Ctrl-C always is a `KeyboardInterrupt`. Signals are caught in the main thread alone; elsewhere `should_stop` decides.
    """

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop
        self._signal: int | None = None
        self._gentle = False
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        return self._signal is not None or self._should_stop()

    @property
    def reason(self) -> str:
        """A few words why."""
        if self._signal is None:
            return "stopped on request"
        return "stopped by Ctrl-C" if self._signal == signal.SIGINT else "stopped by SIGTERM"

    @contextlib.contextmanager
    def gently(self) -> Iterator[None]:
        """Inside, a signal only sets the answer: the work sees it and keeps what it has."""
        self._gentle = True
        try:
            yield
        finally:
            self._gentle = False

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        again = self._signal is not None
        self._signal = number
        if again and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self._gentle and not again:
            raise Halt
