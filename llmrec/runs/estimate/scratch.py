"""A folder for one measurement: on the disk of the project's own things, and swept up whatever becomes of who made it.

Where it stands: under `asking` and `trial`. What it does not know: what is written into it.

A measurement writes models, which may be larger than a system's folder for small files. Who holds a folder's lock is alive; a folder that
nobody holds is swept up when the next measurement begins.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from llmrec import home
from llmrec.lm import trouble
from llmrec.runs import status

PATIENCE = 10.0  # seconds to wait for another that sweeps up


@contextlib.contextmanager
def folder() -> Iterator[tuple[Path, int]]:
    """An empty folder, and the open file of its lock, for a process that shall hold on to it. ValueError where the disk is full."""
    try:
        made, lock = _made(home.home() / ".measuring")
        try:
            yield made, lock.fd
        finally:
            shutil.rmtree(made, ignore_errors=True)
            lock.close()
    except Exception as error:
        if isinstance(error, trouble.NoSpace) or trouble.no_room(error):
            raise ValueError(f"there was no room on the disk to measure: free some where {home.home()} is, then ask again") from error
        raise


def _made(root: Path) -> tuple[Path, status.Lock]:
    """One begins at a time, so that none is swept up before it is held."""
    root.mkdir(parents=True, exist_ok=True)
    alone = status.take(root, PATIENCE)
    try:
        for left in root.iterdir():
            if alone is not None and left.is_dir() and not left.is_symlink() and not status.is_locked(left):
                shutil.rmtree(left, ignore_errors=True)
        made = Path(tempfile.mkdtemp(prefix="llmrec-estimate-", dir=root))
        lock = status.take(made)
        assert lock is not None  # nobody else knows its name
        return made, lock
    finally:
        if alone is not None:
            alone.close()
