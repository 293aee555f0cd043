"""Errands: each is done once, in turn, tells how far it is and why it failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errands import Errand, Errands
from llmrec.runs import launch

WORK = """
import json, pathlib, sys, time
name, gate = sys.argv[1:]
with open(gate + ".log", "a") as log:
    log.write(name + sys.stdin.read() + "\\n")
print(json.dumps({"stage": "waiting", "share": 0.25}), flush=True)
while not pathlib.Path(gate).exists():
    time.sleep(0.02)
if name == "bad":
    print("something else")
    print(json.dumps({"trouble": "the gate was crooked"}))
    sys.exit(2)
"""


@pytest.fixture
def errands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Errands]:
    (tmp_path / "work.py").write_text(WORK)
    monkeypatch.setattr(launch, "command", lambda module, *words: [sys.executable, str(tmp_path / "work.py"), *words])
    made = Errands()
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
    assert until(asks["bad"], "failed").reason == "the gate was crooked"
    until(asks["two"], "done")
    assert Path(gate + ".log").read_text().split() == ["one!", "bad!", "two!"]


def test_a_failed_one_is_tried_again_only_where_asked(errands: Errands, tmp_path: Path) -> None:
    gate = str(tmp_path / "gate")
    Path(gate).touch()
    until(lambda: errands.ask("k", "m", "bad", gate), "failed")
    assert errands.ask("k", "m", "bad", gate).state == "failed"
    assert errands.ask("k", "m", "good", gate, again=True).state == "running"
    until(lambda: errands.ask("k", "m", "good", gate), "done")


def test_what_runs_ends_with_the_server(errands: Errands, tmp_path: Path) -> None:
    gate = str(tmp_path / "never")
    assert errands.ask("k", "m", "one", gate).state == "running"
    errands.close()
    until(lambda: errands.ask("k", "m", "one", gate), "failed")
