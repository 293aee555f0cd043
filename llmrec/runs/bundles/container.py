"""The file of a bundle: a zip of stored parts behind a manifest that vouches for each of them.

Where it stands: under packing and opening. What it does not know: what the parts mean.

A file may come from anybody: names lead nowhere, nothing is unpacked that was not stored as it is, and nothing is used before its SHA-256
was compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmrec.runs import contents

KIND, FORMAT = "llmrec-bundle", 1
SUFFIX = ".bundle.zip"
MANIFEST = "manifest.json"
PART = re.compile(r"(?:model/)?[a-z][a-z0-9_.-]{0,79}")
MOST_PARTS, LARGEST, LONGEST_MANIFEST = 40, 1 << 30, 1 << 20
MOST_PROJECTIONS, WIDEST = 4, 1 << 16
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can say: the same parts give the same bytes whenever they are written


class BadBundle(ValueError):
    """A file that is no bundle, is damaged, or does not fit here. The message names it."""


@dataclass(frozen=True)
class Bundle:
    """One file, read and found whole. sha256: of the manifest, which vouches for the parts: two files of one sha256 hold the same run."""

    path: Path
    sha256: str
    manifest: dict[str, Any]
    parts: dict[str, bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.parts.values()))

    def json(self, name: str) -> Any:
        """A part that is JSON; BadBundle where it is not."""
        try:
            return json.loads(self.parts[name])
        except (ValueError, RecursionError) as error:
            raise BadBundle(f"{self.path}: {name} is not JSON ({error})") from None
        except KeyError:
            raise BadBundle(f"{self.path} lacks {name}") from None


def write(path: Path, manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
    """Write a bundle in one step. manifest: without kind, format and the list of parts, which are added."""
    told = {"kind": KIND, "format": FORMAT, **manifest, "parts": {n: _seal(parts[n]) for n in sorted(parts)}}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
                for name, data in [(MANIFEST, as_json(told)), *((n, parts[n]) for n in sorted(parts))]:
                    info = zipfile.ZipInfo(name, EPOCH)
                    info.external_attr, info.create_system = 0o644 << 16, 3
                    packed.writestr(info, data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(fresh, 0o644)
        os.replace(fresh, path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def read(path: Path) -> Bundle:
    """A bundle whose every part is there and unaltered; BadBundle, naming the file, for anything else."""
    if not path.is_file():
        raise BadBundle(f"there is no file {path}: `llmrec bundle pack RUN` makes one")
    try:
        with zipfile.ZipFile(path) as packed:
            found = _members(path, packed)
            if MANIFEST not in found:
                raise BadBundle(f"{path} is no bundle: it has no {MANIFEST}")
            if found[MANIFEST].file_size > LONGEST_MANIFEST:
                raise BadBundle(f"{path} is no bundle: its {MANIFEST} is {found[MANIFEST].file_size:,} bytes long")
            raw = packed.read(MANIFEST)
            manifest = _manifest(path, raw)
            if set(manifest["parts"]) != set(found) - {MANIFEST}:
                odd = ", ".join(sorted(set(manifest["parts"]) ^ (set(found) - {MANIFEST})))
                raise BadBundle(f"{path} is damaged: its parts are not those that its manifest lists ({odd}); get the file again")
            parts = {name: packed.read(name) for name in manifest["parts"]}
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, BadBundle):
            raise
        raise BadBundle(f"{path} cannot be read as a bundle ({error}): it is damaged or another kind of file; get it again") from None
    for name, data in parts.items():
        if _seal(data) != manifest["parts"][name]:
            raise BadBundle(f"{path} is damaged: {name} is not what its manifest vouches for; get the file again")
    return Bundle(path, hashlib.sha256(raw).hexdigest(), manifest, parts)


def as_json(value: Any) -> bytes:
    """JSON as a part holds it: sorted, one way to write it."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _seal(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _members(path: Path, packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """What lies in a zip, by name, if all of it may lie in a bundle."""
    found: dict[str, zipfile.ZipInfo] = {}
    for info in packed.infolist():
        if not PART.fullmatch(info.filename) or info.filename in found:
            raise BadBundle(f"{path} is no bundle: it holds {info.filename!r:.100}, and a bundle's parts have plain names, each once")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise BadBundle(f"{path} is no bundle: {info.filename} is compressed or locked, and a bundle's parts are stored as they are")
        found[info.filename] = info
    total = sum(info.file_size for info in found.values())
    if len(found) > MOST_PARTS or total > min(LARGEST, path.stat().st_size):
        raise BadBundle(f"{path} is no bundle: it says it holds {len(found)} parts of {total:,} bytes in all")
    return found


def _manifest(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadBundle(f"{path} is damaged: its {MANIFEST} is not JSON ({error}); get the file again") from None
    if not isinstance(told, dict) or told.get("kind") != KIND:
        raise BadBundle(f"{path} is no bundle: its {MANIFEST} does not say {KIND!r}")
    if told.get("format") != FORMAT:
        newer = isinstance(told.get("format"), int) and told["format"] > FORMAT
        remedy = "it was made by a newer llmrec, update this one to open it" if newer else "it is damaged, get the file again"
        raise BadBundle(f"{path} has format {told.get('format')!r:.20}, this version reads {FORMAT}: {remedy}")
    if not isinstance(told.get("parts"), dict) or not all(isinstance(told.get(k), str) for k in ("name", "names", "vectors")):
        raise BadBundle(f"{path} is damaged: its {MANIFEST} does not say what a bundle's does; get the file again")
    base, projections = told.get("base"), told.get("projections", {})
    right = base is None or (isinstance(base, dict) and all(isinstance(v, str) for v in base.values()) and "name" in base)
    if not right or not isinstance(projections, dict) or not all(map(_sizes, projections.values())) or len(projections) > MOST_PROJECTIONS:
        raise BadBundle(f"{path} is damaged: its {MANIFEST} does not say what the model stands on; get the file again")
    if not contents.NAME.fullmatch(told["name"]):
        raise BadBundle(f"{path} is no bundle: it calls its run {told['name']!r:.100}, which is no name of a run")
    return told


def _sizes(value: Any) -> bool:
    """Whether these are the sizes of a projection, none of them huge."""
    return isinstance(value, list) and len(value) == 3 and all(type(n) is int and 0 < n <= WIDEST for n in value)
