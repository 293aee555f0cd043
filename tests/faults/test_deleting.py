"""A run deleted while it is worked on, by the queue and by hand, at random moments: it is gone, stays gone, and no other is touched."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs import queue, status
from llmrec.runs.queue import ledger
from llmrec.runs.store import Run
from tests.faults.scene import campaign, cheap, digest, done, kill, pause, plan, rows, until, whole, worker_of
from tests.runs.worlds import board


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that is done, which nobody touches from now on."""
    cheap(tmp_path, monkeypatch, 1)
    run = queue.submit(board())
    until(lambda: done(run) and worker_of(run) is None, "it is done")
    return run


def gone(pid: int | None) -> bool:
    return not pid or not Path(f"/proc/{pid}/fd").exists() or worker_is_over(pid)


def worker_is_over(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_deleted_by_the_queue(finished: Run) -> None:
    chance, before = random.Random(8), digest(finished.path)
    with campaign(3, 20) as tally:
        for _ in range(tally.tries):
            plan(400)
            run = queue.submit(board())
            pause(chance, 3.0)
            with tally.once():
                queue.delete(run, patience=100)
                assert rows() == [finished.name]
                assert ledger.read() == []
                assert digest(finished.path) == before
                assert [p.name for p in home.runs().glob(".deleted-*")] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_deleted_by_hand_and_the_next_run_is_its_own(finished: Run) -> None:
    chance, before = random.Random(9), digest(finished.path)
    with campaign(3, 20) as tally:
        for _ in range(tally.tries):
            plan(400)
            run = queue.submit(board())
            pause(chance, 3.0)
            pid = worker_of(run)
            while run.path.exists() and (run.path / "run.json").exists():  # its worker may be writing into it
                subprocess.run(["rm", "-rf", str(run.path)], check=False, stderr=subprocess.DEVNULL)
            plan(5)
            with tally.once():
                heir = queue.submit(board())
                assert heir.name != run.name
                until(lambda pid=pid: gone(pid), "the worker leaves")
                until(lambda heir=heir: done(heir), "the next is done")
                whole(heir, 5)
                assert not run.path.exists()
                queue.delete(heir)
                assert rows() == [finished.name]
                assert digest(finished.path) == before


def test_a_broken_run_that_is_worked_on_can_be_stopped_and_deleted(finished: Run) -> None:
    from llmrec.runs import store

    plan(400)
    run = queue.submit(board())
    until(lambda: len(run.events()) > 3, "it works")
    (run.path / "recipe.toml").write_text("rubbish")
    broken = store.find(run.name)
    assert broken.status.state == "broken"
    assert queue.stop(broken).state in ("stopping", "stopped")
    queue.delete(store.find(run.name), patience=100)
    assert rows() == [finished.name]


def test_a_worker_that_hangs_is_told_and_its_run_deleted_once_it_is_gone(finished: Run) -> None:
    import os
    import signal

    plan(400)
    run = queue.submit(board())
    until(lambda: len(run.events()) > 3, "it works")
    pid = worker_of(run)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ValueError, match=f"has not yet, after 0 s: delete it again in a moment, or end its process {pid} first"):
        queue.delete(run, patience=0.3)
    assert status.read(run.path).state == "stopping"
    kill(pid)
    until(lambda: not status.is_locked(run.path), "it is gone")
    queue.delete(run)
    assert rows() == [finished.name]


def test_what_a_killed_deletion_left_is_swept_up(finished: Run) -> None:
    (home.runs() / ".deleted-abc" / "run").mkdir(parents=True)
    (home.runs() / ".deleted-abc" / "run" / "model").write_bytes(b"0" * 1000)
    queue.submit(board())
    assert not (home.runs() / ".deleted-abc").exists()
