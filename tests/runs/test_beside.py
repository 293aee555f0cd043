"""What the processes beside the main one of a run do: they hear whether a training begins, and leave where it does not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from llmrec.runs import status, store
from tests.runs.worlds import board

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)

# one process of several; argv: the run's folder, and what is done to this process before it works
PROCESS = """
import os, signal, sys, time
from llmrec.lm import processes
from llmrec.runs import beside, stages, status, store
def refused(*given): raise ValueError("no such data")
def stopped(*given): os.kill(os.getpid(), signal.SIGTERM); signal.pause()
def killed(*given): os._exit(9)
def fitted(*given): raise AssertionError("a process beside the main one fits what the run has")
name = sys.argv[2]
share = processes.join()
if share.main and name in ("refused", "stopped", "killed"):
    stages.dataset = globals()[name]
if share.main and name == "halted":
    from llmrec.lm.model import LanguageModel
    LanguageModel.create = stopped
if not share.main and name == "fitted":
    stages.vectors = stages.table = fitted
try:
    run = beside.agreed(share, lambda: store.open_run(sys.argv[1]))
    if share.main:
        print(beside.lead(share, run, lambda event: None, numbers=False).state)
    else:
        while name in ("refused", "stopped") and status.is_locked(run.path) | (status.read_file(run.path).state in ("new", "running")):
            time.sleep(0.02)  # it comes when the main one is through
        beside.work(run, share)
        print("left")
finally:
    processes.leave()
"""


def _two(run: store.Run, name: str) -> list[tuple[int, str, str]]:
    """Both processes, started by hand: no launcher that ends the one for the other. Exit code, output, errors of each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {**os.environ, "PYTHONPATH": str(ROOT), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(run.path), name],
            env={**common, "OMP_NUM_THREADS": "1", "RANK": rank, "LOCAL_RANK": rank},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for rank in ("0", "1")
    ]
    try:
        told = [process.communicate(timeout=120) for process in both]
    except subprocess.TimeoutExpired:
        raise AssertionError(f"somebody waits for ever: {[process.poll() for process in both]}") from None
    finally:
        for process in both:
            if process.poll() is None:
                process.kill()
                process.communicate()
    return [(process.returncode, out, err) for process, (out, err) in zip(both, told, strict=True)]


@pytest.mark.slow
def test_all_train_and_only_the_main_one_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty cache: vectors and names are fitted once."""
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    run = store.create(board(), tmp_path / "run")
    (code, out, err), beside = _two(run, "fitted")
    assert (code, out) == (0, "done\n"), err
    assert beside[:2] == (0, "left\n"), beside[2]
    events = run.events()
    assert [e["event"] for e in events].count("start") == 1 and any(e["event"] == "trained" for e in events)


@pytest.mark.slow
def test_where_the_main_one_fails_at_once_the_others_leave(tmp_path: Path) -> None:
    run = store.create(board(), tmp_path / "run")
    main, beside = _two(run, "refused")
    assert main[0] == 1 and "no such data" in main[2] and beside[:2] == (0, "left\n"), beside[2]
    assert run.status.state == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("when", ["stopped", "halted"])
def test_where_the_main_one_is_stopped_before_the_training_the_others_leave(when: str, tmp_path: Path) -> None:
    """Before it has said that a training begins, when the others come late, and after."""
    run = store.create(board(), tmp_path / "run")
    main, beside = _two(run, when)
    assert main[:2] == (0, "stopped\n"), main[2]
    assert beside[:2] == (0, "left\n"), beside[2]


@pytest.mark.slow
def test_where_nothing_is_left_to_train_the_others_leave(tmp_path: Path) -> None:
    run = store.create(board(), tmp_path / "run")
    status.write(run.path, "done")
    main, beside = _two(run, "")
    assert main[:2] == (0, "done\n") and beside[:2] == (0, "left\n"), (main[2], beside[2])


@pytest.mark.slow
def test_where_the_main_one_dies_the_others_say_that_they_were_left(tmp_path: Path) -> None:
    main, beside = _two(store.create(board(), tmp_path / "run"), "killed")
    assert main[0] == 9 and beside[0] == 1 and "another process of this training ended in the middle" in beside[2]
