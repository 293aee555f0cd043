"""`python -m llmrec.runs.estimate`: a recipe on standard input, its estimate as JSON on standard output.

Where it stands: the process that `ask` starts. Ends with the process that asked. What it does not know: what is done with it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import threading
import time
import tomllib
from pathlib import Path


def main() -> int:
    """Exit code 2 with {"refused": sentence} where the recipe is refused."""
    parser = argparse.ArgumentParser(prog="python -m llmrec.runs.estimate", description="estimate the recipe on standard input")
    parser.add_argument("--budget", type=float, default=15.0, help="seconds to measure for")
    parser.add_argument("--parent", type=int, help="end when this process does")
    parser.add_argument("--folder", type=Path, help="write here, and take it away where the end is an early one")
    given = parser.parse_args()
    if given.parent is not None:
        threading.Thread(target=_end_with, args=(given.parent, given.folder), daemon=True).start()
    from llmrec import recipe
    from llmrec.registry import UnknownName
    from llmrec.runs import estimate

    try:
        with contextlib.redirect_stdout(sys.stderr):  # the answer is alone on its line
            found = estimate.measure(recipe.read(tomllib.loads(sys.stdin.read())), given.budget, given.folder).to_dict()
    except (ValueError, FileNotFoundError, UnknownName) as error:
        print(json.dumps({"refused": " ".join(str(error).split())}))
        return 2
    print(json.dumps(found))
    return 0


def _end_with(parent: int, folder: Path | None) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    if folder is not None:  # what is written meanwhile is swept up by the next that measures
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
