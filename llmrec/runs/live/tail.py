"""The new lines of a run's events, read once each.

Where it stands: between events.jsonl and `folding`. What it does not know: what events mean.

Nothing that can stand in such a file raises: torn and binary lines, NUL bytes after a power cut, a folder or a pipe in its place.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from llmrec.runs.events import Event

CHUNK = 1 << 20  # bytes read at once
LONGEST = 1 << 20  # bytes of a line; what is longer is no event
MARK = 64  # bytes before the place reached, by which a file that was written anew is told


class Tail:
    """`new()` gives the events since the last call: whole lines alone, a torn one once it is whole.

    anew: whether what `new()` gave last begins at the first line, since the file is new, became shorter or was replaced; whoever folds
    events begins anew then.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.anew = path, True
        self._at, self._mark, self._file = 0, b"", (0, 0)

    def new(self) -> list[Event]:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (OSError, ValueError):
            return self._nothing()
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                return self._nothing()
            file = (info.st_dev, info.st_ino)
            if (
                file != self._file
                or info.st_size < self._at
                or os.pread(fd, MARK, max(0, self._at - MARK))[: len(self._mark)] != self._mark
            ):
                self._at, self._file = 0, file
            self.anew = self._at == 0
            return self._read(fd)
        except OSError:
            return self._nothing()
        finally:
            os.close(fd)

    def _read(self, fd: int) -> list[Event]:
        found: list[Event] = []
        place, rest = self._at, b""
        while chunk := os.pread(fd, CHUNK, place):
            place += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            found += (event for line in lines if (event := parsed(line)) is not None)
            if len(rest) > LONGEST:
                rest = b""
        self._at = place - len(rest)
        self._mark = os.pread(fd, min(MARK, self._at), max(0, self._at - MARK))
        return found

    def _nothing(self) -> list[Event]:
        """The file cannot be read now; what was read of it stays read."""
        self.anew = self._at == 0
        return []


def parsed(line: bytes) -> Event | None:
    """One line as an event, or None where it is none."""
    line = line.strip(b"\0 \t\r")
    if not line.startswith(b"{") or len(line) > LONGEST:
        return None
    try:
        event = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
