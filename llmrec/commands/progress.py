"""A training as one line on standard error: refreshed on a terminal, a line every few seconds elsewhere.

Where it stands: between a run's events and a person. What it does not know: where the events come from.
"""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from llmrec.commands import layout

EVERY = 5.0  # seconds between lines where there is no terminal


class Progress:
    """Call it with each event."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._out = stream or sys.stderr
        self._live = self._out.isatty()
        self._last = -EVERY
        self._open = False

    def __call__(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "stage":
            if event.get("state") == "begin":
                self._moving(f"{event['stage']} ...", always=self._live)
            else:
                kept = " (from the cache)" if event.get("cached") else ""
                self._lasting(f"{event['stage']}: {event['seconds']:.1f} s{kept}")
        elif kind == "step":
            self._moving(step_line(event))
        elif kind == "progress":
            self._moving(stage_line(event))
        elif kind == "queue":
            self._lasting(behind(event["ahead"]))
        elif kind == "warning":
            self._lasting(f"warning: {event.get('text', '')}")
        elif kind in ("validation", "evaluation"):
            self._lasting(measure_line(event))
        elif kind == "end" and event.get("reason"):
            self._lasting(f"{event['state']}: {event['reason']}")

    def _moving(self, line: str, always: bool = False) -> None:
        line = layout.cell(line)  # stages, reasons and warnings quote what others wrote
        if self._live:
            self._out.write(f"\r\x1b[K{line}")
            self._open = True
        elif always or time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self._out.write(line + "\n")
        self._out.flush()

    def _lasting(self, line: str) -> None:
        line = layout.cell(line)
        self._out.write(f"\r\x1b[K{line}\n" if self._open else f"{line}\n")
        self._open = False
        self._out.flush()


def step_line(event: dict[str, Any]) -> str:
    """One step in words; what the event lacks is left out."""
    parts = [f"step {event.get('step', '?')}"]
    if "progress" in event:
        parts.insert(0, f"{event['progress']:4.0%}")
    if "loss" in event:
        parts.append(f"loss {event['loss']:.3f}")
    if "tokens_per_s" in event:
        parts.append(f"{event['tokens_per_s']:,.0f} Tokens/s")
    if event.get("memory_bytes") is not None:
        parts.append(layout.size(event["memory_bytes"]))
    if event.get("seconds_left") is not None:
        parts.append(f"{clock(event['seconds_left'])} left")
    return "  ".join(parts)


def stage_line(event: dict[str, Any]) -> str:
    """How far a stage before the training is, in words."""
    left = f"  {clock(event['seconds_left'])} left" if event.get("seconds_left") is not None else ""
    return f"{event.get('share', 0):4.0%}  {event.get('stage', '?')}{left}"


def behind(ahead: int) -> str:
    """A place in the line, in words."""
    return f"waits behind {ahead} {'run' if ahead == 1 else 'runs'}"


def measure_line(event: dict[str, Any]) -> str:
    """A measurement in words: what the protocols put into headlines, where it was measured."""
    from llmrec.report.protocols import PROTOCOLS

    where = f"{event['part']}, seen items {event['seen']}" if "part" in event else f"validation at step {event.get('step', '?')}"
    metrics = event.get("metrics", {})
    shown = dict.fromkeys(name for protocol in PROTOCOLS.values() for name in protocol.headline)
    chosen = [n for n in shown if n in metrics] or list(metrics)[:2]
    return f"{where}: " + "  ".join(f"{name} {metrics[name]:.4f}" for name in chosen)


def clock(seconds: float) -> str:
    """Seconds as a person reads them."""
    whole = max(round(seconds), 0)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02d} min"
