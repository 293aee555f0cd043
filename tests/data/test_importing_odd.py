"""Odd files that are sound: endings in capitals, UTF-16, guessed columns, names of sets; and whose fault a full disk is."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec.data import importing, mapping, uploads
from llmrec.data.admit import BadData
from llmrec.data.recognise import recognise
from llmrec.data.uploads import Upload
from tests.data.test_importing import TABLE, laid, zipped


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


def test_a_disk_that_fills_up_is_not_the_archive_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "r.zip", {"r.csv": TABLE})
    (tmp_path / "out").mkdir()

    class Full(io.FileIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    real = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode="r", **more: Full(self, "xb") if mode == "xb" else real(self, mode, **more))
    with pytest.raises(OSError, match="No space left"):
        importing.open_files([("r.zip", path)], tmp_path / "out")


def test_an_ending_is_read_however_it_is_written(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user_id": np.arange(48) // 6, "track_id": np.arange(48) % 7, "ts": np.arange(48)})
    (tmp_path / "in").mkdir()
    frame.to_parquet(tmp_path / "in" / "R.PARQUET")
    paths = [tmp_path / "in" / "R.PARQUET", *laid(tmp_path / "gz", {"T.CSV.GZ": gzip.compress(TABLE.encode())})]
    for path in paths:
        _, seen = importing.open_files([(path.name, path)], _empty(tmp_path / f"seen-{path.name}"))
        assert len(seen.rows) == mapping.ROWS and set(seen.roles.values()) >= {"user", "item", "time"}
        importing.bring([path], f"set-{path.name[0]}", {"split": {"min_history": 1}})
        assert len(Upload(f"set-{path.name[0]}").load().interactions) == 48


def test_the_first_rows_of_a_parquet_file_are_measured_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _empty(tmp_path / "in")
    pd.DataFrame({"user": ["u"] * 6, "item": ["x" * 900_000] * 6}).to_parquet(folder / "r.parquet")  # the text stands there once
    monkeypatch.setenv("LLMREC_MAX_BYTES", "3000000")
    with pytest.raises(BadData, match="larger than 3 MB unpacked"):
        mapping.preview(folder, recognise(folder))


def test_utf_16_says_so_itself(tmp_path: Path) -> None:
    paths = laid(tmp_path / "in", {"r.csv": TABLE.encode("utf-16")})
    found, seen = importing.open_files([("r.csv", paths[0])], _empty(tmp_path / "seen"))
    assert seen.encoding == "utf-16" and seen.columns == ("user", "item", "time", "rating") and seen.rows[0][0] == "u0"
    roles = {role: column for column, role in seen.roles.items()}
    assert mapping.section(found, seen, roles)["encoding"] == "utf-16"
    importing.bring(paths, "wide", {})
    assert len(Upload("wide").load().interactions) == 48


def test_what_is_merely_guessed_is_not_taken(tmp_path: Path) -> None:
    rows = "".join(f"u{n // 6},i{n % 7},{1_600_000_000 + n}\n" for n in range(48))
    paths = laid(tmp_path / "in", {"r.csv": "user,item,phone\n" + rows})
    _, found, left, _ = importing.bring(paths, "calls", {"split": {"min_history": 1}})
    assert found.section["user"] == "user" and not found.section.get("time")
    assert any("--set data.time=phone" in note for note in left.notes)
    _, found, left, _ = importing.bring(paths, "calls-2", {"data": {"time": "phone"}, "split": {"min_history": 1}})
    assert found.section["time"] == "phone" and not any("--set data.time" in note for note in left.notes)


@pytest.mark.parametrize("name", ["list", "Delete", "import", "x.toml", "films.CSV", "a.parquet"])
def test_a_set_is_not_called_as_a_word_or_a_file(tmp_path: Path, name: str) -> None:
    from llmrec.commands.data import VERBS

    assert {*VERBS} - {""} == {*uploads.WORDS}
    with pytest.raises(BadData, match="take another name, such as"):
        importing.bring(laid(tmp_path / "in", {"r.csv": TABLE}), name, {})
    assert uploads.proposed("list.csv") == "list-2"


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder
