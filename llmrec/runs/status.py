"""What state a run is in, and the lock that lets one process at a time work on it.

Where it stands: in a run's folder. What it does not know: recipes, stages, the queue.

The operating system drops the lock of a process that dies, however it dies, so a lock is never stale; a run that calls itself running
while nobody holds its lock was interrupted. No clock is asked: clocks go backwards. A lock can be handed on to a process that is started
(`Lock.fd`), so that between a start and the first line of the new process nobody takes the run for dead.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llmrec import artifacts

State = Literal["new", "queued", "running", "stopping", "stopped", "done", "failed", "interrupted", "broken"]
WRITTEN: tuple[str, ...] = ("new", "queued", "running", "stopped", "done", "failed")
RESUMABLE: tuple[State, ...] = ("new", "stopped", "failed", "interrupted")
FILE, LOCK, STOP = "status.json", "lock", "stop"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SAID: dict[str, str] = {  # where nothing more is known
    "new": "made and not yet begun; resume it to begin",
    "queued": "waits for a free place",
    "running": "is being worked on",
}


class RunBusy(ValueError):
    """Another process works on the run. The message names it."""


class RunGone(ValueError):
    """The run's folder was deleted while it was worked on."""

    @classmethod
    def of(cls, folder: Path) -> RunGone:
        """With what it means for this run and the others."""
        return cls(f"the folder of run {folder.name} was deleted while it was worked on: what it had is gone, no other run is touched")


@dataclass(frozen=True)
class Status:
    """state and a sentence why; pid, host: who works on it or last did; heartbeat: seconds since 1970 of the last sign of life.

    executor: what works it off, where it belongs to the queue. "stopping", "interrupted" and "broken" are found on reading and never
    written: asked to stop and not there yet, killed while running, and a folder that is no whole run.
    """

    state: State
    reason: str = ""
    pid: int | None = None
    host: str | None = None
    heartbeat: float | None = None
    executor: str | None = None

    @property
    def resumable(self) -> bool:
        """Whether training can go on."""
        return self.state in RESUMABLE


def read(folder: Path) -> Status:
    """The state as it is now: what was written last, unless its writer died or a process has just been given the run."""
    status = read_file(folder)
    if status.state not in ("running", "queued"):
        return status
    alive = is_locked(folder)
    if alive and (folder / STOP).exists():
        return replace(status, state="stopping", reason="was asked to stop; it keeps what it has, then ends")
    if status.state == "queued":
        return replace(status, state="running", reason="a process for it is starting") if alive else status
    if not alive:
        again = read_file(folder)  # it may have ended between the two looks
        if again.state != "running":
            return again
        return replace(status, state="interrupted", reason=f"process {status.pid} ended without a word; resume the run to go on")
    return status


def read_file(folder: Path) -> Status:
    """The state as it was written last; a damaged file counts as an interruption."""
    try:
        plain = artifacts.read_json(folder / FILE)
    except artifacts.BadArtifact as error:
        return Status("interrupted", f"{error}; resume the run or delete it")
    state = plain.get("state")
    if state not in WRITTEN:
        return Status("interrupted", f"{folder / FILE} has the unknown state {state!r}; resume the run or delete it")
    told = str(plain.get("reason") or SAID.get(state, ""))
    pid, host, beat, executor = (plain.get(name) for name in ("pid", "host", "heartbeat", "executor"))
    return Status(
        state,
        told,
        pid if isinstance(pid, int) else None,
        host if isinstance(host, str) else None,
        float(beat) if isinstance(beat, (int, float)) and math.isfinite(beat) else None,
        executor if isinstance(executor, str) and executor else None,
    )


def write(folder: Path, state: State, reason: str = "", executor: str | None = None) -> None:
    """Say in which state the run is, from this process, in one step. `RunGone` where the folder is gone.

    executor: None keeps what is there.
    """
    if not folder.is_dir():
        raise RunGone.of(folder)
    if executor is None:
        with contextlib.suppress(artifacts.BadArtifact):
            executor = artifacts.read_json(folder / FILE).get("executor")
    status = Status(state, reason or SAID.get(state, ""), os.getpid(), platform.node(), round(time.time(), 1), executor)
    plain: dict[str, Any] = asdict(status)
    try:
        artifacts.write_json(plain, folder / FILE)
    except OSError as error:
        if error.errno not in FULL or not _written_over(folder / FILE, json.dumps(plain)):
            raise


def _written_over(path: Path, text: str) -> bool:
    """On a full disk a file can still change within the block it has: the one way left to say why a run ended. Whether it worked."""
    new = text.encode()
    try:
        with open(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b") as file:
            file.write(new.ljust(os.fstat(file.fileno()).st_size))
            file.truncate()
            os.fsync(file.fileno())
        return True
    except OSError:
        return False


def ask_to_stop(folder: Path) -> None:
    """Leave word for whoever works on the run, on this machine or another."""
    os.close(os.open(folder / STOP, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644))


def forget_stop(folder: Path) -> None:
    """Take that word back."""
    (folder / STOP).unlink(missing_ok=True)


class Lock:
    """A held lock on a run's folder. fd: its open file, which a started process may inherit and hold on to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        """Let go of it here; a process that inherited it still holds it."""
        os.close(self.fd)


def take(folder: Path, patience: float = 0.0) -> Lock | None:
    """The run's lock, or None when another process has it for longer than `patience` seconds. A link in its place is not followed."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Lock(fd)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                os.close(fd)
                raise
        if time.monotonic() >= end:
            os.close(fd)
            return None
        time.sleep(0.02)


def is_locked(folder: Path) -> bool:
    """Whether a living process works on the run. Readers share the lock for an instant, so they don't take each other for a worker."""
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # not ours to open, or no plain file
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)


@contextlib.contextmanager
def held(folder: Path, patience: float = 1.0) -> Iterator[None]:
    """Hold the run for this process; `RunBusy` when another has it. patience: seconds, since a reader may hold it for an instant."""
    lock = take(folder, patience)
    if lock is None:
        with contextlib.suppress(artifacts.BadArtifact):
            pid = artifacts.read_json(folder / FILE).get("pid")
            raise RunBusy(
                f"run {folder.name} is being worked on by process {pid}: wait for it, or `llmrec runs stop {folder.name}`"
            ) from None
        raise RunBusy(f"run {folder.name} is being worked on by another process: wait for it") from None
    try:
        yield
    finally:
        lock.close()
