"""`llmrec runs stop|resume|again|delete RUN`: what changes a run or makes another of it.

Where it stands: under the command line. What it does not know: processes (`llmrec.runs.queue`), sizes (`llmrec.runs.accounts`).
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout
from llmrec.commands.runs import reading
from llmrec.commands.runs.going import said
from llmrec.commands.runs.listed import place_of

if TYPE_CHECKING:
    from llmrec.runs.accounts import Account
    from llmrec.runs.status import Status
    from llmrec.runs.store import Run


def stop(args: argparse.Namespace) -> layout.Told:
    """Ask it to stop; it may take a moment to keep what it has."""
    from llmrec.runs import queue, store

    found = store.find(args.runs[0])  # a broken one too, which may be worked on all the same
    return _state(found, queue.stop(found))


def resume(args: argparse.Namespace) -> layout.Told:
    """Put it back in line."""
    from llmrec.runs import queue, store

    found = store.find(args.runs[0])
    queue.resume(found, args.executor)
    return _state(found, found.status)


def again(args: argparse.Namespace) -> layout.Told:
    """A new run of its recipe, with changes."""
    from llmrec import recipe
    from llmrec.commands import settings
    from llmrec.runs import queue, store

    before = store.open_run(args.runs[0])
    base = before.recipe
    wanted = recipe.with_settings(base, settings.changes(args.set or []))
    found = recipe.differences(base, wanted)
    there = before.info.get("cwd")  # where it is gone, nothing of that name is taken from here
    fresh = queue.submit(wanted, args.executor or "local", cwd=there if there and not os.path.isdir(there) else None)
    state = _state(fresh, fresh.status)
    plain = {**state, "again": before.name, "differences": reading.told(found)}
    return layout.Told(plain, state.text + "\n" + reading.table("What differs", found, [before.name, fresh.name]))


def delete(args: argparse.Namespace) -> layout.Told:
    """Throw it away, stopping it first, and say what that frees."""
    from llmrec.runs import accounts, queue, store

    found = store.find(args.runs[0])
    if found.status.state in ("running", "stopping"):
        print(f"run {found.name} is worked on: it is stopped first", file=sys.stderr)
    taken = accounts.account(found, store.list_runs())
    queue.delete(found)
    dropped = accounts.drop(taken) if args.cache else 0
    plain = {
        "deleted": found.name,
        "path": str(found.path),
        "freed": taken.folder + dropped,
        "parts": taken.parts,
        "cache": {"freed": dropped, "only_this_run": taken.releasable, "shared": taken.shared},
        "unread": list(taken.unread),
    }
    return layout.Told(plain, _freed(found, taken, dropped if args.cache else None))


def _state(run: Run, now: Status) -> layout.Told:
    ahead = place_of(run.name)
    plain: dict[str, Any] = {"run": run.name, "path": str(run.path), "state": now.state, "reason": now.reason, "ahead": ahead}
    return layout.Told(plain, f"Run {run.name}: {said(now.state, now.reason, ahead)}")


def _freed(run: Run, taken: Account, dropped: int | None) -> str:
    inside = ", ".join(f"{name} {layout.size(n)}" for name, n in taken.parts.items() if n)
    lines = [f"deleted {run.path}: {layout.size(taken.folder)} freed{f' ({inside})' if inside else ''}"]
    if dropped is not None:
        lines.append(f"kept results that no other run of the runs' folder uses: {layout.size(dropped)} freed")
    elif taken.own:
        lines.append(
            f"kept results that no other run of the runs' folder uses: {layout.size(taken.releasable)}, "
            "still there for the next run like it (--cache frees them)"
        )
    if taken.shared:
        lines.append(
            f"kept results that other runs use too{', or may use' if taken.unread else ''}: {layout.size(taken.shared)}, still there"
        )
    return "\n".join([*lines, *(f"not counted: {sentence}" for sentence in taken.unread)])
