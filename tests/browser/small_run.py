"""A small run, trained for real in seconds: the checkerboard world, a tiny language model. For tests of what stands on a run."""

from __future__ import annotations

import os
from pathlib import Path

RECIPE = {
    "data": {"name": "checkerboard", "n_users": 60, "n_items": 40},
    "scheme": {"name": "metaid", "n_clusters": 6},
    "lm": {"name": "tiny"},
    "train": {"epochs": 2, "validations": 1},
}


def train(runs: Path) -> str:
    """Train it into this folder of runs; returns the run's name."""
    from llmrec import recipe
    from llmrec.runs import pipeline, store

    before = os.environ.get("LLMREC_RUNS")
    os.environ["LLMREC_RUNS"] = str(runs)
    try:
        run = store.create(recipe.read(RECIPE))
        assert pipeline.train(run).state == "done"
    finally:
        if before is None:
            os.environ.pop("LLMREC_RUNS")
        else:
            os.environ["LLMREC_RUNS"] = before
    return run.name


if __name__ == "__main__":
    import sys

    print(train(Path(sys.argv[1])))
