"""Save and load every value of the contracts in open formats, checked on load.

Where it stands: beside the flow; runs and caches write through it. A value is a folder: `manifest.json` names its kind and the SHA-256 of
each file, arrays lie in safetensors, tables in Parquet, the rest in JSON. The folder appears by one rename: a reader never sees half of it.
What it does not know: what the values mean.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from llmrec import contracts, registry

FORMAT = 1
MANIFEST = "manifest.json"
T = TypeVar("T")


class BadArtifact(ValueError):
    """A file or folder that is truncated, foreign or of another version. The message names it."""


def save(value: Any, folder: Path | str) -> Path:
    """Write a value of the contracts into `folder`, replacing what was there in one step. Returns the folder."""
    with writing(folder, type(value).__name__) as fresh:
        arrays: dict[str, np.ndarray] = {}
        tables: dict[str, pd.DataFrame] = {}
        plain = _take_apart(value, "", arrays, tables)
        (fresh / "value.json").write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
        if arrays:
            save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, fresh / "arrays.safetensors")
        for name, table in tables.items():
            table.to_parquet(fresh / f"{name}.parquet", index=False)
    return Path(folder)


@contextlib.contextmanager
def writing(folder: Path | str, kind: str, card: dict[str, Any] | None = None) -> Iterator[Path]:
    """A fresh folder to write files into; at the end it gets its manifest (with `card`) and takes the place of `folder` in one step."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield fresh
        files = {p.name: sha256(p) for p in sorted(fresh.iterdir()) if p.is_file()}
        manifest = {"format": FORMAT, "kind": kind, "card": card or {}, "files": files}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        for path in fresh.iterdir():  # on the disk before the rename is: a power cut leaves the old value, not an empty new one
            with path.open("rb") as file:
                os.fsync(file.fileno())
        swap(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def recover(folder: Path) -> None:
    """Mend what a kill in the middle of `writing` left: put the old value back where neither stands, and sweep up half-written ones.

    Only for a folder that no other process writes.
    """
    for old in sorted(folder.parent.glob(f".{folder.name}-old-*/*")):
        if not folder.exists():
            os.rename(old, folder)
    for rest in folder.parent.glob(f".{folder.name}-*"):
        shutil.rmtree(rest, ignore_errors=True)


def load(kind: type[T], folder: Path | str) -> T:
    """Read a value back. Raises `BadArtifact`, naming the file, when anything is missing, altered, foreign or newer."""
    folder = Path(folder)
    listed = check(folder, kind.__name__)["files"]  # only what the manifest vouches for is read
    plain = read_json(folder / "value.json")
    try:
        arrays = load_file(folder / "arrays.safetensors") if "arrays.safetensors" in listed else {}
        tables = {Path(name).stem: _read_table(folder / name) for name in sorted(listed) if name.endswith(".parquet")}
        value = _put_together(kind, plain, "", arrays, tables)
    except (KeyError, TypeError, ValueError, AttributeError, OSError, SafetensorError) as error:
        raise BadArtifact(f"{folder} does not hold a {kind.__name__}: {error}") from None
    if not isinstance(value, kind):
        raise BadArtifact(f"{folder} does not hold a {kind.__name__} but a {type(value).__name__}: delete it and make it again")
    return value


def check(folder: Path, kind: str | None = None) -> dict[str, Any]:
    """The manifest of an artifact whose files are all there and unaltered; `BadArtifact` otherwise."""
    manifest = read_json(folder / MANIFEST)
    if manifest.get("format") != FORMAT:
        raise BadArtifact(f"{folder / MANIFEST} has format {manifest.get('format')!r}, this version reads {FORMAT}")
    if kind is not None and manifest.get("kind") != kind:
        raise BadArtifact(f"{folder} holds a {manifest.get('kind')!r}, not a {kind}")
    files = manifest.get("files")
    if not isinstance(files, dict) or not files:
        raise BadArtifact(f"{folder / MANIFEST} lists no files: delete {folder} and make it again")
    if folder.is_symlink():
        raise BadArtifact(f"{folder} is a link, and its value lies elsewhere: put the folder itself there, or delete the link")
    for name, digest in files.items():
        path = folder / name
        if Path(name).name != name or path.is_symlink():
            raise BadArtifact(f"{folder / MANIFEST} names {name!r}, which is not a plain file of that folder: delete {folder}")
        if not path.is_file():
            raise BadArtifact(f"{path} is missing: delete {folder} and make it again")
        if sha256(path) != digest:
            raise BadArtifact(f"{path} is damaged (its SHA-256 differs from the manifest): delete {folder} and make it again")
    return manifest


def write_json(value: Any, path: Path) -> None:
    """Write JSON in one step: a reader sees the old file or the new one."""
    write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text file in one step, flushed to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; `BadArtifact` names the file when it is missing, truncated or not an object. A pipe is not waited for."""
    if path.exists() and not path.is_file():
        raise BadArtifact(f"{path} is no plain file")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadArtifact(f"{path} is missing") from None
    except (ValueError, RecursionError) as error:  # not JSON, not text, a number of thousands of digits, brackets in brackets
        raise BadArtifact(f"{path} is truncated or not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadArtifact(f"{path} is not a JSON object")
    return value


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(value: Any) -> str:
    """12 hex digits of a value's content: equal values, equal fingerprints."""
    arrays: dict[str, np.ndarray] = {}
    tables: dict[str, pd.DataFrame] = {}
    digest = hashlib.sha256(json.dumps(_take_apart(value, "", arrays, tables), sort_keys=True, ensure_ascii=False).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    for name, table in sorted(tables.items()):
        digest.update(name.encode() + table.to_json(orient="split", date_format="iso").encode())
    return digest.hexdigest()[:12]


def take_apart(value: Any, name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """A value as plain JSON and the arrays it refers to, whose names begin with `name`: for files of other forms than ours."""
    arrays: dict[str, np.ndarray] = {}
    plain = _take_apart(value, f"{name}.", arrays, {})
    return plain, arrays


def put_together(plain: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value that `take_apart` took apart. Raises `BadArtifact`."""
    try:
        return _put_together(None, plain, "", arrays, {})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadArtifact(f"it does not hold a value of this version: {error}") from None


def _take_apart(value: Any, path: str, arrays: dict[str, np.ndarray], tables: dict[str, pd.DataFrame]) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = [f for f in dataclasses.fields(value) if not (f.metadata.get("added") and getattr(value, f.name) is None)]
        inner = {f.name: _take_apart(getattr(value, f.name), f"{path}{f.name}.", arrays, tables) for f in told}
        return {"_is": type(value).__name__, **inner}
    if isinstance(value, np.ndarray) and value.dtype == object:
        tables[path[:-1]] = pd.DataFrame({"text": value.astype(str)})
        return {"_texts": path[:-1]}
    if isinstance(value, np.ndarray):
        arrays[path[:-1]] = value
        return {"_array": path[:-1]}
    if isinstance(value, pd.DataFrame):
        tables[path[:-1]] = value
        return {"_table": path[:-1]}
    if isinstance(value, (tuple, list)):
        return [_take_apart(v, f"{path}{i}.", arrays, tables) for i, v in enumerate(value)]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} at {path[:-1]!r} has no open format: use arrays, tables, texts, numbers and contracts")


def _read_table(path: Path) -> pd.DataFrame:
    """A table as it was saved: Parquet gives lists back as arrays, whose truth value surprises."""
    table = pd.read_parquet(path)
    for name in [n for n in table.columns if pd.api.types.is_object_dtype(table[n])]:
        table[name] = [v.tolist() if isinstance(v, np.ndarray) else v for v in table[name]]
    return table


def _put_together(kind: Any, plain: Any, path: str, arrays: dict[str, np.ndarray], tables: dict[str, pd.DataFrame]) -> Any:
    if isinstance(plain, dict) and "_is" in plain:
        cls = getattr(contracts, plain["_is"], None) or _quantizer(plain["_is"])
        if cls is None and isinstance(kind, type) and kind.__name__ == plain["_is"]:
            cls = kind
        if not isinstance(cls, type) or not dataclasses.is_dataclass(cls):
            raise BadArtifact(f"unknown value {plain['_is']!r}: was it written by a newer version?")
        known = {f.name for f in dataclasses.fields(cls)}
        given = {k: _put_together(None, v, f"{path}{k}.", arrays, tables) for k, v in plain.items() if k != "_is"}
        given = _upgraded(cls, given)
        if set(given) != known:
            odd = ", ".join(sorted(set(given) ^ known))
            raise BadArtifact(f"{plain['_is']} of another version (it differs in {odd}): make it again with this one")
        return cls(**given)
    if isinstance(plain, dict) and "_array" in plain:
        return arrays[plain["_array"]]
    if isinstance(plain, dict) and "_texts" in plain:
        return tables[plain["_texts"]]["text"].to_numpy(dtype=object)
    if isinstance(plain, dict) and "_table" in plain:
        return tables[plain["_table"]]
    if isinstance(plain, list):
        return tuple(_put_together(None, v, f"{path}{i}.", arrays, tables) for i, v in enumerate(plain))
    return plain


def _upgraded(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a value that an older version saved. Before quantizers travelled, a table had `centroids` for one scheme alone: such a
    table is whole, but names no newcomers."""
    given = {f.name: None for f in dataclasses.fields(cls) if f.metadata.get("added")} | given
    if cls is not contracts.IdTable or "centroids" not in given:
        return given
    kept = {name: value for name, value in given.items() if name != "centroids"}
    return {**kept, "item_quantizer": None, "user_quantizer": None}


def _quantizer(name: str) -> Any:
    """The class of a registered quantizer: the one kind of value that stages bring themselves."""
    for entry, target in registry.ENTRIES["quantizer"].items():
        if target.endswith(f":{name}"):
            return registry.load("quantizer", entry)
    return None


def swap(fresh: Path, folder: Path) -> None:
    """Put `fresh` in the place of `folder`. A process that dies in between leaves the old one, the new one, or
    neither (`recover` then finds the old one), never a mixture."""
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        for attempt in range(100):
            with contextlib.suppress(FileNotFoundError):
                os.rename(folder, old / str(attempt))
            try:
                os.rename(fresh, folder)
                return
            except OSError:  # another process put its own there in between: its value gives way as well
                if not folder.exists():
                    raise
        raise OSError(f"{folder} is written by too many processes at once")
    finally:
        if not folder.exists():  # cut short between the two renames: the old value stays
            for kept in sorted(old.iterdir())[-1:]:
                os.rename(kept, folder)
        shutil.rmtree(old, ignore_errors=True)
