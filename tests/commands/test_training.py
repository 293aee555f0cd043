"""`llmrec train` as its users meet it: in line, followed, stopped, resumed, refused. Workers are real processes that do not train."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmrec import home, recipe
from llmrec.__main__ import main
from llmrec.runs import pipeline, queue, status, store
from llmrec.runs.store import Run
from tests.commands.at_work import quiet
from tests.runs.queue.line import plan, steps, tidy, until
from tests.runs.worlds import BOARD, board

ROOT = Path(__file__).parents[2]
KEYS = {"run", "path", "state", "reason", "seconds", "metrics"}
__all__ = ["quiet", "tidy"]


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """A recipe's file."""
    path = tmp_path / "metaid-checkerboard-tiny.toml"
    path.write_text(BOARD, encoding="utf-8")
    return str(path)


@pytest.fixture
def busy() -> Iterator[Run]:
    """Somebody works in the only place there is."""
    home.runs().mkdir(parents=True, exist_ok=True)
    first = store.create(board(), executor="local")
    status.write(first.path, "running")
    with status.held(first.path):
        yield first
        status.write(first.path, "done")


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "llmrec", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )


def only() -> Run:
    (run,) = store.list_runs()
    return run


def under_way() -> bool:
    return any(steps(run) for run in store.list_runs())


def test_a_run_is_followed_to_its_end(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", asked, "--json"]) == 0
    told = capsys.readouterr()
    said = json.loads(told.out)
    assert set(said) == KEYS
    assert (said["run"], said["state"]) == ("metaid-checkerboard-tiny-1", "done")
    assert said["path"] == str(home.runs() / said["run"])
    assert "done: trained" in told.err
    assert steps(only()) == [1, 2, 3]
    assert only().status.pid != os.getpid(), "a process of its own worked it off"


def test_detached_it_returns_and_says_the_place(asked: str, busy: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", asked, "--detach", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == KEYS
    assert (said["state"], said["reason"], said["metrics"]) == ("queued", "waits behind 1 run", {})
    assert main(["train", asked, "--detach"]) == 0
    assert "queued (waits behind 2 runs)" in capsys.readouterr().out


@pytest.mark.slow
def test_who_waits_is_told_so_and_ctrl_c_takes_it_out_of_the_line(asked: str, busy: Run) -> None:
    process = started("train", asked, "--json")
    until(lambda: any(place.ahead == 1 for place in queue.listing()), "in line")
    waiting = store.by_name(next(place.run_name for place in queue.listing() if place.ahead == 1))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["state"] == "stopped" == waiting.status.state
    assert [place.run_name for place in queue.listing()] == [busy.name]
    assert not (waiting.path / "worker.log").exists()


@pytest.mark.slow
def test_waits_behind_is_said_while_following(asked: str, busy: Run) -> None:
    process = started("train", asked)
    assert process.stderr is not None
    assert process.stderr.readline() == "waits behind 1 run\n"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0, "SIGTERM is an order that was obeyed"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 0, marks=pytest.mark.slow)])
