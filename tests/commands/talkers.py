"""The smallest runs to talk to: one that was tuned on dialogues and one that was not, trained once for a module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RECIPE: dict[str, dict[str, Any]] = {
    "data": {"name": "checkerboard", "n_users": 24, "n_items": 20},
    "scheme": {"name": "metaid", "n_clusters": 4},
    "lm": {"name": "tiny"},
    "embed": {"name": "metapath", "walks_per_node": 1, "epochs": 1},
}


@pytest.fixture
def runs(home: Path, own_home: None) -> list[str]:
    """One that talks, one that does not, by name."""
    from llmrec import recipe
    from llmrec.runs import pipeline, store

    if not (home / "runs").exists():
        for tasks in ({"dialogue": 0.1}, {}):
            run = store.create(recipe.read({**RECIPE, "train": {"epochs": 1, "validations": 1, "tasks": tasks}}))
            assert pipeline.train(run).state == "done"
    return sorted(p.name for p in (home / "runs").iterdir() if not p.name.startswith("."))
