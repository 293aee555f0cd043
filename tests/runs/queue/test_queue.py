"""The queue with real worker processes: order, slots, stop, resume, delete, kills, and folders that the ledger has lost."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from pathlib import Path

import pytest

from llmrec import artifacts, home
from llmrec.runs import machine, queue, status, store
from llmrec.runs.queue import deaths, dispatch, ledger
from llmrec.runs.store import Run
from tests.runs.queue.line import plan, slow_workers, steps, tidy, turned, until
from tests.runs.worlds import board

__all__ = ["tidy"]


@pytest.fixture(autouse=True)
def quiet(tidy: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_workers(tmp_path, monkeypatch, 12)
    monkeypatch.setenv("LLMREC_SLOTS", "1")
    monkeypatch.setattr(dispatch, "SCAN", 0.0)


def state(run: Run) -> str:
    return run.status.state


def working(run: Run, step: int = 1) -> None:
    turned(lambda: len(steps(run)) >= step, f"{run.name} reaches step {step}")


def test_runs_are_worked_one_after_the_other_in_order() -> None:
    runs = [queue.submit(board()) for _ in range(3)]
    places = queue.listing()
    assert [(p.run_name, p.ahead) for p in places] == [(r.name, n) for n, r in enumerate(runs)]
    seen = []
    # the last of the line first: what ends between two looks is then not seen beside what starts after it
    turned(lambda: seen.append([state(r) for r in runs[::-1]]) is None and all(state(r) == "done" for r in runs), "all are done")
    assert all(sum(s in ("running", "stopping") for s in moment) <= 1 for moment in seen)
    for early, late in itertools.pairwise(runs):
        assert [e["event"] for e in early.events()][-1] == "end"
        assert artifacts.read_json(early.path / status.FILE)["heartbeat"] <= artifacts.read_json(late.path / status.FILE)["heartbeat"]
    assert queue.listing() == []
    assert all(steps(r) == list(range(1, 13)) for r in runs)


def test_two_slots_take_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_SLOTS", "2")
    plan(200)
    runs = [queue.submit(board()) for _ in range(3)]
    turned(lambda: all(len(steps(r)) > 0 for r in runs[:2]), "two work")
    assert [state(r) for r in runs] == ["running", "running", "queued"]
    assert [p.ahead for p in queue.listing()] == [0, 0, 2]


def test_a_stop_keeps_what_there_is_and_resume_ends_it() -> None:
    plan(400)
    run = queue.submit(board())
    working(run, 3)
    assert queue.stop(run).state in ("stopping", "stopped")
    turned(lambda: state(run) == "stopped", "it stops")
    assert "on request" in run.status.reason
    reached = steps(run)[-1]
    assert reached < 400
    plan(reached + 2)
    queue.resume(run)
    turned(lambda: state(run) == "done", "it ends")
    assert steps(run) == list(range(1, reached + 3))
    with pytest.raises(ValueError, match="is done: there is nothing to stop"):
        queue.stop(run)
    with pytest.raises(ValueError, match=r"is done and cannot be resumed: `llmrec runs again"):
        queue.resume(run)


def test_a_waiting_run_stops_at_once_and_comes_back_at_the_end() -> None:
    plan(400)
    first, second, third = (queue.submit(board()) for _ in range(3))
    assert queue.stop(second).state == "stopped"
    assert [p.run_name for p in queue.listing()] == [first.name, third.name]
    queue.resume(second)
    assert [p.run_name for p in queue.listing()] == [first.name, third.name, second.name]


def test_a_killed_worker_s_run_goes_on_by_itself() -> None:
    plan(40)
    run = queue.submit(board())
    for more in (3, 12):
        working(run, more)
        pid = status.read_file(run.path).pid
        assert pid is not None
        assert pid != os.getpid()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not status.is_locked(run.path), "its lock is free")
    turned(lambda: state(run) == "done", "it ends")
    assert sorted(set(steps(run))) == list(range(1, 41))


def test_a_run_whose_worker_always_dies_fails_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os, sys\nif 'worker' in ' '.join(sys.orig_argv): os.kill(os.getpid(), 11)\n")
    run, other = queue.submit(board()), queue.submit(board())
    turned(lambda: state(run) == "failed", "it fails")
    assert f"SIGSEGV, {deaths.TRIES} times without getting further" in run.status.reason
    assert "llmrec runs log" in run.status.reason
    turned(lambda: state(other) == "failed", "the other is tried too")


def test_want_of_memory_twice_in_a_row_ends_it_with_the_setting_that_would_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    plan(400)
    run = queue.submit(board())
    rising = itertools.count(10**6)  # the kernel's counts rise
    monkeypatch.setattr(dispatch.deaths, "_count", lambda file, word: next(rising))
    for more in (1, 20):
        working(run, more)
        os.kill(status.read_file(run.path).pid or 0, signal.SIGKILL)
        until(lambda: not status.is_locked(run.path), "its lock is free")
        dispatch.tick()
        if more == 1:  # it may have been another process that was meant
            assert state(run) in ("queued", "running")
            assert ledger.read()[0].reached.endswith(dispatch.MEMORY + "once")
    turned(lambda: state(run) == "failed", "it fails")
    assert "out of memory" in run.status.reason
    assert "train." in run.status.reason


def test_a_working_run_is_stopped_before_it_is_deleted_and_others_go_on() -> None:
    plan(400)
    run, other = queue.submit(board()), queue.submit(board())
    working(run)
    queue.delete(run)
    assert not run.path.exists()
    plan(2)
    turned(lambda: state(other) == "done", "the other is worked")


def test_a_folder_deleted_by_hand_under_its_worker_comes_not_back() -> None:
    plan(400)
    run, other = queue.submit(board()), queue.submit(board())
    working(run)
    pid = status.read_file(run.path).pid
    while run.path.exists():  # its worker may be writing into it
        shutil.rmtree(run.path, ignore_errors=True)
    plan(2)
    turned(lambda: state(other) == "done", "the other is worked")
    turned(lambda: not Path(f"/proc/{pid}").exists(), "the worker leaves")
    assert not run.path.exists()


def test_a_lost_ledger_is_filled_again_from_the_folders() -> None:
    plan(400)
    runs = [queue.submit(board()) for _ in range(3)]
    working(runs[0])
    ledger.path().write_bytes(b"\0" * 8192)
    plan(3)
    dispatch.tick()
    assert {p.run_name for p in queue.listing()} == {r.name for r in runs}
    assert [p.run_name for p in queue.listing() if p.ahead == 0] == [runs[0].name]  # still the one that works
    queue.stop(runs[0])
    turned(lambda: [state(r) for r in runs] == ["stopped", "done", "done"], "the others are worked")


def test_a_run_that_was_born_and_never_stood_in_line_is_found() -> None:
    run = store.create(board(), executor="local")  # and a kill before its row was written
    assert state(run) == "queued"
    turned(lambda: state(run) == "done", "it is worked")


def test_a_broken_recipe_fails_and_holds_up_nobody() -> None:
    run = store.create(board(), executor="local")
    (run.path / "recipe.toml").write_text("seed = 1\n")
    other = queue.submit(board())
    turned(lambda: state(other) == "done" and queue.listing() == [], "the other is worked")
    assert status.read_file(run.path).state == "failed"
    assert "changed after the run was made" in status.read_file(run.path).reason


def test_slots_come_from_the_machine_or_from_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_SLOTS", "7")
    assert queue.slots() == 7
    monkeypatch.setenv("LLMREC_SLOTS", "many")
    with pytest.raises(ValueError, match="LLMREC_SLOTS = 'many' must be a whole number"):
        queue.slots()
    monkeypatch.delenv("LLMREC_SLOTS")
    monkeypatch.setattr(machine, "gpus", lambda: 0)
    for cores, expected in ((1, 1), (2, 1), (3, 1), (4, 2), (16, 8)):
        monkeypatch.setattr(dispatch, "_cores", lambda cores=cores: cores)
        assert queue.slots() == expected
    monkeypatch.setattr(machine, "gpus", lambda: 4)
    assert queue.slots() == 4


def test_an_unknown_executor_is_refused_by_resume_before_anything_is_written() -> None:
    run = store.create(board(), executor="local")
    status.write(run.path, "stopped", "for the test")
    before = (run.path / status.FILE).read_bytes()
    with pytest.raises(ValueError, match="no executor is called 'nope': there are local, ray"):
        queue.resume(run, "nope")
    assert (run.path / status.FILE).read_bytes() == before and ledger.read() == []
    assert run.status.executor == "local"


def test_an_unknown_executor_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ValueError, match="no executor is called 'slurm': there are local, ray"):
        queue.submit(board(), executor="slurm")
    assert not home.runs().exists() or store.list_runs() == []


def test_a_run_elsewhere_is_not_the_queue_s(tmp_path: Path) -> None:
    run = store.create(board(), tmp_path / "mine")
    with pytest.raises(ValueError, match="lies outside the runs' folder"):
        queue.resume(run)
