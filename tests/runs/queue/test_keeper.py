"""The keeper: with nobody else to turn the queue, a killed worker's run goes on; one at a time; gone when the line is empty."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from llmrec.runs import queue, status
from llmrec.runs.queue import dispatch, keeper, ledger
from tests.runs.queue.line import kill_all, slow_workers, steps, until
from tests.runs.worlds import board


def alive() -> bool:
    return status.is_locked(keeper._folder())


@pytest.mark.slow
def test_nobody_but_the_keeper_brings_a_killed_run_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_workers(tmp_path, monkeypatch, 60)
    try:
        run = queue.submit(board())
        assert alive()
        keeper.ensure()  # there is one already
        monkeypatch.setattr(dispatch, "tick", lambda: None)  # this process only looks on
        until(lambda: len(steps(run)) > 2, "it works")
        os.kill(status.read_file(run.path).pid or 0, signal.SIGKILL)
        dispatch._children[0][1].wait()
        until(lambda: run.status.state == "done", "it is brought to its end")
        assert sorted(set(steps(run))) == list(range(1, 61))
        until(lambda: not alive(), "the keeper leaves")
        keeper._children[0].wait(60)
        assert ledger.read() == []
        assert (keeper._folder() / "log").read_text() == ""
    finally:
        kill_all()
