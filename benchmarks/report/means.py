"""Numbers of the book: from the places of a row's seeds to means, intervals and ranges, and how they are written.

Where it stands: between `benchmarks.places` and the tables. What it does not know: which rows stand beside which.

A row's number is the mean over seeds. Its interval comes from a bootstrap over users of each user's mean over seeds: it says how sure the
number is for other users like these, and the range over seeds says what another training would have given.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import places
from benchmarks.places import Placed, Result
from benchmarks.rows import rows
from llmrec import rng
from llmrec.report.compare import Interval, intervals

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
ABSENT = "not measured"
KEPT = "\\*"  # beside seconds that lack those of vectors or names
VALID, MASKED, UNMASKED = "valid masked", "test masked", "test unmasked"
DRAWN = ("unseen-items",)  # protocols under which a seed draws who is asked: a user's mean is over the seeds that asked


@dataclass(frozen=True, eq=False)
class Sample:
    """One metric of one row. seeds: ascending; users: (n,); values: (seeds, n), NaN where a seed did not ask a user."""

    seeds: tuple[int, ...]
    users: Ids
    values: Array

    def at(self, seeds: Sequence[int]) -> Sample:
        """The same of some of its seeds."""
        chosen = [i for i, seed in enumerate(self.seeds) if seed in seeds]
        return Sample(tuple(self.seeds[i] for i in chosen), self.users, self.values[chosen])

    @property
    def per_user(self) -> Array:
        """(n,) each user's mean over seeds."""
        return np.asarray(np.nanmean(self.values, axis=0))

    @property
    def per_seed(self) -> Array:
        """(seeds,) each seed's mean over users."""
        return np.asarray(np.nanmean(self.values, axis=1))

    @property
    def mean(self) -> float:
        return float(self.per_user.mean())


def results(row: str, folder: Path | None = None) -> tuple[Result, ...]:
    """A row's results that were made with its settings as they are now, by seed."""
    return _kept(row, folder or places.FOLDER)


_SPANS: dict[bytes, Interval] = {}  # of values that were asked for before: a page asks for many of them twice


@functools.cache
def _kept(row: str, folder: Path) -> tuple[Result, ...]:
    known = rows().get(row)
    return tuple(r for r in places.of_row(row, folder) if known is None or known.made(r.said))


@functools.cache
def _placed(row: str, ranking: str, folder: Path) -> tuple[tuple[int, Placed], ...]:
    found = [(r.seed, r.placed(ranking)) for r in _kept(row, folder)]
    return tuple((seed, placed) for seed, placed in found if placed is not None)


def sample(row: str, metric: str, ranking: str = MASKED, users: Ids | None = None, folder: Path | None = None) -> Sample | None:
    """A metric of a row, for some users or all who were asked; None where it was not measured.

    ValueError where its seeds asked different users though its protocol asks everybody: then there is no mean over seeds.
    """
    kept = _placed(row, ranking, folder or places.FOLDER)
    if not kept:
        return None
    chosen = [(seed, placed if users is None else placed.only(users)) for seed, placed in kept]
    asked = np.unique(np.concatenate([placed.users for _, placed in chosen]))
    if any(len(placed.users) < len(asked) for _, placed in chosen) and _kept(row, folder or places.FOLDER)[0].said["protocol"] not in DRAWN:
        raise ValueError(f"the seeds of {row} asked different users: measure the row again")
    values = np.full((len(chosen), len(asked)), np.nan)
    for line, (_, placed) in zip(values, chosen, strict=True):
        line[np.searchsorted(asked, placed.users)] = placed.per_user(metric)
    return Sample(tuple(seed for seed, _ in chosen), asked, values)


def spans(samples: Sequence[Sample | None]) -> list[Interval | None]:
    """The interval of each; those of equally many users share their draws, which is quicker and the same. Each is worked out once."""
    columns = [None if one is None else np.ascontiguousarray(one.per_user) for one in samples]
    by_size: dict[int, dict[bytes, Array]] = {}
    for column in columns:
        if column is not None and column.tobytes() not in _SPANS:
            by_size.setdefault(len(column), {})[column.tobytes()] = column
    for new in by_size.values():
        found = intervals(np.stack(list(new.values()), axis=1), rng.stream(0, "bootstrap"))
        _SPANS.update(zip(new, found, strict=True))
    return [None if column is None else _SPANS[column.tobytes()] for column in columns]


def grid(names: Sequence[str], columns: Sequence[tuple[str, str]]) -> list[list[tuple[Sample | None, Interval | None]]]:
    """A line per row and in it a number with its interval per column, (metric, ranking)."""
    found = [sample(name, metric, ranking) for name in names for metric, ranking in columns]
    cells = list(zip(found, spans(found), strict=True))
    return [cells[at : at + len(columns)] for at in range(0, len(cells), len(columns))]


def training(row: str) -> str:
    """CPU seconds of a row's training, in words: the mean over seeds that made vectors and names anew.

    Where none did: the mean over all seeds, with `KEPT` beside it.
    """
    found = [r.said for r in results(row)]
    whole = [one for one in found if not from_cache(one)]
    return seconds([trained(one) for one in whole or found]) + (KEPT if found and not whole else "")


def trained(said: Mapping[str, Any], key: str = "train_cpu_seconds") -> float:
    """Seconds of the command that trained, without the rankings that it made at its end in earlier results."""
    ranked = sum(spent for stage, spent in said.get("stage_seconds", {}).items() if stage.startswith("evaluation on"))
    return float(said[key]) * (1.0 - ranked / said["train_seconds"] if ranked else 1.0)


def from_cache(said: Mapping[str, Any]) -> bool:
    """Whether vectors or names of a result came from the cache, so that its seconds do not count them."""
    return bool(set(said.get("cached", ())) - {"data", "split"})


def ranking_seconds(row: str, ranking: str = MASKED) -> list[float]:
    """CPU seconds of ranking everybody, per seed."""
    return [placed.cpu_seconds for _, placed in _placed(row, ranking, places.FOLDER)]


def older(row: str) -> dict[str, Any] | None:
    """A result of the time before places were kept, one seed, in the form of `evaluate --json`; None where a newer one is there."""
    path = places.FOLDER / f"{row}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() and not results(row) else None


def with_span(value: float, low: float, high: float) -> str:
    """A number as the tables write it."""
    return f"{value:.4f} ({low:.3f} to {high:.3f})"


def shown(one: Sample | None, span: Interval | None) -> str:
    return ABSENT if one is None or span is None else with_span(one.mean, span.low, span.high)


def over_seeds(one: Sample | None) -> str:
    """How many seeds, and the least and greatest of their numbers."""
    if one is None:
        return ""
    if len(one.seeds) == 1:
        return "1"
    return f"{len(one.seeds)}: {one.per_seed.min():.4f} to {one.per_seed.max():.4f}"


def signed(span: Interval) -> str:
    """A difference with its interval."""
    return f"{span.mean:+.4f} ({span.low:+.3f} to {span.high:+.3f})"


def seconds(values: Sequence[float]) -> str:
    """The mean of some seconds, in words; "" for none."""
    if not values:
        return ""
    mean = sum(values) / len(values)
    return (
        f"{mean / 3600:.1f} h"
        if mean > 7200
        else f"{mean / 60:.0f} min"
        if mean > 120
        else f"{mean:.0f} s"
        if mean >= 10
        else f"{mean:.1f} s"
    )


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    cells = [list(head), ["---"] * len(head), *([cell.replace("|", "\\|") for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
