"""Errands: each is done once, in turn, tells how far it is and why it failed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.errands import WAITING, Errand, Errands
from app.tour import scenes, shelf
from llmrec.runs import launch

ROOT = Path(__file__).resolve().parents[2]
WORK = """
import json, pathlib, subprocess, sys, time
name, gate = sys.argv[1:]
with open(gate + ".log", "a") as log:
    given = sys.stdin.read()
    log.write(name + given + "\\n")
print(json.dumps({"stage": "waiting", "share": 0.25}), flush=True)
if name == "parent":
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", ignoring], stdout=subprocess.PIPE)
    child.stdout.readline()
    pathlib.Path(given).write_text(str(child.pid))
while not pathlib.Path(gate).exists():
    time.sleep(0.02)
if name == "bad":
    print("something else")
    print(json.dumps({"trouble": "the gate was crooked"}))
    sys.exit(2)
"""


class Clock:
    """Seconds that pass when a test says so; no two looks at it are the same."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def errands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Errands]:
    (tmp_path / "work.py").write_text(WORK)
    monkeypatch.setattr(launch, "command", lambda module, *words: [sys.executable, str(tmp_path / "work.py"), *words[2:]])
    made = Errands(at_once=1, clock=clock)
    yield made
    made.close()


def until(ask: Callable[[], Errand], state: str) -> Errand:
    end = time.monotonic() + 60
    while True:
        told = ask()
        if told.state == state:
            return told
        assert time.monotonic() < end, told
        time.sleep(0.02)


def test_one_after_the_other_each_once(errands: Errands, tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    asks = {name: (lambda name=name: errands.ask(name, "m", name, gate, text="!")) for name in ("one", "bad", "two")}
    assert asks["one"]().state == "running"
    assert (asks["bad"]().state, asks["bad"]().ahead, asks["two"]().ahead) == ("waiting", 1, 2)
    end = time.monotonic() + 60
    while asks["one"]().share != 0.25:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert asks["one"]().stage == "waiting"
    Path(gate).touch()
    until(asks["one"], "done")
    assert until(asks["bad"], "failed").reason == "the gate was crooked; it can be tried again in a minute"
    until(asks["two"], "done")
    assert Path(gate + ".log").read_text().split() == ["one!", "bad!", "two!"]


def test_a_failed_one_is_tried_again_where_asked_or_after_a_minute(errands: Errands, tmp_path: Path, clock: Clock) -> None:
    gate = str(tmp_path / "gate")
    Path(gate).touch()
    until(lambda: errands.ask("k", "m", "bad", gate), "failed")
    assert errands.ask("k", "m", "bad", gate).state == "failed"
    assert errands.ask("k", "m", "good", gate, again=True).state == "running"
    until(lambda: errands.ask("k", "m", "good", gate), "done")
    until(lambda: errands.ask("other", "m", "bad", gate), "failed")
    clock.now += 59
    assert errands.ask("other", "m", "good", gate).state == "failed"
    clock.now += 2
    assert errands.ask("other", "m", "good", gate).state == "running"


def test_one_whose_result_is_gone_is_done_once_more_and_then_failed(errands: Errands, tmp_path: Path, clock: Clock) -> None:
    gate = str(tmp_path / "gate")
    Path(gate).touch()
    until(lambda: errands.ask("k", "m", "one", gate), "done")
    assert errands.ask("k", "m", "one", gate).state == "done"
    clock.now += 6
    assert errands.ask("k", "m", "one", gate).state == "running"
    until(lambda: errands.ask("k", "m", "one", gate), "done")
    clock.now += 6
    assert errands.ask("k", "m", "one", gate).reason.startswith("it ended without a result")
    clock.now += 61
    assert errands.ask("k", "m", "one", gate).state == "running"


def test_what_is_done_since_it_was_looked_for_is_no_trouble_on_the_tour() -> None:
    done, failed = Errand("done"), Errand("failed", reason="no walks")
    assert [shelf.making(one).trouble for one in (done, failed)] == ["", "no walks"]
    assert [scenes.waiting("k", "what", "cost", one).trouble for one in (done, failed)] == ["", "no walks"]


def test_what_nobody_asks_about_any_more_does_not_wait(errands: Errands, tmp_path: Path, clock: Clock) -> None:
    gate = str(tmp_path / "never")
    assert errands.ask("first", "m", "first", gate).state == "running"
    assert errands.ask("left", "m", "left", gate).state == "waiting"
    clock.now += 14
    assert errands.ask("mine", "m", "mine", gate).ahead == 2
    clock.now += 2
    assert errands.ask("mine", "m", "mine", gate).ahead == 1
    assert errands.ask("left", "m", "left", gate).ahead == 2


def test_no_more_wait_than_can_be_done(errands: Errands, tmp_path: Path) -> None:
    gate = str(tmp_path / "never")
    told = [errands.ask(n, "m", "one", gate) for n in range(WAITING + 2)]
    assert [one.state for one in told] == ["running"] + ["waiting"] * WAITING + ["failed"]
    assert told[-1].reason.startswith("too much")
    assert errands.ask(1, "m", "one", gate).state == "waiting"


def test_what_takes_too_long_ends_with_its_children(errands: Errands, tmp_path: Path, clock: Clock) -> None:
    gate, kept = str(tmp_path / "never"), str(tmp_path / "child")
    errands.ask("k", "m", "parent", gate, text=kept)
    end = time.monotonic() + 60
    while not Path(kept).exists() or not Path(kept).read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
    child = int(Path(kept).read_text())
    clock.now += 1801
    assert errands.ask("k", "m", "parent", gate).reason.startswith("it took longer than 30 minutes")
    while _lives(child):
        assert time.monotonic() < end
        time.sleep(0.02)


def _lives(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_cannot_be_started_has_failed(errands: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "command", lambda module, *words: ["/no/such/program"])
    assert errands.ask("k", "m").reason.startswith("its process could not be started: No such file")


def test_what_runs_ends_with_the_server(errands: Errands, tmp_path: Path) -> None:
    gate = str(tmp_path / "never")
    assert errands.ask("k", "m", "one", gate).state == "running"
    errands.close()
    until(lambda: errands.ask("k", "m", "one", gate), "failed")


def test_an_errand_ends_with_a_server_that_is_killed() -> None:
    code = "import time; from app.errands import Errands; Errands().ask('k', 'http.server', '0'); print(1, flush=True); time.sleep(600)"
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None and server.stdout.readline()
        (errand,) = psutil.Process(server.pid).children()
        assert _soon(lambda: "http.server" in errand.cmdline())
        time.sleep(1.0)
        assert errand.is_running()
    finally:
        server.kill()
        server.wait()
    assert _soon(lambda: not errand.is_running() or errand.status() == psutil.STATUS_ZOMBIE)


def _soon(holds: Callable[[], bool], patience: float = 20.0) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False
