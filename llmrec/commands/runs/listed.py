"""`llmrec runs`, `runs show RUN` and `runs queue`: every run as one line, one run in full, the line of the queue.

Where it stands: under the command line. What it does not know: how far a run is (`llmrec.runs.live`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout
from llmrec.commands.progress import clock
from llmrec.commands.runs.going import going, said

if TYPE_CHECKING:
    from llmrec.runs.store import Run


def every(args: argparse.Namespace) -> layout.Told:
    """Every run, newest first."""
    from llmrec.runs import store

    ahead = places()
    lines = [{**line(found), **going(found, ahead)} for found in store.list_runs()]
    names = list(dict.fromkeys(["hit@10", "ndcg@10", *(name for r in lines for name in r["measured"])]))
    rows = [(r["name"], _how(r), r["created"], *map(r["measured"].get, names), r["reason"][:90]) for r in lines]
    told = layout.table("Runs (measured on test, seen items masked)", ("run", "state", "created", *names, "reason"), rows)
    return layout.Told({"runs": lines}, told)


def show(args: argparse.Namespace) -> layout.Told:
    """One run: recipe, numbers, what it takes on the disk."""
    from llmrec.runs import accounts, store

    found = store.open_run(args.runs[0])
    taken = accounts.account(found, store.list_runs())
    disk = {"folder": taken.folder, "parts": taken.parts, "cache": {"only_this_run": taken.releasable, "shared": taken.shared}}
    plain = {**line(found), **going(found, places()), "info": found.info, "recipe": found.recipe.to_dict(), "metrics": _metrics(found)}
    return layout.Told({**plain, "disk": disk}, _shown(plain, disk))


def line_up(args: argparse.Namespace) -> layout.Told:
    """Who works and who waits, in order."""
    from llmrec.runs import queue

    found = queue.listing()
    plain = [{"run": p.run_name, "state": p.state, "ahead": p.ahead, "executor": p.executor, "deaths": p.deaths} for p in found]
    rows = [(p.run_name, said(p.state, "", p.ahead), p.executor, p.deaths) for p in found]
    slots = queue.slots()
    title = f"Queue ({slots} {'run' if slots == 1 else 'runs'} at once on this machine)"
    told = layout.table(title, ("run", "state", "executor", "deaths"), rows)
    return layout.Told({"queue": plain, "slots": slots}, told)


def line(found: Run) -> dict[str, Any]:
    """What every run has: name, state, when and of what it was made, numbers."""
    from llmrec.report.protocols import headline

    status = found.status
    info: dict[str, Any] = {} if found.broken else found.info
    try:
        report = _metrics(found).get("test", {}).get("masked") or {}
    except ValueError as error:
        report, info = {}, {**info, "metrics_error": str(error)}
    test = report.get("metrics", {})
    return {
        "name": found.name,
        "path": str(found.path),
        "state": status.state,
        "reason": info.get("metrics_error") or status.reason,
        "created": info.get("created"),
        "data": info.get("data"),
        "scheme": info.get("scheme"),
        "protocol": report.get("split"),
        "measured": {name: test[name] for name in headline(report, test)},
        "hit@10": test.get("hit@10"),
        "ndcg@10": test.get("ndcg@10"),
    }


def places() -> dict[str, int]:
    """How many runs stand before each run of the queue: 0 for those that are worked on."""
    from llmrec.runs import queue

    return {place.run_name: place.ahead for place in queue.listing()}


def place_of(name: str) -> int | None:
    """How many runs stand before this one; None where it is not in the queue."""
    return places().get(name)


def _metrics(found: Run) -> dict[str, Any]:
    try:
        return found.metrics or {}
    except ValueError as error:
        raise ValueError(f"{error}; `llmrec train {found.name} --resume` measures it anew") from None


def _how(told: Mapping[str, Any]) -> str:
    """A state with how far it is."""
    if told["state"] not in ("running", "stopping"):
        return said(told["state"], "", told["ahead"])
    left = None if told["seconds_left"] is None else f"{clock(told['seconds_left'])} left"
    share = None if told["progress"] is None else f"{told['progress']:.0%}"
    return ", ".join(filter(None, (told["state"], share, left)))


def _shown(plain: Mapping[str, Any], disk: Mapping[str, Any]) -> str:
    changed = [(f"{section}.{k}", v) for section, body in plain["recipe"].items() if isinstance(body, dict) for k, v in body.items()]
    head = f"{plain['name']}: {said(plain['state'], plain['reason'], plain['ahead'])}\n{plain['path']}"
    names = list(plain["measured"]) or ["hit@10", "ndcg@10"]
    measured = [
        (part, seen, *(report["metrics"].get(name) for name in names))
        for part, policies in plain["metrics"].items()
        for seen, report in policies.items()
    ]
    kept = [(f"cache, {name.replace('_', ' ')}", layout.size(size)) for name, size in disk["cache"].items()]
    sizes = [("folder", layout.size(disk["folder"])), *((f"  {name}", layout.size(size)) for name, size in disk["parts"].items()), *kept]
    return "\n\n".join(
        [
            head,
            layout.table("Recipe (differences from the defaults)", ("setting", "value"), [(k, str(v)) for k, v in changed]),
            layout.table("Numbers", ("part", "seen items", *names), measured),
            layout.table("On the disk", ("part", "size"), sizes),
        ]
    )
