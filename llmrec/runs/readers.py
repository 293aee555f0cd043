"""Which runs learned from a data set that was imported on this machine: they cannot be opened when it is gone.

Where it stands: beside the store of runs; asked before a set is deleted. What it does not know: what is in a set.
"""

from __future__ import annotations

from llmrec.artifacts import BadArtifact
from llmrec.recipe import BadRecipe
from llmrec.runs import store


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
