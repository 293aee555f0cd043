"""Standings: runs and baselines on one ground as one table, each number with its interval, and the best of each column.

Where it stands: after `places` and `paired`; `latex`, `page`, the command line and the Compare page show what is made here.
What it does not know: where runs lie, how anything was measured.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec import registry
from llmrec.report import paired
from llmrec.report.compare import CHUNK, Interval, bootstrap, bounds, drawn
from llmrec.report.paired import Paired
from llmrec.report.places import Places

SEED, DRAWS, LEVEL = 0, 2000, 0.95
TITLES = {
    "popularity": "Popularity",
    "itemknn": "ItemKNN",
    "itemknn-last3": "ItemKNN, last 3 items",
    "ease": "EASE",
    "bprmf": "BPR-MF",
    "lightgcn": "LightGCN",
    "sasrec": "SASRec",
    "multvae": "Mult-VAE",
}
BANDS = {"head": "popular", "tail": "rare", "cold": "not in training"}


@dataclass(frozen=True)
class Standing:
    """One line of the comparison.

    facts: what it is, as texts and numbers ("scheme", "head", "model", "seed", "recipe", ..); costs: what it took ("pieces", "new rows",
    "parameters", "steps", "training", "latency", "size"), absent where not known; report: what an older measurement says of means and
    intervals, for as long as there are no places.
    """

    name: str
    kind: Literal["run", "baseline"]
    facts: Mapping[str, Any]
    costs: Mapping[str, float]
    places: Places | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What a table calls it."""
        return self.name if self.kind == "run" else TITLES.get(self.name, self.name)


def short(metric: str) -> str:
    """A metric as tables write it: H@10."""
    kind, _, cut = metric.partition("@")
    return {"hit": "H", "ndcg": "NDCG", "recall": "Recall", "mrr": "MRR"}.get(kind, kind) + f"@{cut}"


def spans(standings: Sequence[Standing], metrics: Sequence[str]) -> list[dict[str, Interval]]:
    """Each one's metrics with 95 % bootstrap intervals over users: from places, all with the same draws, else from its older report."""
    placed = [one for one in standings if one.places is not None]
    found: dict[str, dict[str, Interval]] = {}
    if placed and metrics:
        measured = {one.name: one.places.per_user(metrics) for one in placed if one.places is not None}
        for size in {len(values[metrics[0]]) for values in measured.values()}:
            alike = [name for name, values in measured.items() if len(values[metrics[0]]) == size]
            sure = iter(sampled(np.stack([measured[name][m] for name in alike for m in metrics], axis=1)))
            found |= {name: {m: next(sure) for m in metrics} for name in alike}
    return [found.get(one.name) or _reported(one, metrics) for one in standings]


def mean(one: Standing, metric: str) -> float:
    """Its mean on a metric, -1 where it was not measured."""
    if one.places is not None:
        return float(one.places.per_user([metric])[metric].mean())
    return float(one.report.get("metrics", {}).get(metric, -1.0))


def sampled(values: NDArray[np.float64]) -> list[Interval]:
    """The interval of each column of (n, c), with the draws that every table of a comparison shares."""
    return bounds(values, resampled(values), LEVEL)


def resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """`compare.bootstrap` with the same draws of users in every table, figure and file of a comparison."""
    if not 0 < len(values) <= CHUNK // DRAWS:
        return bootstrap(values, np.random.default_rng(SEED), DRAWS)
    return np.asarray(_counted(len(values)).astype(np.float64) @ values / len(values))


@functools.lru_cache(maxsize=8)
def _counted(n: int) -> NDArray[np.uint16]:
    """How often each of n users is drawn in every draw, (draws, n): to draw them takes longer than all that is done with them."""
    (block,) = drawn(n, np.random.default_rng(SEED), DRAWS)
    return block.astype(np.uint16)


def table(standings: Sequence[Standing], spans: Sequence[Mapping[str, Interval]], metrics: Sequence[str], n_items: int) -> pd.DataFrame:
    """One line each, all numbers as numbers: what it is, per metric the mean with `low` and `high`, coverage, costs. spans: of `spans`."""
    lines = []
    for one, found in zip(standings, spans, strict=True):
        line: dict[str, Any] = {"name": one.title, "kind": one.kind, **{k: one.facts.get(k) for k in ("scheme", "head", "model", "seed")}}
        for metric in metrics:
            span = found.get(metric)
            line |= {short(metric): None if span is None else span.mean}
            line |= {
                f"{short(metric)} low": None if span is None else span.low,
                f"{short(metric)} high": None if span is None else span.high,
            }
        if one.places is not None:
            line["coverage"] = one.places.coverage(n_items)
        else:
            line["coverage"] = one.report.get("metrics", {}).get("coverage@10")
        lines.append(line | {name: one.costs.get(name) for name in COSTS})
    made = pd.DataFrame(lines)
    return made.astype({name: float for name in made.columns[6:]}) if lines else made


