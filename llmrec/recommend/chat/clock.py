"""How long an answer takes: to its first event, and in all.

Where it stands: beside the speakers. What it does not know: what is said.
"""

from __future__ import annotations

import time

from llmrec.recommend.chat.values import Event, Timing


class Clock:
    """Runs from the message on."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self._first: float | None = None

    def first(self, event: Event) -> Event:
        """Let an event pass, and remember when the first did."""
        if self._first is None:
            self._first = time.perf_counter() - self.began
        return event

    def timing(self, tokens: int) -> Timing:
        """Up to now."""
        total = time.perf_counter() - self.began
        return Timing(total if self._first is None else self._first, total, tokens)
