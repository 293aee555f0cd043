"""Which runs learned from a data set that was imported on this machine: they cannot be opened when it is gone.

Where it stands: beside the store of runs; asked before a set is deleted. What it does not know: what is in a set.
"""

from __future__ import annotations

from llmrec.artifacts import BadArtifact
from llmrec.recipe import BadRecipe
from llmrec.runs import status, store

AT_WORK = ("queued", "running", "stopping")


def of_upload(name: str) -> list[str]:
    """The names of these runs. A broken one tells nothing and is left out."""
    found = []
    for run in store.list_runs():
        try:
            if not run.broken and getattr(run.recipe.data, "set", None) == name:
                found.append(run.name)
        except (BadArtifact, BadRecipe, OSError):
            continue
    return found


def refuse_at_work(name: str) -> None:
    """Nothing, unless a run that waits or works reads this set: `ValueError` with the run and the remedy, as it would fail without it."""
    for run in of_upload(name):
        state = status.read(store.by_name(run).path).state
        if state in AT_WORK:
            raise ValueError(f"{name} is what run {run} learns from, which is {state}: wait until it ends, or stop it, then delete the set")
