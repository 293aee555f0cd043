"""Comparison: recommenders that were asked the same questions, and everything that is said of them, in one value.

Where it stands: after `standings`; `runs.compared` makes one, the command line, the page and the report show it. What it does not know:
runs, files, pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec.report import protocols, standings
from llmrec.report.compare import Interval
from llmrec.report.paired import Paired
from llmrec.report.protocols import Protocol
from llmrec.report.standings import Standing, short


@dataclass(frozen=True)
class Ground:
    """What numbers must have in common to stand in one table. mark: 12 hex digits of the whole split, train included."""

    data: str
    protocol: str
    mark: str
    n_users: int
    n_items: int
    n_train: int

    @property
    def rules(self) -> Protocol:
        return protocols.named(self.protocol)


@dataclass(frozen=True)
class Comparison:
    """part, seen: what was asked; standings: who; bands: masks (m,) of items by popularity in train; groups: users told apart by the
    protocol, by their numbers; reference: whom the others are compared with, "" for the first; machine: where costs were measured."""

    ground: Ground
    part: str
    seen: str
    standings: tuple[Standing, ...]
    bands: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    groups: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    reference: str = ""
    machine: str = ""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The protocol's metrics, the headline first."""
        rules = self.ground.rules
        return (*rules.headline, *(m for m in rules.metrics if m not in rules.headline))

    @property
    def headline(self) -> str:
        """The metric that orders and sums up."""
        return self.ground.rules.headline[0]

    @property
    def against(self) -> str:
        """The reference that is used: the one that was asked for, else the first that was measured user by user."""
        placed = [one.name for one in self.standings if one.places is not None]
        return self.reference if self.reference in placed else next(iter(placed), "")

    @cached_property
    def spans(self) -> list[dict[str, Interval]]:
        return standings.spans(self.standings, self.metrics)

    def ranked(self) -> Comparison:
        """The same, the best by the headline first; who was not measured yet comes last."""
        values = [standings.mean(one, self.headline) for one in self.standings]
        order = sorted(range(len(values)), key=lambda n: -values[n])
        return replace(self, standings=tuple(self.standings[n] for n in order))

    def table(self) -> pd.DataFrame:
        """Every number as a number, one line each."""
        return standings.table(self.standings, self.spans, self.metrics, self.ground.n_items)

    def differences(self, metric: str | None = None) -> list[Paired]:
        """Every other one less the reference, the best first; none where nothing was measured user by user."""
        if not self.against:
            return []
        return sorted(standings.differences(self.standings, self.against, metric or self.headline), key=lambda d: -d.less.mean)

    def difference_table(self, metric: str | None = None) -> pd.DataFrame:
        return standings.difference_table(self.standings, self.differences(metric), metric or self.headline)

    def segments(self, metric: str | None = None) -> pd.DataFrame:
        return standings.segments(self.standings, self.bands, metric or self.headline, self.groups)

    def title_of(self, name: str) -> str:
        return next((one.title for one in self.standings if one.name == name), name)

    def asked(self) -> str:
        """The question in one line."""
        what = "test" if self.part == "test" else "validation"
        return f"{self.ground.data}, {self.ground.protocol}, {what}, seen items {self.seen}, {self.ground.n_users:,} users"

    def written(self, metrics: tuple[str, ...] | None = None) -> tuple[list[str], list[list[str]], frozenset[tuple[int, int]]]:
        """The table as texts: head, lines, and (line, column) of the best of each metric."""
        chosen = metrics or self.metrics
        head = ["", "names", "head", *(f"{short(m)} (95 %)" for m in chosen), "coverage", "pieces", "parameters", "training", "latency"]
        lines = []
        for one, found in zip(self.standings, self.spans, strict=True):
            shown = [standings.written(found.get(m)) for m in chosen]
            coverage = "" if one.places is None else f"{one.places.coverage(self.ground.n_items):.3f}"
            names = [str(one.facts.get("scheme") or ""), str(one.facts.get("head") or "")]
            lines.append([one.title, *names, *shown, coverage, *_costs(one)])
        top = {
            (max(there, key=lambda i: self.spans[i][m].mean), 3 + n)
            for n, m in enumerate(chosen)
            if (there := [i for i, found in enumerate(self.spans) if m in found])
        }
        return head, lines, frozenset(top)

    def written_differences(self, metric: str | None = None) -> tuple[list[str], list[list[str]]]:
        """The differences as texts."""
        head = ["", f"{short(metric or self.headline)}, less {self.title_of(self.against)} (95 %)", "better for", "worse for", "p, Holm"]
        lines = [
            [self.title_of(d.name), standings.signed(d.less), f"{d.wins}", f"{d.losses}", f"{d.holm:.4f}"] for d in self.differences(metric)
        ]
        return head, lines

    def said(self) -> str:
        """What the comparison shows, in one or two sentences."""
        known = [(found[self.headline], one) for one, found in zip(self.standings, self.spans, strict=True) if self.headline in found]
        if not known:
            return "Nothing was measured yet."
        span, first = max(known, key=lambda pair: pair[0].mean)
        told = f"{first.title} is first by {short(self.headline)}: {standings.written(span)}."
        rest = standings.differences(self.standings, first.name, self.headline) if first.places is not None else []
        level = [self.title_of(d.name) for d in rest if not d.less.excludes_zero]
        if rest and level:
            told += f" It cannot be told from {_listed(level)}: the paired interval of the difference holds 0."
        elif rest:
            told += " Its paired difference to each other one excludes 0."
        late = sum(one.places is None for one in self.standings)
        return told + (f" {late} of {len(self.standings)} are not measured user by user yet." if late else "")


def clock(seconds: float) -> str:
    """Seconds as tables write them."""
    return f"{seconds / 60:.0f} min" if seconds >= 150 else f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _costs(one: Standing) -> list[str]:
    pieces, weights, training, latency = (one.costs.get(name) for name in ("pieces", "parameters", "training", "latency"))
    return [
        "" if pieces is None else f"{pieces:.1f}",
        "" if weights is None else f"{weights:,.0f}",
        "" if training is None else clock(training),
        "" if latency is None else f"{latency:.1f} ms",
    ]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
