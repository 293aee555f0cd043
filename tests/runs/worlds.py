"""What the tests of runs share: the smallest recipe that goes through the whole flow, and a worker that does not train."""

from __future__ import annotations

from llmrec import recipe
from llmrec.recipe import Recipe

BOARD = """
seed = 3
[data]
name = "checkerboard"
n_users = 30
n_items = 20
[embed]
d = 8
walk_length = 6
walks_per_node = 3
epochs = 1
[scheme]
name = "metaid"
n_clusters = 4
[lm]
name = "tiny"
[head]
beams = 10
[train]
epochs = 2
validations = 1
"""


def board() -> Recipe:
    import dataclasses
    import tomllib

    return dataclasses.replace(recipe.read(tomllib.loads(BOARD)), name="metaid-checkerboard-tiny")


# A process that works a run in 200 steps of 50 ms, keeps a checkpoint after each and can be killed anywhere; argv: the run's folder.
SLOW_WORKER = """
import json, sys, time
from pathlib import Path
from llmrec import artifacts
from llmrec.runs import pipeline, store

def work(run, tell, stop, numbers):
    at = run.path / "checkpoint.json"
    done = artifacts.read_json(at)["step"] if at.exists() else 0
    with stop.gently():
        for step in range(done + 1, STEPS + 1):
            time.sleep(0.05)
            artifacts.write_json({"step": step}, at)
            tell({"event": "step", "step": step})
            if stop():
                break

STEPS = int(sys.argv[2])
pipeline._work = work
print(pipeline.train(store.open_run(sys.argv[1])).state)
"""
