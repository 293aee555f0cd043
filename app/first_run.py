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
from pathlib import Path
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
        self._name = ""
        self._began = 0.0
        self._log: IO[bytes] | None = None

    def begin(self, runs: Sequence[Any]) -> None:
        """Follow a training that is under way, go on with one that was cut short, or set a new one off. runs: newest first."""
        if self._process is not None or self._name:
            return
        whole = [r for r in runs if not r.broken]
        self._began = time.time()
        running = next((r.name for r in whole if r.status.state == "running"), "")
        if running:
            self._name = running
            return
        self._name = next((r.name for r in whole if r.status.resumable and r.info.get("recipe") == Path(self.recipe).stem), "")
        what = [self._name, "--resume"] if self._name else [self.recipe]
        self._log = tempfile.TemporaryFile()  # a pipe that nobody reads would stop the training when it is full
        self._process = subprocess.Popen(
            [sys.executable, "-m", "llmrec", "train", *what],
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,  # so that Ctrl-C in the server's terminal does not hit it twice
        )

    def progress(self, runs: Sequence[Any]) -> Progress | None:
        """How far it is; None where none was begun. runs: what is on the disk, newest first."""
        if self._process is None and not self._name:
            return None
        mine = next((r for r in runs if not r.broken and self._is_mine(r)), None)
        seconds = time.time() - self._began
        code = None if self._process is None else self._process.poll()
        state = mine.status.state if mine is not None else "new"
        over = self._process is None or code is not None
        if code or (over and state in ("failed", "interrupted", "stopped")):
            return Progress("", "stopped", seconds=seconds, state="failed", message=self._why(mine, code))
        if mine is not None and (code == 0 or state == "done"):
            return Progress(mine.name, "done", 1.0, 0.0, seconds, state="done")
        return read(mine.name, mine.events(), seconds) if mine else Progress("", "starting", 0.0, None, seconds)

    def close(self) -> None:
        """SIGTERM to a training that was begun here: it stops, keeps what it has, and goes on when the server starts again."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        if self._log is not None:
            self._log.close()

    def _is_mine(self, run: Any) -> bool:
        return run.name == self._name if self._name else self._process is not None and run.status.pid == self._process.pid

    def _why(self, run: Any, code: int | None) -> str:
        said = run.status.reason if run is not None and run.status.reason else self._last_words()
        return (
            f"The first run stopped{f' (code {code})' if code else ''}. {said} Try `llmrec train {self.recipe}` in a terminal to see more; "
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
