"""One turn of the queue: who died is told and put back in line, who waits gets a free place. Anybody may turn it, at any time.

Where it stands: between the ledger and the workers. What it does not know: what a run does.

Alive is who holds its run's lock. The lock is taken here and inherited by the worker's process, so a worker is alive from before its
first line until it ends, however it ends; nothing is ever guessed from a time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from llmrec import home
from llmrec.runs import launch, machine, status, store
from llmrec.runs.queue import deaths, ledger
from llmrec.runs.queue.ledger import Ledger, Row

SCAN = 5.0  # seconds between two looks at all folders, for runs that the ledger has lost
ELSEWHERE = 16  # runs that a cluster is given at once; it has a queue of its own
log = logging.getLogger(__name__)
MEMORY = "|memory "  # in a row's `reached`: the last death was for want of memory
_children: list[tuple[str, subprocess.Popen[bytes]]] = []  # workers that this process started, by run
_codes: dict[str, int] = {}  # how they ended
_scanned: dict[Path, float] = {}


def slots(executor: str = "local") -> int:
    """How many runs are worked at once: one a GPU, else one for two cores; LLMREC_SLOTS says otherwise. ValueError for no number."""
    if executor != "local":
        return _number("LLMREC_CLUSTER_SLOTS", ELSEWHERE)
    return _number("LLMREC_SLOTS", machine.gpus() or max(1, _cores() // 2))


def threads() -> int:
    """The threads of one run's process here: the cores, shared by as many runs as are worked at once."""
    return max(1, _cores() // max(1, slots()))


def tick() -> None:
    """One turn. Raises `LedgerBusy` where the queue cannot be written; every run is as it was then."""
    if not home.runs().is_dir():
        return
    with ledger.opened() as book:  # alone among all processes and threads
        _reap()
        if time.monotonic() - _scanned.get(home.runs(), -SCAN) >= SCAN:
            _scanned[home.runs()] = time.monotonic()
            _find_lost(book)
        staying = [row for row in book.rows() if _stays(book, row)]
        if _next(staying) is not None:  # before any is started: a ledger that was just begun anew knows not who works
            _find_lost(book)
            staying = [row for row in book.rows() if _stays(book, row)]
        _start(book, staying)


def _find_lost(book: Ledger) -> None:
    """Runs that belong to the queue and stand in no row, as after a damaged ledger: oldest first. What was being deleted is swept up."""
    known = {row.name for row in book.rows()}
    lost = []
    for folder in home.runs().iterdir():
        if folder.name.startswith(".deleted-"):  # whoever deleted it was killed
            shutil.rmtree(folder, ignore_errors=True)
        if folder.name in known or folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir():
            continue
        found = status.read_file(folder)
        if found.executor and found.state in ("queued", "running") and not store.is_newer(folder):
            lost.append((found.state != "running", found.heartbeat or 0.0, folder.name, found.executor))
    for _, _, name, executor in sorted(lost):
        book.add(name, executor)


def _stays(book: Ledger, row: Row) -> bool:
    """Whether a row still waits or works. What cannot even be looked at waits, and holds up no other."""
    try:
        return _goes_on(book, row)
    except (OSError, ValueError) as error:
        log.warning("run %s cannot be looked at: %s", row.name, error)
        return False


def _goes_on(book: Ledger, row: Row) -> bool:
    """The same; one that is over leaves the ledger, a dead worker's goes back in line or is called failed."""
    folder = home.runs() / row.name
    if folder.is_symlink() or (not (folder / "run.json").exists() and not status.is_locked(folder)):  # deleted by hand
        book.drop(row.name)
        return False
    if status.is_locked(folder):
        return True
    written = status.read_file(folder)
    if written.state in ("done", "stopped", "failed", "new"):
        book.drop(row.name)
        return False
    if row.slot is None and written.state != "running":
        if written.state != "queued":
            _end(folder, "queued", f"waits for a free place ({written.reason.partition(';')[0]})", row.executor)
        return True
    return _mourned(book, row, folder)


def _mourned(book: Ledger, row: Row, folder: Path) -> bool:
    """A worker died. Whether its run goes on."""
    if (folder / status.STOP).exists():
        _end(folder, "stopped", "was asked to stop, and its process died before it could say so; resume to go on", row.executor)
        book.drop(row.name)
        return False
    reached = deaths.reached(folder)
    before, _, how = row.reached.partition(MEMORY)
    count = row.deaths + 1 if reached == before else 1
    _reap(row.name)
    death = deaths.explain(row.began, _codes.pop(row.name, None), lambda: deaths.remedy(folder))
    twice = death.for_memory and how == "once"
    if twice or count >= deaths.TRIES:
        again = "" if twice else f", {count} times without getting further: `llmrec runs log {row.name}` shows its last words"
        _end(folder, "failed", f"{death.sentence}{again}", row.executor)
        book.drop(row.name)
        return False
    if death.for_memory:  # the count is the machine's: another process may have been meant, and this one killed by hand
        reached = f"{reached}{MEMORY}once"
        said = "the machine ran out of memory and ended a process, this one it seems; it is tried once more from where it was"
    else:
        said = f"{death.sentence}; it goes on from where it was"
    book.died(row, count, reached)
    _end(folder, "queued", said, row.executor)
    return True


def _start(book: Ledger, staying: list[Row]) -> None:
    """Give free slots to who waits, in order."""
    tried: set[int] = set()
    while (found := _next(staying, tried)) is not None:
        row, slot = found
        tried.add(row.id)
        if _started(book, row, slot):
            staying = [replace(row, slot=slot) if other.id == row.id else other for other in staying]


def _next(staying: list[Row], tried: Collection[int] = ()) -> tuple[Row, int] | None:
    """The first of the line that waits, was not tried and may start, with the slot it gets; None where there is none or nothing is free."""
    taken: dict[str, set[int]] = {}
    waiting: list[Row] = []
    for row in staying:
        if status.is_locked(home.runs() / row.name):
            taken.setdefault(row.executor, set()).add(-row.id if row.slot is None else row.slot)
        elif row.id not in tried:
            waiting.append(row)
    for row in waiting:
        used = taken.get(row.executor, set())
        if len(used) < slots(row.executor):
            return row, next(n for n in range(len(used) + 1) if n not in used)
    return None


def _started(book: Ledger, row: Row, slot: int) -> bool:
    folder = home.runs() / row.name
    try:
        lock = status.take(folder)
    except OSError as error:
        _end(folder, "failed", f"its lock cannot be taken: {error.strerror}; check the rights of {folder}")
        book.drop(row.name)
        return False
    if lock is None:
        return False
    try:
        _codes.pop(row.name, None)
        _children.append((row.name, _process(row, folder, slot, lock)))
        book.place(row, slot, deaths.snapshot())
        return True
    except OSError as error:  # no more processes, or no room for a log: it waits
        log.warning("no worker could be started for run %s: %s", row.name, error)
        return False
    finally:
        lock.close()


def _process(row: Row, folder: Path, slot: int, lock: status.Lock) -> subprocess.Popen[bytes]:
    given = {
        "OMP_NUM_THREADS": str(threads() if row.executor == "local" else 1),
        "OMP_WAIT_POLICY": "PASSIVE",  # idle threads sleep, so that chat stays alive beside training
        "LLMREC_RUNS": str(home.runs().absolute()),
        "LLMREC_HOME": str(home.home().absolute()),  # the worker may start in another folder
        "LLMREC_DATA": str(home.data().absolute()),
    }
    if machine.gpus() > 1 and row.executor == "local":
        given["CUDA_VISIBLE_DEVICES"] = str(slot % machine.gpus())
    with open(folder / "worker.log", "ab", opener=launch.plainly) as out:
        return subprocess.Popen(
            launch.command("llmrec.runs.queue.worker", row.name, row.executor, str(lock.fd)),
            env=launch.environment(**given),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.fd,),
            cwd=launch.folder_for(folder),
            start_new_session=True,  # it outlives whoever starts it
        )


def _end(folder: Path, state: status.State, reason: str, executor: str | None = None) -> None:
    try:
        status.write(folder, state, reason, executor)
        status.forget_stop(folder)
    except (OSError, status.RunGone) as error:
        log.warning("run %s: %s, which could not be written down: %s", folder.name, reason, error)


def _reap(name_of_dead: str | None = None) -> None:
    """Note how workers ended that this process started. name_of_dead: whose lock is free, and who may be on the way out for an instant."""
    for name, child in list(_children):
        if name == name_of_dead:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.2)
        code = child.poll()
        if code is not None:
            _codes[name] = code
            _children.remove((name, child))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _number(name: str, otherwise: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return otherwise
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ValueError(f"{name} = {text!r} must be a whole number from 1 to 1000: it says how many runs are worked at once")
    return int(text)
