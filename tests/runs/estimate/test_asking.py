"""An estimate from a process of its own: how it ends, what it says of it, and its numbers beside a real run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from llmrec import recipe
from llmrec.recipe import Recipe
from llmrec.runs import estimate, machine, stages
from llmrec.runs.estimate import asking, scratch, trial
from llmrec.runs.queue import dispatch
from tests.runs.worlds import board

ROOT = Path(__file__).parents[3]


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("code", "err"),
    [(-signal.SIGKILL, ""), (1, "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), (1, "MemoryError")],
)
def test_a_measurement_without_memory_says_what_would_need_less(code: int, err: str) -> None:
    with pytest.raises(ValueError, match=r"ran out of memory, and so would training: set train.batch = 16 \(now 32\)"):
        asking._read(board(), code, "", err)


def test_a_measurement_that_fails_says_why() -> None:
    with pytest.raises(ValueError, match="could not be measured: ZeroDivisionError: division by zero"):
        asking._read(board(), 1, "", "Traceback\nZeroDivisionError: division by zero\n")


def test_a_recipe_that_no_run_would_take_is_refused_in_its_own_words(own_home: Path, tmp_path: Path) -> None:
    missing = recipe.read(board().to_dict() | {"data": {"name": "table", "path": str(tmp_path / "none.csv")}})
    with pytest.raises(ValueError, match=r"none\.csv"):
        estimate.ask(missing, timeout=300)


def test_code_in_the_working_folder_is_not_run(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("json.py", "tomllib.py", "torch.py", "llmrec.py", "sitecustomize.py"):
        (evil / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    monkeypatch.chdir(evil)
    missing = recipe.read(board().to_dict() | {"data": {"name": "table", "path": str(tmp_path / "none.csv")}})
    with pytest.raises(ValueError, match=r"none\.csv"):
        estimate.ask(missing, timeout=300)
    assert not (tmp_path / "ran").exists()


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    with pytest.raises(ValueError, match="could not be measured: the process ended with code -15"):
        asking._read(board(), -signal.SIGTERM, '{"stages": [{"label": "da', "")


def test_a_measurement_gets_the_threads_of_a_worker(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}

    class Refusing:
        returncode = 2

        def __init__(self, command: list[str], env: dict[str, str], **rest: Any) -> None:
            given.update(env)

        def communicate(self, *_: Any) -> tuple[str, str]:
            return '{"refused": "no"}', ""

        def poll(self) -> int:
            return 2

    monkeypatch.setattr(subprocess, "Popen", Refusing)
    monkeypatch.setattr(dispatch, "_cores", lambda: 12)
    monkeypatch.setattr(machine, "gpus", lambda: 2)
    monkeypatch.delenv("LLMREC_SLOTS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # of whoever asks
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    with pytest.raises(ValueError, match="no"):
        estimate.ask(board())
    assert (given["OMP_NUM_THREADS"], given["OMP_WAIT_POLICY"]) == ("6", "PASSIVE")
    assert Path(given["TMPDIR"]).is_relative_to(own_home)


def test_folders_of_measurements_that_were_killed_are_swept_up(own_home: Path) -> None:
    with scratch.folder() as (alive, _):
        dead = alive.parent / "left"
        dead.mkdir()
        (dead / "model").write_text("x")
        with scratch.folder() as (mine, _):
            assert alive.is_dir() and mine.is_dir() and not dead.exists()
    assert not list(alive.parent.glob("*/"))


def children() -> list[psutil.Process]:
    alive = [p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]  # other tests leave some to be reaped
    return [p for p in alive if asking.MODULE in p.cmdline()]


def test_patience_has_an_end_and_takes_the_process_along(own_home: Path) -> None:
    with pytest.raises(ValueError, match="took longer than 0 s"):
        estimate.ask(board(), timeout=0.2)
    assert not children()


def test_the_process_ends_with_the_one_that_asked(own_home: Path) -> None:
    code = "from llmrec.runs import estimate\nfrom tests.runs.worlds import board\nestimate.ask(board(), 600, 600)"
    asker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        measuring = until(lambda: psutil.Process(asker.pid).children())[0]
        until(lambda: "--parent" in measuring.cmdline())
        assert [*own_home.rglob("llmrec-estimate-*")]
    finally:
        asker.kill()
        asker.wait()
    until(lambda: not measuring.is_running() or measuring.status() == psutil.STATUS_ZOMBIE)
    assert not [*own_home.rglob("llmrec-estimate-*")]


def until(found: Callable[[], Any], patience: float = 60.0) -> Any:
    end = time.monotonic() + patience
    while not (value := found()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return value


REAL = """
import json, sys, time
begin = time.perf_counter()
from llmrec.recipe import read
from llmrec.runs import pipeline, store
from llmrec.runs.estimate import room
run = store.create(read(json.loads(sys.argv[1])))
steps = []
status = pipeline.train(run, should_stop=lambda: sys.argv[2] == "short" and (run.path / "model").exists(), emit=steps.append)
parts = {name: room.taken(run.path / name) for name in ("checkpoint", "model", "ids", "vectors")}
print(json.dumps({"state": status.state, "seconds": time.perf_counter() - begin, "peak": room.peak(), **parts}))
"""


def really(plan: Recipe, how: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", REAL, json.dumps(plan.to_dict()), how], capture_output=True, text=True, cwd=ROOT, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


@pytest.mark.slow
def test_an_estimate_is_of_the_order_of_the_run(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = recipe.with_settings(board(), {"train.epochs": 60, "train.batch": 8, "train.validations": 2, "train.patience": 60})
    found = estimate.ask(plan, budget=2.0, timeout=400)
    assert not (tmp_path / "runs").exists()  # no run is made of it
    assert sorted(stages.cached(plan)) == ["data", "embed", "scheme", "split"]
    assert [stage.label for stage in found.stages] == [
        *("data", "split", "walks and skip-gram", "names", "language model", "training"),
        *("validation while training", "loading the model", "evaluation"),
    ]
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "other"))  # where the stages are worked as they were for the estimate
    whole = really(plan, "whole")
    assert whole["state"] == "done"
    assert found.seconds / 5 < whole["seconds"] < found.seconds * 5
    assert found.memory_bytes / 2 < whole["peak"] < found.memory_bytes * 2
    stopped = really(plan, "short")
    assert stopped["state"] == "stopped" and stopped["checkpoint"]
    fullest = sum(stopped[name] for name in ("checkpoint", "model", "ids", "vectors")) + max(stopped["checkpoint"], stopped["model"])
    assert found.disk_bytes - trial.BOOKS == pytest.approx(fullest, rel=0.3)
    assert found.fits and found.advice == ""
