"""Files that were handed in and are not kept yet: laid into a folder of their own, recognised, read to their end.

Where it stands: under `intake`. What it does not know: Streamlit, what is kept. Nothing here lies where data sets are kept; the least used
draft is thrown away for a new one, and all are when the server ends.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.data import reading
from app.data.sets import wait
from app.errands import Errands
from app.library import Kept
from app.seam.intake import Draft, Reading, Rows, Wait
from app.seam.values import Trouble
from llmrec.contracts import Dataset
from llmrec.data.mapping import Preview
from llmrec.data.recognise import Recognised

KEPT, READ = 8, 3
MOST = 60_000_000  # bytes of all files of one draft together, packed


@dataclass(frozen=True)
class _Held:
    """found, seen: what the library says of the files; sections: what was asked for, by key."""

    draft: Draft
    found: Recognised
    seen: Preview
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)


class Drafts:
    """`errands`: where large files are read."""

    def __init__(self, errands: Errands) -> None:
        self._errands, self._lock = errands, threading.Lock()
        self._root: Path | None = None
        self._known: OrderedDict[str, _Held] = OrderedDict()
        self._opening = {digit: threading.Lock() for digit in "0123456789abcdef"}  # by how a draft's name begins
        self._read = Kept(READ)

    def open(self, files: Sequence[tuple[str, bytes]]) -> Draft:
        """The same files give the same draft. Raises ValueError where they are nothing that is known; nothing is left then."""
        from llmrec.data import importing, uploads

        size = sum(len(raw) for _, raw in files)
        if size > MOST:
            said = f"These files have {size / 1e6:,.0f} MB together, and {MOST / 1e6:.0f} MB are the most on a page"
            raise Trouble(f"{said}: import them with `llmrec data import FILE... --name NAME`.")
        name = _digest(files)
        with self._opening[name[0]]:  # the same files are opened once, and others meanwhile
            with self._lock:
                if name in self._known:
                    self._known.move_to_end(name)
                    return self._known[name].draft
                place = self._folder(name)
            try:
                found, seen = importing.open_files(_given(files, place), place / "files", reading.UNPACKED)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
            for given in place.glob("given-*"):
                given.unlink()
            told = Draft(
                name,
                found.said,
                Rows(seen.file, seen.columns, seen.rows),
                seen.roles,
                seen.open,
                found.aside,
                uploads.proposed(files[0][0]),
                _encodings() if found.encoded else (),
            )
            self._keep(name, _Held(told, found, seen))
            return told

    def _keep(self, name: str, held: _Held) -> None:
        with self._lock:
            self._known[name] = held
            while len(self._known) > KEPT:
                old, _ = self._known.popitem(last=False)
                shutil.rmtree(self._folder(old), ignore_errors=True)

    def read(self, draft: Draft, roles: Mapping[str, str], encoding: str) -> Reading | Wait:
        """The files under these roles, read to their end; a `Wait` while a process does it. Raises ValueError with row, column, remedy."""
        from llmrec.data import mapping

        held = self._of(draft.id)
        section = mapping.section(held.found, held.seen, dict(roles), encoding)
        key = f"{draft.id}-{hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()[:16]}"
        held.sections[key] = section
        place, files = self._folder(draft.id), tuple(self.files(key))
        if not reading.is_small(files) and not (place / key).exists():
            errand = self._errands.ask(
                ("draft", key), "app.data.reading", "draft", str(place / "files"), str(place / key), text=json.dumps(section)
            )
            waiting = wait(errand, "reading the files")
            if waiting is not None:
                return waiting
        dataset = self.dataset(key)
        taken = dataset.interactions
        few = tuple(dataset.catalog.titles[i] for i in taken.item[:5])
        return Reading(key, (taken.n_users, taken.n_items, len(taken)), few, dataset.notes)

    def dataset(self, key: str) -> Dataset:
        """What was read under this key."""
        return self._read.get(key, lambda: self._load(key))

    def section(self, key: str) -> dict[str, Any]:
        """The [data] section behind a key, with names of files for paths."""
        sections = self._of(key.partition("-")[0]).sections
        if key not in sections:
            raise _gone()
        return dict(sections[key])

    def files(self, key: str) -> list[Path]:
        """The files behind a key, as they were handed in."""
        name = key.partition("-")[0]
        return [self._folder(name) / "files" / file for file in self._of(name).found.files]

    def close(self) -> None:
        """Throw everything away."""
        with self._lock:
            self._known.clear()
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
                self._root = None

    def _load(self, key: str) -> Dataset:
        from llmrec import artifacts

        section, place = self.section(key), self._folder(key.partition("-")[0])
        kept: Dataset = artifacts.load(Dataset, place / key) if (place / key).exists() else reading.draft(place / "files", section)
        return kept

    def _of(self, name: str) -> _Held:
        with self._lock:
            if name not in self._known:
                raise _gone()
            self._known.move_to_end(name)
            return self._known[name]

    def _folder(self, name: str) -> Path:
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="llmrec-drafts-"))
        return self._root / name


def _given(files: Sequence[tuple[str, bytes]], place: Path) -> list[tuple[str, Path]]:
    """The bytes on the disk, under names of ours; the name they came with stays a text until it was looked at."""
    from llmrec.data.admit import PACKED, PICKLED

    (place / "files").mkdir(parents=True)
    given = []
    for number, (name, raw) in enumerate(files):
        ending = next((e for e in sorted({*PACKED, *PICKLED, ".gz"}) if name.lower().endswith(e)), "")
        path = place / f"given-{number}{ending}"
        path.write_bytes(raw)
        given.append((name, path))
    return given


def _digest(files: Sequence[tuple[str, bytes]]) -> str:
    whole = hashlib.blake2b(digest_size=8)
    for name, raw in files:
        whole.update(json.dumps([name, len(raw)]).encode() + hashlib.blake2b(raw).digest())
    return whole.hexdigest()


def _encodings() -> tuple[str, ...]:
    from llmrec.guard import ENCODINGS

    return ENCODINGS


def _gone() -> Trouble:
    return Trouble("These files are not held any more: choose them again.")
