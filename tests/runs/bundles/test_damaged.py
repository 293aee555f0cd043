"""Files that are no bundle, or no longer one: each refused with a sentence, and nothing is left behind."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from llmrec import home
from llmrec.runs import store
from llmrec.runs.bundles import container, opening
from llmrec.runs.bundles.container import MANIFEST, BadBundle
from tests.runs.bundles.made import elsewhere


@pytest.fixture
def file(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole bundle, on a machine without runs."""
    elsewhere(monkeypatch, tmp_path / "other")
    found: Path = one[1]
    return found


def refused(file: Path, saying: str) -> None:
    with pytest.raises(BadBundle, match=saying):
        opening.unpack(file)
    assert store.list_runs() == []
    assert not home.runs().exists() or {p.name for p in home.runs().iterdir()} <= {opening.LOCK}


def rewritten(file: Path, change: Any, compress: int = zipfile.ZIP_STORED) -> Path:
    """The same file with its members changed: a dictionary of bytes in, one out; the manifest's seals stay as they were."""
    with zipfile.ZipFile(file) as packed:
        members = {i.filename: packed.read(i) for i in packed.infolist()}
    with zipfile.ZipFile(file, "w", compress) as packed:
        for name, data in change(members).items():
            packed.writestr(name, data)
    return file


def resealed(file: Path, **changed: Any) -> Path:
    """With other values in its manifest, or other parts under right seals."""
    found = container.read(file)
    parts = {**found.parts, **{k.replace("__", "."): v for k, v in changed.items() if isinstance(v, bytes)}}
    told = {k: v for k, v in found.manifest.items() if k not in ("kind", "format", "parts")}
    container.write(file, told | {k: v for k, v in changed.items() if not isinstance(v, bytes)}, parts)
    return file


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
def test_a_flipped_byte(file: Path, at: float) -> None:
    raw = bytearray(file.read_bytes())
    raw[int(at * len(raw))] ^= 0x40
    file.write_bytes(raw)
    refused(file, "damaged|cannot be read|no bundle")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file(file: Path, share: float) -> None:
    raw = file.read_bytes()
    file.write_bytes(raw[: int(share * len(raw))])
    refused(file, "cannot be read as a bundle")


def test_no_file_and_no_zip(file: Path, tmp_path: Path) -> None:
    refused(tmp_path / "nothing.bundle.zip", "there is no file")
    (tmp_path / "letter.txt").write_text("dear")
    refused(tmp_path / "letter.txt", "cannot be read as a bundle")
    refused(rewritten(file, lambda m: {"recipe.toml": m["recipe.toml"]}), f"it has no {MANIFEST}")


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil", "model/../evil", "a\\b", "model/deep/er", ".hidden", "A.json", "a/"])
def test_paths_that_lead_elsewhere(file: Path, name: str) -> None:
    refused(rewritten(file, lambda m: {**m, name: b"x"}), "plain names")


def test_parts_that_were_swapped_added_or_lost(file: Path) -> None:
    whole = file.read_bytes()
    refused(rewritten(file, lambda m: {**m, "recipe.toml": m["recipe.toml"] + b"\n"}), "recipe.toml is not what its manifest vouches for")
    file.write_bytes(whole)
    refused(rewritten(file, lambda m: {**m, "more.json": b"{}"}), "more.json")
    file.write_bytes(whole)
    refused(rewritten(file, lambda m: {k: v for k, v in m.items() if k != "metrics.json"}), "metrics.json")


def test_a_bomb_is_not_unpacked(file: Path) -> None:
    refused(rewritten(file, lambda m: {**m, "bomb.json": b" " * 10_000_000}, zipfile.ZIP_DEFLATED), "compressed or locked")


