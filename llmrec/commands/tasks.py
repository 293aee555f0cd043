"""META ID's tasks in words on held-out interactions: ratings, explanations, reviews or tags, each beside its baselines.

Example: llmrec tasks metaid-ml-100k-sketch-1 --task explanation --users 200 --template unseen
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from typing import Any

from llmrec.commands import layout

TASKS = ("rating", "explanation", "review")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    parser.add_argument("--task", choices=TASKS, help="one task (default: all that the run was trained on)")
    parser.add_argument("--users", type=int, metavar="N", help="ask N users, drawn by the run's seed (default: all)")
    parser.add_argument("--template", choices=("seen", "unseen"), default="seen", help="a prompt of training, or a new one (default: seen)")
    parser.add_argument("--free", action="store_true", help="explanations may say any word (default: what a statement may say)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.lm.tasks import measure
    from llmrec.recommend.language import LanguageRecommender
    from llmrec.runs import store

    found = store.open_run(args.run)
    chosen = measure.trained(found.recipe.train, args.task)
    data, split, recommender = found.dataset(), found.split(), found.recommender()
    if not isinstance(recommender, LanguageRecommender):
        raise ValueError(f"run {found.name} recommends without a language model that speaks: choose a run of [train] finetune")
    seed, unseen = found.recipe.seed, args.template == "unseen"
    asked = {"users": args.users, "unseen": unseen, "seed": seed, "constrained": not args.free}
    measured = {t: measure.task(t, recommender, split, data.catalog, **asked) for t in chosen}
    about = {"run": found.name, "data": data.name, "split": split.protocol, "part": "test", "template": args.template, "seed": seed}
    return {**about, "constrained": not args.free, "tasks": {name: dataclasses.asdict(result) for name, result in measured.items()}}


def text(result: dict[str, Any]) -> str:
    about = f"{result['data']}, {result['split']} {result['part']}, {result['template']} template, seed {result['seed']}"
    blocks = []
    for name, measured in result["tasks"].items():
        blocks.append(_table(f"{name}: {about}, {measured['n']:,} held-out interactions", result["run"], measured))
        blocks += [_explained(e) for e in measured["examples"]] if name == "explanation" else []
        blocks += [f"  said     {said}\n  written  {written}" for said, written in measured["examples"]] if name == "review" else []
    return "\n\n".join(blocks)


def _table(title: str, who: str, measured: Mapping[str, Any]) -> str:
    numbers = measured["metrics"]
    rows = [(other, *(values[n] for n in numbers)) for other, values in measured["baselines"].items()]
    block = layout.table(title, ("", *numbers), [*rows, (who, *numbers.values())])
    bounds = ", ".join(f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in measured["intervals"].items())
    less = [_less(name, values) for name, values in measured["differences"].items()]
    aside = [f"{left:,} more are left out: {why}" for why, left in measured["left_out"].items() if left]
    return "\n  ".join([block, f"95 % intervals of the run: {bounds}", *less, *aside])


def _less(baseline: str, differences: Mapping[str, tuple[float, float, float]]) -> str:
    said = ", ".join(f"{name} {mean:+.4f} ({low:+.4f} to {high:+.4f})" for name, (mean, low, high) in differences.items())
    return f"less {baseline}: {said}"


def _explained(example: Mapping[str, Any]) -> str:
    newest = "; ".join(example["history"][-5:])
    lines = (
        ("why", f"{example['title']}, after {newest}"),
        ("said", f"{example['said']} ({'true' if example['true'] else 'not true'})"),
        ("reference", example["reference"]),
    )
    return "\n".join(f"  {name:<9}  {layout.cell(words)}" for name, words in lines)
