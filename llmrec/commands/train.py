"""Train a recipe: data, vectors, names, language model, numbers. Ctrl-C or SIGTERM stops it and keeps a usable model.

RECIPE is a file or the name of a shipped recipe; --scheme names a preset instead. The run stands in the queue, and a process of its own
works it off, so that it goes on when this terminal is closed; `llmrec runs` shows all. What was stopped or failed goes on with --resume.
Examples: llmrec train metaid-ml-100k-sketch --set train.epochs=2
          llmrec train --scheme tokenrec --preset demo --detach
          llmrec train metaid-ml-100k-sketch-1 --resume
          llmrec train metaid-ml-100k-sketch --out my-run
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout, settings

if TYPE_CHECKING:
    from llmrec.runs.status import Status
    from llmrec.runs.store import Run


def add(parser: argparse.ArgumentParser) -> None:
    settings.add(parser, "; with --resume also a run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out, or with the last unfinished run of the recipe")
    parser.add_argument("--detach", action="store_true", help="return at once; `llmrec runs watch` shows how it goes")
    parser.add_argument("--executor", metavar="NAME", help="what works it off: local (this machine, the default) or ray (a cluster)")
    parser.add_argument("--dry-run", action="store_true", help="print the recipe and the command line that equals it, start nothing")
    here = parser.add_argument_group("in this process, beside the queue")
    here.add_argument("--here", action="store_true", help="train in this process, as `accelerate launch` needs it")
    here.add_argument("--out", metavar="DIR", help="put the run into this folder, which is not among the queue's runs; means --here")
    here.add_argument("--no-numbers", action="store_true", help="train alone, `llmrec evaluate` measures when asked to; means --here")


def run(args: argparse.Namespace) -> dict[str, Any] | Iterator[dict[str, Any]]:
    _check(args)
    if args.dry_run:
        return _dry(args)
    begin = time.perf_counter()
    ended = _here(args) if _stays(args) else _queued(args)
    if ended is None:
        return iter(())  # the main process says it
    found, outcome = ended
    if outcome.state == "stopped" and args.interrupted:
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

    if isinstance(result, layout.Told):
        return result.text
    reports = [(part, seen, report) for part, policies in result["metrics"].items() for seen, report in policies.items()]
    names = headline(*((reports[0][2], reports[0][2]["metrics"]) if reports else ({}, ())))
    rows = [(part, seen, report["n_users"], *(report["metrics"].get(name) for name in names)) for part, seen, report in reports]
    why = f" ({result['reason']})" if result["reason"] else ""
    head = f"Run {result['run']}: {result['state']}{why}, {result['seconds']:.0f} s\n{result['path']}"
    return head if not rows else head + "\n\n" + layout.table("Numbers", ("part", "seen items", "users", *names), rows)


def _dry(args: argparse.Namespace) -> layout.Told:
    recipe = settings.asked(args)
    flags = [word for flag, value in (("--out", args.out), ("--executor", args.executor)) if value is not None for word in (flag, value)]
    flags += [flag for flag, on in (("--here", args.here), ("--no-numbers", args.no_numbers), ("--detach", args.detach)) if on]
    command = settings.command_line(recipe)
    kept = " with this recipe in that file" if command.endswith(".toml") else ""
    said = " ".join(filter(None, (command, shlex.join(flags))))
    told = {"recipe": recipe.to_dict(), "toml": recipe.to_toml(), "command": said}
    return layout.Told(told, f"{told['toml']}\n# equals{kept}: {said}")


def _check(args: argparse.Namespace) -> None:
    """Refuse what does not go together, before anything is made."""
    from llmrec.lm import processes
    from llmrec.runs import executors

    if args.dry_run and args.resume:
        raise ValueError("--resume goes on with a run as it is: leave --dry-run out, or look with `llmrec runs show RUN`")
    if args.executor is not None:
        executors.known(args.executor)
    if _stays(args):
        why = next(flag for flag, on in (("--here", args.here), ("--out", args.out), ("--no-numbers", args.no_numbers)) if on)
        for flag, on in (("--detach", args.detach), ("--executor", args.executor)):
            if on:
                raise ValueError(f"{why} trains in this process and {flag} leaves it to the queue: leave one of them out")
    elif processes.world() > 1:
        raise ValueError("several processes train this together, as under `accelerate launch`: add --here, and --out DIR for its folder")


def _stays(args: argparse.Namespace) -> bool:
    return bool(args.here or args.out is not None or args.no_numbers)


def _here(args: argparse.Namespace, found: Run | None = None) -> tuple[Run, Status] | None:
    """Work it off in this process, as the queue's worker does in its own. None in a process beside the main one of several."""
    from llmrec.commands.progress import Progress
    from llmrec.lm import processes
    from llmrec.runs import beside, store

    def made() -> Run:
        return found or (_resumed(args) if args.resume else store.create(settings.asked(args), args.out))

    share = processes.join()
    try:
        run = beside.agreed(share, made)
        if not share.main or run is None:
            if run is not None:
                beside.work(run, share)
            return None
        outcome = beside.lead(share, run, Progress(), numbers=not args.no_numbers)
    finally:
        if not share.alone:
            processes.leave()
    args.interrupted = "Ctrl-C" in outcome.reason
    return run, outcome


