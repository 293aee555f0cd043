"""A run made in one folder and read, measured, resumed and done again from another, where a file of the same name holds other data."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from llmrec import recipe
from llmrec.__main__ import main
from llmrec.recipe import Recipe
from llmrec.runs import accounts, pipeline, places, queue, stages, store
from llmrec.runs.queue import dispatch, keeper
from tests.runs.worlds import BOARD

TABLE = """
name = "table"
path = "x.csv"
items_path = "titles.csv"
user = "u"
item = "i"
time = "t"
"""


def rows(least: int) -> str:
    """Nine users who each bought six of seven goods, numbered from `least`."""
    bought = [(u, least + i, u + i) for u in range(9) for i in range(7) if i != u % 7]
    return "u,i,t\n" + "".join(f"user{u},good{i},{t}\n" for u, i, t in bought)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where the run is asked for, which is where we stand, and elsewhere."""
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    for name, least in (("mine", 0), ("other", 50)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(rows(least))
        (tmp_path / name / "titles.csv").write_text("i,title\n" + "".join(f"good{least + n},Good number {n}\n" for n in range(7)))
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setattr(dispatch, "_started", lambda *row: False)  # who is in line stays there
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    return tmp_path / "mine", tmp_path / "other"


def asked(**changes: object) -> Recipe:
    plain = {**tomllib.loads(BOARD), "data": tomllib.loads(TABLE)}
    return recipe.with_settings(recipe.read(plain), {key.replace("__", "."): value for key, value in changes.items()})


def goods(run: store.Run) -> set[str]:
    return set(run.dataset().catalog.items["key"])


@pytest.mark.parametrize("executor", [None, "local"])
def test_a_run_reads_its_own_data_from_anywhere(
    executor: str | None, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(asked(), None if executor else tmp_path / "run", executor=executor)
    at_home = goods(run)
    assert at_home == {f"good{n}" for n in range(7)}
    for place in (folders[1], tmp_path / "home"):  # other data of that name, and none
        monkeypatch.chdir(place)
        assert goods(store.open_run(run.path)) == at_home
        assert run.split().train.n_users == 9


def test_what_was_prepared_at_home_is_found_and_counted_from_elsewhere(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.prepare(asked(), lambda event: None)
    run = store.create(asked())
    mine = stages.keys(asked())
    monkeypatch.chdir(folders[1])
    assert stages.keys(run.recipe) == mine != stages.keys(asked())
    taken = accounts.account(run, store.list_runs())
    assert {(entry.stage, entry.key) for entry in taken.own} == set(mine.items()) and taken.releasable > 0
    run.delete()
    assert accounts.drop(taken) == taken.releasable


def test_a_run_goes_on_from_elsewhere_with_the_data_it_was_begun_on(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(asked(train__epochs=1))
    monkeypatch.chdir(folders[1])
    assert pipeline.train(run, numbers=False).state == "done"
    assert goods(run) == {f"good{n}" for n in range(7)}
    monkeypatch.chdir(folders[0])
    assert goods(run) == {f"good{n}" for n in range(7)}, "the data is the same, so is its fingerprint"


def test_done_again_from_elsewhere_it_is_the_same_data(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = queue.submit(asked())
    monkeypatch.chdir(folders[1])
    again = queue.submit(recipe.with_settings(first.recipe, {"seed": 4}))
    assert goods(again) == goods(first) == {f"good{n}" for n in range(7)}
    assert recipe.differences(first.recipe, again.recipe) == [("seed", 3, 4)]
    told = queue.submit(asked(), cwd=folders[0])
    assert goods(told) == goods(first)


def test_the_command_again_takes_the_run_s_data_and_a_path_that_is_typed_now_from_here(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = store.create(asked())
    pipeline._keep(first, pipeline.prepare(first.recipe, lambda event: None))
    (folders[0] / "new.csv").write_text(rows(0))
    (folders[1] / "new.csv").write_text(rows(50))
    monkeypatch.chdir(folders[1])

    def again(*words: str) -> store.Run:
        assert main(["runs", "again", first.name, *words, "--json"]) == 0
        return store.open_run(json.loads(capsys.readouterr().out)["run"])

    assert goods(again()) == {f"good{n}" for n in range(7)}
    assert goods(again("--set", "data.path=new.csv", "--set", "data.items_path=titles.csv")) == {f"good{n}" for n in range(50, 57)}
    folders[0].rename(folders[0].parent / "moved")
    with pytest.raises(ValueError, match=r"mine/x\.csv does not exist"):
        again().dataset()


def test_a_file_that_is_missing_is_looked_for_where_the_run_was_asked_for(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(asked(data__path="later.csv"))
    (folders[1] / "later.csv").write_text(rows(50))
    monkeypatch.chdir(folders[1])
    with pytest.raises(ValueError, match=r"mine/later\.csv does not exist"):
        run.dataset()
    (folders[0] / "later.csv").write_text(rows(0))
    assert goods(run) == {f"good{n}" for n in range(7)}


def test_where_the_folder_is_gone_only_the_same_data_is_taken(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    run, unbegun = store.create(asked()), store.create(asked())
    pipeline._keep(run, pipeline.prepare(run.recipe, lambda event: None))
    moved = folders[0].rename(folders[0].parent / "moved")
    monkeypatch.chdir(moved)
    assert goods(run) == {f"good{n}" for n in range(7)}
    with pytest.raises(ValueError, match=r"mine/x\.csv does not exist"):
        unbegun.dataset()
    monkeypatch.chdir(folders[1])
    with pytest.raises(ValueError, match="changed since it was made"):
        run.dataset()


def test_only_relative_paths_are_moved(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    here, away = folders
    plain = recipe.read(tomllib.loads(BOARD))
    assert places.located(plain, here) is plain and "cwd" not in store.create(plain).info
    whole = asked(data__path=str(here / "x.csv"), data__items_path="~/titles.csv")
    assert places.located(whole, away) is whole and "cwd" not in store.create(whole).info
    moved = places.located(asked(), away)
    assert (moved.data.path, moved.data.items_path) == (str(away / "x.csv"), str(away / "titles.csv"))
    assert (moved.data.user, moved.data.encoding) == (asked().data.user, asked().data.encoding)
    assert places.located(moved, here) is moved
    (here / "u").touch()  # a column's name, and now a file's as well
    assert places.located(asked(), here).data.user == "u"


def test_a_model_is_a_folder_where_one_lies_there_and_a_name_otherwise(folders: tuple[Path, Path]) -> None:
    here, away = folders
    for name in ("tiny", "my/model"):
        (here / name).mkdir(parents=True)
    wanted = recipe.with_settings(recipe.read(tomllib.loads(BOARD)), {"lm.name": "my/model"})
    assert places.located(wanted, here).lm.name == str(here / "my" / "model")
    assert places.located(wanted, away).lm.name == "my/model"
    assert store.create(wanted).info["cwd"] == str(here)
    assert places.located(recipe.read(tomllib.loads(BOARD)), here).lm.name == "tiny", "one that ships is never a folder"
