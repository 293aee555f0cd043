"""`llmrec runs watch`: what changes is told once, whole at 80 columns, until the end; real processes and a real terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmrec.__main__ import main
from llmrec.commands.following import Heard
from llmrec.commands.runs import watching
from llmrec.runs import events, queue, status, store
from llmrec.runs.store import Run
from tests.commands.at_work import busy, quiet
from tests.runs.queue.line import plan, steps, tidy, until
from tests.runs.worlds import board

ROOT = Path(__file__).parents[2]
__all__ = ["busy", "quiet", "tidy"]


def test_watching_tells_each_change_once_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.0)
    run = store.create(board(), executor="local")
    status.write(run.path, "running")
    with status.held(run.path):
        told = watching._told(watching._looks(run), plain=True)
        first = next(told)
        assert (first["run"], first["state"], first["stage"]) == (run.name, "running", "")
        events.append(run.path / "events.jsonl", {"event": "start", "resumed": False})
        events.append(run.path / "events.jsonl", {"event": "stage", "stage": "training", "state": "begin"})
        events.append(run.path / "events.jsonl", {"event": "step", "step": 4, "steps": 8, "loss": 1.5, "progress": 0.5})
        seen = next(told)
        assert (seen["step"], seen["steps"], seen["loss"], seen["warnings"]) == (4, 8, 1.5, [])
        events.append(run.path / "events.jsonl", {"event": "warning", "text": "the disk is nearly full"})
        assert next(told)["warnings"] == ["the disk is nearly full"]
        status.write(run.path, "done", "trained 8 of 8 steps")
    ends = list(told)
    assert [(end["state"], end["progress"]) for end in ends] == [("done", 1.0)]


def test_watching_all_ends_with_the_last_and_is_not_held_up_by_the_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.0)
    dead = store.create(board())
    status.write(dead.path, "running")
    assert dead.status.state == "interrupted"
    assert list(watching._told(watching._looks(None), plain=True)) == []
    run = store.create(board())
    status.write(run.path, "running")
    with status.held(run.path):
        told = watching._told(watching._looks(None), plain=True)
        assert next(told)["run"] == run.name
    assert next(told)["state"] == "interrupted"
    assert list(told) == []


def test_lines_for_a_file_come_for_states_and_stages_and_not_for_each_step() -> None:
    lines = watching.Lines()
    base = {"run": "r", "state": "running", "reason": "", "ahead": 0, "stage": "walks", "progress": 0.1, "seconds_left": 7, "warnings": []}
    base |= {"step": None, "steps": None, "loss": None, "validation": None, "tokens_per_s": None, "memory_bytes": None}

    def said(**changed: Any) -> str:
        return lines({}, {"r": base | changed})

    assert said() == "r  running  10%  walks  7 s left"
    assert said(progress=0.2) == ""
    assert said(
        stage="fine-tuning",
        step=3,
        steps=9,
        loss=1.25,
        tokens_per_s=6000.0,
        memory_bytes=2e9,
        validation={"metrics": {"hit@10": 0.5, "ndcg@10": 0.25}},
    ) == ("r  running  10%  fine-tuning  step 3 of 9  loss 1.250  ndcg@10 0.2500  6,000 Tokens/s  2.0 GB  7 s left")
    assert said(stage="fine-tuning", warnings=["tight"]) == "r  warning: tight"
    assert said(state="queued", ahead=2) == "r  queued, waits behind 2 runs"
    assert said(state="failed", reason="no\x1b[31m room") == "r  failed (no [31m room)"


STEP = {
    "run": "metaid-ml-100k-sketch-12",
    "state": "running",
    "reason": "",
    "ahead": 0,
    "stage": "fine-tuning",
    "progress": 0.48,
    "seconds_left": 754.0,
    "step": 12345,
    "steps": 40000,
    "loss": 7.349,
    "validation": {"metrics": {"ndcg@10": 0.0256}},
    "tokens_per_s": 16762.0,
    "memory_bytes": 584.1e6,
    "warnings": ["the disk is nearly full: " + "free some room " * 6 + "soon"],
}


def test_at_80_columns_a_terminal_has_all_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    out = io.StringIO()
    block = watching.Block(out)
    text = block({"a": STEP}, {})
    lines = text.splitlines()
    assert lines[0] == "metaid-ml-100k-sketch-12  running  48%  fine-tuning  12:34 min left"
    assert lines[1] == "  step 12345 of 40000  loss 7.349  ndcg@10 0.0256  16,762 Tokens/s  584.1 MB"
    assert all(len(line) < 80 for line in lines)
    assert "soon" in lines[-1], "what is told to a person is told whole"
    failed = STEP | {"state": "failed", "reason": "the column x is missing " * 5 + "in mine.csv", "warnings": []}
    assert block({"a": failed}, {}).splitlines()[-1].endswith("in mine.csv)")
    assert out.getvalue() == f"\x1b[{len(lines)}F\x1b[0J"


def test_a_block_is_never_higher_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "10")
    many = {str(n): STEP | {"warnings": []} for n in range(20)}
    lines = watching.Block(io.StringIO())(many, {}).splitlines()
    assert len(lines) == 9
    assert lines[-1] == "and 32 more lines: `llmrec runs` has every run"


@pytest.mark.parametrize(("state", "code"), [("failed", 2), ("stopped", 0), ("done", 0)])
def test_watching_says_by_its_exit_code_whether_a_run_failed(state: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    run = store.create(board())
    status.write(run.path, state, "so it is")
    assert main(["runs", "watch", run.name]) == code
    assert f"{state} (so it is)" in capsys.readouterr().out


def watched(*words: str, out: Any = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "llmrec", "runs", "watch", *words], cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True
    )


def test_watching_a_real_run_from_another_process() -> None:
    plan(40)
    run = queue.submit(board())
    process = watched(run.name, "--json")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    told = [json.loads(line) for line in out.splitlines()]
    assert {line["run"] for line in told} == {run.name}
    assert told[-1]["state"] == "done"
    assert len(told) == len({json.dumps(line) for line in told}), "nothing is told twice"


def test_ctrl_c_ends_the_watching_and_not_the_run() -> None:
    plan(1000)
    run = queue.submit(board())
    until(lambda: bool(steps(run)), "a step")
    process = watched(run.name, "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["run"] == run.name
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert run.status.state == "running"


def test_a_ctrl_c_that_python_loses_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    lost: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: lost.append(what.exc_type))
    before = signal.getsignal(signal.SIGINT)
    with Heard() as heard:
        heard()
        Dying()
        assert lost == [KeyboardInterrupt]
        with pytest.raises(KeyboardInterrupt):
            heard()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_terminal_gets_one_block_that_is_drawn_anew(busy: Run) -> None:
    leader, follower = pty.openpty()
    process = watched(busy.name, out=follower)
    os.close(follower)
    screen, anew = b"", b"\x1b[2F\x1b[0J" + busy.name.encode()
    told = 0
    try:
        while anew not in screen and told < 50:
            screen += os.read(leader, 4096)
            told += 1
            events.append(busy.path / "events.jsonl", {"event": "step", "step": 5 + told, "steps": 100, "loss": 2.0, "progress": 0.5})
    finally:
        process.kill()
        process.communicate()
        os.close(leader)
    assert screen.startswith(busy.name.encode())
    assert anew in screen