def _queued(args: argparse.Namespace) -> tuple[Run, Status] | None:
    """Put it in line and, unless it is to go its own way, follow it to its end."""
    from llmrec import home
    from llmrec.commands.following import follow
    from llmrec.commands.progress import Progress
    from llmrec.runs import queue
    from llmrec.runs.live import Tail
    from llmrec.runs.signals import Stop

    args.interrupted = False
    found = _resumed(args) if args.resume else None
    if found is not None and (found.status.state == "done" or found.path.parent.absolute() != home.runs().absolute()):
        _demand_following(args, found)
        return _here(args, found)  # nothing is left to train, or it lies where the queue does not work
    with Stop(lambda: False) as stop, stop.gently():
        if found is None:
            found = queue.submit(settings.asked(args), args.executor or "local")
            tail = Tail(found.path / "events.jsonl")
        else:
            tail = Tail(found.path / "events.jsonl")
            tail.new()  # what was told before
            queue.resume(found, args.executor)
        if args.detach:
            return found, _waiting(found)
        try:
            outcome = follow(found, tail, Progress(), stop)
        except KeyboardInterrupt:
            print(f"run {found.name} goes on stopping: `llmrec runs watch {found.name}` shows it", file=sys.stderr)
            raise
        args.interrupted = stop() and "Ctrl-C" in stop.reason
    if outcome.state not in ("done", "stopped"):
        raise ValueError(f"run {found.name} {outcome.state}: {outcome.reason}: `llmrec runs log {found.name}` shows its last words")
    return found, outcome


def _demand_following(args: argparse.Namespace, found: Run) -> None:
    why = "is trained" if found.status.state == "done" else "lies outside the runs' folder"
    for flag, on in (("--detach", args.detach), ("--executor", args.executor)):
        if on:
            raise ValueError(f"run {found.name} {why}, and what is left of it is done in this process: leave {flag} out")


def _waiting(run: Run) -> Status:
    """The state of a run that was put in line, with its place."""
    import dataclasses

    from llmrec.commands.progress import behind
    from llmrec.runs import queue

    now = run.status
    ahead = next((place.ahead for place in queue.listing() if place.run_name == run.name), 0)
    return dataclasses.replace(now, reason=behind(ahead)) if now.state == "queued" and ahead else now


def _resumed(args: argparse.Namespace) -> Run:
    from llmrec.runs import places, store
    from llmrec.runs.store import UnknownRun

    if args.out is not None:
        found = store.open_run(Path(args.out))
        if (args.recipe or args.scheme) is not None and places.located(settings.asked(args)).fingerprint() != found.recipe.fingerprint():
            raise ValueError(
                f"{args.out} was made with other settings than {args.recipe or args.scheme}: leave the recipe out, or start a new run"
            )
        return found
    if args.scheme is not None:
        return _last_unfinished(args)
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
    from llmrec.runs import places, store
    from llmrec.runs.status import RESUMABLE

    wanted = places.located(settings.asked(args)).fingerprint()
    working: list[str] = []
    for found in store.list_runs():
        state = found.status.state
        if found.broken or state == "done":
            continue
        with contextlib.suppress(ValueError, UnknownName):  # another run's recipe may be of another version
            if found.recipe.fingerprint() == wanted:
                if state in RESUMABLE:
                    return found
                working.append(f"run {found.name} is {state}: `llmrec runs watch {found.name}` shows it, and there is nothing to resume")
    if working:
        raise ValueError(working[0])
    raise ValueError(f"there is no unfinished run of {args.recipe or args.scheme}: leave --resume out to start one")
