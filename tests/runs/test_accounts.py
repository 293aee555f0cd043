"""What a run takes on the disk: parts counted against the files, kept results shared and alone, and what releasing drops."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmrec import recipe
from llmrec.recipe import Recipe
from llmrec.runs import accounts, cache, pipeline, stages, status, store
from tests.runs.worlds import board


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


def changed(**settings: object) -> Recipe:
    return recipe.with_settings(board(), {key.replace("__", "."): value for key, value in settings.items()})


def kept(entries: tuple[cache.Entry, ...]) -> set[tuple[str, str]]:
    return {(entry.stage, entry.key) for entry in entries}


def on_disk() -> set[tuple[str, str]]:
    return kept(tuple(cache.usage()))


def prepared(wanted: Recipe) -> store.Run:
    """A run whose names are in the cache and that was not trained."""
    pipeline.prepare(wanted, lambda event: None)
    return store.create(wanted)


def test_the_parts_of_a_folder_are_its_files_and_nothing_else(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name, size in {
        "model/weights.safetensors": 700,
        "content/weights.safetensors": 70,
        "model/deep/er.json": 7,
        "checkpoint/state.safetensors": 500,
        "ids/value.json": 30,
        "vectors/arrays.safetensors": 40,
        "events.jsonl": 11,
        "worker.log": 9,
        "recipe.toml": 5,
        ".model-x/half": 3,
    }.items():
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"x" * size)
    told = accounts.parts(run)
    assert told == {"model": 777, "checkpoint": 500, "vectors": 40, "names": 30, "events": 20, "rest": 8}
    assert next(iter(told)) == "model", "largest first"
    assert accounts.parts(tmp_path / "nowhere") == {}


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    (tmp_path / "run").mkdir()
    os.symlink(tmp_path / "large", tmp_path / "run" / "model")
    os.symlink(tmp_path, tmp_path / "run" / "ids")
    assert sum(accounts.parts(tmp_path / "run").values()) < 1000


def test_a_run_alone_owns_all_it_uses() -> None:
    run = prepared(board())
    taken = accounts.account(run, store.list_runs())
    assert kept(taken.cached) == set(stages.keys(run.recipe).items()) == on_disk()
    assert taken.own == taken.cached and taken.shared == 0 and taken.unread == ()
    assert taken.releasable == sum(p.stat().st_size for entry in taken.own for p in entry.path.iterdir())
    assert taken.folder == sum(p.stat().st_size for p in run.path.rglob("*") if p.is_file())


def test_what_another_run_reads_is_kept() -> None:
    run, other = prepared(board()), prepared(changed(scheme__n_clusters=5))
    names, others = stages.keys(run.recipe), stages.keys(other.recipe)
    assert names["embed"] == others["embed"] and names["scheme"] != others["scheme"], "the world of this test"
    taken = accounts.account(run, store.list_runs())
    assert kept(taken.own) == {("scheme", names["scheme"])}
    assert accounts.release(run) == taken.releasable > 0
    assert on_disk() == set(others.items())


def test_a_twin_keeps_everything() -> None:
    run = prepared(board())
    prepared(board())
    assert accounts.release(run) == 0
    assert on_disk() == set(stages.keys(run.recipe).items())


def test_what_a_queued_run_will_read_is_kept_though_it_read_nothing_yet() -> None:
    run = prepared(board())
    waiting = store.create(changed(train__epochs=3))
    status.write(waiting.path, "queued")
    assert accounts.release(run) == 0


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_at_work_releases_nothing(state: status.State) -> None:
    run = prepared(board())
    status.write(run.path, state)
    before = on_disk()
    with status.held(run.path):
        if state == "running":
            assert run.status.state in ("running", "stopping")
        with pytest.raises(ValueError, match="stop it first"):
            accounts.release(run)
    assert on_disk() == before


def test_an_unreadable_run_counts_for_nothing_and_is_told() -> None:
    run, torn, foreign = prepared(board()), prepared(board()), prepared(board())
    (torn.path / "run.json").write_text('{"kind": ')
    text = (foreign.path / "recipe.toml").read_text().replace("n_clusters", "n_klusters")
    (foreign.path / "recipe.toml").write_text(text)
    foreign.note(recipe_sha256=store._sha(text))
    taken = accounts.account(run, store.list_runs())
    assert kept(taken.own) == on_disk()
    assert {said.split()[1] for said in taken.unread} == {torn.name, foreign.name}
    assert any("n_klusters" in said for said in taken.unread)
    own = accounts.account(torn, [r for r in store.list_runs() if r.name == torn.name])
    assert own.cached == () and own.folder > 0
    mine = next(r for r in store.list_runs() if r.name == torn.name)
    assert [said.split()[1] for said in accounts.account(mine, []).unread] == [torn.name]


def test_after_a_deletion_only_what_nobody_reads_now_is_dropped() -> None:
    run = prepared(board())
    taken = accounts.account(run, store.list_runs())
    run.delete()
    late = store.create(changed(scheme__n_clusters=5))
    names = dict(stages.keys(board()))
    accounts.drop(taken)
    assert on_disk() == {(stage, key) for stage, key in names.items() if stage != "scheme"}
    late.delete()
    accounts.drop(taken)
    assert on_disk() == set()


def test_a_dropped_result_is_made_again() -> None:
    run = prepared(board())
    before = on_disk()
    accounts.release(run)
    assert on_disk() == set()
    pipeline.prepare(board(), lambda event: None)
    assert on_disk() == before
