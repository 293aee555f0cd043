"""Names fitted without a model: the stages before the language model, worked by a process of its own and kept in the stage cache.

Where it stands: an errand of the Tour. What it does not know: pages, items. `python -m app.tour.naming` reads a recipe from its standard
input and says on its standard output how far it is.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def main(text: str) -> int:
    """Fit the names of one recipe."""
    from llmrec import progress, recipe
    from llmrec.runs import stages

    try:
        wanted = recipe.read(tomllib.loads(text))

        @contextmanager
        def around(stage: str) -> Iterator[None]:
            tell({"stage": stages.label(wanted, stage)})
            yield

        with progress.listening(tell):
            stages.prepare(wanted, around)
    except (ValueError, OSError) as error:
        tell({"trouble": str(error)})
        return 1
    return 0


def tell(event: dict[str, Any]) -> None:
    """One line of what is said."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    from app.tour.naming import main as work

    sys.exit(work(sys.stdin.read()))
