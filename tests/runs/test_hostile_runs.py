"""Runs under hostile names and with hostile contents: nothing outside the runs' folder is read, written or deleted."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmrec import artifacts, home
from llmrec.artifacts import BadArtifact
from llmrec.runs import cache, contents, events, launch, queue, status, store
from llmrec.runs.queue import dispatch, keeper, ledger
from llmrec.runs.store import UnknownRun
from tests.runs.worlds import board

NAMES = [
    "",
    ".",
    "..",
    "../{outside}",
    "{run}/../../{outside}",
    "{run}/",
    "./{run}",
    "{run}.",
    "{run}..",
    " {run}",
    "{run} ",
    "{run}\n",
    "{run}\x00",
    "{run}\x00.txt",
    "\x1b[2J{run}",
    "{run}\u200b",
    "{run}\u202e",
    "{full}",
    "/etc",
    "~",
    "~root",
    "-rf",
    "x" * 5_000,
    "..\uff0f..\uff0fetc",
    "\uff0e\uff0e",
    "con\\..\\x",
    "<script>alert(1)</script>",
    "file:///etc",
    "%2e%2e%2f",
    ".hidden",
    "\ud800",
]


@pytest.fixture
def run() -> store.Run:
    return store.create(board())


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A whole run in another place, and a file there that must stay as it is."""
    made = store.create(board(), tmp_path / "outside")
    (made.path / "precious").write_text("mine")
    return made.path


def all_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_no_path(run: store.Run, outside: Path, name: str) -> None:
    asked = name.replace("{run}", run.name).replace("{outside}", outside.name).replace("{full}", str(run.path))
    with pytest.raises(UnknownRun) as error:
        store.by_name(asked)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("name", [None, 3, b"x", ["x"], Path("x")], ids=repr)
def test_what_is_no_text_is_no_name(run: store.Run, name: Any) -> None:
    with pytest.raises(UnknownRun):
        store.by_name(name)


def test_a_name_is_found(run: store.Run) -> None:
    assert store.by_name(run.name).path == run.path


def test_a_linked_run_is_listed_as_broken_and_its_end_touches_the_link_alone(run: store.Run, outside: Path) -> None:
    before = all_of(outside)
    link = home.runs() / "linked"
    link.symlink_to(outside)
    for opened in (store.by_name, store.open_run):
        with pytest.raises(BadArtifact, match="is a link, and a run of this folder lies in it"):
            opened("linked")
    assert {r.name: r.status.state for r in store.list_runs()} == {"linked": "broken", run.name: "new"}
    queue.delete(store.find("linked"))
    assert not link.is_symlink() and all_of(outside) == before
    assert store.open_run(outside).path == outside  # by its own path it is a run like any other


INSIDE = [
    "recipe.toml",
    "run.json",
    "status.json",
    "metrics.json",
    "events.jsonl",
    "lock",
    "stop",
    "worker.log",
    "model",
    "ids",
    "checkpoint",
]


@pytest.mark.parametrize("name", INSIDE)
def test_a_link_in_a_run_is_not_followed(run: store.Run, outside: Path, name: str) -> None:
    target = outside / name
    if name in ("model", "ids", "checkpoint"):
        target.mkdir()
        (target / "value.json").write_text("{}")
    elif not target.exists():
        target.write_text('{"state": "done", "secret": 1}')
    before = all_of(outside)
    (run.path / name).unlink(missing_ok=True)
    (run.path / name).symlink_to(target)
    with pytest.raises(BadArtifact, match=f"{name} is a link, and a run holds plain files alone"):
        store.by_name(run.name)
    assert store.list_runs()[0].status.state == "broken"
    for act in (
        lambda: status.ask_to_stop(run.path),
        lambda: _hold(run.path),
        lambda: status.write(run.path, "running"),
        lambda: events.append(run.path / "events.jsonl", {"event": "start"}),
        lambda: run.note(seen=1),
        queue.tick,
    ):
        with contextlib.suppress(OSError, ValueError):
            act()
        assert all_of(outside) == before
    store.find(run.name).delete()
    assert not run.path.exists() and all_of(outside) == before


def _hold(folder: Path) -> None:
    with status.held(folder):
        pass


@pytest.mark.parametrize("deep", ["model/adapter.safetensors", "vectors/a/b/c"])
def test_a_link_further_in_is_found(run: store.Run, outside: Path, deep: str) -> None:
    (run.path / deep).parent.mkdir(parents=True)
    (run.path / deep).symlink_to(outside / "precious")
    with pytest.raises(BadArtifact, match="is a link"):
        store.by_name(run.name)
    store.find(run.name).delete()
    assert not run.path.exists() and (outside / "precious").read_text() == "mine"


@pytest.mark.parametrize("name", ["run.json", "recipe.toml", "status.json", "x"])
def test_a_pipe_in_a_run_keeps_nobody_waiting(run: store.Run, name: str) -> None:
    (run.path / name).unlink(missing_ok=True)
    os.mkfifo(run.path / name)
    with pytest.raises(BadArtifact, match="a pipe or a device|no plain file"):
        store.by_name(run.name)
    assert store.list_runs()[0].status.state == "broken"
    assert status.read_file(run.path).state in ("new", "interrupted")


