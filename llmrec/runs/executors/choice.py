"""Executors by name.

Where it stands: under the queue's worker. What it does not know: how they work.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llmrec.runs.status import Status
    from llmrec.runs.store import Run

NAMES = {"local": "llmrec.runs.executors.local:Local", "ray": "llmrec.runs.executors.ray:Ray"}


class Executor(Protocol):
    """Works one run off, wherever it likes."""

    def work(self, run: Run) -> Status:
        """From wherever the run stands to its end; returns how it ended. Raises what training raises, after the run has noted it."""
        ...


def known(name: str) -> Executor:
    """The executor of this name. ValueError names those that exist."""
    if name not in NAMES:
        raise ValueError(f"no executor is called {name!r}: there are {', '.join(NAMES)}")
    module, _, cls = NAMES[name].partition(":")
    found: Executor = getattr(importlib.import_module(module), cls)()
    return found