COSTS = {  # what the page and the files call it -> what it means
    "pieces": "rows of the vocabulary that the model reads for an item's name, on average",
    "new rows": "rows that the names add to the vocabulary",
    "parameters": "weights the model holds",
    "steps": "training steps",
    "training": "seconds from the data to the trained model; what came from the cache is not counted again",
    "latency": "milliseconds for one person and ten items, the median of real calls on this machine",
    "size": "megabytes on the disk",
}
LESS_IS_BETTER = ("latency", "training", "size", "parameters", "pieces", "new rows")


def best(made: pd.DataFrame, metrics: Sequence[str]) -> dict[str, int]:
    """The line of the best value of each metric, and of coverage; a tie belongs to the first. Columns without a number are left out."""
    columns = [c for c in (*map(short, metrics), "coverage") if c in made.columns and made[c].notna().any()]
    return {c: int(np.nanargmax(made[c].to_numpy(dtype=float))) for c in columns}


def differences(standings: Sequence[Standing], reference: str, metric: str) -> list[Paired]:
    """Every other one less the reference, by name; those without places are left out. ValueError where the reference has none."""
    chosen = next((one for one in standings if one.name == reference), None)
    if chosen is None or chosen.places is None:
        raise ValueError(f"{reference!r} was not measured user by user yet: choose another reference, or wait until it is")
    others = {one.name: one.places for one in standings if one.name != reference and one.places is not None}
    return paired.against(chosen.places, others, metric, resampled, LEVEL)


def difference_table(standings: Sequence[Standing], found: Sequence[Paired], metric: str) -> pd.DataFrame:
    """Differences as numbers: one line per recommender that was compared with the reference."""
    titles = {one.name: one.title for one in standings}
    return pd.DataFrame(
        [
            {
                "name": titles[d.name],
                f"difference in {short(metric)}": d.less.mean,
                "low": d.less.low,
                "high": d.less.high,
                "better for": d.wins,
                "worse for": d.losses,
                "the same for": d.ties,
                "p": d.p,
                "p, Holm": d.holm,
                "excludes 0": d.less.excludes_zero,
                "after Holm": d.sure,
            }
            for d in found
        ]
    )


def segments(
    standings: Sequence[Standing],
    bands: Mapping[str, NDArray[np.bool_]],
    metric: str,
    groups: Mapping[str, NDArray[np.int64]] | None = None,
) -> pd.DataFrame:
    """A metric by what was asked for: one line per recommender and segment, with its interval and how many users it is over.

    bands: masks (m,) of items, as `segments.popularity_bands` gives them; groups: users told apart by the protocol, by their numbers.
    """
    placed = [(one.title, one.places) for one in standings if one.places is not None]
    lines = []
    for name, member in bands.items():
        lines += _segment(BANDS.get(name, name), [(title, places.among(member)) for title, places in placed], metric)
    for name, users in (groups or {}).items():
        lines += _segment(name, [(title, places.only(np.isin(places.users, users))) for title, places in placed], metric)
    return pd.DataFrame(lines)


def _segment(name: str, parts: Sequence[tuple[str, Places | None]], metric: str) -> list[dict[str, Any]]:
    there = [(title, part) for title, part in parts if part is not None and len(part.users)]
    if not there:
        return []
    sure = sampled(np.stack([part.per_user([metric])[metric] for _, part in there], axis=1))
    return [
        {"name": title, "targets": name, "users": len(part.users), short(metric): span.mean, "low": span.low, "high": span.high}
        for (title, part), span in zip(there, sure, strict=True)
    ]


def cuts(standings: Sequence[Standing], kind: str = "hit") -> pd.DataFrame:
    """A metric at every cut that was kept: columns name, k, value, low, high. "hit" needs any target, "recall" counts them."""
    placed = [(one.title, one.places) for one in standings if one.places is not None]
    if not placed:
        return pd.DataFrame()
    deep = min(places.k for _, places in placed)
    names = [f"{kind}@{k}" for k in range(1, deep + 1)]
    columns = [found[name] for found in (places.per_user(names) for _, places in placed) for name in names]
    sure = iter(sampled(np.stack(columns, axis=1)))
    rows = [(title, k, next(sure)) for title, _ in placed for k in range(1, deep + 1)]
    return pd.DataFrame([{"name": title, "k": k, "value": span.mean, "low": span.low, "high": span.high} for title, k, span in rows])


def written(span: Interval | None) -> str:
    """A number with its interval, as people read it."""
    return "" if span is None else f"{span.mean:.4f} ({span.low:.3f} to {span.high:.3f})"


def signed(span: Interval) -> str:
    """A difference with its interval."""
    return f"{span.mean:+.4f} ({span.low:+.3f} to {span.high:+.3f})"


def of_name(name: str) -> str:
    """The registered name of a baseline, from its own or from what tables call it. ValueError with the names there are."""
    known = registry.names("baseline")
    found = next((one for one in known if name.casefold() in (one.casefold(), TITLES.get(one, one).casefold())), None)
    if found is None:
        raise ValueError(f"no baseline is called {name!r:.100}: there are {', '.join(known)}")
    return found


def _reported(one: Standing, metrics: Sequence[str]) -> dict[str, Interval]:
    means, sure = one.report.get("metrics", {}), one.report.get("intervals", {})
    return {m: Interval(means[m], *sure[m]) for m in metrics if m in means and m in sure}
