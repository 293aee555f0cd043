"""A run's events: an append-only file, one JSON object a line, that survives every kill.

Where it stands: the worker writes it, the pages and the command line read it. What it does not know: what the events mean.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def append(path: Path, event: Event) -> Event:
    """Add one event with its time (seconds since 1970); one write per line. A torn last line is left behind, not glued to."""
    event = {"time": round(time.time(), 3), **event}
    line = (json.dumps(event, ensure_ascii=False, default=float) + "\n").encode("utf-8", "replace")
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        size = os.fstat(handle).st_size
        torn = size and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, b"\n" + line if torn else line)
    finally:
        os.close(handle)
    return event


def read(path: Path, after: int = 0) -> list[Event]:
    """The events, oldest first, without the first `after`. Lines that a kill tore are passed over; no file is no events."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            events.append(event)
    return events[after:]
