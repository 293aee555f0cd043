"""What people ask of the queue: start this, stop that, go on, throw away, show the line.

Where it stands: under the command line, the pages and Python. What it does not know: processes.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmrec import home
from llmrec.runs import status, store
from llmrec.runs.queue import dispatch, ledger

if TYPE_CHECKING:
    from pathlib import Path

    from llmrec.recipe import Recipe
    from llmrec.runs.status import State, Status
    from llmrec.runs.store import Run

ENDING = 10.0  # seconds in which a process that has said how its run ended is gone
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """One run of the line. ahead: 0 while it is worked on, else how many runs stand before it; deaths: how often its worker died lately."""

    run_name: str
    state: State
    ahead: int
    executor: str
    deaths: int = 0


def submit(recipe: Recipe, executor: str = "local", cwd: Path | str | None = None) -> Run:
    """A new run of this recipe at the end of the line; it starts at once where a place is free.

    cwd: the folder that the recipe's relative paths start from; None: the current one.
    """
    from llmrec.runs import executors

    executors.known(executor)
    dispatch.slots(executor)  # refused before anything is made, where the setting is no number
    run = store.create(recipe, executor=executor, cwd=cwd)
    try:
        with ledger.opened() as book:
            if all(row.name != run.name for row in book.rows()):  # whoever turned the queue meanwhile may have found it, and begun
                book.add(run.name, executor)
        _turn()
    except ledger.LedgerBusy as error:  # the run is there and says that it waits: the next turn finds it
        log.warning("run %s waits, and could not be put in line yet: %s", run.name, error)
    return run


def resume(run: Run, executor: str | None = None) -> None:
    """Put a run that ended early back in line. ValueError where it is done, waits, works, or lies elsewhere.

    executor: None keeps the one it has.
    """
    from llmrec.runs import executors

    _demand_ours(run)
    if run.broken:
        raise ValueError(f"run {run.name} is broken and cannot be resumed: {run.broken}")
    _ = run.recipe  # one that cannot be read is refused here, and stays as it is
    if executor is not None:
        executors.known(executor)  # refused before anything is written
        dispatch.slots(executor)
    end = time.monotonic() + ENDING
    while run.status.resumable and status.is_locked(run.path):  # it has said how it ended, and its process is about to go
        if time.monotonic() > end:
            raise ValueError(f"the last process of run {run.name} has not ended yet: resume it again in a moment")
        time.sleep(0.05)
    with ledger.opened() as book:
        now = run.status
        if now.state == "interrupted" and any(row.name == run.name for row in book.rows()):
            return  # the queue goes on with it by itself
        if not now.resumable:
            remedy = f"`llmrec runs again {run.name}` starts a new one" if now.state == "done" else "wait for it"
            raise ValueError(f"run {run.name} is {now.state} and cannot be resumed: {remedy}")
        status.forget_stop(run.path)
        name = executor or now.executor or "local"
        status.write(run.path, "queued", executor=name)
        book.add(run.name, name)
    _turn()


def stop(run: Run) -> Status:
    """Ask a run to stop: at once where it waits; one that works keeps a usable model first and reads as "stopping" until then.

    ValueError where there is nothing to stop.
    """
    with ledger.opened() as book:
        now = status.read(run.path)  # of a broken run too, which may be worked on all the same
        rows = {row.name: row for row in book.rows()} if _is_ours(run) else {}
        if now.state in ("running", "stopping"):
            status.ask_to_stop(run.path)
        elif now.state == "queued" or (now.state == "interrupted" and run.name in rows):
            status.write(run.path, "stopped", "stopped while it waited; resume to go on")
            book.drop(run.name)
        else:
            raise ValueError(f"run {run.name} is {now.state}: there is nothing to stop")
    return status.read(run.path)


def delete(run: Run, patience: float = 30.0) -> None:
    """Throw a run away, stopping it first where it waits or works. ValueError where it has not stopped within `patience` seconds."""
    if status.read(run.path).state in ("queued", "running", "stopping", "interrupted"):
        with contextlib.suppress(ValueError):  # it ended in between
            stop(run)
        end = time.monotonic() + patience
        while status.is_locked(run.path):
            if time.monotonic() > end:
                pid = status.read_file(run.path).pid
                raise ValueError(
                    f"run {run.name} was asked to stop and has not yet, after {patience:.0f} s: delete it again in a moment, "
                    f"or end its process {pid} first if it hangs"
                )
            time.sleep(0.1)
    run.delete()
    if _is_ours(run):
        with ledger.opened() as book:
            book.drop(run.name)


def listing() -> list[Place]:
    """Who works and who waits, in order. It only reads, and works where nothing can be written."""
    rows = [(row, home.runs() / row.name) for row in ledger.read()]
    found = [(row, status.read(folder).state) for row, folder in rows if folder.is_dir()]
    working = [Place(row.name, state, 0, row.executor, row.deaths) for row, state in found if state in ("running", "stopping")]
    waiting = [(row, state) for row, state in found if state in ("queued", "interrupted")]
    return working + [Place(row.name, state, len(working) + n, row.executor, row.deaths) for n, (row, state) in enumerate(waiting)]


def _turn() -> None:
    """Start what may start, and see to it that somebody turns the queue from now on."""
    from llmrec.runs.queue import keeper

    dispatch.tick()
    keeper.ensure()


def _demand_ours(run: Run) -> None:
    if not _is_ours(run):
        raise ValueError(f"{run.path} lies outside the runs' folder, where the queue works: `llmrec train --resume --out {run.path}`")


def _is_ours(run: Run) -> bool:
    return run.path.parent.resolve() == home.runs().resolve()
