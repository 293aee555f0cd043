"""The bundles that ship with this program, and which of them a machine's first start opens: each once, and none that was deleted.

Where it stands: under the studio's first start. What it does not know: pages, threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llmrec
from llmrec import artifacts, home
from llmrec.runs.bundles import container, opening

if TYPE_CHECKING:
    from llmrec.runs.store import Run

RECORD = ".bundles.json"  # in the runs' folder: what was opened there by itself


@dataclass(frozen=True)
class Step:
    """One bundle on its way. run: what it became, or None; trouble: why it could not be opened."""

    path: Path
    number: int
    of: int
    run: Run | None = None
    trouble: str = ""


def folder() -> Path:
    """Where bundles ship: `assets/bundles` of a clone, or what LLMREC_BUNDLES names. It need not exist."""
    named = os.environ.get("LLMREC_BUNDLES")
    return Path(named).expanduser() if named else Path(llmrec.__file__).resolve().parents[1] / "assets" / "bundles"


def found() -> list[Path]:
    """The bundles that ship, by name; none where the folder is absent, as in an installation without the clone."""
    place = folder()
    return sorted(place.glob(f"*{container.SUFFIX}")) if place.is_dir() else []


def waiting() -> list[Path]:
    """The bundles that the first start has still to open: none where the runs' folder holds a run that was made here, or where all were
    opened once. One that was deleted since does not come back."""
    from llmrec.runs import store

    if any(run.broken or opening.origin(run) is None for run in store.list_runs()):
        return []
    done = _recorded()
    return [path for path in found() if path.name not in done]


def open_all(paths: list[Path]) -> Iterator[Step]:
    """Open these bundles, one after the other, and write down which; a step before the first and after each. One that can't be opened is
    told and hinders no other."""
    kept: dict[Any, Any] = {}
    for number, path in enumerate(paths):
        yield Step(path, number, len(paths))
        try:
            run = opening.unpack(path, subwords=kept).run
        except (ValueError, OSError) as error:
            yield Step(path, number + 1, len(paths), trouble=str(error))
            continue
        _record(path.name)
        yield Step(path, number + 1, len(paths), run)


def _recorded() -> set[str]:
    try:
        return {str(name) for name in artifacts.read_json(home.runs() / RECORD).get("opened", [])}
    except (artifacts.BadArtifact, TypeError):
        return set()


def _record(name: str) -> None:
    with opening.alone(home.runs()):
        artifacts.write_json({"opened": sorted(_recorded() | {name})}, home.runs() / RECORD)
