"""`llmrec data import`, `list` and `delete`, and what an imported set is to the other commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmrec.__main__ import main
from llmrec.data import uploads

TABLE = "who,what,when\n" + "".join(f"u{u},i{(u + s) % 7},{1_000_000_000 + s}\n" for u in range(8) for s in range(6))
WHO = ("--set", "data.user=who", "--set", "data.item=what")


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plays.csv").write_text(TABLE)
    return tmp_path / "plays.csv"


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    code = main([*words, "--json"])
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 2
    said: str = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_set_is_imported_described_listed_and_deleted(capsys: pytest.CaptureFixture[str], table: Path) -> None:
    told = ask(capsys, "data", "import", "plays.csv", "--name", "plays", *WHO, "--set", "filter.user=2", "--set", "split.min_history=1")
    assert (told["name"], told["n_users"], told["n_items"], told["n_interactions"]) == ("plays", 8, 7, 48)
    assert told["split"]["n_test"] == 8 and told["format"] == "A table of interactions: plays.csv"
    folder = Path(told["folder"])
    for named in ("plays", str(folder), str(folder / "recipe.toml")):
        shown = ask(capsys, "data", named)
        assert (shown["name"], shown["n_interactions"]) == ("plays", 48) and "k-core (user 2" in shown["notes"][-1]
    assert ask(capsys, "data", "plays", "--set", "filter.user=1")["notes"][-1].startswith("k-core (user 1")
    assert ask(capsys, "data", "list")["sets"]["plays"]["split"] == {"min_history": 1}
    assert ask(capsys, "data", "delete", "plays")["runs"] == []
    assert ask(capsys, "data", "list")["sets"] == {} and table.exists()


def test_a_recipe_that_names_it_takes_its_filter_and_its_split(capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "data", "import", "plays.csv", "--name", "plays", *WHO, "--set", "filter.user=2", "--set", "split.min_history=1")
    assert main(["train", "--scheme", "sid", "--data", "plays", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert 'name = "upload"\nset = "plays"' in said and "[filter]\nuser = 2" in said and "min_history = 1" in said
    assert "min_history = 2" in _dry(capsys, "--set", "split.min_history=2")  # what is said in words comes last


def _dry(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["train", "--scheme", "sid", "--data", "plays", "--dry-run", *more]) == 0
    said: str = capsys.readouterr().out
    return said


def test_a_run_is_called_by_the_set_and_deleting_asks(capsys: pytest.CaptureFixture[str]) -> None:
    from llmrec import recipe
    from llmrec.runs import readers, status, store

    ask(capsys, "data", "import", "plays.csv", "--name", "plays", *WHO)
    run = store.create(recipe.read({"data": {"name": "upload", "set": "plays"}, "scheme": {"name": "sid"}}))
    store.create(recipe.read({"scheme": {"name": "sid"}}))
    assert run.name == "sid-plays-run-1" and run.info["data"] == "plays"
    assert readers.of_upload("plays") == [run.name]
    assert run.name in refused(capsys, "data", "delete", "plays") and uploads.names() == ["plays"]
    status.write(run.path, "queued", executor="local")
    assert f"run {run.name} learns from, which is queued" in refused(capsys, "data", "delete", "plays", "--yes")
    assert uploads.names() == ["plays"]
    status.write(run.path, "done")
    assert ask(capsys, "data", "delete", "plays", "--yes")["runs"] == [run.name]
    assert uploads.names() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import",), "import FILE... --name NAME` is the form"),
        (("import", "none.csv"), "there is no file none.csv"),
        (("import", "plays.csv"), "no column that is clearly the user"),
        (("import", "plays.csv", *WHO, "--name", "../x"), "cannot be the name of a data set"),
        (("import", "plays.csv", *WHO, "--set", "train.lr=1"), "only data.KEY and filter.KEY and split.KEY"),
        (("import", "plays.csv", *WHO, "--set", "split.name=nonsense"), "no split is called 'nonsense'"),
        (("import", "plays.csv", *WHO, "--set", "filter.user=99"), "nothing is left of 48 interactions"),
        (("delete", "nothing"), "no data set called 'nothing'"),
        (("delete",), "is the form"),
        (("list", "x"), "takes no more words"),
        (("ml-100k", "x"), "one data set is described at a time"),
        (("ml-100k", "--name", "x"), "--name belongs to"),
        (("list", "--yes"), "--yes belongs to"),
        (("list", "--set", "data.user=x"), "only nothing can be set here"),
    ],
)
def test_wrong_use_is_one_line_with_the_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, "data", *words)
    assert uploads.names() == [] and not list((tmp_path / "home").glob("uploads/*"))


def test_without_a_name_it_is_called_like_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "data", "import", "plays.csv", *WHO)["name"] == "plays"
    assert ask(capsys, "data", "import", "plays.csv", *WHO)["name"] == "plays-2"


@pytest.mark.slow
def test_a_recipe_that_names_it_trains_from_any_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ask(capsys, "data", "import", "plays.csv", "--name", "plays", *WHO, "--set", "split.min_history=1")
    text = (Path(told["folder"]) / "recipe.toml").read_text() + '\n[scheme]\nname = "sid"\n[lm]\nname = "tiny"\n[train]\nepochs = 1\n'
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Path("mine.toml").write_text(text)
    assert main(["train", "mine.toml", "--out", "run"]) == 0
    capsys.readouterr()
    assert ask(capsys, "recommend", "run", "--user", "u3")
    assert ask(capsys, "evaluate", "run")["n_users"] == 8
