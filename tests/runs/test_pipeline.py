"""The pipeline: stages announced and cached, every ending told, killed runs resumed, one worker at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmrec import artifacts
from llmrec.runs import events, pipeline, status, store
from llmrec.runs.signals import Halt
from llmrec.runs.store import Run
from tests.runs.worlds import SLOW_WORKER, board

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


@pytest.fixture
def run() -> Run:
    return store.create(board())


def start(run: Run, steps: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW_WORKER, str(run.path), str(steps)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_step(run: Run, step: int) -> None:
    for _ in range(600):
        if any(e.get("step", 0) >= step for e in run.events()):
            return
        time.sleep(0.05)
    raise AssertionError(f"the worker never reached step {step}")


@pytest.fixture
def worker(run: Run) -> Iterator[subprocess.Popen[str]]:
    process = start(run, 400)
    wait_for_step(run, 3)
    yield process
    process.kill()
    process.communicate()


def test_prepare_announces_stages_with_seconds_and_takes_them_from_the_cache() -> None:
    told: list[dict[str, Any]] = []
    first = pipeline.prepare(board(), told.append)
    ends = [e for e in told if e["state"] == "end"]
    assert [e["stage"] for e in told if e["state"] == "begin"] == [e["stage"] for e in ends]
    assert [e["stage"] for e in ends] == ["data", "split", "walks and skip-gram", "names"]
    assert all(e["seconds"] >= 0 and not e["cached"] for e in ends)
    told.clear()
    second = pipeline.prepare(board(), told.append)
    assert all(e["cached"] for e in told if e["state"] == "end")
    assert (second.table.items.codes == first.table.items.codes).all()


def test_a_killed_worker_s_run_reads_as_interrupted_and_goes_on_from_its_checkpoint(run: Run, worker: subprocess.Popen[str]) -> None:
    assert run.status.state == "running"
    assert run.status.pid == worker.pid
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    assert run.status.state == "interrupted"
    assert run.status.resumable
    reached = json.loads((run.path / "checkpoint.json").read_text())["step"]
    again = start(run, reached + 3)
    out, err = again.communicate(timeout=60)
    assert out.strip() == "done", err
    told = run.events()
    resumed = next(i for i, e in enumerate(told) if e.get("event") == "start" and e["resumed"])
    assert [e["step"] for e in told[resumed:] if e["event"] == "step"] == [reached + 1, reached + 2, reached + 3]
    assert run.status.state == "done"


def test_sigterm_stops_and_keeps(run: Run, worker: subprocess.Popen[str]) -> None:
    worker.terminate()
    out, err = worker.communicate(timeout=20)
    assert (out.strip(), worker.returncode) == ("stopped", 0), err
    assert run.status.state == "stopped"
    assert "SIGTERM" in run.status.reason
    assert (run.path / "checkpoint.json").exists()
    assert run.events()[-1]["event"] == "end"


def test_one_worker_at_a_time(run: Run, worker: subprocess.Popen[str]) -> None:
    with pytest.raises(status.RunBusy, match=f"process {worker.pid}"):
        pipeline.train(run)
    with pytest.raises(status.RunBusy):
        run.delete()
    assert run.status.state == "running"


def test_a_fault_marks_the_run_failed_with_its_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: Any) -> None:
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr(pipeline, "_work", work)
    with pytest.raises(RuntimeError):
        pipeline.train(run)
    assert (run.status.state, run.status.reason) == ("failed", "RuntimeError: out of memory")
    assert run.status.resumable
    assert run.events()[-1]["state"] == "failed"


def test_a_stop_before_training_leaves_the_stage_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(100):
            time.sleep(0.05)
        raise AssertionError("the signal was not heard")

    monkeypatch.setattr(pipeline, "_work", work)
    before = signal.getsignal(signal.SIGTERM)
    outcome = pipeline.train(run)
    assert outcome.state == "stopped"
    assert "before the model was trained" in outcome.reason
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_caller_can_ask_to_stop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def work(run: Run, tell: Any, stop: Any, numbers: bool) -> None:
        while not stop():
            asked.append(1)

    monkeypatch.setattr(pipeline, "_work", work)
    assert pipeline.train(run, should_stop=lambda: len(asked) >= 3).state == "stopped"
    assert len(asked) == 3


def test_a_done_run_is_left_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status.write(run.path, "done")
    artifacts.write_json({}, run.path / "metrics.json")
    monkeypatch.setattr(pipeline, "_work", lambda *_: pytest.fail("worked again"))
    assert pipeline.train(run).state == "done"
    assert run.events() == []


def test_events_reach_the_caller_and_the_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_work", lambda run, tell, stop, numbers: tell({"event": "step", "step": 1}))
    told: list[events.Event] = []
    pipeline.train(run, told.append)
    assert told == run.events()
    assert [e["event"] for e in told] == ["start", "step", "end"]


def test_a_run_may_be_trained_without_numbers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "report", lambda *a, **k: pytest.fail("nothing was to be measured"))
        assert pipeline.train(run, numbers=False).state == "done"
        assert pipeline.train(run, numbers=False).state == "done"
    assert run.metrics is None and (run.path / "model").exists()
    assert pipeline.train(run).state == "done" and run.metrics is not None  # they can be had later


def test_halt_is_no_exception_that_stages_swallow() -> None:
    assert not issubclass(Halt, Exception)


def test_what_is_swept_of_a_deleted_run_includes_what_a_cluster_wrote() -> None:
    from llmrec.runs.executors import node

    assert {node.ORDER, node.PLACE, node.LOCK, node.LOG} <= set(pipeline.PARTS_ON_DISK)
