"""How this package starts a Python process of its own: with its own code, whatever lies in the folder it starts in.

Where it stands: under the queue and the executors. What it does not know: what the process does.

`python -m` looks for modules in the working folder first, and a worker starts in the folder that its recipe's paths are relative to:
a `json.py` that came with somebody's data would be run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from llmrec import artifacts

ROOT = Path(__file__).resolve().parents[2]


def command(module: str, *words: str) -> list[str]:
    """What runs a module of this package, with these words after it."""
    return [sys.executable, "-P", "-m", module, *words]


def environment(**given: str) -> dict[str, str]:
    """This process's environment, what is given, and the way to this package where it is not installed."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{before}" if before else str(ROOT), **given}


def folder_for(run: Path) -> str | None:
    """The folder that a run's relative paths start from, where it names some and the folder is there."""
    try:
        found = artifacts.read_json(run / "run.json").get("cwd")
    except artifacts.BadArtifact:
        return None
    return found if isinstance(found, str) and os.path.isdir(found) else None


def plainly(path: str, flags: int) -> int:
    """What opens the file that a process writes its words into: never one behind a link."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o644)
