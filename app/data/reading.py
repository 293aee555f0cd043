"""Data that takes seconds to read, read in a process of its own: `python -m app.data.reading set|draft WORDS`, settings on standard input.

Where it stands: an errand of the Data page. What it does not know: pages. A set is kept where every run looks for it; a draft, which is
not kept yet, beside its files.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from llmrec.contracts import Dataset

UNPACKED = 200_000_000  # bytes that files of a page may hold unpacked; the command line goes up to LLMREC_MAX_BYTES
SMALL = 4_000_000  # bytes that are read where they are asked for


def bounded() -> None:
    """Hold every reader of this process to what a page may ask for."""
    from llmrec.data.admit import most_bytes

    os.environ["LLMREC_MAX_BYTES"] = str(min(most_bytes(), UNPACKED))


def is_small(files: tuple[Path, ...]) -> bool:
    """Whether these are read in a blink, unpacked."""
    import gzip

    room = SMALL
    for path in files:
        if path.suffix == ".parquet":
            room -= 10 * path.stat().st_size
        elif path.suffix == ".gz":
            try:
                with gzip.open(path, "rb") as file:
                    room -= len(file.read(max(0, room) + 1))
            except (OSError, EOFError, ValueError):
                return True  # the reader says what is wrong with it
        else:
            room -= path.stat().st_size
        if room < 0:
            return False
    return True


def draft(folder: Path, section: dict[str, Any]) -> Dataset:
    """Files that were handed in, read to their end."""
    from llmrec.data import importing

    return importing.read(folder, section)


def main(what: str, place: str, words: str = "") -> int:
    """Read and keep; a file that is wrong is told in a line of JSON."""
    from llmrec import artifacts, guard
    from llmrec.runs import stages

    text = sys.stdin.read()
    try:
        if what == "set":
            wanted = guard.checked(tomllib.loads(text))
            stages.split(wanted, stages.dataset(wanted))
        else:
            bounded()
            artifacts.save(draft(Path(place), json.loads(text)), Path(words))
    except ValueError as error:
        print(json.dumps({"trouble": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    from app.data.reading import main as work

    sys.exit(work(*sys.argv[1:]))
