"""A small training that may be worked by one process or by several; a program of its own: KIND FOLDER STOP_AT.

It writes the loss of every step it hears of into FOLDER/losses-RANK.json, and FOLDER/facts.json from the main process.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from llmrec.contracts import Vectors
from llmrec.lm import loop, processes
from llmrec.lm.backbone import Backbone
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie
from llmrec.lm.mutual.plan import Mutual
from tests.lm import world
from tests.lm.mutual import pairs

RNG = np.random.default_rng(0)
VECTORS = Vectors(RNG.standard_normal((40, 6)).astype(np.float32), RNG.standard_normal((24, 6)).astype(np.float32))
VECTORS.items[7] = 0  # of which nothing is known
HEADS = {"trie": Trie(), "items": Items(), "retrieve": Retrieve(n_negatives=4), "hinge": Retrieve(n_negatives=4, objective="hinge")}
# 40 people, 13 a step: the last step of an epoch has one document, fewer than there are processes
PLAN = FineTune(epochs=2, batch=13, max_items=12, validations=2, lr=5e-3)
MIXED = dataclasses.replace(PLAN, tasks={"rating": 0.2, "review": 0.1})
MUTUAL = Mutual(epochs=(1, 1, 1), batch=13, lr=(5e-3, 5e-3), regularise=(0.1, 1.0), validations=2)


def train(kind: str, folder: Path, stop_at: int = 0, dropout: float = 0.0) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One training of a kind: a head's name, "mixed" or "mutual". Returns its summary and its events."""
    steps, events = iter(range(10**6)), list[dict[str, Any]]()

    def stop() -> bool:
        return processes.rank() == 0 and next(steps) + 1 == stop_at

    if kind == "mutual":
        return pairs.fit(MUTUAL, pairs.model(dropout=dropout), folder, events.append, stop), events
    table, split = world.table(n_users=40), world.split()
    if kind == "mixed":
        text = np.asarray([f"u{u} of i{i}" for u, i in zip(split.train.user, split.train.item, strict=True)], dtype=object)
        rated = dataclasses.replace(split.train, rating=(split.train.item % 5 + 1).astype(np.float32), text=text)
        split = dataclasses.replace(split, train=rated)
    lm = world.model(table, Backbone("tiny", dropout=dropout))
    plan = MIXED if kind == "mixed" else PLAN
    head: Any = HEADS.get(kind, HEADS["trie"])
    return plan.fit(lm, table, split, folder, events.append, stop, 0, head, None, VECTORS), events


def main(kind: str, folder: Path, stop_at: int, dropout: float) -> None:
    loop.REPORT_SECONDS = -1.0  # every step
    facts, events = train(kind, folder, stop_at, dropout)
    if processes.rank() == 0:
        (folder / "facts.json").write_text(json.dumps({"facts": facts, "events": events}))
    elif events:
        raise SystemExit("somebody beside the main process told something")
    processes.leave()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
