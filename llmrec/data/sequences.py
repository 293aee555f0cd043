"""One line per user, `user item item item ...`, oldest first: how sequence papers ship their data.

Where it stands: a reader of stage 1. What it does not know: times; the place in the line stands for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from llmrec.contracts import Dataset
from llmrec.data.admit import BadData
from llmrec.data.assemble import Repeats, assemble, check_repeats, name_of
from llmrec.data.catalogue import item_frame
from llmrec.data.columns import Keys
from llmrec.data.files import read_text


@dataclass(frozen=True)
class SequenceFile:
    """A file of histories, and, where `titles_path` is given, a file of lines `item title ...`. Blanks part the fields of both."""

    path: str
    titles_path: str | None = None
    repeats: Repeats = "first"
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        check_repeats(self.repeats)

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        notes: list[str] = []
        path = Path(self.path).expanduser()
        users: list[str] = []
        lengths: list[int] = []
        items: list[str] = []
        for user, history in _lines(path, self.encoding, "user"):
            users.append(user)
            lengths.append(len(history))
            items += history
        lonely = lengths.count(0)
        if lonely:
            notes.append(f"{path.name}: {lonely:,} users have no item and are left out")
        heard = np.asarray([n > 0 for n in lengths], dtype=bool)
        kept = np.asarray(lengths, dtype=np.int64)[heard]
        codes, names = pd.factorize(np.asarray(items, dtype=object))
        when = np.concatenate([np.arange(n) for n in kept]) if len(kept) else np.zeros(0)
        return assemble(
            name_of(path),
            Keys(np.repeat(np.arange(len(kept)), kept), [u for u, h in zip(users, heard, strict=True) if h]),
            Keys(codes.astype(np.int64), [str(n) for n in names]),
            when.astype(np.float64),
            None,
            (None, self._titles(notes)),
            self.repeats,
            notes,
        )

    def _titles(self, notes: list[str]) -> pd.DataFrame | None:
        if self.titles_path is None:
            return None
        path = Path(self.titles_path).expanduser()
        rows = list(_lines(path, self.encoding, "item"))
        return item_frame([key for key, _ in rows], [" ".join(words) for _, words in rows], path.name, notes)


def _lines(path: Path, encoding: str, what: str) -> list[tuple[str, list[str]]]:
    """(first field, the others) of every line that is not blank; a first field that stands twice is an error."""
    seen: dict[str, int] = {}
    words: dict[str, str] = {}  # each word held once: short ones written out a billion times would fill the memory many times over
    rows = []
    for number, line in enumerate(read_text(path, encoding).decode().splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if fields[0] in seen:
            raise BadData(
                f"{path.name}, line {number}, column 1: the {what} {fields[0]!r} has a line already (line {seen[fields[0]]}); "
                f"join the two lines"
            )
        seen[fields[0]] = number
        rows.append((fields[0], [words.setdefault(word, word) for word in fields[1:]]))
    if not rows:
        raise BadData(f"{path.name} is empty; give a file with a line per {what}")
    return rows
