"""Measure a run over the whole catalogue: every user with a held-out item, beside the baselines.

Example: llmrec evaluate metaid-ml-100k-sketch-1 --seen unmasked --baselines popularity,ease
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from llmrec.commands import layout


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's name or folder")
    parser.add_argument("--part", choices=("test", "valid"), default="test", help="which held-out items to look for (default: test)")
    parser.add_argument("--seen", choices=("masked", "unmasked"), default="masked", help="may seen items come back? (default: masked)")
    parser.add_argument("--beams", type=int, metavar="N", help="another width of the beam than the recipe's")
    parser.add_argument(
        "--template", choices=("seen", "unseen"), default="seen", help="words around the history: learned, or never met (default: seen)"
    )
    parser.add_argument(
        "--newcomers",
        choices=("named", "anonymous"),
        help="people held out of training: named by their histories, or `a person` (default: named where the scheme can)",
    )
    parser.add_argument(
        "--baselines",
        default="quick",
        metavar="quick|all|none|A,B",
        help="which baselines to fit beside it; `all` trains for minutes (default: quick, those that only count)",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.runs import pipeline, store

    chosen = _baselines(args.baselines)
    found = store.open_run(args.run)
    data, split = found.dataset(), found.split()
    if args.newcomers is not None and not len(split.held_out):
        raise ValueError("--newcomers does not apply: nobody was held out of this run's training, train one on the split unseen-users")
    recommender: Any = found.recommender(None if args.beams is None else _wider(found.recipe.head, args.beams), args.newcomers)
    if args.template == "unseen":
        recommender = dataclasses.replace(recommender, unseen=True)
    result = pipeline.report(found, recommender, data.name, split, args.part, args.seen == "masked", chosen)
    return result if args.template == "seen" else {**result, "template": args.template}


def text(result: dict[str, Any]) -> str:
    from llmrec.report import protocols
    from llmrec.report.metrics import cut

    protocol = protocols.PROTOCOLS.get(result["split"], protocols.LOO)
    few = protocols.headline(result, result["metrics"])
    names = [n for n in (*protocol.metrics, f"coverage@{cut(few[0])}") if n in result["metrics"]]
    where = f"{result['data']}, {result['split']} {result['part']}, seen items {result['seen']}"
    blocks = [_table(f"{where}, {result['n_users']} users, seed {result['seed']}", names, result["run"], result)]
    for group, told in result.get("groups", {}).items():
        blocks.append(_table(f"{group} alone, {told['n_users']} users", [n for n in names if n in told["metrics"]], result["run"], told))
    for metric in few:
        low_high = result.get("intervals", {}).get(metric)
        if low_high:
            blocks.append(f"  {metric} of the run: 95 % interval {low_high[0]:.4f} to {low_high[1]:.4f}")
    for who, what in (("newcomers", "people"), ("new_items", "items")):
        if who in result:
            why = f" ({result[f'{who}_why']})" if f"{who}_why" in result else ""
            blocks.append(f"  {what} held out of training were {result[who]}{why}")
    if "template" in result:
        blocks.append(f"  under a template that was {result['template']} in training")
    return "\n\n".join(blocks)


def _table(title: str, names: list[str], run: str, told: dict[str, Any]) -> str:
    measured = [*told["baselines"].items(), (run, told["metrics"])]
    return layout.table(title, ("recommender", *names), [(who, *(values.get(n) for n in names)) for who, values in measured])


def _baselines(text: str) -> list[str]:
    from llmrec import registry

    known = registry.names("baseline")
    groups = {"quick": list(registry.QUICK_BASELINES), "all": known, "none": []}
    if text in groups:
        return groups[text]
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise ValueError(f"no baseline is called {name!r}: there are {', '.join(known)}, or quick, all, none")
    return names


def _wider(head: Any, beams: int) -> Any:
    if "beams" not in {f.name for f in dataclasses.fields(head)}:
        raise ValueError(f"--beams does not apply: the head {type(head).__name__} has no beam")
    return dataclasses.replace(head, beams=beams)
