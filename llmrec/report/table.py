"""Table: evaluations to the one form of a report, and that to rows, Markdown and CSV.

Where it stands: last; what it makes is what `evaluate --json`, runs and benchmarks/results hold. What it does not know: models.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmrec import rng
from llmrec.report.compare import comparable, intervals
from llmrec.report.evaluate import Evaluation
from llmrec.report.protocols import headline
from llmrec.report.spreadsheet import END, harmless

Row = dict[str, Any]


def summary(
    evaluation: Evaluation,
    *,
    run: str,
    data: str,
    split: str,
    seed: int,
    baselines: Mapping[str, Evaluation] | None = None,
    draws: int = 2000,
) -> dict[str, Any]:
    """The report of one run, ready for JSON.

    {"run", "data", "split" (the protocol's name, "loo"), "part" ("test"), "seen", "n_users", "seed", "seconds", "metrics": {"hit@10": ..},
    "intervals": {"hit@10": [low, high]} at 95 %, "baselines": {"popularity": {"hit@10": ..}},
    "differences": {"popularity": {"hit@10": [mean, low, high]}}: run minus baseline, paired by user,
    "groups": {"unseen users": {"n_users", "metrics", "intervals", "baselines", "differences"}}: the same for the users told apart}.
    """
    others = baselines or {}
    for theirs in others.values():
        comparable(evaluation, theirs)
    everybody = np.ones(evaluation.n_users, dtype=bool)
    whole = _told(evaluation, others, everybody, rng.stream(seed, "bootstrap"), draws)
    return {
        "run": run,
        "data": data,
        "split": split,
        "part": evaluation.part,
        "seen": evaluation.seen,
        "n_users": evaluation.n_users,
        "seed": seed,
        "seconds": round(evaluation.seconds, 3),
        **whole,
        "metrics": evaluation.metrics,
        "baselines": {other: theirs.metrics for other, theirs in others.items()},
        "groups": {
            name: _told(evaluation, others, mask, rng.stream(seed, "bootstrap", name), draws) for name, mask in evaluation.groups.items()
        },
    }


def _told(
    evaluation: Evaluation, others: Mapping[str, Evaluation], mask: NDArray[np.bool_], draw: np.random.Generator, draws: int
) -> dict[str, Any]:
    """The means of some users, of the run and of each baseline, and their intervals."""
    names = list(evaluation.per_user)
    own = np.stack([evaluation.per_user[name][mask] for name in names], axis=1)  # (n, metrics)
    apart = [own - np.stack([theirs.per_user[name][mask] for name in names], axis=1) for theirs in others.values()]
    # one iterator feeds both dictionaries: first the run's own columns, then those of each baseline
    sure = iter(intervals(np.concatenate([own, *apart], axis=1), draw, draws))
    return {
        "n_users": int(mask.sum()),
        "metrics": _means(evaluation, mask),
        "intervals": {name: [i.low, i.high] for name, i in zip(names, sure, strict=False)},
        "baselines": {other: _means(theirs, mask) for other, theirs in others.items()},
        "differences": {other: {name: [i.mean, i.low, i.high] for name, i in zip(names, sure, strict=False)} for other in others},
    }


def _means(evaluation: Evaluation, mask: NDArray[np.bool_]) -> dict[str, float]:
    return {name: float(values[mask].mean()) for name, values in evaluation.per_user.items()}


def rows(report: Mapping[str, Any], metrics: Sequence[str] | None = None) -> list[Row]:
    """One row per recommender of a report: the baselines, then the run. Each row carries data, split, seen, n_users and seed.

    metrics: the columns; the protocol's headline unless told otherwise.
    """
    columns = headline(report, report["metrics"]) if metrics is None else tuple(metrics)
    told = {key: report[key] for key in ("data", "split", "part", "seen", "n_users", "seed")}
    measured = [*report["baselines"].items(), (report["run"], report["metrics"])]
    for name, values in measured:
        for metric in columns:
            if metric not in values:
                raise ValueError(f"{name} has no {metric!r}; there are {', '.join(values)}")
    return [{"recommender": name, **{m: values[m] for m in columns}, **told} for name, values in measured]


def markdown(table: Sequence[Row]) -> str:
    """Rows as a Markdown table, numbers to four places. A bar or line break in a cell is escaped."""
    if not table:
        return ""
    head = list(table[0])
    lines = [head, ["---"] * len(head), *([_cell(row[name]) for name in head] for row in table)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def to_csv(table: Sequence[Row]) -> str:
    """Rows as CSV with a header, numbers in full; no text is a formula to a spreadsheet."""
    if not table:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=END)
    lines = [list(table[0]), *([row[name] for name in table[0]] for row in table)]
    writer.writerows([harmless(value) for value in line] for line in lines)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ").replace("\r", " ")
