"""Where tables are kept: nothing that a person put into a folder is ever lost, and a path that cannot be used is said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmrec import recipe
from llmrec.contracts import Book, IdTable, Names
from llmrec.data.files import BadData
from llmrec.ids.exchange import files
from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.runs import tables

RECIPE = {"data": {"name": "checkerboard", "n_users": 30, "n_items": 20}, "scheme": {"name": "rid"}}
LONG = "x" * 300


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


def fit(folder: Path | None) -> tables.Fitted:
    return tables.fit(recipe.read(RECIPE), lambda event: None, folder)


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("card", ["{}", '{"kind": "menu", "format": 1}', "not JSON", None])
def test_a_folder_that_is_no_table_is_refused_whatever_its_files_are_called(card: str | None, tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "ids").mkdir(parents=True)
    (work / "ids" / "thesis.txt").write_text("three years")
    if card is not None:
        (work / "table.json").write_text(card)
    before = contents(work)
    with pytest.raises(ValueError, match="is not an empty folder, nor a table of `llmrec ids fit`: choose another"):
        fit(work)
    assert contents(work) == before


@pytest.mark.parametrize("own", [True, False])
def test_what_a_person_put_beside_a_table_is_not_lost(own: bool, tmp_path: Path) -> None:
    """Neither in a folder that they named nor in the one among the tables."""
    folder = tmp_path / "mine" if own else None
    place = fit(folder).path
    assert fit(folder).path == place, "a table gives way to a table"
    (place / "notes.txt").write_text("keep me")
    with pytest.raises(ValueError, match=r"holds 'notes.txt', .* would be lost: move it or choose another folder"):
        fit(folder)
    assert (place / "notes.txt").read_text() == "keep me"


def test_what_comes_while_the_names_are_fitted_is_not_lost_either(tmp_path: Path) -> None:
    work = tmp_path / "work"

    def emit(event: dict[str, Any]) -> None:
        work.mkdir(exist_ok=True)
        (work / "late.txt").write_text("keep me")

    with pytest.raises(ValueError, match="is not an empty folder"):
        tables.fit(recipe.read(RECIPE), emit, work)
    assert contents(work) == {"late.txt": "keep me"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "nothing half made stays"


def test_a_file_and_a_link_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("keep me")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(ValueError, match="is not a folder, or only a link to one"):
            fit(tmp_path / name)
    assert (tmp_path / "file").read_text() == "keep me" and (tmp_path / "link").is_symlink()


def keyed() -> KeyedTable:
    import numpy as np

    return KeyedTable(IdTable("s", Names(np.zeros((1, 1), dtype=np.int32), (Book("c", 1),))), ("a",))


@pytest.mark.parametrize("place", ["file/inside", LONG])
def test_a_path_that_cannot_be_used_is_said_with_a_remedy(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cannot be used \(.*\): choose another folder"):
        fit(tmp_path / place)
    for suffix in files.SUFFIXES:
        with pytest.raises(ValueError, match=r"cannot be used \(.*\): choose another file"):
            files.save(keyed(), tmp_path / f"{place}{suffix}")


def test_a_name_too_long_for_a_file_is_no_table() -> None:
    for text in (LONG, f"{LONG}/{LONG}", f"{LONG}.txt,{LONG}.txt"):
        with pytest.raises(ValueError, match=r"cannot be used \(File name too long\): "):
            tables.open_table(text)


def test_what_may_not_be_read_or_written_is_said_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.save(keyed(), tmp_path / "n.json")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refuse)
        with pytest.raises(BadData, match=r"n.json cannot be used \(Permission denied\): choose another file"):
            files.load(path)
    fit(None)  # so that the stages come from the cache
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(ValueError, match=r"mine cannot be used \(Permission denied\): choose another folder"):
        fit(tmp_path / "mine")
    assert json.loads(path.read_text())["scheme"] == "s"
