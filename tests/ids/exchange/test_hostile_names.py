"""Names from strangers: lying safetensors, endless numbers, pickles; each is one sentence, and nothing is run or made larger than it is."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from llmrec import artifacts
from llmrec.data.admit import BadData
from llmrec.ids.exchange import official

TABLE: dict[str, Any] = {"scheme": "x", "books": [{"prefix": "c", "size": 3}], "items": [{"key": "a", "codes": [0]}]}


def tensors(header: Any, body: bytes = b"\0" * 24) -> bytes:
    plain = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(plain)) + plain + body


def one(dtype: str, shape: list[int], offsets: tuple[int, int] = (0, 24)) -> dict[str, Any]:
    return {"features": {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}}


LYING = {
    "header of 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "header of 1 GB": struct.pack("<Q", 10**9) + b"{}",
    "no header": b"\x01",
    "nothing": b"",
    "nested": tensors(b"[" * 100_000),
    "no object": tensors(b"[1]"),
    "larger than it is": tensors(one("F32", [10**12, 2])),
    "beyond counting": tensors(one("F32", [2**62, 2**62])),
    "many rows of nothing": tensors(one("F32", [10**18, 0], (0, 0)), b""),
    "below zero": tensors(one("F32", [-3, -2])),
    "backwards": tensors(one("F32", [3, 2], (24, 0))),
    "overlapping": tensors({**one("F32", [3, 2]), **{"b": one("F32", [3, 2])["features"]}}),
    "one axis": tensors(one("F32", [6])),
    "bf16, which NumPy lacks": tensors(one("BF16", [3, 4])),
    "f8, which NumPy lacks": tensors(one("F8_E4M3", [3, 8])),
    "truths": tensors(one("BOOL", [3, 8]), b"\x05" * 24),
    "no numbers": tensors(one("F32", [3, 2]), b"\xff" * 24),
    "another name": tensors({"x": one("F32", [3, 2])["features"]}),
}


@pytest.mark.parametrize("raw", LYING.values(), ids=LYING.keys())
def test_lying_safetensors_are_a_sentence(tmp_path: Path, raw: bytes) -> None:
    path, beside = tmp_path / "t.json", tmp_path / "t.json.safetensors"
    beside.write_bytes(raw)
    path.write_text(json.dumps({**TABLE, "arrays": {"sha256": artifacts.sha256(beside), "features": {"_array": "features"}}}))
    with pytest.raises(BadData, match=r"t\.json.*export the table again") as error:
        official.read(path)
    assert len(str(error.value)) < 600


def test_honest_safetensors_are_read(tmp_path: Path) -> None:
    path, beside = tmp_path / "t.json", tmp_path / "t.json.safetensors"
    beside.write_bytes(tensors(one("F32", [3, 2])))
    path.write_text(json.dumps({**TABLE, "arrays": {"sha256": artifacts.sha256(beside), "features": {"_array": "features"}}}))
    features = official.read(path).table.features
    assert features is not None and features.shape == (3, 2)


QUANTIZERS = [
    {"_is": "Centroids", "x": 1},
    {"_is": "IdTable"},
    {"_is": "Path"},
    {"_array": "none"},
    {"_is": "os.system"},
    [[[1]]],
    {"_table": "t"},
]


@pytest.mark.parametrize("plain", QUANTIZERS, ids=str)
def test_a_quantizer_is_nothing_but_a_quantizer(tmp_path: Path, plain: Any) -> None:
    path, beside = tmp_path / "t.json", tmp_path / "t.json.safetensors"
    beside.write_bytes(tensors({}, b""))
    path.write_text(json.dumps({**TABLE, "arrays": {"sha256": artifacts.sha256(beside), "item_quantizer": plain}}))
    with pytest.raises(BadData, match="export the table again"):
        official.read(path)


HUGE = {
    "digits": ('{"version": ' + "1" * 10**6 + "}", "a whole number of 1,000,000 digits"),
    "code": (json.dumps({**TABLE, "items": [{"key": "a", "codes": [10**300]}]}), "301 digits"),
    "size": (json.dumps({**TABLE, "books": [{"prefix": "c", "size": 10**12}]}), "from 1 to 10,000,000"),
    "books": (json.dumps({**TABLE, "books": TABLE["books"] * 1000}), "1 to 64"),
    "key": (json.dumps({**TABLE, "items": [{"key": "a" * 10**6, "codes": [0]}]}), "10,000 characters at most"),
    "title": (json.dumps({**TABLE, "items": [{"key": "a", "title": "t" * 10**6, "codes": [0]}]}), '"title" must be a text'),
    "scheme": (json.dumps({**TABLE, "scheme": "<script>" * 10**5}), "200 characters at most"),
    "no number": (json.dumps({**TABLE, "version": float("nan")}), "has version nan"),
    "deep": ("[" * 10**6, "nested too deep"),
    "deep objects": ('{"a":' * 10**5, "nested too deep"),
    "deep inside": (json.dumps(TABLE)[:-1] + ', "arrays": ' + '{"_is":' * 5_000 + "1" + "}" * 5_001, "nested too deep"),
    "page": ("<!DOCTYPE html><title>404</title>", "HTML or XML"),
    "zip": ("PK\x03\x04", "zip archive"),
}


@pytest.mark.parametrize(("text", "told"), HUGE.values(), ids=HUGE.keys())
def test_huge_and_foreign_json_is_a_short_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(BadData, match=told) as error:
        official.read(path)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("name", ["a.npy", "a.pkl", "a.pt", "a.npz", "a.pth"])
def test_pickled_names_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04")
    with pytest.raises(BadData, match="may hold pickled objects"):
        official.read(tmp_path / name)
