"""How this package starts a Python process of its own: with its own code, whatever lies in the folder it starts in.

Where it stands: under the queue. What it does not know: what the process does.

`python -m` looks for modules in the working folder first, and a worker starts in the folder that its recipe's paths are relative to:
a `json.py` that came with somebody's data would be run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(module: str, *words: str) -> list[str]:
    """What runs a module of this package, with these words after it."""
    return [sys.executable, "-P", "-m", module, *words]


def environment(**given: str) -> dict[str, str]:
    """This process's environment, what is given, and the way to this package where it is not installed."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{before}" if before else str(ROOT), **given}
