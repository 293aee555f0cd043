"""Small runs, trained for real in seconds: the checkerboard world, a tiny language model. For tests of what stands on runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RECIPE: dict[str, dict[str, Any]] = {
    "data": {"name": "checkerboard", "n_users": 60, "n_items": 40},
    "scheme": {"name": "metaid", "n_clusters": 6},
    "lm": {"name": "tiny"},
    "train": {"epochs": 2, "validations": 1},
}
# each paper's own pair of names and head, so that pages have something to compare
OTHERS: tuple[dict[str, dict[str, Any]], ...] = (
    {
        "embed": {"name": "lightgcn", "d": 16, "epochs": 20},
        "scheme": {"name": "tokenrec", "n_codes": 8, "hidden": 16, "steps": 100},
        "head": {"name": "retrieve"},
    },
    {"scheme": {"name": "cllm4rec"}, "head": {"name": "items"}},
)


def train(runs: Path, **changed: dict[str, Any]) -> str:
    """Train one into this folder of runs; returns the run's name. changed: sections of the recipe that are other."""
    from llmrec import recipe
    from llmrec.runs import pipeline, store

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_RUNS", str(runs))
        run = store.create(recipe.read({**RECIPE, **changed}))
        assert pipeline.train(run).state == "done"
    return run.name


def train_all(runs: Path) -> list[str]:
    """Train one of each paper; META ID's is the newest, which the pages open, and the one that was tuned on dialogues."""
    talks = {"train": {**RECIPE["train"], "tasks": {"dialogue": 0.1}}}
    return [train(runs, **other) for other in OTHERS] + [train(runs, **talks)]


def end(runs: Path) -> None:
    """Stop what is still being trained in this folder of runs, and wait for it."""
    from llmrec.runs import queue, store

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_RUNS", str(runs))
        for run in store.list_runs():
            if run.status.state in ("queued", "running", "stopping"):
                queue.delete(run, patience=60)


def forget(upload: str) -> None:
    """Delete an imported data set, where it is there."""
    from llmrec.data import uploads

    if upload in uploads.names():
        uploads.delete(upload)


if __name__ == "__main__":
    import sys

    print("\n".join(train_all(Path(sys.argv[1]))))
