"""What the tests of the queue share: a worker that does not train, slow enough to be killed, and waiting on conditions."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs import status, store
from llmrec.runs.queue import dispatch, keeper
from llmrec.runs.store import Run

# Stands in the place of the pipeline's work inside a real worker process: STEPS steps of 50 ms, a checkpoint after each.
PLUGIN = """
import os, time
from llmrec import artifacts
from llmrec.runs import pipeline

def work(run, tell, stop, numbers):
    at = run.path / "checkpoint" / "manifest.json"
    done = artifacts.read_json(at)["step"] if at.exists() else 0
    with stop.gently():
        for step in range(done + 1, int(open(os.environ["STEPS"]).read()) + 1):
            time.sleep(0.05)
            tell({"event": "step", "step": step})  # first, as the loop does: a kill in between repeats a step and loses none
            artifacts.write_json({"step": step}, at)
            if stop():
                break

pipeline._work = work
"""
DEADLINE = 60.0


def slow_workers(folder: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Workers that this process starts from now on work in steps. Python runs `sitecustomize` before anything of ours."""
    (folder / "sitecustomize.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.setenv("STEPS", str(folder / "steps"))
    plan(steps)


def plan(steps: int) -> None:
    """How many steps a worker takes that begins from now on, whoever starts it."""
    Path(os.environ["STEPS"]).write_text(str(steps))


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, turning the queue."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def turned(condition: Callable[[], bool], what: str) -> None:
    """The same, with somebody who turns the queue."""
    until(lambda: dispatch.tick() is None and condition(), what)


def steps(run: Run) -> list[int]:
    return [e["step"] for e in run.events() if e.get("event") == "step"]


@pytest.fixture
def tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No keeper of its own, and no worker survives the test."""
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    yield
    kill_all()


def kill_all() -> None:
    for run in store.list_runs():
        for _ in range(100):
            if not status.is_locked(run.path):
                break
            pid = status.read_file(run.path).pid
            if pid and pid != os.getpid():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
    for _, child in dispatch._children:
        child.kill()
        child.wait()
    dispatch._children.clear()
    assert home.runs()
