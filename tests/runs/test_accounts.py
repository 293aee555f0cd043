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


def thrown_away(run: store.Run) -> tuple[accounts.Account, int]:
    """A run deleted as the command line and the page do it: its account, and the bytes freed in the cache."""
    taken = accounts.account(run, store.list_runs())
    run.delete()
    return taken, accounts.drop(taken)


def test_what_another_run_reads_is_kept() -> None:
    run, other = prepared(board()), prepared(changed(scheme__n_clusters=5))
    names, others = stages.keys(run.recipe), stages.keys(other.recipe)
    assert names["embed"] == others["embed"] and names["scheme"] != others["scheme"], "the world of this test"
    taken, freed = thrown_away(run)
    assert kept(taken.own) == {("scheme", names["scheme"])}
    assert freed == taken.releasable > 0
    assert on_disk() == set(others.items())


def test_a_twin_keeps_everything() -> None:
    run = prepared(board())
    prepared(board())
    names = stages.keys(run.recipe)
    assert thrown_away(run)[1] == 0
    assert on_disk() == set(names.items())


def test_what_a_queued_run_will_read_is_kept_though_it_read_nothing_yet() -> None:
    run = prepared(board())
    waiting = store.create(changed(train__epochs=3))
    status.write(waiting.path, "queued")
    assert thrown_away(run)[1] == 0


@pytest.mark.parametrize("harm", ["torn", "foreign"])
def test_an_unreadable_run_may_read_anything_so_nothing_is_dropped(harm: str) -> None:
    run, other, before = prepared(board()), prepared(board()), on_disk()
    if harm == "torn":
        (other.path / "run.json").write_text('{"kind": ')
    else:
        text = (other.path / "recipe.toml").read_text().replace("n_clusters", "n_klusters")
        (other.path / "recipe.toml").write_text(text)
        other.note(recipe_sha256=store._sha(text))
    taken, freed = thrown_away(run)
    assert (taken.own, freed, on_disk()) == ((), 0, before) and kept(taken.cached) == before
    assert [said.split()[1] for said in taken.unread] == [other.name]
    assert harm == "torn" or "n_klusters" in taken.unread[0]


def test_a_run_that_becomes_unreadable_between_account_and_deletion_keeps_everything_too() -> None:
    run, before = prepared(board()), on_disk()
    taken = accounts.account(run, store.list_runs())
    run.delete()
    (store.create(board()).path / "run.json").write_text('{"kind": ')
    assert accounts.drop(taken) == 0 and on_disk() == before


def test_an_unreadable_run_itself_takes_its_folder_alone() -> None:
    (prepared(board()).path / "run.json").write_text('{"kind": ')
    torn, before = store.list_runs()[0], on_disk()
    taken, freed = thrown_away(torn)
    assert taken.cached == () and taken.folder > 0 and freed == 0 and on_disk() == before
    assert [said.split()[1] for said in taken.unread] == [torn.name]


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
    thrown_away(run)
    assert on_disk() == set()
    pipeline.prepare(board(), lambda event: None)
    assert on_disk() == before
