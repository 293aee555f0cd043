"""Work a recipe off: data, vectors, names, language model, numbers. Ctrl-C or SIGTERM stops it and keeps a usable model.

RECIPE is a file or the name of a shipped recipe. A run that was stopped or killed goes on with --resume.
Examples: llmrec train metaid-ml-100k-sketch --set train.epochs=2
          llmrec train --out my-run --resume
"""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.runs.store import Run


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "recipe", nargs="?", metavar="RECIPE", help="a TOML file, or the name of a shipped recipe; with --resume also a run"
    )
    parser.add_argument("--out", metavar="DIR", help="put the run into this folder (default: a new folder among the runs)")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one setting of the recipe")
    parser.add_argument("--no-numbers", action="store_true", help="train alone; `llmrec evaluate` measures when it is asked to")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, or with the last unfinished run of the recipe")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.commands.progress import Progress
    from llmrec.runs import pipeline

    begin = time.perf_counter()
    found = _resumed(args) if args.resume else _fresh(args)
    outcome = pipeline.train(found, Progress(), numbers=not args.no_numbers)
    if outcome.state == "stopped" and "Ctrl-C" in outcome.reason:
        args.exit_code = 130
    return {
        "run": found.name,
        "path": str(found.path),
        "state": outcome.state,
        "reason": outcome.reason,
        "seconds": round(time.perf_counter() - begin, 3),
        "metrics": found.metrics or {},
    }


def text(result: dict[str, Any]) -> str:
    from llmrec.report.protocols import headline

    reports = [(part, seen, report) for part, policies in result["metrics"].items() for seen, report in policies.items()]
    names = headline(*((reports[0][2], reports[0][2]["metrics"]) if reports else ({}, ())))
    rows = [(part, seen, report["n_users"], *(report["metrics"].get(name) for name in names)) for part, seen, report in reports]
    why = f" ({result['reason']})" if result["reason"] else ""
    head = f"Run {result['run']}: {result['state']}{why}, {result['seconds']:.0f} s\n{result['path']}"
    return head if not rows else head + "\n\n" + layout.table("Numbers", ("part", "seen items", "users", *names), rows)


def _fresh(args: argparse.Namespace) -> Run:
    from llmrec.runs import store

    if args.recipe is None:
        raise ValueError("no recipe was given: name one, such as `llmrec train metaid-ml-100k-sketch`")
    return store.create(_recipe(args), args.out)


def _resumed(args: argparse.Namespace) -> Run:
    from llmrec.runs import store
    from llmrec.runs.store import UnknownRun

    if args.out is not None:
        found = store.open_run(Path(args.out))
        if args.recipe is not None and _recipe(args).fingerprint() != found.recipe.fingerprint():
            raise ValueError(f"{args.out} was made with other settings than {args.recipe}: leave the recipe out, or start a new run")
        return found
    if args.recipe is None:
        raise ValueError("nothing to resume was named: give a run, a recipe or --out DIR")
    try:
        found = store.open_run(args.recipe)
    except UnknownRun:
        return _last_unfinished(args)
    if args.set:
        raise ValueError("a run keeps its settings: leave --set out, or start a new run")
    return found


def _last_unfinished(args: argparse.Namespace) -> Run:
    from llmrec.registry import UnknownName
    from llmrec.runs import store

    wanted = _recipe(args).fingerprint()
    for found in store.list_runs():
        if found.broken or not found.status.resumable:
            continue
        with contextlib.suppress(ValueError, UnknownName):  # another run's recipe may be of another version
            if found.recipe.fingerprint() == wanted:
                return found
    raise ValueError(f"there is no unfinished run of {args.recipe}: leave --resume out to start one")


def _recipe(args: argparse.Namespace) -> Any:
    from llmrec import recipe
    from llmrec.commands import settings

    return recipe.with_settings(recipe.load(settings.recipe_path(args.recipe)), settings.changes(args.set))
