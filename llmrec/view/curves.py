"""Two figures of a training, each with its table: the loss step by step, and what was measured on validation, the best marked.

Where it stands: on the Train page, over what a run's events say. What it does not know: events, runs, pages. `moving` gives the same
lines as a Vega-Lite specification: a page that draws a curve again every second can change its data and need not draw it anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from llmrec.view.palette import frame, palette

DRAWN = 600  # points of a line: more than a screen can tell apart
SHOWN = ("ndcg", "hit", "recall", "mrr")  # the first two of these that were measured are drawn; the table has all


class Loss(NamedTuple):
    """One point of the loss. phase: what was being learned ("fine-tuning"), "" where there is but one thing."""

    step: int
    loss: float
    phase: str = ""


class Measured(NamedTuple):
    """One reading of validation. metrics: by name; best: the best so far."""

    step: int
    metrics: Mapping[str, float]
    best: bool = False


def loss_table(points: Sequence[Loss]) -> pd.DataFrame:
    """Columns `step`, `loss`, and `phase` where there is any, in order of step. A step that was trained twice, before and after a kill,
    stands once, as last."""
    last = {p.step: p for p in points}
    kept = [last[step] for step in sorted(last)]
    table = pd.DataFrame({"step": [p.step for p in kept], "loss": [p.loss for p in kept]})
    return table.assign(phase=[p.phase for p in kept]) if any(p.phase for p in kept) else table


def validation_table(points: Sequence[Measured]) -> pd.DataFrame:
    """Columns `step`, one per metric, and `best` ("best" in the row of the model that is kept); a step stands once, as last."""
    last = {p.step: p for p in points}
    kept = [last[step] for step in sorted(last)]
    names = list(dict.fromkeys(name for p in kept for name in p.metrics))
    chosen = max((p.step for p in kept if p.best), default=None)
    return pd.DataFrame(
        {
            "step": [p.step for p in kept],
            **{name: [p.metrics.get(name) for p in kept] for name in names},
            "best": ["best" if p.step == chosen else "" for p in kept],
        }
    )


def loss(table: pd.DataFrame, steps: int | None = None, dark: bool = False) -> go.Figure:
    """The lines of a `loss_table`, one per phase; `steps`: how many there will be, so that the way still to go is seen."""
    colours = palette(dark).categories
    figure = go.Figure(layout=frame(dark))
    named = table["phase"] if "phase" in table.columns else pd.Series("", index=table.index)
    phases = list(dict.fromkeys(named))
    for number, phase in enumerate(phases):
        mine = thinned(table[named == phase], DRAWN)
        figure.add_scatter(
            x=mine["step"],
            y=mine["loss"],
            mode="lines+markers" if len(mine) < 3 else "lines",
            name=phase or "loss",
            line={"color": colours[number % len(colours)], "width": 2.5},
            hovertemplate="step %{x:,}: loss %{y:.3f}<extra></extra>",
        )
    return _along(figure, "loss", steps, legend=len(phases) > 1)


def validation(table: pd.DataFrame, steps: int | None = None, dark: bool = False) -> go.Figure:
    """The lines of a `validation_table`, one per metric that is `drawn`, with a ring where the kept model stands."""
    chosen = palette(dark)
    figure = go.Figure(layout=frame(dark))
    best = table[table["best"] == "best"]
    for number, name in enumerate(drawn(table)):
        colour = chosen.categories[number % len(chosen.categories)]
        figure.add_scatter(
            x=table["step"],
            y=table[name],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2.5},
            marker={"size": 7},
            hovertemplate=f"step %{{x:,}}: {name} %{{y:.4f}}<extra></extra>",
        )
        figure.add_scatter(
            x=best["step"],
            y=best[name],
            mode="markers",
            name="best",
            showlegend=number == 0 and len(best) > 0,
            marker={"size": 15, "symbol": "circle-open", "color": chosen.accent, "line": {"width": 3}},
            hovertemplate=f"best: {name} %{{y:.4f}} at step %{{x:,}}<extra></extra>",
        )
    return _along(figure, "measured", steps, legend=True)


def moving(table: pd.DataFrame, steps: int | None = None, dark: bool = False) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The lines of either table as a long table (`step`, `value`, `line`, `best`) and the Vega-Lite specification that draws it."""
    names = ["loss"] if "loss" in table.columns else drawn(table)
    parts = [pd.DataFrame({"step": table["step"], "value": table[name], "line": name, "best": table.get("best", "")}) for name in names]
    long = pd.concat([thinned(part, DRAWN) for part in parts], ignore_index=True).dropna(subset=["value"])
    chosen = palette(dark)
    x: dict[str, Any] = {"field": "step", "type": "quantitative", "title": "step", "axis": {"tickCount": 5}}
    x["scale"] = {"domain": [0, steps]} if steps else {"domainMin": 0}
    y = {"field": "value", "type": "quantitative", "title": None, "scale": {"zero": False}}
    colour = {
        "field": "line",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": list(chosen.categories[: len(names)])},
        "legend": {"orient": "top"} if len(names) > 1 else None,
    }
    tips = [{"field": "line"}, {"field": "step"}, {"field": "value", "format": ".4f"}]
    lines: dict[str, Any] = {
        "mark": {"type": "line", "strokeWidth": 2.5, "point": len(long) < 60 * len(names)},
        "encoding": {"x": x, "y": y, "color": colour, "tooltip": tips},
    }
    ring: dict[str, Any] = {
        "mark": {"type": "point", "size": 180, "strokeWidth": 3, "color": chosen.accent},
        "transform": [{"filter": "datum.best == 'best'"}],
        "encoding": {"x": x, "y": y},
    }
    return long, {"layer": [lines, ring]}


def metrics(table: pd.DataFrame) -> list[str]:
    """The metrics of a `validation_table`."""
    return [name for name in table.columns if name not in ("step", "best")]


def drawn(table: pd.DataFrame) -> list[str]:
    """The two metrics of a `validation_table` that say most."""
    found = metrics(table)
    known = [name for stem in SHOWN for name in found if name.partition("@")[0] == stem]
    return known[:2] or found[:2]


def said(table: pd.DataFrame) -> str:
    """A `loss_table` or `validation_table` as one sentence, for those who do not see its figure."""
    if not len(table):
        return "Nothing was measured yet."
    first, last = table.iloc[0], table.iloc[-1]
    if "loss" in table.columns:
        return f"Training loss from {first['loss']:.3f} at step {int(first['step']):,} to {last['loss']:.3f} at step {int(last['step']):,}."
    best = table[table["best"] == "best"]
    row, where = (best.iloc[0], "at best") if len(best) else (last, "last")
    numbers = ", ".join(f"{name} {row[name]:.4f}" for name in drawn(table) if pd.notna(row[name]))
    return f"Validation, read {len(table)} times: {where} {numbers} at step {int(row['step']):,}."


def thinned(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly taken, the first and the last among them."""
    if len(table) <= most:
        return table
    places = sorted({round(i * (len(table) - 1) / (most - 1)) for i in range(most)})
    return table.iloc[places]


def _along(figure: go.Figure, what: str, steps: int | None, legend: bool) -> go.Figure:
    span = {} if steps is None else {"range": [0, steps]}
    return figure.update_layout(
        xaxis={"title": "step", "rangemode": "tozero", **span},
        yaxis={"title": what},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
    )
