"""What state a run is in, and the lock that lets one process at a time work on it.

Where it stands: in a run's folder. What it does not know: recipes and stages.

The operating system drops the lock of a process that dies, however it dies, so a lock is never stale; a run that calls itself running
while nobody holds its lock was interrupted.
"""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from llmrec import artifacts

State = Literal["new", "running", "stopped", "done", "failed", "interrupted", "broken"]
WRITTEN: tuple[str, ...] = ("new", "running", "stopped", "done", "failed")
FILE, LOCK = "status.json", "lock"


class RunBusy(ValueError):
    """Another process works on the run. The message names it."""


@dataclass(frozen=True)
class Status:
    """state and a sentence why; pid, host: who works on it or last did; heartbeat: seconds since 1970 of the last sign of life.

    "interrupted" and "broken" are found on reading and never written: killed while running, and a folder that is no whole run.
    """

    state: State
    reason: str = ""
    pid: int | None = None
    host: str | None = None
    heartbeat: float | None = None

    @property
    def resumable(self) -> bool:
        """Whether training can go on."""
        return self.state in ("new", "stopped", "failed", "interrupted")


def read(folder: Path) -> Status:
    """The state as it is now: what was written last, unless its writer died."""
    status = read_file(folder)
    if status.state == "running" and not is_locked(folder):
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
    return Status(state, str(plain.get("reason", "")), plain.get("pid"), plain.get("host"), plain.get("heartbeat"))


def write(folder: Path, state: State, reason: str = "") -> None:
    """Say in which state the run is, from this process, in one step."""
    plain: dict[str, Any] = asdict(Status(state, reason, os.getpid(), platform.node(), round(time.time(), 1)))
    artifacts.write_json(plain, folder / FILE)


def is_locked(folder: Path) -> bool:
    """Whether a living process works on the run."""
    if not (folder / LOCK).exists():
        return False
    try:
        with held(folder, patience=0):
            return False
    except (RunBusy, PermissionError):
        return True


@contextlib.contextmanager
def held(folder: Path, patience: float = 1.0) -> Iterator[None]:
    """Hold the run for this process; `RunBusy` when another has it. patience: seconds, since a reader may hold it for an instant."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=patience, poll_interval=0.02)
    except Timeout:
        with contextlib.suppress(artifacts.BadArtifact):
            pid = artifacts.read_json(folder / FILE).get("pid")
            raise RunBusy(f"run {folder.name} is being worked on by process {pid}: wait for it, or stop it with `kill {pid}`") from None
        raise RunBusy(f"run {folder.name} is being worked on by another process: wait for it") from None
    try:
        yield
    finally:
        lock.release()
