"""How far a long stage is, told to whoever listens: an ambient channel, so that no signature carries an argument for it.

Where it stands: under everything. Stages say, the pipeline and the estimate listen; where nobody listens, nothing happens and it costs
nothing. What it does not know: which stages there are, runs and pages.

    with progress.listening(emit):       # emit gets {"event": "progress", "stage": "walks", "share": 0.4, "seconds_left": 3.1}
        embedder.fit(...)                # in it: progress.say("walks", step, steps)

A listener may raise to leave a stage: `say` lets it through, and a stage holds nothing that would be left half-written.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

EVERY = 0.5  # seconds between two events of a stage; its first and its last are always told

Emit = Callable[[dict[str, Any]], None]
Say = Callable[[str, float, float], None]


def say(stage: str, done: float, total: float) -> None:
    """`done` of `total` (any unit, both counted from 0) of what people know as `stage` is worked."""
    ear = _ear.get()
    if ear is not None:
        ear.hear(stage, done, total)


def voice() -> Say:
    """`say` towards whoever listens now, for a thread that the caller starts: a new thread hears of no context."""
    ear = _ear.get()
    return _silent if ear is None else ear.hear


@contextlib.contextmanager
def listening(emit: Emit | None) -> Iterator[None]:
    """Tell `emit` what is said inside, and nobody else; None: nobody. Ends with the block, also for threads that outlive it."""
    ear = None if emit is None else _Ear(_Room(emit, {}))
    token = _ear.set(ear)
    try:
        yield
    finally:
        _ear.reset(token)
        if ear is not None:
            ear.room.open = False


@contextlib.contextmanager
def part(number: int, of: int) -> Iterator[None]:
    """What is said inside is one of `of` equal parts, counted from 0: a stage that works twice goes from 0 to 1 once."""
    ear = _ear.get()
    if ear is None:
        yield
        return
    token = _ear.set(replace(ear, begin=ear.begin + ear.width * number / of, width=ear.width / of))
    try:
        yield
    finally:
        _ear.reset(token)


@dataclass
class _Room:
    """One `listening`. heard: of every stage, when it began and at which share, when it was last told and at which share."""

    emit: Emit
    heard: dict[str, tuple[float, float, float, float]]
    open: bool = True


@dataclass(frozen=True, eq=False)
class _Ear:
    """Where what is said falls: from `begin` on, `width` wide, in 0..1."""

    room: _Room
    begin: float = 0.0
    width: float = 1.0

    def hear(self, stage: str, done: float, total: float) -> None:
        if not self.room.open:
            return
        now = time.monotonic()
        inside = min(max(done / total, 0.0), 1.0) if total > 0 else 1.0
        share = self.begin + self.width * inside
        share = 1.0 if share > 1 - 1e-9 else share  # parts add up to a bit less
        since, first, last, told = self.room.heard.get(stage, (now, share, 0.0, -1.0))
        if share < told - 1e-9:  # the stage begins again
            since, first, told = now, share, -1.0
        if told >= 0 and ((now - last < EVERY and share < 1) or share == told == 1):
            return
        self.room.heard[stage] = since, first, now, share
        left = (now - since) * (1 - share) / (share - first) if share > first else None
        self.room.emit(
            {"event": "progress", "stage": stage, "share": round(share, 4), "seconds_left": None if left is None else round(left, 2)}
        )


def _silent(stage: str, done: float, total: float) -> None:
    """Nobody listens."""


_ear: ContextVar[_Ear | None] = ContextVar("llmrec.progress", default=None)
