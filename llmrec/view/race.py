"""Ways to rank, timed on one person: bars that grow while they are measured.

Where it stands: on the Tour. What it does not know: heads, models, clocks: it is given milliseconds.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from llmrec.view.palette import frame, palette

WAY, MEDIAN, LEAST, MOST, CALLS = "way", "median ms", "quickest ms", "slowest ms", "calls"


def table(times: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """One line per way: the median of its calls in milliseconds, the quickest and the slowest, and how many there were."""
    lines = [
        {WAY: way, MEDIAN: round(statistics.median(ms), 2), LEAST: round(min(ms), 2), MOST: round(max(ms), 2), CALLS: len(ms)}
        for way, ms in times.items()
        if ms
    ]
    return pd.DataFrame(lines, columns=[WAY, MEDIAN, LEAST, MOST, CALLS])


def bars(measured: pd.DataFrame, dark: bool = False) -> go.Figure:
    """The medians as bars, told beside their names; quickest and slowest call as whiskers."""
    p = palette(dark)
    whiskers = {
        "type": "data",
        "symmetric": False,
        "array": measured[MOST] - measured[MEDIAN],
        "arrayminus": measured[MEDIAN] - measured[LEAST],
        "color": p.ink,
        "thickness": 1.2,
    }
    bar = go.Bar(
        x=measured[MEDIAN],
        y=list(range(len(measured))),
        orientation="h",
        marker_color=[p.categories[i % len(p.categories)] for i in range(len(measured))],
        error_x=whiskers,
        hovertemplate="%{x:.1f} ms<extra></extra>",
    )
    told = [f"{escape(str(way))}<br><b>{ms:.1f} ms</b>" for way, ms in zip(measured[WAY], measured[MEDIAN], strict=True)]
    return go.Figure(bar, layout=frame(dark)).update_layout(
        xaxis={"title": "milliseconds a person, median of the calls", "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "automargin": True, "tickvals": list(range(len(told))), "ticktext": told},
        bargap=0.35,
    )


def moving(measured: pd.DataFrame, dark: bool = False) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The same as data and a Vega-Lite specification, for as long as the race runs."""
    p = palette(dark)
    ways = measured[WAY].tolist()
    spec = {
        "mark": {"type": "bar", "cornerRadiusEnd": 4, "height": {"band": 0.6}},
        "encoding": {
            "y": {"field": WAY, "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 260}},
            "x": {"field": MEDIAN, "type": "quantitative", "title": "milliseconds a person, median so far"},
            "color": {"field": WAY, "legend": None, "scale": {"domain": ways, "range": list(p.categories[: len(ways)])}},
        },
    }
    return measured, spec
