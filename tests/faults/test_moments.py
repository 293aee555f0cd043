"""Moments that are easily missed: between folder and row, while a worker starts or ends, twice at once; and folders that are odd."""

from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs import queue, status, store
from llmrec.runs.queue import dispatch, ledger
from tests.faults.scene import campaign, cheap, digest, done, pause, plan, rows, steps, until, whole
from tests.runs.worlds import board

# somebody who starts one run after the other, and workers that nobody starts
HASTY = """
from llmrec.runs import queue
from llmrec.runs.queue import dispatch, keeper
from tests.runs.worlds import board
dispatch._start = lambda book, staying: None
keeper.ensure = lambda: None
while True:
    print(queue.submit(board()).name, flush=True)
"""


@pytest.mark.timeout(900)
def test_killed_while_it_starts_runs_each_is_whole_and_in_line_or_was_never_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_start", lambda book, staying: None)
    monkeypatch.setattr(dispatch, "SCAN", 0.0)
    chance = random.Random(31)
    with campaign(1, 20) as tally:
        for _ in range(tally.tries):
            process = subprocess.Popen([sys.executable, "-c", HASTY], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            said = [process.stdout.readline().strip()]
            pause(chance, 0.5)
            process.kill()
            said += process.stdout.read().split()
            process.wait()
            process.stdout.close()
            with tally.once():
                dispatch.tick()
                found = store.list_runs()
                assert [run.broken for run in found if run.broken] == []
                assert sorted(p.run_name for p in queue.listing()) == rows()
                assert set(said) <= set(rows())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_stop_at_any_moment_is_heard_or_comes_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 12)
    chance = random.Random(32)
    with campaign(3, 20) as tally:
        for _ in range(tally.tries):
            with tally.once():
                run = queue.submit(board())
                pause(chance, 3.0)
                try:
                    queue.stop(run)
                except ValueError:
                    assert done(run)
                until(lambda run=run: run.status.state in ("stopped", "done") and not status.is_locked(run.path), "it ends")
                if not done(run):
                    assert "resume" in run.status.reason
                    queue.resume(run)
                until(lambda run=run: done(run), "resumed, it ends")
                whole(run, 12)


@pytest.mark.timeout(900)
def test_resumed_by_many_at_once_it_goes_on_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 6)
    with campaign(1, 10) as tally:
        for _ in range(tally.tries):
            run = store.create(board())
            with tally.once():
                with ThreadPoolExecutor(8) as pool:
                    asked = [pool.submit(queue.resume, run) for _ in range(8)]
                errors = [error for one in asked if (error := one.exception()) is not None]
                assert len(errors) == 7
                assert all(isinstance(error, ValueError) for error in errors)
                until(lambda run=run: done(run), "it ends")
                whole(run, 6)
                assert len(set(steps(run))) == len(steps(run))


def test_resumed_in_the_moment_its_worker_fails_it_is_not_failed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = """
from llmrec.runs import pipeline, status
import time
_write = status.write
def write(folder, state, reason="", executor=None):
    _write(folder, state, reason, executor)
    if state == "failed":
        time.sleep(1.5)
status.write = write
"""
    cheap(tmp_path, monkeypatch, 3, more=failing)
    (tmp_path / "steps").write_text("no number")
    run = queue.submit(board())
    until(lambda: run.status.state == "failed", "it fails")
    plan(3)
    queue.resume(run)  # its worker has said so and has not ended
    until(lambda: done(run), "it ends")


def test_a_full_name_is_worked_as_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 2)
    run = queue.submit(dataclasses.replace(board(), name="metaid-checkerboard-" + "x" * 300))
    assert len(run.name) > 100
    until(lambda: done(run), "it ends")
    longest = store.create(board(), home.runs() / ("y" * 120))
    queue.resume(longest)
    until(lambda: done(longest), "it ends")
    queue.delete(longest)
    assert rows() == [run.name]


def test_a_relative_folder_of_runs_is_the_same_for_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMREC_RUNS", "mine/runs")
    run = queue.submit(board())
    try:
        until(lambda: done(run), "it ends")
        other = store.open_run(tmp_path / "mine" / "runs" / run.name)
        queue.delete(other)
        assert rows() == []
        assert ledger.read() == []
    finally:
        for _, child in dispatch._children:
            child.kill()
            child.wait()


def test_without_a_folder_of_runs_everything_says_so_or_makes_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert rows() == []
    assert queue.listing() == []
    queue.tick()
    assert not home.runs().exists()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "file" / "runs"))
    with pytest.raises(ValueError, match="no run can be made in .*LLMREC_RUNS"):
        queue.submit(board())
    with pytest.raises(ValueError, match="is a file"):
        rows()


def test_a_wrong_number_of_slots_is_refused_before_a_run_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_SLOTS", "many")
    with pytest.raises(ValueError, match="LLMREC_SLOTS"):
        queue.submit(board())
    assert rows() == []


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder of runs with one run in it, which the disk then only gives and no longer takes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        monkeypatch.setenv("LLMREC_RUNS", str(folder / "runs"))
        monkeypatch.setattr(dispatch, "_start", lambda book, staying: None)
        name = queue.submit(board()).name
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        yield name
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_what_can_only_be_read_is_listed_and_refuses_in_a_sentence(read_only: str) -> None:
    before = digest(home.runs())
    assert rows() == [read_only]
    assert [p.run_name for p in queue.listing()] == [read_only]
    queue.tick()
    for act in (lambda: queue.submit(board()), lambda: queue.stop(store.by_name(read_only))):
        with pytest.raises((ValueError, OSError), match=r"(?i)read-?only"):
            act()
    assert digest(home.runs()) == before
