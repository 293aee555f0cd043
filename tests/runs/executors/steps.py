"""What the tests of executors share: a process of a node that works in steps and does not train, and waiting on conditions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from llmrec.runs.store import Run

# Python runs `sitecustomize` first. In a node's process alone it puts steps of 50 ms in the place of the training, a checkpoint after each,
# or, where no steps are planned, lets the real training keep checkpoints often.
PLUGIN = """
import os, sys

def steps(planned):
    import time
    from llmrec import artifacts
    from llmrec.runs import pipeline

    def work(run, tell, stop, numbers):
        at = run.path / "checkpoint" / "manifest.json"
        done = artifacts.read_json(at)["step"] if at.exists() else 0
        with stop.gently():
            for step in range(done + 1, planned + 1):
                time.sleep(0.05)
                artifacts.write_json({"step": step}, at)
                tell({"event": "step", "step": step, "threads": os.environ["OMP_NUM_THREADS"]})
                if stop():
                    break

    pipeline._work = work

if "llmrec.runs.executors.node" in sys.orig_argv:
    planned = int(open(os.environ["STEPS"]).read())
    if planned:
        steps(planned)
    else:
        from llmrec.lm import loop
        loop.CHECKPOINT_SECONDS = 0.3
"""
DEADLINE = 60.0


def environment(folder: Path, steps: int) -> dict[str, str]:
    """Environment variables for node's processes that take so many steps; 0: they train."""
    (folder / "sitecustomize.py").write_text(PLUGIN)
    (folder / "steps").write_text(str(steps))
    before = [path for path in [os.environ.get("PYTHONPATH")] if path]
    return {"PYTHONPATH": os.pathsep.join([str(folder), *before]), "STEPS": str(folder / "steps")}


def until(condition: Callable[[], object], what: str, patience: float = DEADLINE) -> None:
    """Wait for a condition, at most `patience` seconds."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def steps(run: Run) -> list[int]:
    """The steps that a run has taken, in order."""
    return [e["step"] for e in run.events() if e.get("event") == "step"]


def warnings(run: Run) -> list[str]:
    """What a person was warned of."""
    return [e["text"] for e in run.events() if e.get("event") == "warning"]


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