def test_a_name_twice(file: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as packed:
        packed.writestr("recipe.toml", "seed = 1")
    refused(file, "each once")


def test_a_newer_and_a_foreign_file(file: Path) -> None:
    def told(**changed: Any) -> Any:
        return lambda m: {**m, MANIFEST: json.dumps({**json.loads(m[MANIFEST]), **changed}).encode()}

    refused(rewritten(file, told(format=2)), "made by a newer llmrec, update this one")
    refused(rewritten(file, told(format=1, kind="recipe")), "does not say 'llmrec-bundle'")
    refused(rewritten(file, lambda m: {**m, MANIFEST: b"[" * 5000}), "not JSON|cannot be read")


def test_other_data_another_base_and_a_stranger_s_wishes(file: Path) -> None:
    whole = file.read_bytes()
    refused(resealed(file, data_fingerprint="0" * 12), "trained on other data")
    file.write_bytes(whole)
    refused(resealed(file, base={"name": "gpt", "wheel_sha256": ""}), "other frozen weights")
    file.write_bytes(whole)
    for wish in (
        b'[data]\nname = "table"\npath = "/etc/passwd"\n[scheme]\nname = "rid"\n',
        b'[scheme]\nname = "rid"\n[lm]\nname = "evil/model"\n',
    ):
        refused(resealed(file, recipe__toml=wish), "cannot be opened here")
        file.write_bytes(whole)
    refused(resealed(file, name="../../up"), "no name of a run")
    file.write_bytes(whole)
    refused(resealed(file, recipe__toml=b"\xff\xfe"), "cannot be opened here")


@pytest.mark.parametrize(
    ("part", "change", "saying"),
    [
        ("facts.json", {"cost": {"seconds": "a lot"}}, "does not say 'cost'"),
        ("facts.json", {"bundled_by": 7}, "does not say 'bundled_by'"),
        ("facts.json", {"created": None}, "does not say 'created'"),
        ("facts.json", {"seed": True}, "does not say 'seed'"),
        ("facts.json", {"recipe_sha256": "0" * 64}, "not the one that its facts tell of"),
        ("metrics.json", {"test": {"masked": {"metrics": {"hit@10": "high"}}}}, "holds no numbers"),
        ("metrics.json", {"test": 3}, "holds no numbers"),
        ("training.json", {"steps": [1]}, "does not say how a training ended"),
    ],
)
def test_facts_and_numbers_of_another_kind(file: Path, part: str, change: dict[str, Any], saying: str) -> None:
    told = container.as_json({**container.read(file).json(part), **change})
    refused(resealed(file, **{part.replace(".", "__"): told}), saying)


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "tiger"},
        {"items": None},
        {"prefix": "<b>"},
        {"size": 2},
    ],
)
def test_names_that_no_scheme_gives(change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.runs.bundles import packing
    from tests.runs.bundles.made import finished

    file = packing.pack(finished("metaid"), tmp_path / "out")
    elsewhere(monkeypatch, tmp_path / "other")
    plain = container.read(file).json("names.json")
    if "prefix" in change or "size" in change:
        plain["items"]["books"][0] |= change
    else:
        plain |= change
    refused(resealed(file, names__json=container.as_json(plain)), "names.json|prefix")


@pytest.mark.parametrize("said", [{"base": "none"}, {"projections": {"p": [10**9, 2, 2]}}, {"projections": []}])
def test_a_model_on_nothing(file: Path, said: dict[str, Any]) -> None:
    refused(resealed(file, **said), "does not say what the model stands on")


def test_a_fact_that_nobody_asked_for_is_dropped(file: Path) -> None:
    told = container.as_json({**container.read(file).json("facts.json"), "cwd": "/etc", "evil": 1})
    info = opening.unpack(resealed(file, facts__json=told)).run.info
    assert "cwd" not in info and "evil" not in info


def test_seals_alone_do_not_make_a_model(file: Path) -> None:
    whole = file.read_bytes()
    found = container.read(file)
    parts = {**found.parts, "model/model.safetensors": b"\x08\0\0\0\0\0\0\0not json"}
    told = {k: v for k, v in found.manifest.items() if k not in ("kind", "format", "parts")}
    container.write(file, told, parts)
    refused(file, "weights cannot be read")
    file.write_bytes(whole)
    container.write(file, told, {**found.parts, "model/evil.py": b"print(1)"})
    refused(file, "has no file 'evil.py'")
