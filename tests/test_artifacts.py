"""Artifacts: round trips in open formats; whatever is truncated, altered, foreign or newer is refused by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmrec import artifacts
from llmrec.artifacts import BadArtifact
from llmrec.contracts import Book, Catalog, Dataset, IdTable, Interactions, Names, Split, Vectors


def interactions(rating: bool = True) -> Interactions:
    user, item = np.array([0, 0, 1], dtype=np.int32), np.array([1, 0, 2], dtype=np.int32)
    return Interactions(user, item, np.array([1, 2, 3]), 2, 3, np.array([1, 2.5, 5], dtype=np.float32) if rating else None)


def dataset() -> Dataset:
    users = pd.DataFrame({"key": ["a", "b"], "age": [20, 31]})
    items = pd.DataFrame({"key": ["x", "y", "z"], "title": ["Amélie", "<b>Up</b>", "“8½”"]})
    items["year"] = pd.array([2001, None, 1963], dtype="Int64")
    items["genres"] = [["Drama", "Comedy"], [], ["Drama"]]
    return Dataset("tiny", interactions(), Catalog(users, items), ("3 rows were dropped",))


def table() -> IdTable:
    names = Names(np.array([[0, 1], [1, -1], [1, 0]], dtype=np.int32), (Book("c", 2), Book("w", 2, token=False, texts=("red", "blue"))))
    return IdTable("metaid", names, None, np.ones((2, 4), dtype=np.float32), None)


def plain(value: Any) -> Any:
    """A value in plain Python, to compare without the code under test."""
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tolist())
    if isinstance(value, pd.DataFrame):
        return {c: [None if v is pd.NA else v for v in value[c]] for c in value}
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return tuple(plain(v) for v in value) if isinstance(value, tuple) else value


VALUES = [
    interactions(),
    interactions(rating=False),
    dataset(),
    Split("loo", interactions(), interactions(False), interactions()),
    Vectors(np.zeros((0, 4), dtype=np.float32), np.ones((3, 4), dtype=np.float32), joint=False),
    table(),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_a_value_comes_back_as_it_was(value: Any, tmp_path: Path) -> None:
    artifacts.save(value, tmp_path / "v")
    back = artifacts.load(type(value), tmp_path / "v")
    assert plain(back) == plain(value)
    assert artifacts.fingerprint(back) == artifacts.fingerprint(value)
    assert {p.suffix for p in (tmp_path / "v").iterdir()} <= {".json", ".safetensors", ".parquet"}


def test_lists_in_tables_come_back_as_lists(tmp_path: Path) -> None:
    artifacts.save(dataset(), tmp_path / "v")
    genres = artifacts.load(Dataset, tmp_path / "v").catalog.items["genres"]
    assert genres.tolist() == [["Drama", "Comedy"], [], ["Drama"]]
    assert all(isinstance(g, list) for g in genres)


def test_saving_again_replaces_the_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    artifacts.save(dataset(), tmp_path / "v")
    artifacts.save(interactions(), tmp_path / "v")
    assert len(artifacts.load(Interactions, tmp_path / "v")) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["v"]
    assert not list((tmp_path / "v").glob("*.parquet"))


def test_a_save_that_fails_leaves_the_old_value(tmp_path: Path) -> None:
    artifacts.save(interactions(), tmp_path / "v")
    with pytest.raises(TypeError, match="open format"):
        artifacts.save(Dataset("x", interactions(), {"not": "a catalogue"}), tmp_path / "v")  # type: ignore[arg-type]
    assert len(artifacts.load(Interactions, tmp_path / "v")) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["v"]


@pytest.mark.parametrize("name", ["arrays.safetensors", "value.json", "catalog.items.parquet", "manifest.json"])
@pytest.mark.parametrize("fault", ["truncated", "flipped", "gone", "emptied"])
def test_damage_is_refused_and_the_file_named(name: str, fault: str, tmp_path: Path) -> None:
    path = artifacts.save(dataset(), tmp_path / "v") / name
    raw = path.read_bytes()
    if fault == "gone":
        path.unlink()
    else:
        flipped = bytes([*raw[:-2], raw[-2] ^ 1, raw[-1]])
        path.write_bytes({"truncated": raw[: len(raw) // 2], "flipped": flipped, "emptied": b""}[fault])
    with pytest.raises(BadArtifact, match=re.escape(name)):
        artifacts.load(Dataset, tmp_path / "v")


def rewrite(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


def revalue(folder: Path, value: Any) -> None:
    """Another value.json under a manifest that vouches for it, as a foreign writer would make."""
    (folder / "value.json").write_text(json.dumps(value))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    rewrite(folder, files=files | {"value.json": artifacts.sha256(folder / "value.json")})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "has format 2"),
        ({"format": None}, "has format None"),
        ({"kind": "Vectors"}, "holds a 'Vectors', not a Interactions"),
        ({"files": None}, "lists no files"),
        ({"files": {}}, "lists no files"),
        ({"files": [1]}, "lists no files"),
        ({"files": {"../secret": "00"}}, "not a plain file"),
        ({"files": {"/etc/hostname": "00"}}, "not a plain file"),
        ({"files": {"..": "00"}}, "missing|not a plain file"),
    ],
)
def test_foreign_manifests_are_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = artifacts.save(interactions(), tmp_path / "v")
    rewrite(folder, **changes)
    with pytest.raises(BadArtifact, match=said):
        artifacts.load(Interactions, folder)


@pytest.mark.parametrize(
    "value",
    [
        {"_is": "Nonsense"},
        {"_is": "np"},
        {"_is": 3},
        {"_is": "Vectors", "users": {"_array": "user"}, "items": {"_array": "item"}, "joint": True},
        {"_is": "Interactions", "user": {"_array": "nowhere"}},
        {"just": "a dictionary"},
        {},
    ],
)
def test_foreign_values_are_refused(value: Any, tmp_path: Path) -> None:
    folder = artifacts.save(interactions(), tmp_path / "v")
    revalue(folder, value)
    with pytest.raises(BadArtifact):
        artifacts.load(Interactions, folder)


def test_values_that_break_their_own_rules_are_refused(tmp_path: Path) -> None:
    folder = artifacts.save(interactions(), tmp_path / "v")
    value = json.loads((folder / "value.json").read_text())
    revalue(folder, {**value, "n_items": 1})
    with pytest.raises(BadArtifact, match=r"items must lie in 0\.\.0"):
        artifacts.load(Interactions, folder)


def test_a_newer_field_is_refused_by_name(tmp_path: Path) -> None:
    folder = artifacts.save(interactions(), tmp_path / "v")
    value = json.loads((folder / "value.json").read_text())
    revalue(folder, {**value, "weather": 1})
    with pytest.raises(BadArtifact, match="weather"):
        artifacts.load(Interactions, folder)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = artifacts.save(interactions(), tmp_path / "v")
    (folder / "arrays.safetensors").rename(tmp_path / "elsewhere")
    (folder / "arrays.safetensors").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadArtifact, match="not a plain file"):
        artifacts.load(Interactions, folder)


def test_files_the_manifest_does_not_vouch_for_are_not_read(tmp_path: Path) -> None:
    folder = artifacts.save(interactions(), tmp_path / "v")
    (folder / "extra.parquet").write_bytes(b"rubbish")
    assert len(artifacts.load(Interactions, folder)) == 3


def test_a_folder_that_is_no_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match=r"manifest\.json is missing"):
        artifacts.load(Vectors, tmp_path)


def test_json_that_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(BadArtifact, match="not a JSON object"):
        artifacts.read_json(tmp_path / "a.json")


def test_a_fingerprint_moves_with_content() -> None:
    first = dataset()
    other = Dataset(
        first.name, first.interactions, Catalog(first.catalog.users, first.catalog.items.assign(title=["a", "b", "c"])), first.notes
    )
    assert artifacts.fingerprint(first) == artifacts.fingerprint(dataset())
    assert artifacts.fingerprint(first) != artifacts.fingerprint(other)
    assert artifacts.fingerprint(interactions()) != artifacts.fingerprint(interactions(rating=False))


def test_two_writers_of_one_folder_leave_one_whole_value(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from llmrec import artifacts; from llmrec.contracts import Vectors\n"
        "for i in range(40): artifacts.save(Vectors(np.full((50, 8), i, np.float32), np.zeros((1, 8), np.float32)), sys.argv[1])\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "v")], cwd=Path(__file__).parents[1]) for _ in range(2)]
    assert [w.wait(60) for w in writers] == [0, 0]
    assert artifacts.load(Vectors, tmp_path / "v").users[0, 0] == 39
    assert [p.name for p in tmp_path.iterdir()] == ["v"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path) -> None:
    vectors = Vectors(np.zeros((2, 3), dtype=np.float32), np.ones((4, 3), dtype=np.float32))
    artifacts.save(vectors, tmp_path / "v")
    (tmp_path / ".v-old-x").mkdir()
    (tmp_path / "v").rename(tmp_path / ".v-old-x" / "0")  # where a kill -9 in the middle of a swap leaves it
    (tmp_path / ".v-half").mkdir()
    artifacts.recover(tmp_path / "v")
    assert artifacts.load(Vectors, tmp_path / "v").items.shape == (4, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["v"]


def test_recover_leaves_a_whole_value_alone(tmp_path: Path) -> None:
    new, old = (Vectors(np.full((1, 1), x, dtype=np.float32), np.zeros((1, 1), dtype=np.float32)) for x in (1.0, 2.0))
    artifacts.save(new, tmp_path / "v")
    artifacts.save(old, tmp_path / ".v-old-x" / "0")
    artifacts.recover(tmp_path / "v")
    assert artifacts.load(Vectors, tmp_path / "v").users[0, 0] == 1.0


def test_an_error_between_the_two_renames_keeps_the_old_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (Vectors(np.full((1, 1), x, dtype=np.float32), np.zeros((1, 1), dtype=np.float32)) for x in (1.0, 2.0))
    artifacts.save(old, tmp_path / "v")
    rename, calls = artifacts.os.rename, iter(range(9))

    def cut(a: object, b: object) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt
        rename(a, b)  # type: ignore[arg-type]

    monkeypatch.setattr(artifacts.os, "rename", cut)
    with pytest.raises(KeyboardInterrupt):
        artifacts.save(new, tmp_path / "v")
    assert artifacts.load(Vectors, tmp_path / "v").users[0, 0] == 1.0


def test_a_table_of_the_first_version_loads_and_names_no_newcomers(tmp_path: Path) -> None:
    """It had `centroids` where quantizers are now; runs made with it stay usable."""
    table = IdTable("metaid", Names(np.zeros((2, 1), dtype=np.int32), (Book("c", 1),)))
    folder = artifacts.save(table, tmp_path / "ids")
    plain = json.loads((folder / "value.json").read_text())
    old = {k: v for k, v in plain.items() if k not in ("item_quantizer", "user_quantizer")} | {"centroids": None}
    (folder / "value.json").write_text(json.dumps(old))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["value.json"] = artifacts.sha256(folder / "value.json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    again = artifacts.load(IdTable, folder)
    assert again.item_quantizer is None and np.array_equal(again.items.codes, table.items.codes)
