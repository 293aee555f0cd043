"""A comparison as the Compare page shows it: columns of texts in groups, and its charts, each with the sentence that reads it.

Where it stands: under `scores`, over `llmrec.report` and `llmrec.view`. What it does not know: runs, Streamlit.
"""

from __future__ import annotations

import pandas as pd

from app.exhibits import dressed
from app.seam.scores import Board, Sheet
from app.seam.values import Exhibit, Trouble
from llmrec.report import standings
from llmrec.report.comparison import Comparison, clock
from llmrec.report.standings import short, signed, written

BEST, UP, DOWN = " ★", " ▲", " ▼"


def board(compared: Comparison) -> Board:
    """A comparison as a table."""
    rules = compared.ground.rules
    rest = tuple(m for m in compared.metrics if m not in rules.headline)
    accuracy = _accuracy(compared, rules.headline)
    best = standings.best(compared.table(), compared.metrics)
    shown = {
        "who": pd.DataFrame(
            [{"name": one.title, "names": one.facts.get("scheme") or "", "head": one.facts.get("head") or ""} for one in compared.standings]
        ),
        "accuracy": accuracy,
        "cuts": _accuracy(compared, rest),
        "segments": _segments(compared),
        "names": _costs(compared, ("pieces", "new rows")),
        "cost": _costs(compared, ("parameters", "steps", "training", "latency", "size")),
    }
    return Board(
        compared.said(),
        Sheet(_numbers(compared), shown, best),
        tuple(one.name for one in compared.standings),
        tuple(one.title for one in compared.standings),
        tuple(one.name for one in compared.standings if one.places is not None),
        compared.against,
    )


def exhibit(compared: Comparison, kind: str, metric: str, dark: bool) -> Exhibit:
    """One chart of the comparison."""
    if not compared.against:
        raise Trouble("Nothing is measured user by user yet: this chart comes as soon as the first is.")
    return {"differences": _differences, "segments": _parts, "cuts": _cuts, "cost": _cost}[kind](compared, metric, dark)


def _differences(compared: Comparison, metric: str, dark: bool) -> Exhibit:
    from llmrec.view import scores

    table = compared.difference_table(metric)
    if not len(table):
        raise Trouble("There is nobody to compare with yet: choose a second run or a baseline.")
    reference, column = compared.title_of(compared.against), f"difference in {short(metric)}"
    sure, after = int(table["excludes 0"].sum()), int(table["after Holm"].sum())
    caption = (
        f"Each less {reference}, user by user. A dot is the mean difference in {short(metric)}, its whisker the 95 % paired "
        f"bootstrap interval; filled where 0 lies outside: {sure} of {len(table)}. "
        f"{after} still differ after Holm's correction for {len(table)} comparisons."
    )
    figure = dressed(scores.differences(table, column, reference, dark), max(220, 90 + 44 * len(table)))
    return Exhibit("differences", f"Who differs from {reference}", caption, table, figure)


def _parts(compared: Comparison, metric: str, dark: bool) -> Exhibit:
    from llmrec.view import scores

    table = compared.segments(metric)
    caption = (
        f"{short(metric)} by how often the held-out item was taken in training: popular is the fifth taken most, rare the others. "
        "Whiskers are 95 % intervals; a segment of a handful of users says little."
    )
    return Exhibit("segments", "Popular and rare items", caption, table, dressed(scores.segments(table, short(metric), dark), 460))


def _cuts(compared: Comparison, metric: str, dark: bool) -> Exhibit:
    from llmrec.view import scores

    kind = metric.partition("@")[0]
    table = standings.cuts(compared.standings, kind)
    name = short(metric).partition("@")[0]
    caption = f"{name}@k for every length k of the list that was ranked; bands are 95 % intervals. Click a name to take its line out."
    return Exhibit("cuts", "As the list grows", caption, table, dressed(scores.cuts(table, f"{name}@k", dark), 480))


def _cost(compared: Comparison, metric: str, dark: bool) -> Exhibit:
    from llmrec.view import scores

    whole = compared.table()
    columns = {
        "latency": "milliseconds a person, log scale",
        "training": "seconds of training, log scale",
        "parameters": "weights, log scale",
        "pieces": "pieces per name, log scale",
    }
    known = {name: title for name, title in columns.items() if whole[name].notna().any()}
    if not known:
        raise Trouble("Nothing was timed yet: this chart comes as soon as the first is.")
    name = short(metric)
    table = whole[["name", name, f"{name} low", f"{name} high", *known]]
    caption = (
        f"{name} against what it takes; up and to the left is better. The buttons choose the cost. Latency was measured on this machine "
        f"({compared.machine}); what has no number for a cost, as baselines have no weights, is left out of it."
    )
    return Exhibit("cost", "Accuracy against cost", caption, table, dressed(scores.cost(table, name, known, dark), 480))


def _accuracy(compared: Comparison, metrics: tuple[str, ...]) -> pd.DataFrame:
    """Numbers with intervals as texts; the difference to the reference beside the first, marked where its interval excludes 0."""
    table: dict[str, list[str]] = {}
    for n, metric in enumerate(metrics):
        table[short(metric)] = [written(found.get(metric)) for found in compared.spans]
        if metric == compared.headline and n == 0 and compared.against and len(compared.standings) > 1:
            less = {d.name: d for d in compared.differences(metric)}
            table[f"{short(metric)} less {compared.title_of(compared.against)}"] = [
                "reference"
                if one.name == compared.against
                else ""
                if one.name not in less
                else signed(less[one.name].less)
                + ("" if not less[one.name].less.excludes_zero else UP if less[one.name].less.mean > 0 else DOWN)
                for one in compared.standings
            ]
    return pd.DataFrame(table)


def _segments(compared: Comparison) -> pd.DataFrame:
    parts = compared.segments()
    titles = [one.title for one in compared.standings]
    if not len(parts):
        return pd.DataFrame(index=range(len(titles)))
    name = short(compared.headline)
    told: dict[str, list[str]] = {}
    for target in dict.fromkeys(parts["targets"]):
        mine = parts[parts["targets"] == target].set_index("name")
        cells = [
            ""
            if title not in mine.index
            else f"{mine.loc[title, name]:.4f} ({mine.loc[title, 'low']:.3f} to {mine.loc[title, 'high']:.3f})"
            for title in titles
        ]
        told[f"{name}, {target} ({int(mine['users'].iloc[0]):,} users)"] = cells
    covered = [None if one.places is None else one.places.coverage(compared.ground.n_items) for one in compared.standings]
    return pd.DataFrame({**told, "coverage": pd.Series(covered, dtype=float)})


def _costs(compared: Comparison, names: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([one.costs.get(name) for one in compared.standings], dtype=float) for name in names})


def _numbers(compared: Comparison) -> pd.DataFrame:
    """Every number as a number, with the differences of the headline, for files."""
    whole = compared.table()
    less = {d.name: d for d in compared.differences()}
    stem = f"{short(compared.headline)} less {compared.title_of(compared.against)}"
    for what in ("mean", "low", "high"):
        column = stem if what == "mean" else f"{stem} {what}"
        values = [getattr(less[one.name].less, what) if one.name in less else None for one in compared.standings]
        whole[column] = pd.Series(values, dtype=float)
    return whole


def told(seconds: float) -> str:
    """About how long, as a button says it."""
    return f"about {clock(max(1.0, seconds))}"
