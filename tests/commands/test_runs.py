"""`llmrec runs`: the list, the line, watching, and what changes a run, with real folders, a real queue and real processes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from llmrec import home, recipe
from llmrec.__main__ import main
from llmrec.runs import pipeline, queue, stages, status, store
from llmrec.runs.store import Run
from tests.commands.at_work import busy, quiet
from tests.runs.queue.line import plan, steps, tidy, until
from tests.runs.worlds import BOARD, board

ROOT = Path(__file__).parents[2]
__all__ = ["busy", "quiet", "tidy"]


@pytest.fixture
def llmrec(capsys: pytest.CaptureFixture[str]) -> Any:
    """Call a command; what it said on standard output, as JSON where --json is among the words."""

    def call(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        got = main(["runs", *words])
        told = capsys.readouterr()
        assert got == code, told.err
        if code:
            assert told.out == ""
            return told.err
        return json.loads(told.out) if "--json" in words else told.out

    return call


def test_the_list_has_state_place_progress_and_time_left(busy: Run, llmrec: Any) -> None:
    waiting = queue.submit(board())
    done = store.create(board())
    told = {line["name"]: line for line in llmrec("--json")["runs"]}
    assert [told[n.name]["state"] for n in (busy, waiting, done)] == ["running", "queued", "new"]
    assert [told[n.name]["ahead"] for n in (busy, waiting, done)] == [0, 1, None]
    assert (told[busy.name]["stage"], told[busy.name]["progress"] > 0.1, told[busy.name]["seconds_left"] >= 40) == (
        "fine-tuning",
        True,
        True,
    )
    assert (told[done.name]["progress"], told[done.name]["seconds_left"]) == (None, None)
    text = llmrec()
    assert "queued, waits behind 1 run" in text
    assert "running, " in text
    assert " left" in text


def test_the_line_in_order(busy: Run, llmrec: Any) -> None:
    names = [busy.name, *(queue.submit(board()).name for _ in range(2))]
    told = llmrec("queue", "--json")
    assert [place["run"] for place in told["queue"]] == names
    assert [place["ahead"] for place in told["queue"]] == [0, 1, 2]
    assert told["slots"] == 1
    assert "waits behind 2 runs" in llmrec("queue")


def test_a_queue_that_cannot_be_turned_hides_no_run(llmrec: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = store.create(board())
    (home.runs() / "queue-1.sqlite").symlink_to(home.runs() / "elsewhere")
    assert main(["runs", "--json"]) == 0
    told = capsys.readouterr()
    assert [line["name"] for line in json.loads(told.out)["runs"]] == [run.name]
    assert told.err.startswith("the queue stands still: ")


def test_stop_resume_and_what_is_nothing_to_stop(busy: Run, llmrec: Any) -> None:
    waiting = queue.submit(board())
    assert llmrec("stop", waiting.name, "--json")["state"] == "stopped"
    assert "there is nothing to stop" in llmrec("stop", waiting.name, code=2)
    told = llmrec("resume", waiting.name, "--json")
    assert (told["run"], told["state"], told["ahead"]) == (waiting.name, "queued", 1)
    assert "waits behind 1 run" in llmrec("stop", busy.name) or busy.status.state == "stopping"
    assert "cannot be resumed" in llmrec("resume", waiting.name, code=2)


def test_again_with_changes_is_a_new_run_that_says_the_difference(busy: Run, llmrec: Any) -> None:
    told = llmrec("again", busy.name, "--set", "train.epochs=7", "--json")
    fresh = store.by_name(told["run"])
    assert told["differences"] == [{"key": "train.epochs", "left": 2, "right": 7}]
    assert (told["again"], told["state"], fresh.recipe.train.epochs) == (busy.name, "queued", 7)
    assert busy.recipe == board(), "the run it comes from keeps its settings"
    assert "the same settings" in llmrec("again", busy.name)
    assert "did you mean 'epochs'" in llmrec("again", busy.name, "--set", "train.epoch=7", code=2)
    assert len(store.list_runs()) == 3


def test_diff_of_runs_and_recipes(llmrec: Any, tmp_path: Path) -> None:
    run = store.create(board())
    other = tmp_path / "other.toml"
    other.write_text(recipe.with_settings(board(), {"seed": 9, "head": {"name": "items"}}).to_toml())
    told = llmrec("diff", run.name, str(other), "--json")
    assert {d["key"]: (d["left"], d["right"]) for d in told["differences"]} == {
        "seed": (3, 9),
        "head.name": ("trie", "items"),
        "head.beams": (10, "absent"),
    }
    assert "head.beams" in llmrec("diff", run.name, str(other))
    assert "the same settings" in llmrec("diff", run.name, run.name)
    assert "no run is called 'nowhere', and there is no recipe 'nowhere'" in llmrec("diff", run.name, "nowhere", code=2)


def test_delete_says_what_it_frees_and_frees_it(llmrec: Any) -> None:
    pipeline.prepare(board(), lambda event: None)
    run = store.create(board())
    (run.path / "model").mkdir()
    (run.path / "model" / "weights.safetensors").write_bytes(b"x" * 50_000)
    kept = home.stages() / "scheme" / stages.keys(board())["scheme"]
    shown = llmrec("show", run.name, "--json")["disk"]
    told = llmrec("delete", run.name, "--json")
    assert told["parts"]["model"] == 50_000
    assert told["freed"] == shown["folder"] == sum(told["parts"].values())
    assert told["cache"] == {"freed": 0, "only_this_run": shown["cache"]["only_this_run"], "shared": 0}
    assert told["cache"]["only_this_run"] > 0
    assert not run.path.exists()
    assert kept.exists()
    again = store.create(board())
    told = llmrec("delete", again.name, "--cache", "--json")
    assert told["cache"]["freed"] == told["cache"]["only_this_run"] > 0
    assert not kept.exists()


def test_delete_keeps_what_who_waits_will_read(busy: Run, llmrec: Any) -> None:
    pipeline.prepare(board(), lambda event: None)
    waiting = queue.submit(board())
    text = llmrec("delete", waiting.name, "--cache")
    assert "kept results that other runs use too" in text
    assert (home.stages() / "scheme" / stages.keys(board())["scheme"]).exists()
    assert [place.run_name for place in queue.listing()] == [busy.name]


def test_delete_of_a_working_run_stops_it_first(llmrec: Any) -> None:
    plan(1000)
    run = queue.submit(board())
    until(lambda: bool(steps(run)), "a step")
    llmrec("delete", run.name)
    assert not run.path.exists()
    assert not queue.listing()


def test_the_log_is_its_last_lines_without_control_characters(llmrec: Any) -> None:
    run = store.create(board())
    assert "has no log" in llmrec("log", run.name, code=2)
    (run.path / "worker.log").write_bytes(b"first\n" * 100 + b"\x1b[31mred\xff\nlast\n")
    assert llmrec("log", run.name, "--lines", "2", "--json")["lines"] == [" [31mred�", "last"]
    assert len(llmrec("log", run.name, "--json")["lines"]) == 40
    assert "--lines 0 must be 1 or more" in llmrec("log", run.name, "--lines", "0", code=2)
    secret = run.path.parent / "secret"
    secret.write_text("secret")
    (run.path / "worker.log").unlink()
    (run.path / "worker.log").symlink_to(secret)
    assert "has no log" in llmrec("log", run.name, code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "x"], "did you mean `llmrec runs show x`"),
        (["diff", "x"], "which run? `llmrec runs diff A B`"),
        (["stop"], "which run?"),
        (["queue", "x"], "takes no run"),
        (["show", "x", "y"], "takes one run"),
        (["show", "x", "--set", "seed=1"], "takes no --set: it belongs to `llmrec runs again`"),
        (["stop", "x", "--cache"], "it belongs to `llmrec runs delete`"),
        (["stop", "nowhere"], "no run is called 'nowhere'"),
        (["watch", "nowhere"], "no run is called 'nowhere'"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_wrong_use_is_one_line(words: list[str], said: str, llmrec: Any) -> None:
    told = llmrec(*words, code=2)
    assert told.count("\n") == 1
    assert said in told


def test_a_broken_run_that_is_at_work_is_stopped_and_none_is_resumed(busy: Run, llmrec: Any) -> None:
    (busy.path / "run.json").write_text("{")
    assert llmrec("stop", busy.name, "--json")["state"] == "stopping"
    assert (busy.path / status.STOP).exists()
    said = llmrec("resume", busy.name, code=2)
    assert f"run {busy.name} is broken and cannot be resumed: " in said
    assert f"llmrec runs delete {busy.name}" in said


def test_damaged_numbers_are_told_with_their_remedy(llmrec: Any) -> None:
    run = store.create(board())
    (run.path / "metrics.json").write_text("{")
    remedy = f"metrics.json is truncated or not JSON: .*; `llmrec train {run.name} --resume` measures it anew"
    assert re.search(remedy, llmrec("--json")["runs"][0]["reason"])
    assert re.search(remedy, llmrec("show", run.name, code=2))


@pytest.mark.parametrize("damage", ["file", "nowhere"])
def test_a_home_that_cannot_be_is_one_sentence(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    bad = {"file": tmp_path / "file", "nowhere": Path("/proc/nowhere/home")}[damage]
    monkeypatch.setenv("LLMREC_HOME", str(bad))
    (tmp_path / "r.toml").write_text(BOARD)
    assert main(["train", str(tmp_path / "r.toml"), "--here"]) == 2
    assert capsys.readouterr().err.rstrip().splitlines()[-1].startswith(f"llmrec: {bad} cannot be made (")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("LLMREC_RUNS", str(tmp_path / "file" / "runs"))
        assert main(["runs"]) == 2
    assert "is a file: let LLMREC_RUNS or LLMREC_HOME name a folder" in capsys.readouterr().err
