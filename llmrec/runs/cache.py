"""Results of stages, kept by content and shared between runs.

Where it stands: between the stages and the runs. A result's key names everything it was made from: settings, inputs and code.
What it does not know: what the stages do.

Two processes may make the same result at once: each writes beside, one rename wins, the loser takes the winner's.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import llmrec
from llmrec import artifacts, home

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One kept result. size: bytes on the disk; used: seconds since 1970 of the last use."""

    stage: str
    key: str
    path: Path
    size: int
    used: float


def key(*parts: Any) -> str:
    """16 hex digits that name these parts (texts, numbers, lists, dictionaries)."""
    whole = json.dumps([artifacts.FORMAT, llmrec.__version__, *parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


@functools.cache
def code(module: str) -> str:
    """12 hex digits that name the source of the package this module is in: a stage that was rewritten is worked again."""
    file = Path(str(sys.modules[module].__file__))
    sources = sorted(file.parent.rglob("*.py")) if (file.parent / "__init__.py").exists() else [file]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(str(source.relative_to(file.parent)).encode() + source.read_bytes())
    return digest.hexdigest()[:12]


def files_behind(settings: dict[str, Any]) -> list[Any]:
    """What a reader's settings point at on the disk: path, size and time of every file, so that an edited file is read again."""
    found: list[Any] = []
    for value in settings.values():
        path = Path(value).expanduser() if isinstance(value, (str, Path)) and 0 < len(str(value)) < 1000 else None
        if path is not None and path.exists():
            inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            found += [[str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns] for p in inside]
    return found


def remember(stage: str, name: str, kind: type[T], make: Callable[[], T]) -> T:
    """The result kept under (stage, name), made now if it is not there or damaged.

    Always read back from the disk, so that the first call and every later one return the same.
    """
    folder = home.stages() / stage / name
    for attempt in range(3):
        if folder.exists():
            try:
                value = artifacts.load(kind, folder)
                os.utime(folder)
                return value
            except artifacts.BadArtifact as error:
                log.warning("dropped a damaged result of stage %s: %s", stage, error)
                _drop(folder)
        if attempt < 2:
            _keep(make(), folder)
    raise artifacts.BadArtifact(f"{folder} cannot be read back after it was written: check the disk, or delete {home.stages()}")


def holds(stage: str, name: str) -> bool:
    """Whether a result is kept, damaged or not."""
    return (home.stages() / stage / name).exists()


def usage() -> list[Entry]:
    """Every kept result, largest first."""
    entries = []
    for folder in home.stages().glob("*/*"):
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            size = sum(p.stat().st_size for p in folder.iterdir() if p.is_file())
            entries.append(Entry(folder.parent.name, folder.name, folder, size, folder.stat().st_mtime))
        except FileNotFoundError:  # dropped by another process while we looked
            continue
    return sorted(entries, key=lambda e: -e.size)


def drop(entry: Entry) -> int:
    """Drop one kept result; returns the bytes freed."""
    _drop(entry.path)
    return entry.size


def clear() -> int:
    """Drop every kept result; returns the bytes freed. Runs keep their own names and models."""
    return sum(drop(entry) for entry in usage())


def _keep(value: Any, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        artifacts.save(value, fresh / "value")
        try:
            os.rename(fresh / "value", folder)
        except OSError:
            if not folder.exists():
                raise
            log.info("another process made %s first; its result is used", folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _drop(folder: Path) -> None:
    """Out of sight by one rename, then deleted, so that nobody reads half of it."""
    grave = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        os.rename(folder, grave / "x")
    except FileNotFoundError:  # another process dropped it first
        pass
    finally:
        shutil.rmtree(grave, ignore_errors=True)
