"""Results on the disk: benchmarks/results/<row>/<seed>.json, one row of the book at one seed, with the place of every held-out item.

Where it stands: between `benchmarks.measure`, which writes them, and `benchmarks.report`, which reads them. What it does not know: recipes,
models, tables. Numbers are not kept: all metrics and intervals are computed from places when they are shown.

    row, seed, data, protocol, recipe
    settings             all of them, section by section, so that a changed default shows
    split                {"train", "test"}: fingerprints of the parts
    commands, commit, versions, machine
    train_seconds, train_cpu_seconds, stage_seconds, cached, trained         a baseline has the first two; cached: stages not worked anew
    held_out                                                                 of unseen users: who they are
    rankings: {"test masked": {users, k, targets, places, seconds, cpu_seconds, coverage}, ..}

users and held_out are ranges, [[0, 943]]: the end is not in them. targets: 1 where everybody has one, else a number per user.
places: one number per user, 0 where the item was not among the k; where somebody has several targets, a list per user of those found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmrec.artifacts import write_text
from llmrec.report import metrics
from llmrec.report.evaluate import Evaluation

FOLDER = Path(__file__).resolve().parent / "results"
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Placed:
    """One ranking of everybody who was asked. users: (n,); counts: (n,) targets of each; places: per user those that hold one.

    k: how deep it is; seconds, cpu_seconds: of the ranking; coverage: share of the catalogue shown, by "coverage@k".
    """

    users: NDArray[np.int64]
    counts: NDArray[np.int64]
    places: Sequence[Sequence[int]]
    k: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    coverage: Mapping[str, float] | None = None

    def per_user(self, metric: str) -> Array:
        """(n,) one value per user of a metric such as "ndcg@10". ValueError where the ranking is too short for it."""
        if metrics.cut(metric) > self.k:
            raise ValueError(f"{metric} needs {metrics.cut(metric)} places, but {self.k} were kept: measure the row again with more")
        return metrics.from_places(self.places, self.counts, [metric])[metric]

    def only(self, users: NDArray[np.int64]) -> Placed:
        """The same ranking for some of its users. ValueError where one of them was not asked."""
        if not np.isin(users, self.users).all():
            raise ValueError("some of these users were not asked in this ranking: take rows of one data set and split")
        mine = np.isin(self.users, users)
        kept = [at for at, wanted in zip(self.places, mine.tolist(), strict=True) if wanted]
        return Placed(self.users[mine], self.counts[mine], kept, self.k, self.seconds, self.cpu_seconds)

    def to_plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        one = bool((self.counts == 1).all())
        found = [[int(place) for place in at] for at in self.places]
        return {
            "users": ranges(self.users),
            "k": self.k,
            "targets": 1 if one else self.counts.tolist(),
            "places": [at[0] if at else 0 for at in found] if one else found,
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "coverage": {name: round(share, 6) for name, share in (self.coverage or {}).items()},
        }

    @classmethod
    def of(cls, measured: Evaluation, cpu_seconds: float) -> Placed:
        """What an evaluation found."""
        found, counts = measured.places
        places = [at.tolist() for at in found]
        return cls(measured.users.astype(np.int64), counts, places, measured.k[-1], measured.seconds, cpu_seconds, measured.coverage)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Placed:
        """From what JSON kept."""
        users = members(plain["users"])
        counts = np.broadcast_to(np.asarray(plain["targets"], dtype=np.int64), users.shape).copy()
        places = [[p] if p else [] for p in plain["places"]] if plain["targets"] == 1 else plain["places"]
        if len(places) != len(users) or len(counts) != len(users):
            raise ValueError(f"{len(users)} users need as many places, found {len(places)}: measure the row again")
        return cls(users, counts, places, plain["k"], plain["seconds"], plain["cpu_seconds"], plain.get("coverage") or {})


@dataclass(frozen=True)
class Result:
    """One row at one seed. said: all that its file says."""

    said: Mapping[str, Any]

    @property
    def row(self) -> str:
        return str(self.said["row"])

    @property
    def seed(self) -> int:
        return int(self.said["seed"])

    def placed(self, ranking: str) -> Placed | None:
        """A ranking such as "test masked", or None where it was not made."""
        plain = self.said["rankings"].get(ranking)
        return None if plain is None else Placed.from_plain(plain)


def read(path: Path) -> Result:
    """One file. ValueError where it is none of ours."""
    where = f"{path.parent.name}/{path.name}"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no text
        raise ValueError(f"{where} is damaged ({error}): remove it and measure its row again") from None
    if not isinstance(said, dict) or not isinstance(said.get("rankings"), dict):
        raise ValueError(f"{where} keeps no places: remove it and measure its row again")
    if not isinstance(said.get("seed"), int) or not {"row", "data", "protocol", "recipe"} <= set(said):
        raise ValueError(f"{where} does not say what was measured: remove it and measure its row again")
    return Result(said)


def write(said: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write one result where it belongs, small: one line per entry, and per ranking."""
    path: Path = folder / str(said["row"]) / f"{said['seed']}.json"
    rankings = ",\n".join(f"  {_line(name)}: {_line(ranking)}" for name, ranking in said["rankings"].items())
    lines = [f" {_line(key)}: {_line(value)}" for key, value in said.items() if key != "rankings"]
    write_text("{\n" + ",\n".join([*lines, f' "rankings": {{\n{rankings}\n }}']) + "\n}\n", path)
    return path


def of_row(row: str, folder: Path = FOLDER) -> list[Result]:
    """Every seed of a row that was measured, ascending."""
    return sorted((read(path) for path in (folder / row).glob("*.json")), key=lambda r: r.seed)


def ranges(numbers: NDArray[np.int64]) -> list[list[int]]:
    """Ascending numbers as [[first, end], ..], the end not in them."""
    if not len(numbers):
        return []
    cuts = np.flatnonzero(np.diff(numbers) != 1) + 1
    return [[int(part[0]), int(part[-1]) + 1] for part in np.split(numbers, cuts)]


def members(spans: list[list[int]]) -> NDArray[np.int64]:
    """The numbers that `ranges` was given."""
    return np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(first, end) for first, end in spans)]).astype(np.int64)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
