"""`llmrec runs diff A B` and `llmrec runs log RUN`: what was asked, and what its process said.

Where it stands: under the command line. What it does not know: how settings are compared (`llmrec.recipe.differences`).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout
from llmrec.data.titles import printable

if TYPE_CHECKING:
    from llmrec.recipe import Recipe

LINES = 40
MOST = 200_000  # bytes of a log that are looked at


def diff(args: argparse.Namespace) -> layout.Told:
    """Two runs or recipes, setting by setting."""
    from llmrec import recipe

    left, right = (_recipe(word) for word in args.runs)
    found = recipe.differences(left, right)
    plain = {"left": args.runs[0], "right": args.runs[1], "differences": told(found)}
    return layout.Told(plain, table(f"{args.runs[0]} against {args.runs[1]}", found, args.runs))


def told(found: list[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Differences as plain values."""
    return [{"key": key, "left": left, "right": right} for key, left, right in found]


def table(title: str, found: list[tuple[str, Any, Any]], sides: list[str]) -> str:
    """Differences as a table, or a sentence where there are none."""
    if not found:
        return f"{title}: the same settings"
    return layout.table(title, ("setting", *sides), [(key, _said(left), _said(right)) for key, left, right in found])


def log(args: argparse.Namespace) -> layout.Told:
    """The end of what the run's process wrote."""
    from llmrec.runs import store

    wanted = LINES if args.lines is None else args.lines
    if wanted < 1:
        raise ValueError(f"--lines {wanted} must be 1 or more")
    found = store.find(args.runs[0])
    path = found.path / "worker.log"
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"run {found.name} has no log: no process of the queue has worked on it yet")
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MOST))
        lines = [printable(line) for line in file.read(MOST).decode(errors="replace").splitlines()[-wanted:]]
    return layout.Told({"run": found.name, "path": str(path), "lines": lines}, "\n".join(lines) or f"the log of {found.name} is empty")


def _recipe(text: str) -> Recipe:
    from llmrec import recipe
    from llmrec.commands import settings
    from llmrec.runs import store

    try:
        found = store.open_run(text)
    except store.UnknownRun:
        try:
            path = settings.recipe_path(text)
        except ValueError as error:
            raise ValueError(f"no run is called {text!r}, and {error}") from None
        return recipe.load(path)
    return found.recipe


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
