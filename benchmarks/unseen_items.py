"""Items that came after training, found again: a run of the split `unseen-items` beside ItemKNN and chance.

    llmrec train tokenrec-ml-100k-sketch --set split.name=unseen-items --out RUN
    python -m benchmarks.unseen_items RUN

Where it stands: outside the package, after a run is trained. Each user who is asked has one new item to find among the whole catalogue,
seen items masked; the new items are known by the users who tell, and by nothing else. ItemKNN is fitted on train and on what is told. There
new items have half of their takers and all others have all of theirs, which its cosine takes for distance; so it is also fitted on those
alone who tell, where all items stand alike. Chance: ten places drawn from what the user has not seen; no popularity is in it. "new among
10": how many of the ten recommended are new items, and how many there would be by chance. Each number stands with its 95 % interval.
Results go to benchmarks/measured/unseen-items.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from llmrec import registry, rng
from llmrec.artifacts import write_json
from llmrec.contracts import Interactions, Recommender, Split
from llmrec.report.compare import interval
from llmrec.report.evaluate import evaluate
from llmrec.runs import machine, newcomers, store

OUT = Path(__file__).resolve().parent / "measured" / "unseen-items.json"
BESIDE = ("itemknn", "itemknn-last3")


def with_told(split: Split, tellers_alone: bool = False) -> Interactions:
    """Train and what is told of new items, as one; or that part of it that is from users who told of one."""
    assert split.known is not None
    heard = np.isin(split.train.user, split.known.user) if tellers_alone else np.ones(len(split.train), dtype=bool)
    parts = (split.train.take(heard), split.known)
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("user", "item", "time"))
    user, item, time = columns
    return Interactions.from_unsorted(user, item, time, split.train.n_users, split.train.n_items)


def chance(split: Split) -> float:
    """hit@10 of ten items drawn from those that the user has not seen, one target each."""
    seen = [len(np.unique(history)) for history in split.queries("test").histories]
    return float(np.mean([10 / (split.train.n_items - n) for n in seen]))


def told(recommender: Recommender, split: Split) -> dict[str, Any]:
    """Hits and their interval, and how many of the ten are new."""
    assert split.known is not None
    found = evaluate(recommender, split, "test", masked=True)
    new = np.isin(found.ranked.items[:, :10], split.known.item).sum(axis=1).mean()
    spans = {name: interval(found.per_user[name], rng.stream(0, "bootstrap")) for name in ("hit@10", "ndcg@10")}
    return {**{name: [x.mean, x.low, x.high] for name, x in spans.items()}, "new among 10": float(new)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unseen_items", description="Items that came after training, found again.")
    parser.add_argument("run", help="a run trained with split.name=unseen-items")
    parser.add_argument("--out", type=Path, default=OUT, help="JSON to write")
    given = parser.parse_args()
    run = store.open_run(given.run)
    split, recommender = run.split(), run.recommender()
    if split.known is None:
        parser.error(f"run {run.name} kept no items for later: train one with --set split.name=unseen-items")
    results: dict[str, Any] = {run.info["scheme"]: told(recommender, split) | newcomers.told(run, recommender, split)}
    for name in BESIDE:
        for alone in (False, True):
            fitted = registry.load("baseline", name)().fit(with_told(split, alone), rng.stream(0, "baseline", name))
            results[f"{name}, on those who tell" if alone else name] = told(fitted, split)
    n_new = len(np.unique(split.known.item))
    asked = {"users asked": len(split.asked("test")), "new items": n_new, "told of them": len(split.known)}
    by_chance = {"hit@10": chance(split), "new among 10": chance(split) * n_new}
    whole = {"recipe": run.recipe.to_dict(), **asked, "chance": by_chance, "results": results, "machine": machine.describe()}
    print(asked, by_chance, *results.items(), sep="\n")
    write_json(whole, given.out)


if __name__ == "__main__":
    main()
