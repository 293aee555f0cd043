"""Items that came after training, found again: a run of the split `unseen-items` beside ItemKNN and chance.

    llmrec train tokenrec-ml-100k-sketch --set split.name=unseen-items --out RUN
    python -m benchmarks.unseen_items RUN

Where it stands: outside the package, after a run is trained. Each user who is asked has one new item to find among the whole catalogue,
seen items masked; the new items are known by the users who tell, and by nothing else. ItemKNN is fitted on train and on what is told. There
new items have half of their takers and all others have all of theirs, which its cosine takes for distance; so it is also fitted on those
alone who tell, where all items stand alike, and so is popularity. Chance: ten places drawn from what the user has not seen. "new among
10": how many of the ten recommended are new items, and how many there would be by chance. "less": the run less another, paired by user.
"by takers": the run's hits by how many told of the item that is asked for. Each mean stands with its 95 % interval.
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
from llmrec.report.compare import difference, interval
from llmrec.report.evaluate import Evaluation, evaluate
from llmrec.runs import machine, newcomers, store

OUT = Path(__file__).resolve().parent / "measured" / "unseen-items.json"
BESIDE = (("itemknn", False), ("itemknn", True), ("itemknn-last3", False), ("itemknn-last3", True), ("popularity", True))
BANDS = {"fewer than 20": (0, 20), "20 to 59": (20, 60), "60 or more": (60, 10**9)}  # by how many told of the item
MEASURED = ("hit@10", "ndcg@10")


def with_told(split: Split, tellers_alone: bool = False) -> Interactions:
    """Train and what is told of new items, as one; or that part of it that is from users who told of one."""
    assert split.known is not None
    heard = np.isin(split.train.user, split.known.user) if tellers_alone else np.ones(len(split.train), dtype=bool)
    parts = (split.train.take(heard), split.known)
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("user", "item", "time"))
    user, item, time = columns
    return Interactions.from_unsorted(user, item, time, split.train.n_users, split.train.n_items)


def chance(split: Split) -> dict[str, float]:
    """Of ten items drawn from those that the user has not seen: hit@10, one target each, and how many are new."""
    assert split.known is not None
    new, seen = np.unique(split.known.item), split.queries("test").exclude
    assert seen is not None
    left = np.array([split.train.n_items - len(np.unique(items)) for items in seen])
    fresh = np.array([len(np.setdiff1d(new, items)) for items in seen])
    return {"hit@10": float((10 / left).mean()), "new among 10": float((10 * fresh / left).mean())}


def measured(recommender: Recommender, split: Split) -> Evaluation:
    """Test, the whole catalogue, seen items masked."""
    return evaluate(recommender, split, "test", masked=True)


def told(found: Evaluation, split: Split) -> dict[str, Any]:
    """Hits and their interval, and how many of the ten are new."""
    assert split.known is not None
    new = np.isin(found.ranked.items[:, :10], split.known.item).sum(axis=1).mean()
    spans = {name: interval(found.per_user[name], rng.stream(0, "bootstrap")) for name in MEASURED}
    return {**{name: [x.mean, x.low, x.high] for name, x in spans.items()}, "new among 10": float(new)}


def less(found: Evaluation, other: Evaluation) -> dict[str, list[float]]:
    """The one less the other, paired by user, with its interval."""
    spans = {name: difference(found, other, name, rng.stream(0, "bootstrap")) for name in MEASURED}
    return {name: [x.mean, x.low, x.high] for name, x in spans.items()}


def by_takers(found: Evaluation, split: Split) -> dict[str, dict[str, float]]:
    """hit@10 and the number of users, by how many told of the item they are asked for; bands that nobody falls into are left out."""
    assert split.known is not None
    told_of = np.bincount(split.known.item, minlength=split.train.n_items)[np.array([int(t[0]) for t in found.targets])]
    inside = {name: (told_of >= low) & (told_of < high) for name, (low, high) in BANDS.items()}
    return {name: {"users": int(m.sum()), "hit@10": float(found.per_user["hit@10"][m].mean())} for name, m in inside.items() if m.any()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unseen_items", description="Items that came after training, found again.")
    parser.add_argument("run", help="a run trained with split.name=unseen-items")
    parser.add_argument("--out", type=Path, default=OUT, help="JSON to write")
    given = parser.parse_args()
    run = store.open_run(given.run)
    split, recommender = run.split(), run.recommender()
    if split.known is None:
        parser.error(f"run {run.name} kept no items for later: train one with --set split.name=unseen-items")
    own = measured(recommender, split)
    results: dict[str, Any] = {run.info["scheme"]: told(own, split) | newcomers.told(run, recommender, split, "test")}
    paired = {}
    for name, alone in BESIDE:
        label = f"{name}, on those who tell" if alone else name
        other = measured(registry.load("baseline", name)().fit(with_told(split, alone), rng.stream(0, "baseline", name)), split)
        results[label], paired[label] = told(other, split), less(own, other)
    taken = 0 if split.taken is None else len(split.taken)
    asked = {"users asked": len(split.asked("test")), "new items": len(np.unique(split.known.item)), "told of them": len(split.known)}
    asked["taken besides and masked"] = taken
    more = {"chance": chance(split), "results": results, "less": paired, "by takers": by_takers(own, split)}
    print(asked, *more.items(), sep="\n")
    write_json({"recipe": run.recipe.to_dict(), **asked, **more, "machine": machine.describe()}, given.out)


if __name__ == "__main__":
    main()