def test_a_folder_without_end_is_no_run(run: store.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.path / "/".join("abcdefghij")).mkdir(parents=True)
    with pytest.raises(BadArtifact, match="holds more than a run does"):
        store.by_name(run.name)
    monkeypatch.setattr(contents, "DEEPEST", 99)
    store.by_name(run.name)
    monkeypatch.setattr(contents, "MOST", 5)
    with pytest.raises(BadArtifact, match="holds more than a run does"):
        store.by_name(run.name)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"format": ' + "1" * 10_000 + "}", "\ud800", "[]", "", "\x00"], ids=lambda t: ascii(t[:12])
)
def test_hostile_json_is_a_broken_run_and_hides_no_other(run: store.Run, text: str) -> None:
    other = store.create(board())
    for name in ("run.json", "status.json"):
        (run.path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert {r.name: r.status.state for r in store.list_runs()} == {run.name: "broken", other.name: "new"}
    assert status.read_file(run.path).state == "interrupted"
    (run.path / "events.jsonl").write_bytes(text.encode("utf-8", "surrogatepass") + b'\n{"event": "start"}\n')
    assert [e["event"] for e in events.read(run.path / "events.jsonl")] == ["start"]


def test_a_value_behind_a_link_is_not_loaded(tmp_path: Path) -> None:
    import numpy as np

    from llmrec.contracts import Vectors

    artifacts.save(Vectors(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32)), tmp_path / "value")
    artifacts.load(Vectors, tmp_path / "value")
    (tmp_path / "link").symlink_to(tmp_path / "value")
    with pytest.raises(BadArtifact, match="is a link"):
        artifacts.load(Vectors, tmp_path / "link")


def test_the_cache_deletes_a_link_and_not_what_is_behind(outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    (home.stages() / "data").mkdir(parents=True)
    (home.stages() / "data" / "0123").symlink_to(outside)
    before = all_of(outside)
    cache.clear()
    assert not (home.stages() / "data" / "0123").is_symlink() and all_of(outside) == before


@pytest.mark.parametrize("name", ["../outside", "{full}", ".keeper", "a/b", "", "x\x00"])
def test_a_name_in_the_queue_is_no_path(run: store.Run, outside: Path, name: str) -> None:
    """SQLite keeps what it is given; whoever can write the file must not make a worker write elsewhere."""
    before = all_of(outside)
    with ledger.opened() as book:
        book.add(name.replace("{full}", str(outside)), "local")
        assert book.rows() == []
    status.write(outside, "queued", executor="local")
    before = all_of(outside)
    dispatch.tick()
    assert all_of(outside) == before and not queue.listing()


def test_a_number_in_the_queue_is_a_number(run: store.Run) -> None:
    with ledger.opened() as book:
        book.add(run.name, "local")
        book._base.execute("UPDATE runs SET slot = 'x', deaths = 'y'")
        assert book.rows() == []


def test_code_in_the_working_folder_is_not_run(tmp_path: Path) -> None:
    """A run may say where its paths start (`cwd`), and a worker starts there: what lies there must stay data."""
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("json.py", "pathlib.py", "torch.py", "llmrec.py", "sitecustomize.py"):
        (evil / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    ours = launch.command("llmrec.artifacts")
    done = subprocess.run(ours, cwd=evil, env=launch.environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    subprocess.run([sys.executable, "-m", "llmrec.artifacts"], cwd=evil, capture_output=True, timeout=300, check=False)
    assert (tmp_path / "ran").exists()  # without it, it would have been


def test_workers_are_started_with_our_own_code() -> None:
    for module in (dispatch, keeper):
        source = Path(str(module.__file__)).read_text()
        assert "launch.command(" in source and "sys.executable" not in source


def test_a_recipe_of_a_run_is_its_own(run: store.Run) -> None:
    """A recipe that was changed behind the run's back is refused and not shown."""
    (run.path / "recipe.toml").write_text("seed = 1\n# secret")
    with pytest.raises(BadArtifact, match="was changed after the run was made") as error:
        store.by_name(run.name)
    assert "secret" not in str(error.value)


def test_a_recipe_name_makes_no_path() -> None:
    import dataclasses

    for name in ("../../x", "/etc/passwd", "\x00", "a" * 10_000, "<script>", "..", "con\x1b[2J", "=1+1"):
        made = store.create(dataclasses.replace(board(), name=name))
        assert made.path.parent == home.runs() and contents.NAME.fullmatch(made.name), made.name
        assert store.by_name(made.name).recipe.name == name  # kept as it was said; pages write it as text
        assert json.loads((made.path / "run.json").read_text())["recipe"] == name


def test_maps_are_drawn_by_our_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    from llmrec.runs import launch

    for name in ("json.py", "dataclasses.py", "app.py", "llmrec.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    monkeypatch.chdir(tmp_path)
    work = launch.command("app.tokens.projecting", "no-such-run")
    assert (
        subprocess.run(work, env=launch.environment(), capture_output=True, check=False, timeout=300).returncode != 0
    )  # there is no such run
    assert not (tmp_path / "ran").exists()
