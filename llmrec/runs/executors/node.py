"""On a node of a cluster: the process that trains a run there. `python -m llmrec.runs.executors.node FOLDER TOKEN`.

Where it stands: the agent (`ray`), which holds the run's own lock on its machine, sends `here` to a node; `here` starts this process and
waits. What it does not know: Ray.

    cluster.json         which attempt may work on the run: its token, written by the agent
    cluster-place.json   which attempt works, on which node
    cluster.lock         held by the process that writes, so that two attempts never write at once
    worker.log           what the process says, as that of any worker

An attempt that is no longer the one of cluster.json leaves at once, and so does one whose starter died or whose agent let go of the
run's lock: nobody trains a run that belongs to nobody, or to somebody else. The process is not Ray's own, since Ray ends its workers by
the signal that asks a training to stop.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from llmrec import artifacts
from llmrec.runs import launch

ORDER, PLACE, LOCK = "cluster.json", "cluster-place.json", "cluster.lock"
LOG = "worker.log"
LEFT = 75  # exit code of an attempt that is not the one to work
LOOK = 0.3  # seconds between two looks
LAG = 30.0  # seconds that a shared file system may show a node an old state


def here(folder: str, token: str, version: str, given: dict[str, str], lag: float = LAG) -> dict[str, Any]:
    """Work an attempt off on this node, in a process of its own; how that ended, in plain values.

    {"unfit": why this node cannot}, {"left": True} where the attempt is not the folder's, {"ended": True} where the run's status says how,
    {"died": a sentence, "for_memory": bool}. version: of llmrec, at the agent; given: environment variables.
    """
    import llmrec
    from llmrec.runs import status
    from llmrec.runs.queue import deaths

    if version != llmrec.__version__:
        return {"unfit": f"has llmrec {llmrec.__version__} and the machine that sends the run {version}: install the same on both"}
    path = Path(folder)
    found = _awaited(path, token, lag)
    if found != token:
        home = f"does not see {path}: LLMREC_HOME and LLMREC_RUNS must name folders that all machines share, under the same path"
        return {"left": True} if found else {"unfit": home}
    if not status.is_locked(path):
        return {"unfit": f"does not see that {path} is locked: the file system must carry locks (flock) from machine to machine"}
    began = deaths.snapshot()
    command = [sys.executable, "-P", "-m", "llmrec.runs.executors.node", folder, token]
    with (
        open(path / LOG, "ab", opener=launch.plainly) as out,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **given}, cwd=launch.folder_for(path)
        ) as child,
    ):
        try:
            code = child.wait()
        finally:
            child.kill()
    if code in (0, LEFT):
        return {"left": True} if code else {"ended": True}
    death = deaths.explain(began, code, lambda: deaths.remedy(path))
    return {"died": death.sentence, "for_memory": death.for_memory}


def writer(folder: Path) -> str:
    """Who wrote last, in words, for a person who must end it."""
    try:
        plain = artifacts.read_json(folder / PLACE)
    except (artifacts.BadArtifact, OSError):
        return "of the run"
    return f"on {plain.get('host')} (process {plain.get('pid')})"


def attempt(folder: Path) -> str:
    """The token of the attempt that may work on a run; "" where there is none."""
    return _token(folder / ORDER)


def place(folder: Path, token: str) -> dict[str, Any] | None:
    """Where an attempt works: host and pid of its process. None before it has begun."""
    try:
        plain = artifacts.read_json(folder / PLACE)
    except (artifacts.BadArtifact, OSError):
        return None
    return plain if plain.get("attempt") == token else None


@contextlib.contextmanager
def alone(folder: Path, token: str, patience: float | None = None) -> Any:
    """Inside, no other attempt writes. Yields whether that is so: False once `token` is not the folder's, or after `patience` seconds."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    end = None if patience is None else time.monotonic() + patience
    try:
        while (ours := attempt(folder) == token) and not _locked(handle):
            if end is not None and time.monotonic() > end:
                ours = False
                break
            time.sleep(LOOK)
        yield ours and attempt(folder) == token
    finally:
        os.close(handle)


def main(folder: str, token: str) -> int:
    """Train the run. 0: its status says how that ended."""
    path = Path(folder)
    threading.Thread(target=_leave_with_starter, name="starter", daemon=True).start()
    with alone(path, token) as ours:
        if not ours:
            return LEFT
        artifacts.write_json({"attempt": token, "host": platform.node(), "pid": os.getpid()}, path / PLACE)
        threading.Thread(target=_leave_when_replaced, args=(path, token), name="attempt", daemon=True).start()
        try:
            from llmrec.runs import pipeline, store

            pipeline.train(store.open_run(path), held=True)
        except BaseException as error:
            traceback.print_exc()
            _tell(path, error)
        return 0


def _tell(folder: Path, error: BaseException) -> None:
    """A run that could not even be begun says why; one that was begun has said so itself."""
    from llmrec.runs import status

    if folder.is_dir() and status.read_file(folder).state in ("new", "queued", "running"):
        with contextlib.suppress(OSError, status.RunGone):
            status.write(folder, "failed", " ".join(str(error).split())[:500] or type(error).__name__)


def _leave_with_starter() -> None:
    """Its end of the pipe closes when it dies, however it dies."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os._exit(LEFT)


def _leave_when_replaced(folder: Path, token: str) -> None:
    from llmrec.runs import status

    def ours() -> bool:
        return attempt(folder) == token and status.is_locked(folder)

    while ours() or not (folder / "run.json").exists():  # that a run was deleted, the training sees itself
        time.sleep(LOOK)
    os._exit(LEFT)


def _awaited(folder: Path, token: str, lag: float) -> str:
    """The folder's attempt, as soon as it is `token`, or as it stands after `lag` seconds."""
    end = time.monotonic() + lag
    while (found := attempt(folder)) != token and time.monotonic() < end:
        time.sleep(LOOK)
    return found


def _token(path: Path) -> str:
    try:
        return str(artifacts.read_json(path).get("attempt", ""))
    except (artifacts.BadArtifact, OSError):
        return ""


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


if __name__ == "__main__":
    from llmrec.runs.executors.node import main as train

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    sys.exit(train(sys.argv[1], sys.argv[2]))
