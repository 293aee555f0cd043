"""A worker: the process that works one run of the queue off. `python -m llmrec.runs.queue.worker NAME EXECUTOR FD`.

Where it stands: started by `dispatch` with the run's lock inherited as FD. What it does not know: who started it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback

from llmrec import home
from llmrec.runs import status


def main(name: str, executor: str, fd: int) -> int:
    """Work the run, let go of it, then turn the queue, so that the next one starts. The exit code is 1 where it failed."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("llmrec").setLevel(logging.INFO)
    os.set_inheritable(fd, False)  # what this process starts must not keep the run's lock when it dies
    code = 0
    try:
        _work(name, executor)
    except BaseException as error:
        code = 1
        traceback.print_exc()
        _tell(name, error)
    finally:
        status.Lock(fd).close()
    with contextlib.suppress(ValueError, OSError):
        from llmrec.runs.queue import dispatch

        dispatch.tick()
    return code


def _work(name: str, executor: str) -> None:
    from llmrec.runs import executors, store

    executors.known(executor).work(store.by_name(name))


def _tell(name: str, error: BaseException) -> None:
    """A run that could not even be begun says why; one that was begun has said so itself."""
    folder = home.runs() / name
    if folder.is_dir() and status.read_file(folder).state in ("queued", "running"):
        with contextlib.suppress(OSError, status.RunGone):
            status.write(folder, "failed", " ".join(str(error).split())[:500] or type(error).__name__)


if __name__ == "__main__":
    from llmrec.runs.queue.worker import main as work

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    sys.exit(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
