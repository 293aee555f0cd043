"""What a run takes on the disk: its folder by part, and the kept results of stages that it reads, alone or with other runs.

Where it stands: beside `store` and over the cache; the command line and the pages ask it before a run is deleted.
What it does not know: the queue, and tables of names, which keep copies of their own.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmrec.recipe import Recipe
from llmrec.registry import UnknownName
from llmrec.runs import cache, measured, stages, store
from llmrec.runs.cache import Entry
from llmrec.runs.store import Run

PARTS = {
    "model": "model",
    "content": "model",  # the other side of mutual training
    "checkpoint": "checkpoint",
    "ids": "names",
    "vectors": "vectors",
    "places": "numbers",
    "metrics.json": "numbers",
    "events.jsonl": "events",
    "worker.log": "events",
}
REST = "rest"


@dataclass(frozen=True)
class Account:
    """Sizes in bytes. parts: the folder by part; cached: every kept result the run reads; own: those that no other run of the runs'
    folder reads (runs elsewhere are not known, and work again what they miss).

    unread: what could not be told, a sentence for each run whose recipe cannot be read. As one of those may read anything, nothing is
    the run's own while there is one; the run itself, where it is the one, reads nothing that is known.
    """

    run: str
    parts: dict[str, int]
    cached: tuple[Entry, ...]
    own: tuple[Entry, ...]
    unread: tuple[str, ...] = ()

    @property
    def folder(self) -> int:
        """What deleting the run frees."""
        return sum(self.parts.values())

    @property
    def releasable(self) -> int:
        """What releasing its own kept results frees besides."""
        return sum(entry.size for entry in self.own)

    @property
    def shared(self) -> int:
        """What stays in the cache because other runs read it too."""
        return sum(entry.size for entry in self.cached) - self.releasable


def account(run: Run, others: Iterable[Run]) -> Account:
    """What the run takes. others: every run that may read the cache, the run itself among them or not."""
    wanted, unread = _names(run)
    doubt = False
    elsewhere: set[tuple[str, str]] = set()
    for other in others:
        if not _same(other, run):
            names, said = _names(other)
            elsewhere |= names
            unread += said
            doubt = doubt or bool(said)
    cached = tuple(entry for entry in cache.usage() if (entry.stage, entry.key) in wanted)
    own = () if doubt else tuple(entry for entry in cached if (entry.stage, entry.key) not in elsewhere)
    return Account(run.name, parts(run.path), cached, own, tuple(unread))


def drop(taken: Account) -> int:
    """Drop the kept results that only a run read which is deleted by now; returns the bytes freed. Nothing else is lost by it.

    Who reads them now is asked again. Where a run of the folder cannot be read, whose results they may be, nothing is dropped.
    """
    needed: set[tuple[str, str]] = set()
    for run in store.list_runs():
        names, unread = _names(run)
        if unread:
            return 0
        needed |= names
    return sum(cache.drop(entry) for entry in taken.own if (entry.stage, entry.key) not in needed)


def parts(folder: Path) -> dict[str, int]:
    """The bytes of a run's folder by part, largest first. Links are not followed; what vanishes meanwhile counts nothing."""
    sizes: Counter[str] = Counter()
    for inside in _scanned(folder):
        sizes[PARTS.get(inside.name, REST)] += _size(inside)
    return dict(sizes.most_common())


def _names(run: Run) -> tuple[set[tuple[str, str]], list[str]]:
    """The kept results a run reads, by stage and key; and why it cannot be told."""
    if run.broken:
        return set(), [f"run {run.name} cannot be read ({run.broken})"]
    try:
        recipe: Recipe = run.recipe
        return set(stages.keys(recipe).items()) | measured.cached_keys(run), []
    except (ValueError, UnknownName, OSError) as error:  # of another version, or its data is gone
        return set(), [f"run {run.name} cannot be read ({' '.join(str(error).split())})"]


def _same(a: Run, b: Run) -> bool:
    return a.path.absolute() == b.path.absolute()


def _size(entry: os.DirEntry[str]) -> int:
    if entry.is_dir(follow_symlinks=False):
        return sum(_size(inside) for inside in _scanned(Path(entry.path)))
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _scanned(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            yield from found
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