def test_a_signal_stops_the_run_and_resuming_ends_it(number: int, code: int, asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    plan(1000)
    process = started("train", asked, "--json")
    until(under_way, "a step")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    said = json.loads(out)
    assert (said["state"], only().status.state) == ("stopped", "stopped")
    assert not status.is_locked(only().path), "it waited for the end"
    plan(steps(only())[-1] + 2)
    assert main(["train", asked, "--resume", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["run"] == only().name
    assert "stopped" not in told.err, "what was told before is not told again"
    assert steps(only()) == list(range(1, steps(only())[-1] + 1))


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_and_the_worker_goes_on_stopping(asked: str) -> None:
    plan(1000)
    process = started("train", asked)
    until(under_way, "a step")
    worker = only().status.pid
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)  # it takes its time
    try:
        process.send_signal(signal.SIGINT)
        until(lambda: only().status.state == "stopping", "asked to stop")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert f"run {only().name} goes on stopping" in err
        assert only().status.state == "stopping"
    finally:
        os.kill(worker, signal.SIGCONT)
    until(lambda: only().status.state == "stopped", "stopped")


def test_what_fails_in_its_process_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text((tmp_path / "sitecustomize.py").read_text().replace("time.sleep(0.05)", "raise ValueError('the column x is missing')"))
    bad.rename(tmp_path / "sitecustomize.py")
    (tmp_path / "r.toml").write_text(BOARD)
    assert main(["train", str(tmp_path / "r.toml"), "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    last = told.err.strip().splitlines()[-1]
    assert last.startswith(f"llmrec: run {only().name} failed: ")
    assert "the column x is missing" in last
    assert f"llmrec runs log {only().name}" in last
    assert main(["runs", "log", only().name]) == 0
    assert "the column x is missing" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_that_is_deleted_while_followed(asked: str, tmp_path: Path) -> None:
    plan(1000)
    process = started("train", asked, "--json")
    until(under_way, "a step")
    os.rename(only().path, tmp_path / "gone")  # by hand: `runs delete` stops it first, which may be seen
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "was deleted while it was followed" in err.splitlines()[-1]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Training in this process takes no time; what is there: whether numbers were asked for, each time."""
    asked_for: list[bool] = []

    def work(run: Run, tell: Any, stop: Any, numbers: bool) -> None:
        asked_for.append(numbers)

    monkeypatch.setattr(pipeline, "_work", work)
    return asked_for


def test_here_and_in_a_folder_of_one_s_own_no_queue_is_made(asked: str, quick: list[bool], tmp_path: Path) -> None:
    assert main(["train", asked, "--here"]) == 0
    assert main(["train", asked, "--out", str(tmp_path / "mine"), "--json"]) == 0
    assert main(["train", asked, "--no-numbers"]) == 0
    assert quick == [True, True, False]
    assert [run.name for run in store.list_runs()] == ["metaid-checkerboard-tiny-2", "metaid-checkerboard-tiny-1"]
    assert {run.status.pid for run in store.list_runs()} == {os.getpid()}
    assert (tmp_path / "mine" / "run.json").exists()
    assert not list(home.runs().glob("queue*"))


def test_a_run_outside_resumes_here_and_a_done_one_at_once(asked: str, quick: list[bool], tmp_path: Path) -> None:
    outside = store.create(board(), tmp_path / "mine")
    status.write(outside.path, "stopped")
    assert main(["train", str(outside.path), "--resume"]) == 0
    assert main(["train", "--out", str(outside.path), "--resume"]) == 0
    assert outside.status.state == "done"
    inside = store.create(board())
    status.write(inside.path, "done")
    (inside.path / "metrics.json").write_text("{}")
    assert main(["train", inside.name, "--resume"]) == 0
    assert len(quick) == 2


def test_a_dry_run_prints_a_recipe_and_its_command_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    import tomllib

    words = ["train", "--scheme", "tiger", "--data", "lastfm", "--preset", "sketch", "--set", "seed=4", "--dry-run"]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert recipe.read(tomllib.loads(said["toml"])) == recipe.read(said["recipe"])
    assert shlex.split(said["command"])[1:] == words[:-1]
    assert main(words) == 0
    assert said["command"] in capsys.readouterr().out
    assert not home.runs().exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--here", "--detach"], "--here trains in this process and --detach leaves it to the queue"),
        (["--out", "x", "--executor", "ray"], "--out trains in this process and --executor"),
        (["--executor", "slurm"], "no executor is called 'slurm': there are local, ray"),
        (["--scheme", "rid"], "leave one of them out"),
        (["--dry-run", "--here", "--detach"], "--here trains in this process and --detach leaves it to the queue"),
        (["--dry-run", "--executor", "slurm"], "no executor is called 'slurm'"),
        (["--dry-run", "--resume"], "--resume goes on with a run as it is: leave --dry-run out, or look with `llmrec runs show RUN`"),
    ],
)
def test_what_does_not_go_together_is_refused_and_makes_nothing(
    words: list[str], said: str, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", asked, *words]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err
    assert not home.runs().exists() or not store.list_runs()


def test_a_dry_run_names_all_that_was_asked_for(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--detach"], ["--executor", "ray", "--detach"], ["--here", "--no-numbers"], ["--out", "my runs/a"]):
        assert main(["train", asked, "--dry-run", *words, "--json"]) == 0
        assert shlex.split(json.loads(capsys.readouterr().out)["command"])[3:] == words
    assert not home.runs().exists()


def test_resuming_a_recipe_that_is_at_work_names_its_run(asked: str, busy: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", asked, "--resume"]) == 2
    said = capsys.readouterr().err
    assert f"run {busy.name} is running: `llmrec runs watch {busy.name}` shows it" in said
    assert "leave --resume out" not in said
    assert len(store.list_runs()) == 1


@pytest.mark.parametrize("words", [["--detach"], ["--executor", "ray"]])
def test_what_stays_in_this_process_is_not_said_to_be_left_to_the_queue(
    words: list[str], quick: list[bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside, inside = store.create(board(), tmp_path / "mine"), store.create(board())
    status.write(outside.path, "stopped")
    status.write(inside.path, "done")
    for run, why in ((outside, "lies outside the runs' folder"), (inside, "is trained")):
        assert main(["train", str(run.path), "--resume", *words]) == 2
        said = capsys.readouterr().err
        assert why in said and said.rstrip().endswith(f"leave {words[0]} out")
    assert quick == []


def test_several_processes_need_to_be_told_to_stay(asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", asked]) == 2
    assert "add --here" in capsys.readouterr().err
