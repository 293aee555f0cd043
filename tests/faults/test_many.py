"""Many at once: several servers and keepers on one folder, thirty people, killed workers among them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llmrec.runs import queue, status, store
from llmrec.runs.queue import ledger
from llmrec.runs.store import Run
from tests.faults.scene import FULL, campaign, cheap, done, kill, most_at_once, until, whole, worker_of
from tests.runs.worlds import board

# what a server's thread and a keeper do, without a pause worth the name
TURNER = """
import time
from llmrec.runs import queue
while True:
    queue.tick()
    time.sleep(0.02)
"""
# what a person's own process does
PERSON = """
import sys
from llmrec.runs import queue
from llmrec.runs.queue import keeper
from tests.runs.worlds import board
keeper.ensure = lambda: None
for _ in range(int(sys.argv[1])):
    print(queue.submit(board()).name, flush=True)
"""


@pytest.fixture
def servers() -> Iterator[None]:
    started = [subprocess.Popen([sys.executable, "-c", TURNER]) for _ in range(2)]
    yield
    assert [process.poll() for process in started] == [None, None], "one of them fell over"
    for process in started:
        process.kill()
        process.wait()


def all_done(runs: list[Run]) -> bool:
    return all(run.status.state == "done" for run in runs)


@pytest.mark.timeout(900)
def test_two_servers_on_one_folder_work_each_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("LLMREC_SLOTS", "2")
    cheap(tmp_path, monkeypatch, 6)
    request.getfixturevalue("servers")
    chance = random.Random(6)
    with campaign(4, 20) as tally:
        runs = [queue.submit(board()) for _ in range(tally.tries)]
        for hurt in chance.sample(runs, tally.tries // 4):
            until(lambda hurt=hurt: worker_of(hurt) is not None or done(hurt), "it works")
            kill(worker_of(hurt))
        until(lambda: all_done(runs), "all are done")
        for run in runs:
            with tally.once():
                whole(run, 6)
        assert most_at_once(runs) <= 2
        until(lambda: ledger.read() == [], "nobody is in line")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_people_who_start_at_once_get_a_run_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_SLOTS", "3")
    cheap(tmp_path, monkeypatch, 2)
    with campaign(6, 30) as tally:
        elsewhere = 10 if FULL else 2
        others = [subprocess.Popen([sys.executable, "-c", PERSON, "1"], stdout=subprocess.PIPE, text=True) for _ in range(elsewhere)]
        with ThreadPoolExecutor(tally.tries) as pool:  # as the sessions of a server are
            names = [run.name for run in pool.map(lambda _: queue.submit(board()), range(tally.tries - elsewhere))]
        for other in others:
            names += (other.communicate(timeout=300)[0]).split()
        assert len(set(names)) == tally.tries
        runs = store.list_runs()
        assert sorted(run.name for run in runs) == sorted(names)
        until(lambda: all_done(runs), "all are done")
        for run in runs:
            with tally.once():
                whole(run, 2)
        assert most_at_once(runs) <= 3


@pytest.mark.slow
def test_a_ledger_lost_while_one_works_starts_no_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 30)
    with campaign(1, 5) as tally:
        for _ in range(tally.tries):
            first = queue.submit(board())
            until(lambda first=first: len(first.events()) > 3, "it works")
            with tally.once():
                ledger.path().unlink()  # and somebody comes at once, before any look at all folders is due
                second = queue.submit(board())
                assert [(p.run_name, p.ahead) for p in queue.listing()] == [(first.name, 0), (second.name, 1)]
                assert not status.is_locked(second.path)
                until(lambda first=first, second=second: all_done([first, second]), "both are done")
                assert most_at_once([first, second]) == 1


def test_sessions_of_one_server_reap_their_workers_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 1)
    run = queue.submit(board())
    with ThreadPoolExecutor(16) as pool:
        turns = [pool.submit(lambda: until(lambda: done(run), "it is done")) for _ in range(16)]
    assert [turn.exception() for turn in turns] == [None] * 16
    assert os.getpid()
