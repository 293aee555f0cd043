"""The first run of a fresh machine: trained in a process of its own while the pages are open already.

Where it stands: under `backend`. What it does not know: how training works; it starts the command line and reads the run's events.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO, Any

import pandas as pd

from app.seam import Progress

RECIPE = "metaid-ml-100k-sketch"
TRAINING = (0.3, 0.9)  # where training lies in the whole: names before it, evaluation after it


class FirstRun:
    """Starts one training at most. recipe: a shipped recipe's name, or the path of another."""

    def __init__(self, recipe: str = RECIPE) -> None:
        self.recipe = recipe
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._log: IO[bytes] | None = None

    def start(self) -> None:
        """Set the training off, in a session of its own so that closing the page does not end it."""
        if self._process is not None:
            return
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        self._began = time.time()
        self._log = tempfile.TemporaryFile()  # a pipe that nobody reads would stop the training when it is full
        self._process = subprocess.Popen(
            [sys.executable, "-m", "llmrec", "train", self.recipe],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True,
        )  # fmt: skip

    def progress(self, runs: Sequence[Any]) -> Progress | None:
        """How far it is; None where none was started. runs: what is on the disk, newest first."""
        if self._process is None:
            return None
        mine = next((r for r in runs if not r.broken and r.status.pid == self._process.pid), None)
        seconds = time.time() - self._began
        code = self._process.poll()
        if code is not None and code != 0:
            return Progress("", "stopped", seconds=seconds, state="failed", message=self._why(mine, code))
        if code == 0:
            return Progress(mine.name if mine else "", "done", 1.0, 0.0, seconds, state="done")
        return read(mine.name, mine.events(), seconds) if mine else Progress("", "starting", 0.0, None, seconds)

    def close(self) -> None:
        """SIGTERM: the training stops and keeps what it has."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def _why(self, run: Any, code: int) -> str:
        said = run.status.reason if run is not None and run.status.reason else self._last_words()
        return (
            f"The first run stopped (code {code}). {said} Try `llmrec train {self.recipe}` in a terminal to see more; "
            "the pages that need no model work."
        )

    def _last_words(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else ""


def read(name: str, events: Sequence[dict[str, Any]], seconds: float) -> Progress:
    """A run's events as one picture of how far it is."""
    stage, fraction, left = "starting", 0.0, None
    losses = [(e["step"], e["loss"]) for e in events if e.get("event") == "step"]
    for event in events:
        if event.get("event") == "stage" and event.get("state") == "begin":
            stage, left = str(event["stage"]), None
            fraction = max(fraction, TRAINING[1] if stage.startswith("evaluation") else min(fraction + 0.05, TRAINING[0]))
        elif event.get("event") == "step":
            fraction = TRAINING[0] + (TRAINING[1] - TRAINING[0]) * float(event.get("progress", 0))
            left = event.get("seconds_left")
    return Progress(name, stage, fraction, left, seconds, pd.DataFrame(losses, columns=["step", "loss"]))
