"""Runs on the disk: made whole, opened by name or path, refused by name when damaged, listed beside broken ones."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from llmrec import home
from llmrec.artifacts import BadArtifact
from llmrec.runs import status, store
from llmrec.runs.store import UnknownRun
from tests.runs.worlds import board


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


def test_a_new_run_holds_its_recipe_and_where_it_came_from() -> None:
    run = store.create(board())
    assert run.path == home.runs() / "metaid-checkerboard-tiny-1"
    assert run.recipe == board()
    assert run.recipe.name == "metaid-checkerboard-tiny"
    assert run.status.state == "new"
    assert run.metrics is None
    assert run.events() == []
    info = run.info
    assert (info["kind"], info["format"], info["seed"], info["scheme"], info["lm"]) == ("llmrec-run", 1, 3, "metaid", "tiny")
    assert {"python", "llmrec", "torch", "numpy"} <= set(info["versions"])


def test_a_run_of_before_the_tasks_had_names_opens() -> None:
    run = store.create(board())
    old = (run.path / "recipe.toml").read_text(encoding="utf-8").replace("[train]", "[train]\ndirect = 0.5")
    (run.path / "recipe.toml").write_text(old, encoding="utf-8")
    run.note(recipe_sha256=hashlib.sha256(old.encode()).hexdigest())
    assert run.recipe.train.tasks == {"direct": 0.5} and run.recipe.train.shares["sequential"] == 1.0


def test_names_count_up_and_never_clash() -> None:
    names = [store.create(board()).name for _ in range(3)]
    assert names == [f"metaid-checkerboard-tiny-{n}" for n in (1, 2, 3)]
    store.open_run(names[1]).delete()
    assert store.create(board()).name == "metaid-checkerboard-tiny-4"


def test_a_run_in_a_folder_of_one_s_own(tmp_path: Path) -> None:
    run = store.create(board(), tmp_path / "a b" / "mine")
    assert run.path == tmp_path / "a b" / "mine"
    assert store.open_run(run.path).recipe == board()
    with pytest.raises(ValueError, match="already holds a run: add --resume"):
        store.create(board(), run.path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="not an empty folder"):
        store.create(board(), tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["letter.txt"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a b", "full"]


def test_an_unknown_name_is_told_the_near_ones() -> None:
    with pytest.raises(UnknownRun, match="there are no runs yet"):
        store.open_run("x")
    store.create(board())
    with pytest.raises(UnknownRun, match="did you mean metaid-checkerboard-tiny-1"):
        store.open_run("metaid-checkerbord-tiny-1")


def test_a_file_among_the_runs_is_no_run_and_no_near_name() -> None:
    store.create(board())
    (home.runs() / "pipe1").write_text("")
    with pytest.raises(UnknownRun, match="no run is called 'pipe1': .*pipe1 is a file, and a run is a folder") as found:
        store.open_run("pipe1")
    assert "did you mean" not in str(found.value)
    with pytest.raises(UnknownRun, match="`llmrec runs` lists them"):
        store.open_run("pipe2")


@pytest.mark.parametrize("below", ["", "runs", "a/b"])
def test_a_file_in_the_place_of_the_runs_folder_is_no_empty_list(below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "file" / below))
    for ask in (store.list_runs, lambda: store.open_run("x")):
        with pytest.raises(ValueError, match=f"{tmp_path / 'file'} is a file: let LLMREC_RUNS or LLMREC_HOME name a folder"):
            ask()


@pytest.mark.parametrize("name", ["..", ".", "", "../runs/x", "a/../../b", "/etc", "~", "a\0b", ".hidden", "x" * 500, "a/b", "a\\b"])
def test_names_never_leave_the_runs_folder(name: str) -> None:
    store.create(board())
    (home.runs() / ".hidden").mkdir()
    with pytest.raises(UnknownRun):
        store.by_name(name)


@pytest.mark.parametrize(
    ("file", "fault", "said"),
    [
        ("run.json", None, r"run\.json is missing"),
        ("run.json", "", r"run\.json is truncated"),
        ("run.json", '{"kind": "llmrec-r', r"run\.json is truncated"),
        ("run.json", "[]", r"run\.json is not a JSON object"),
        ("run.json", '{"kind": "other"}', "is not a run"),
        ("run.json", '{"kind": "llmrec-run", "format": 99}', "has format 99"),
        ("recipe.toml", None, r"recipe\.toml is missing"),
        ("recipe.toml", "seed = 3\n", r"recipe\.toml is truncated or was changed"),
    ],
)
def test_a_damaged_run_is_refused_by_name_and_hides_no_other(file: str, fault: str | None, said: str) -> None:
    whole, damaged = store.create(board()), store.create(board())
    if fault is None:
        (damaged.path / file).unlink()
    else:
        (damaged.path / file).write_text(fault)
    with pytest.raises(BadArtifact, match=said) as found:
        store.open_run(damaged.name)
    remedies = f"`llmrec runs delete {damaged.name}`", "update this one", "start a new run"
    assert any(remedy in str(found.value) for remedy in remedies)
    listed = {run.name: run for run in store.list_runs()}
    assert listed[whole.name].broken is None
    assert listed[damaged.name].status.state == "broken"
    assert file in listed[damaged.name].status.reason or said == "is not a run"
    store.find(damaged.name).delete()
    assert [run.name for run in store.list_runs()] == [whole.name]


def test_a_foreign_folder_is_listed_as_broken_and_never_deleted() -> None:
    (home.runs() / "photos").mkdir(parents=True)
    (home.runs() / "photos" / "cat.jpg").write_bytes(b"cat")
    (home.runs() / "note.txt").write_text("a file is no run")
    assert [(r.name, r.status.state) for r in store.list_runs()] == [("photos", "broken")]
    with pytest.raises(BadArtifact, match=r"run\.json is missing; it cannot be opened as a run: .* or name another run$"):
        store.open_run("photos")
    with pytest.raises(BadArtifact, match="does not look like a run"):
        store.find("photos").delete()
    assert (home.runs() / "photos" / "cat.jpg").exists()


@pytest.mark.parametrize("text", ["", "{", '{"state": "runn', "[]", '{"state": "dreaming"}'])
def test_a_truncated_status_reads_as_interrupted(text: str) -> None:
    run = store.create(board())
    (run.path / "status.json").write_text(text)
    found = store.open_run(run.name).status
    assert found.state == "interrupted"
    assert found.resumable
    assert "status.json" in found.reason


def test_running_means_that_somebody_holds_the_lock() -> None:
    run = store.create(board())
    with status.held(run.path):
        status.write(run.path, "running")
        assert run.status.state == "running"
        with pytest.raises(status.RunBusy, match=rf"by process {os.getpid()}"), status.held(run.path, patience=0.1):
            pass
        with pytest.raises(status.RunBusy):
            run.delete()
    assert run.status.state == "interrupted"
    assert "resume" in run.status.reason


def test_a_damaged_metrics_file_is_named() -> None:
    run = store.create(board())
    (run.path / "metrics.json").write_text('{"test": ')
    with pytest.raises(BadArtifact, match=r"metrics\.json is truncated"):
        _ = run.metrics


def test_a_run_without_a_model_says_so() -> None:
    with pytest.raises(FileNotFoundError, match="has no model yet"):
        store.create(board()).recommender()


def test_data_that_changed_since_is_refused() -> None:
    run = store.create(board())
    run.note(data_fingerprint="000000000000")
    with pytest.raises(ValueError, match="changed since it was made"):
        run.dataset()


def test_a_run_reads_its_values_before_and_after_they_are_saved() -> None:
    from llmrec import artifacts

    run = store.create(board())
    table, vectors = run.table(), run.vectors()
    assert len(table.items) == run.dataset().interactions.n_items
    assert vectors is not None
    artifacts.save(table, run.path / "ids")
    (run.path / "ids" / "value.json").write_text(json.dumps({}))
    with pytest.raises(BadArtifact, match=r"ids/value\.json is damaged"):
        run.table()
