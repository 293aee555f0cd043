"""Runs and their queue: list, look at, watch, stop, resume, repeat with changes, compare, delete. A broken run is listed with its reason.

    llmrec runs                      every run: state, place in the queue, progress, numbers
    llmrec runs show RUN             recipe, numbers, what it takes on the disk
    llmrec runs watch [RUN]          live, one run or all that work and wait, until they end; --json: one object per change;
                                     exit code 2 where one of them failed
    llmrec runs stop RUN             it keeps a usable model
    llmrec runs resume RUN           go on with what was stopped, failed or interrupted
    llmrec runs again RUN --set K=V  a new run of its recipe, with changes
    llmrec runs diff A B             where the settings of two runs or recipes differ
    llmrec runs delete RUN           stops it first; --cache frees the kept results too that no other run here uses
    llmrec runs queue                who works and who waits, in order
    llmrec runs log RUN              the last words of its process

Examples: llmrec runs watch metaid-ml-100k-sketch-1
          llmrec runs again metaid-ml-100k-sketch-1 --set train.epochs=8
          llmrec runs diff metaid-ml-100k-sketch-1 tokenrec-ml-100k-sketch
          llmrec runs delete metaid-ml-100k-sketch-1 --cache
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from llmrec.commands import layout

# verb -> its module here and function, how many runs it takes (least, most), its options
VERBS: dict[str, tuple[str, tuple[int, int], tuple[str, ...]]] = {
    "list": ("listed:every", (0, 0), ()),
    "show": ("listed:show", (1, 1), ()),
    "queue": ("listed:line_up", (0, 0), ()),
    "watch": ("watching:watch", (0, 1), ()),
    "stop": ("changing:stop", (1, 1), ()),
    "resume": ("changing:resume", (1, 1), ("executor",)),
    "again": ("changing:again", (1, 1), ("set", "executor")),
    "delete": ("changing:delete", (1, 1), ("cache",)),
    "diff": ("reading:diff", (2, 2), ()),
    "log": ("reading:log", (1, 1), ("lines",)),
}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=tuple(VERBS), default="list", help="what to do (default: list)")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="a run's name or folder; for diff also a recipe")
    parser.add_argument("--set", action="append", metavar="SECTION.KEY=VALUE", help="again: change one setting of the recipe")
    parser.add_argument("--executor", metavar="NAME", help="again, resume: what works it off, local or ray")
    parser.add_argument("--cache", action="store_true", default=None, help="delete: drop the kept results too that no other run uses")
    parser.add_argument("--lines", type=int, metavar="N", help="log: how many lines, the last ones (default: 40)")


def run(args: argparse.Namespace) -> Any:
    from llmrec.commands.following import turned

    target, (least, most), options = VERBS[args.action]
    if args.action == "list" and args.runs:
        raise ValueError(f"`runs list` takes no run: did you mean `llmrec runs show {args.runs[0]}`?")
    if len(args.runs) < least:
        wanted = " ".join(("RUN",) if least == 1 else ("A", "B"))
        raise ValueError(f"which run? `llmrec runs {args.action} {wanted}`; `llmrec runs` lists them")
    if len(args.runs) > most:
        raise ValueError(f"`llmrec runs {args.action}` takes {'no run' if most == 0 else 'one run' if most == 1 else f'{most} runs'}")
    for other in ("set", "executor", "cache", "lines"):
        if other not in options and getattr(args, other) is not None:
            owners = " or ".join(f"`llmrec runs {verb}`" for verb, (_, _, known) in VERBS.items() if other in known)
            raise ValueError(f"`llmrec runs {args.action}` takes no --{other}: it belongs to {owners}")
    turned()
    module, _, verb = target.partition(":")
    return getattr(importlib.import_module(f"llmrec.commands.runs.{module}"), verb)(args)


def text(result: layout.Told) -> str:
    return result.text
