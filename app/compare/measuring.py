"""The errand behind the Compare page: rank and time what was not measured yet, one after the other, and keep it.

Where it stands: under `scores`. What it does not know: pages. `python -m app.compare.measuring` reads what is asked from its standard
input; each one that is done is kept at once, so that the table fills line by line and a second errand finds it.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main(given: str) -> int:
    """Measure the runs and baselines that a JSON object names. What fails is told, and the others are measured all the same."""
    from llmrec.runs import store

    asked: dict[str, Any] = json.loads(given)
    part, masked = asked["part"], bool(asked["masked"])
    runs = [store.by_name(name) for name in asked["runs"]]
    ground = runs[0] if runs else store.by_name(asked["ground"])
    todo = [*(("run", run.name) for run in runs), *(("baseline", str(name)) for name in asked["baselines"])]
    failed = 0
    for n, (kind, name) in enumerate(todo):
        _say(stage=name, share=n / len(todo))
        try:
            _measure(ground, kind, name, part, masked)
        except Exception as error:  # the next may well be measured
            failed += 1
            _say(trouble=f"{name} could not be measured: {' '.join(str(error).split()) or type(error).__name__}")
    return 1 if failed else 0


def _measure(ground: Any, kind: str, name: str, part: Any, masked: bool) -> None:
    from llmrec.runs import measured, store

    if kind == "baseline":
        measured.of_baseline(ground, name, part, masked)
        measured.costs_of_baseline(ground, name)
        return
    run = store.by_name(name)
    measured.of_run(run, part, masked)
    measured.costs_of_run(run)


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    from app.compare.measuring import main as work

    sys.exit(work(sys.stdin.read()))
