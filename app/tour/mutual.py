"""CLLM4Rec's mutual training on the smallest world that shows it, once for each lambda; both sides' rows are kept after every pass.

Where it stands: an errand of the Tour, and what reads its results from the stage cache. What it does not know: pages, figures.
`python -m app.tour.mutual RUN` takes the data and split of a run; where RUN is "-", those of the recipe on its standard input.
"""

from __future__ import annotations

import json
import os
import sys
import time
import tomllib
from typing import Any

from llmrec.contracts import Catalog, Dataset, Split

N_ITEMS, N_USERS, SEED = 120, 150, 0
ROUNDS = 10  # of a pass over people and one over content, after one over content alone
LR = 5e-3
PRIOR = 1e-3  # lambda_l
STRENGTHS = (0.0, 1.0, 10.0, 100.0)  # lambda_c; the plan's own is 1
NO_RUN = "-"
BACKBONE = "tiny"
COST = "about a minute for all four, once"


def key(dataset: Dataset, split: Split, strength: float) -> str:
    """What a training is kept under: the data, the split and every setting."""
    from llmrec import artifacts
    from llmrec.lm.mutual import watch
    from llmrec.runs import cache

    sizes = [N_ITEMS, N_USERS, SEED, ROUNDS, LR, PRIOR, BACKBONE, strength]
    read = artifacts.fingerprint(dataset), artifacts.fingerprint(split.train), artifacts.fingerprint(split.valid)
    return cache.key("mutual rows", sizes, cache.code(watch.__name__), *read)


def train(catalog: Catalog, split: Split, strength: float, told: Any) -> Any:
    """One training of the small world: a `Watched`. told: hears the share that is done."""
    from llmrec import rng
    from llmrec.ids.cllm4rec import Cllm4Rec
    from llmrec.lm.backbone import Backbone
    from llmrec.lm.model import LanguageModel
    from llmrec.lm.mutual.plan import Mutual
    from llmrec.lm.mutual.watch import watch

    table = Cllm4Rec().fit(split.train, catalog, None, rng.stream(SEED, "scheme"))
    lm = LanguageModel.create(Backbone(BACKBONE), table, catalog, SEED)
    plan = Mutual(epochs=(1, ROUNDS, 0), lr=(LR, LR), regularise=(PRIOR, strength), validations=1)
    return watch(plan, lm, table, split, catalog, SEED, told)


def main(run: str, text: str) -> int:
    """Train for each lambda that is not kept yet."""
    from app.tour.small_world import smallest
    from llmrec.lm.mutual.watch import Watched
    from llmrec.runs import cache

    os.environ["LLMREC_PRECISION"] = "fp32"  # half precision costs more than it saves on a model this small
    try:
        tell("reading the data", 0.0)
        dataset, split = _read(run, text)
        catalog, corner, _ = smallest(dataset.catalog, split, N_ITEMS, N_USERS)
        if len(corner.train.item) == 0 or len(corner.valid) == 0:
            tell_trouble("the most taken items and most active users of this data leave nothing to validate on: load more data")
            return 1
        for number, strength in enumerate(STRENGTHS):
            teller = Teller(number, strength)
            name = key(dataset, split, strength)
            cache.remember("mutual", name, Watched, lambda s=strength, t=teller: train(catalog, corner, s, t))  # type: ignore[misc]
    except (ValueError, OSError) as error:
        tell_trouble(str(error))
        return 1
    return 0


class Teller:
    """Says how far all trainings are, twice a second at most: the `number`-th is under way."""

    def __init__(self, number: int, strength: float) -> None:
        self._number, self._strength, self._last = number, strength, 0.0

    def __call__(self, share: float) -> None:
        if time.monotonic() - self._last > 0.5:
            self._last = time.monotonic()
            tell(f"lambda {self._strength:g}", (self._number + share) / len(STRENGTHS))


def _read(run: str, text: str) -> tuple[Dataset, Split]:
    from llmrec import recipe
    from llmrec.runs import stages, store

    if run != NO_RUN:
        found = store.by_name(run)
        return found.dataset(), found.split()
    wanted = recipe.read(tomllib.loads(text))
    data = stages.dataset(wanted)
    return data, stages.split(wanted, data)


def tell(stage: str, share: float) -> None:
    """How far it is, as one line."""
    sys.stdout.write(json.dumps({"stage": stage, "share": round(share, 4)}) + "\n")
    sys.stdout.flush()


def tell_trouble(sentence: str) -> None:
    """Why it gave up, as one line."""
    sys.stdout.write(json.dumps({"trouble": sentence}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    from app.tour.mutual import main as work

    sys.exit(work(sys.argv[1], sys.stdin.read()))
