"""What a run recommends to a sample of its test users, kept on the disk: how often a Token is predicted is counted from it.

Where it stands: under `names`. What it does not know: names, pages. A model may need minutes, so a process of its own makes it:
`python -m app.tokens.predicting RUN`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmrec.contracts import Ints

USERS, K, SEED, BATCH = 200, 10, 0, 20


@dataclass(frozen=True)
class Sample:
    """users: (n,) whom the model was asked for; items: (n, K) what it answered, best first, -1 where it found fewer."""

    users: Ints
    items: Ints


def key(run: Any) -> str:
    """What the answers are kept under: the run, its model as it lies there, and the code that asks."""
    from llmrec.recommend import language
    from llmrec.runs import cache

    file = run.path / "model" / "manifest.json"
    written = file.stat().st_mtime_ns if file.exists() else 0
    return cache.key("predicted", run.info["id"], written, USERS, K, SEED, cache.code(language.__name__))


def kept(run: Any) -> bool:
    """Whether the answers are there."""
    from llmrec.runs import cache

    return cache.holds("predicted", key(run))


def answers(run: Any) -> Sample:
    """The answers, made here where they are not kept: only the process of the errand does that."""
    from llmrec.runs import cache

    return cache.remember("predicted", key(run), Sample, lambda: _ask(run))


def sample(n: int) -> np.ndarray:
    """Which of n queries are asked: ascending, all of them where there are few."""
    if n <= USERS:
        return np.arange(n)
    return np.sort(np.random.default_rng(SEED).choice(n, USERS, replace=False))


def _ask(run: Any) -> Sample:
    recommender, queries = run.recommender(), run.split().queries("test")
    chosen = sample(len(queries))
    items = []
    for done, row in enumerate(chosen.tolist()):
        if done % BATCH == 0:
            print(json.dumps({"stage": "asking the model", "share": done / max(1, len(chosen))}), flush=True)
        items.append(recommender.recommend(queries[row : row + 1], K).items[0])
    return Sample(np.asarray(queries.users[chosen], dtype=np.int32), np.asarray(items, dtype=np.int32).reshape(len(chosen), K))


def main(run: str) -> int:
    """Ask the model of one run and keep what it says."""
    from llmrec.runs import store

    try:
        answers(store.by_name(run))
    except (ValueError, FileNotFoundError) as error:
        print(json.dumps({"trouble": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    from app.tokens.predicting import main as work

    sys.exit(work(sys.argv[1]))
