"""An estimate from a process of its own: what it holds in memory is measured, and a measurement that dies takes nobody along.

Where it stands: between those who want to know and `python -m llmrec.runs.estimate`, which measures. What it does not know: how.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from typing import Any

from llmrec.lm.trouble import NO_MEMORY
from llmrec.recipe import Recipe
from llmrec.runs import launch
from llmrec.runs.estimate import scratch
from llmrec.runs.estimate.advice import keep, remedy
from llmrec.runs.estimate.values import Estimate

MODULE = "llmrec.runs.estimate"


def ask(recipe: Recipe, budget: float = 15.0, timeout: float = 120.0) -> Estimate:
    """Measure a recipe for about `budget` seconds, and give up after `timeout`.

    ValueError with the recipe's own sentence where a run of it would be refused, and with a remedy where measuring it ran out of memory
    or of time.
    """
    with scratch.folder() as (folder, lock):
        process = subprocess.Popen(
            launch.command(MODULE, "--budget", str(budget), "--parent", str(os.getpid()), "--folder", str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=launch.environment(**_threads(), TMPDIR=str(folder)),
            pass_fds=(lock,),  # the folder is in use until both have ended
        )
        try:
            out, err = process.communicate(recipe.to_toml(), timeout)
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"measuring took longer than {timeout:.0f} s on this machine: start without an estimate, or when less is going on"
            ) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
    estimate = _read(recipe, process.returncode, out, err)
    keep(recipe, estimate)
    return estimate


def _read(recipe: Recipe, code: int, out: str, err: str) -> Estimate:
    """What the process said, or why it said nothing."""
    last = (out.strip().splitlines() or [""])[-1]
    said: dict[str, Any] = {}
    with contextlib.suppress(json.JSONDecodeError):  # it ended in the middle of its answer
        said = json.loads(last) if last.startswith("{") else {}
    if code == 0 and "stages" in said:
        return Estimate.from_dict(said)
    if "refused" in said:
        raise ValueError(said["refused"])
    why = (err.strip().splitlines() or [f"the process ended with code {code}"])[-1]
    if code == -signal.SIGKILL or why.startswith("MemoryError") or any(text in why.lower() for text in NO_MEMORY):
        raise ValueError(f"measuring ran out of memory, and so would training: {remedy(recipe)}")
    raise ValueError(f"the recipe could not be measured: {why[:300]}")


def _threads() -> dict[str, str]:
    """What a worker's process gets, so that its pace is measured and not another."""
    from llmrec.runs.queue import dispatch

    return {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(dispatch.threads())}
