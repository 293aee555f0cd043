"""Files to a data set of this machine: taken in, recognised, read to their end, cut down, split, and only then kept.

Where it stands: over `received`, `recognise`, `mapping` and `uploads`; the Data page goes through it step by step, `llmrec data import` in
one. What it does not know: pages, runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmrec.contracts import Dataset, Split
from llmrec.data import mapping, received, uploads
from llmrec.data.mapping import Preview
from llmrec.data.recognise import Recognised, needed, recognise

SECTIONS = ("data", "filter", "split")


def open_files(files: Sequence[tuple[str, Path]], folder: Path, most: int | None = None) -> tuple[Recognised, Preview]:
    """Take files into an empty folder and say what they are, with their first rows. most: bytes unpacked. Raises `BadData`."""
    received.receive(files, folder, needed, most)
    found = recognise(folder)
    return found, mapping.preview(folder, found)


def read(folder: Path, section: dict[str, Any]) -> Dataset:
    """The whole data set behind a [data] section whose paths are names in `folder`. Raises `BadData` with row, column and remedy."""
    dataset: Dataset = uploads.reader(folder, section).load()
    return dataset


def cut(dataset: Dataset, sections: dict[str, dict[str, Any]], seed: int = 0) -> tuple[Dataset, Split]:
    """What [filter] leaves, and how [split] parts it: a set that cannot be trained on is not kept. Raises ValueError with the remedy."""
    from llmrec import recipe, rng

    left = recipe.stage("filter", sections.get("filter", {})).apply(dataset)
    parted: Split = recipe.stage("split", sections.get("split", {})).split(left.interactions, rng.stream(seed, "split"))
    return left, parted


def bring(files: Sequence[Path], name: str, settings: dict[str, dict[str, Any]]) -> tuple[Path, Recognised, Dataset, Split]:
    """All of it: the folder of the new set, what its files are, what is left of them, and the split. Nothing is kept where anything fails.

    settings: sections data (columns, encoding, repeats), filter and split, as a recipe has them. Columns whose names say what they are
    need none; what is merely guessed is not taken, but stands in the notes. The section of what is returned is the one that was read.
    """
    uploads.free_name(name)
    with tempfile.TemporaryDirectory(prefix="llmrec-import-") as scratch:
        folder = Path(scratch)
        found, seen = open_files([(path.name, path) for path in files], folder)
        own = settings.get("data", {})
        clear = mapping.obvious(seen.columns, seen.open)
        body = {**found.section, **mapping.encoding_of(found, seen), **clear, **own}
        sections = {"data": body, **{s: settings.get(s, {}) for s in ("filter", "split")}}
        left, parted = cut(uploads.named(read(folder, body), name), sections)
        place = uploads.keep(name, [folder / n for n in found.files], sections)
        guessed = [
            f"the column {column!r} may be the {role} and was not taken: add --set data.{role}={column} if it is"
            for column, role in seen.roles.items()
            if role in seen.open and not body.get(role) and role not in own
        ]
        return place, replace(found, section=body), replace(left, notes=(*left.notes, *guessed)), parted
