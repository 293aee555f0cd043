"""The skip-gram space at several moments, trained by a process of its own and kept in the stage cache.

Where it stands: an errand of the Tour. What it does not know: pages, titles. `python -m app.tour.forming` reads a recipe with META ID's
embedder from its standard input and says on its standard output how far it is.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

from llmrec.view.moments import Moments


def key(recipe: Any) -> str:
    """What the moments are kept under: the vectors' settings and data, and the file that watches; a change of another figure costs no
    training."""
    from llmrec import artifacts
    from llmrec.runs import cache, stages
    from llmrec.view import moments

    return cache.key("forming", stages.keys(recipe)["embed"], artifacts.sha256(Path(moments.__file__)))


def watched(recipe: Any) -> Moments:
    """The moments, made here where they are not kept: only the errand calls this without looking first."""
    from llmrec import rng
    from llmrec.runs import cache, stages
    from llmrec.view import moments

    def make() -> Moments:
        data = stages.dataset(recipe)
        parts = stages.split(recipe, data)
        return moments.watch(recipe.embed, parts.train, rng.stream(recipe.seed, "forming"))

    return cache.remember("forming", key(recipe), Moments, make)


def main(text: str) -> int:
    """Train, look, keep."""
    from app.tour.naming import tell
    from llmrec import progress, recipe

    try:
        wanted = recipe.read(tomllib.loads(text))
        with progress.listening(tell):
            watched(wanted)
    except (ValueError, OSError) as error:
        tell({"trouble": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    from app.tour.forming import main as work

    sys.exit(work(sys.stdin.read()))
