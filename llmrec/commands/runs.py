"""List runs, show one, delete one. A broken run is listed with its reason.

Examples: llmrec runs
          llmrec runs show metaid-ml-100k-sketch-1
          llmrec runs delete metaid-ml-100k-sketch-1
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.runs.store import Run


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "show", "delete"), default="list", help="what to do (default: list)")
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's name or folder")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec.runs import store

    if args.action == "list":
        if args.run is not None:
            raise ValueError(f"`runs list` takes no run: did you mean `llmrec runs show {args.run}`?")
        return {"runs": [_line(found) for found in store.list_runs()]}
    if args.run is None:
        raise ValueError(f"which run? `llmrec runs {args.action} RUN`; `llmrec runs` lists them")
    if args.action == "delete":
        found = store.find(args.run)
        found.delete()
        return {"deleted": found.name, "path": str(found.path)}
    found = store.open_run(args.run)
    return {**_line(found), "info": found.info, "recipe": found.recipe.to_dict(), "metrics": found.metrics or {}}


def text(result: dict[str, Any]) -> str:
    if "deleted" in result:
        return f"deleted {result['path']}"
    if "runs" in result:
        names = list(dict.fromkeys(["hit@10", "ndcg@10", *(name for r in result["runs"] for name in r["measured"])]))
        rows = [(r["name"], r["state"], r["created"], *map(r["measured"].get, names), r["reason"][:90]) for r in result["runs"]]
        return layout.table("Runs (measured on test, seen items masked)", ("run", "state", "created", *names, "reason"), rows)
    settings = [(f"{section}.{k}", v) for section, body in result["recipe"].items() if isinstance(body, dict) for k, v in body.items()]
    head = f"{result['name']}: {result['state']}{' (' + result['reason'] + ')' if result['reason'] else ''}\n{result['path']}"
    names = list(result["measured"]) or ["hit@10", "ndcg@10"]
    measured = [
        (part, seen, *(report["metrics"].get(name) for name in names))
        for part, policies in result["metrics"].items()
        for seen, report in policies.items()
    ]
    recipe = layout.table("Recipe (differences from the defaults)", ("setting", "value"), [(k, str(v)) for k, v in settings])
    return "\n\n".join([head, recipe, layout.table("Numbers", ("part", "seen items", *names), measured)])


def _line(found: Run) -> dict[str, Any]:
    from llmrec.report.protocols import headline

    status = found.status
    info: dict[str, Any] = {} if found.broken else found.info
    try:
        report = (found.metrics or {}).get("test", {}).get("masked") or {}
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
