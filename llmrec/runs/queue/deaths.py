"""Why a worker died without a word: killed, out of memory, or with the machine.

Where it stands: under `dispatch` and the executors, which find the dead. What it does not know: the queue.

The kernel counts the processes that it ended for want of memory; a count that rose since the worker began is the evidence.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TRIES = 5  # deaths of a worker without having got further, before the run is called failed
# what makes a run "further" than it was
MARKS = ("checkpoint/manifest.json", "ids", "vectors", "training.json", "metrics.json")
BOOT = Path("/proc/sys/kernel/random/boot_id")
# file and word of the kernel's counts: of this container, or of the machine
COUNTS = (
    (Path("/sys/fs/cgroup/memory.events"), "oom_kill"),
    (Path("/sys/fs/cgroup/memory/memory.oom_control"), "oom_kill"),
    (Path("/proc/vmstat"), "oom_kill"),
)


@dataclass(frozen=True)
class Death:
    """for_memory: whether another try as it stands would end alike; sentence: what a person reads."""

    for_memory: bool
    sentence: str


def snapshot() -> str:
    """What is noted when a worker begins: which start of the machine this is, and the kernel's counts."""
    boot = BOOT.read_text().strip() if BOOT.is_file() else ""
    return json.dumps({"boot": boot, "kills": {str(file): _count(file, word) for file, word in COUNTS}})


def explain(began: str, code: int | None, remedy: Callable[[], str]) -> Death:
    """What a worker died of. began: the snapshot of its start; code: as `Popen` gives it, None where it is not our child.

    remedy: asked for the setting that would fit, where memory was short.
    """
    then = _read(began)
    now = _read(snapshot())
    if then.get("boot") and then["boot"] != now.get("boot"):
        return Death(False, "the machine was restarted while it was worked on")
    rose = any(count > then.get("kills", {}).get(file, count) for file, count in now.get("kills", {}).items())
    if rose and code in (None, -signal.SIGKILL):
        return Death(True, f"the machine ran out of memory and ended its process: {remedy()}, then resume")
    if code is None:
        return Death(False, "its process was killed")
    if code < 0:
        return Death(False, f"its process was killed by {_name(-code)}")
    return Death(False, f"its process ended with code {code} without a word")


def reached(folder: Path) -> str:
    """How far a run has got, as a text that differs once it is further: its checkpoint and what is finished."""
    said = []
    for name in MARKS:
        try:
            found = (folder / name).stat()
            said.append(f"{found.st_ino}:{found.st_mtime_ns}")
        except OSError:
            said.append("-")
    return " ".join(said)


def remedy(folder: Path) -> str:
    """What to set so that a run's memory suffices; asked on the machine where it did not."""
    with contextlib.suppress(Exception):  # whatever it is, the death is told
        from llmrec.runs import estimate, machine, store

        recipe = store.Run(folder).recipe
        # where there is a GPU, its memory was measured
        return estimate.remedy(recipe) if machine.gpus() else estimate.smaller(recipe, here=False)
    return "set a smaller train.batch"


def _count(file: Path, word: str) -> int:
    try:
        for line in file.read_text().splitlines():
            found = line.split()
            if len(found) == 2 and found[0] == word:
                return int(found[1])
    except (OSError, ValueError):
        pass
    return 0


def _read(text: str) -> dict[str, dict[str, int]]:
    try:
        plain = json.loads(text)
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
