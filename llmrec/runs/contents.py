"""What may lie in a run's folder: plain files and folders, and nothing that points or leads elsewhere.

Where it stands: under `store`, which looks here before it opens a run. What it does not know: what the files mean.

A link in a run could make us read or write anywhere with our rights, and a pipe would keep whoever reads it waiting for ever.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from llmrec.artifacts import BadArtifact

# what a run is called in the runs' folder: no path, nothing hidden, nothing that a disk or a terminal reads in a way of its own
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,119}[A-Za-z0-9_-])?")
DEEPEST, MOST = 6, 20_000  # folders in folders, and entries, that a run has by far


def check(folder: Path) -> None:
    """Raise `BadArtifact`, naming it, where something in the folder is a link, a pipe or a device. The folder itself may be a link."""
    waiting, seen = [(folder, 0)], 0
    while waiting:
        place, depth = waiting.pop()
        try:
            entries = list(os.scandir(place))
        except FileNotFoundError:  # a value was swapped for a newer one while we looked
            continue
        seen += len(entries)
        if depth > DEEPEST or seen > MOST:
            raise BadArtifact(f"{folder} holds more than a run does, from {place.name!r} on: delete it, or take out what is not its own")
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append((place / entry.name, depth + 1))
            elif not entry.is_file(follow_symlinks=False) and _still(entry):
                what = "a link" if entry.is_symlink() else "a pipe or a device"
                raise BadArtifact(
                    f"{place / entry.name} is {what}, and a run holds plain files alone: put the file itself there, or delete the run"
                )


def like_a_run(folder: Path) -> bool:
    """Whether the folder is a run, be it a broken one, and not somebody's photographs."""
    return any((folder / name).is_file() for name in ("run.json", "recipe.toml", "status.json"))


def _still(entry: os.DirEntry[str]) -> bool:
    return os.path.lexists(entry.path)
