"""The keeper: a small process that turns the queue while something is in it, so that a run goes on after its worker was killed.

Where it stands: beside the workers, started with the first run of a line, gone with the last. What it does not know: runs.
One a runs' folder, by a lock; a server turns the queue as well, and where both are killed the next command or server does.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path

from llmrec import home
from llmrec.runs import launch, status

FOLDER = ".keeper"
TURN = 1.0  # seconds
_children: list[subprocess.Popen[bytes]] = []  # keepers that this process started, until they have ended


def ensure() -> None:
    """Start the keeper of this runs' folder where none is at work. One that cannot be started is told, and nothing is lost by it."""
    _children[:] = [child for child in _children if child.poll() is None]
    try:
        folder = _folder()
        lock = status.take(folder)
        if lock is None:
            return
        try:
            _start(folder, lock)
        finally:
            lock.close()
    except OSError as error:
        logging.getLogger(__name__).warning("nobody keeps the queue while no server runs: %s", error)


def main(fd: int) -> int:
    """Turn the queue until it is empty. fd: the inherited lock."""
    from llmrec.runs.queue import dispatch, ledger

    lock: status.Lock | None = status.Lock(fd)
    while True:
        try:
            dispatch.tick()
        except (ValueError, OSError) as error:  # a busy or full disk: it may pass
            print(error, file=sys.stderr, flush=True)
        if not home.runs().is_dir():
            return 0
        if ledger.path().exists() and ledger.read():
            time.sleep(TURN)
            continue
        assert lock is not None
        lock.close()
        # somebody may have come in line while the lock was still held here
        lock = status.take(_folder()) if ledger.read() else None
        if lock is None:
            return 0


def _start(folder: Path, lock: status.Lock) -> None:
    log = folder / "log"
    if log.is_file() and log.stat().st_size > 1_000_000:
        log.unlink()
    with open(log, "ab") as out:
        child = subprocess.Popen(
            launch.command("llmrec.runs.queue.keeper", str(lock.fd)),
            env=launch.environment(LLMREC_RUNS=str(home.runs().absolute())),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.fd,),
            start_new_session=True,
        )
    _children.append(child)


def _folder() -> Path:
    folder = home.runs() / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    from llmrec.runs.queue.keeper import main as keep

    sys.exit(keep(int(sys.argv[1])))
