"""A clock that jumps back and forth by months, in the workers and in whoever looks: order, states and the live picture are as ever."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from llmrec.runs import live, queue
from llmrec.runs.queue import dispatch, ledger
from llmrec.runs.store import Run
from tests.faults.scene import campaign, cheap, done, kill, rows, steps, until, whole, worker_of
from tests.runs.worlds import board

MAD = """
import random, time
_true, _chance = time.time, random.Random()
time.time = lambda: _true() + _chance.uniform(-1e7, 1e7)
"""


def first_at(run: Run) -> float:
    """When its first step was taken, by the clock that never goes back."""
    return next(float(event["at"]) for event in run.events() if event.get("event") == "step")


@pytest.mark.timeout(900)
def test_a_mad_clock_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 12, more=MAD)
    chance, true = random.Random(9), time.time
    monkeypatch.setattr(time, "time", lambda: true() + chance.uniform(-1e7, 1e7))
    with campaign(1, 20) as tally:
        for _ in range(tally.tries):
            with tally.once():
                first, second = queue.submit(board()), queue.submit(board())
                assert [p.run_name for p in queue.listing()] == [first.name, second.name]
                assert set(rows()) >= {first.name, second.name}
                watch, fractions = live.Watch(first), [0.0]
                until(lambda first=first: len(steps(first)) > 4, "it works")
                kill(worker_of(first))

                def seen(first: Run = first, watch: live.Watch = watch, fractions: list[float] = fractions) -> bool:
                    found = watch.look()
                    at = [step for step, _ in found.curves.losses]
                    assert at == sorted(set(at))
                    assert 0 <= found.fraction <= 1
                    assert found.seconds_left is None or found.seconds_left >= 0
                    return done(first)

                until(seen, "it ends")
                until(lambda second=second: done(second), "the other ends")
                assert [step for step, _ in watch.look().curves.losses] == list(range(1, 13))
                assert watch.look().fraction == 1
                whole(first, 12)
                whole(second, 12)
                assert first_at(first) < first_at(second)


def test_runs_that_the_ledger_lost_come_back_whatever_the_clock_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_start", lambda book, staying: None)
    moments = iter(range(10**9, 0, -(10**6)))
    monkeypatch.setattr(time, "time", lambda: float(next(moments)))
    names = [queue.submit(board()).name for _ in range(12)]
    ledger.path().unlink()
    monkeypatch.setattr(dispatch, "SCAN", 0.0)
    dispatch.tick()
    assert sorted(p.run_name for p in queue.listing()) == sorted(names)
