"""Fair turns: answers grow side by side, and only as many are computed at once as the machine can; who has had the least goes first.

Where it stands: around every speaker's answer. What it does not know: models, messages.

An answer is computed inside `next()`, a word or a few at a time, so a turn is short and everybody's comes soon. A turn goes to the waiting
visitor who has had the least computing time, not to the side that has waited longest: four sides of one visitor get together what the one
side of another gets. Time that somebody had long ago does not count against them for ever, nor does time that they never asked for lie
ready for them: who comes (back) is set at most CREDIT seconds below the neediest of those who are at it (as start-time fair queueing does).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
CREDIT = 2.0  # seconds: about what the beginning of an answer takes


@dataclass(eq=False)
class _Waiter:
    """One side that waits. place: how many came before it."""

    visitor: str
    place: int
    called: threading.Event = field(default_factory=threading.Event)


class Turns:
    """`slots`: how many compute at once; `clock`: seconds, for tests."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.perf_counter) -> None:
        if slots < 1:
            raise ValueError(f"slots = {slots}, but somebody must be able to compute")
        self._free, self._clock = slots, clock
        self._lock = threading.Lock()
        self._waiting: list[_Waiter] = []
        self._computing: Counter[str] = Counter()
        self._open: Counter[str] = Counter()  # answers that are not over, by visitor
        self._had: dict[str, float] = {}  # seconds of computing, of those visitors and some before them
        self._floor = 0.0
        self._came = 0

    def taken(self, visitor: str, events: Iterator[T]) -> Iterator[T]:
        """The same values; each is made in a turn of the visitor's. Who leaves early (`close`, or an error on the way) gives all back."""
        with self._lock:
            self._open[visitor] += 1
        try:
            while True:
                with self.turn(visitor):
                    try:
                        event = next(events)
                    except StopIteration:
                        return
                yield event
        finally:
            try:
                close = getattr(events, "close", None)
                if close is not None:
                    close()
            finally:
                self._leave(visitor)

    @contextmanager
    def turn(self, visitor: str) -> Iterator[None]:
        """Wait for a turn; inside, it is this visitor's."""
        self._wait(visitor)
        began = self._clock()
        try:
            yield
        finally:
            self._give_back(visitor, self._clock() - began)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who waits, as they came."""
        with self._lock:
            return tuple(w.visitor for w in self._waiting)

    def _wait(self, visitor: str) -> None:
        with self._lock:
            self._had[visitor] = max(self._had.get(visitor, 0.0), self._floor - CREDIT)
            waiter = _Waiter(visitor, self._came)
            self._came += 1
            self._waiting.append(waiter)
            self._call()
        try:
            waiter.called.wait()
        except BaseException:  # Ctrl-C, while waiting
            with self._lock:
                called = waiter not in self._waiting
                if not called:
                    self._waiting.remove(waiter)
            if called:
                self._give_back(visitor, 0.0)
            raise

    def _call(self) -> None:
        """Give what is free to those who need it most. Under the lock."""
        while self._free and self._waiting:
            first = min(self._waiting, key=lambda w: (self._had.get(w.visitor, 0.0), self._computing[w.visitor], w.place))
            self._waiting.remove(first)
            self._free -= 1
            self._computing[first.visitor] += 1
            first.called.set()
        busy = [self._had.get(v, 0.0) for v in (*self._computing, *(w.visitor for w in self._waiting))]
        self._floor = max(self._floor, min(busy, default=0.0))

    def _give_back(self, visitor: str, seconds: float) -> None:
        with self._lock:
            self._had[visitor] = self._had.get(visitor, 0.0) + seconds
            self._free += 1
            self._computing[visitor] -= 1
            self._computing += Counter()  # without those who are through
            self._call()

    def _leave(self, visitor: str) -> None:
        """An answer is over. What somebody had is kept for as long as it may count, and nobody's once all have gone."""
        with self._lock:
            self._open[visitor] -= 1
            self._open += Counter()
            if not self._open:
                self._had, self._floor = {}, 0.0
            else:
                self._had = {v: had for v, had in self._had.items() if v in self._open or had > self._floor - CREDIT}
