"""A small run, trained for real in seconds: the checkerboard world, a tiny language model. For tests of what stands on a run."""

from __future__ import annotations

from pathlib import Path

import pytest

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

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_RUNS", str(runs))
        run = store.create(recipe.read(RECIPE))
        assert pipeline.train(run).state == "done"
    return run.name


def end(runs: Path) -> None:
    """Stop what is still being trained in this folder of runs, and wait for it."""
    from llmrec.runs import queue, store

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_RUNS", str(runs))
        for run in store.list_runs():
            if run.status.state in ("queued", "running", "stopping"):
                queue.delete(run, patience=60)


if __name__ == "__main__":
    import sys

    print(train(Path(sys.argv[1])))
