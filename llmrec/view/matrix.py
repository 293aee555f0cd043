"""The matrix of schemes and heads: what each name is worth behind each way of choosing, as a heat map with its numbers.

Where it stands: on the Compare page and in its report. What it does not know: runs, recipes, where numbers come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from llmrec.view.palette import LIGHT, frame, palette

LABELS = {
    "rid": "RID",
    "sid": "SID",
    "cid": "CID",
    "title": "title",
    "metaid": "META ID",
    "tiger": "TIGER",
    "tokenrec": "TokenRec",
    "cllm4rec": "CLLM4Rec",
}


class Cell(NamedTuple):
    """One pair. low, high: its 95 % interval; note: who it is, or why there is no number."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


Cells = Mapping[tuple[str, str], Cell]


def table(cells: Cells, schemes: Sequence[str], heads: Sequence[str], metric: str) -> pd.DataFrame:
    """One line a pair: scheme, head, the metric, low, high, and what is known of it."""
    lines: list[dict[str, Any]] = []
    for scheme in schemes:
        for head in heads:
            cell = cells.get((scheme, head), Cell(None))
            lines.append({"scheme": scheme, "head": head, metric: cell.value, "low": cell.low, "high": cell.high, "note": cell.note})
    return pd.DataFrame(lines).astype({metric: float, "low": float, "high": float})


def figure(cells: Cells, schemes: Sequence[str], heads: Sequence[str], metric: str, dark: bool = False) -> go.Figure:
    """A heat map, brighter for more, each number in its cell; what has none is empty and says why when pointed at."""
    chosen = palette(dark)
    grid = [[cells.get((scheme, head), Cell(None)) for head in heads] for scheme in schemes]
    values = [[cell.value for cell in row] for row in grid]
    told = [["" if cell.value is None else f"{cell.value:.4f}" for cell in row] for row in grid]
    hover = [[_told(cell) for cell in row] for row in grid]
    known = [cell.value for row in grid for cell in row if cell.value is not None]
    least, most = (min(known), max(known)) if known else (0.0, 0.0)
    made = go.Figure(layout=frame(dark))
    made.add_heatmap(
        z=values,
        x=list(heads),
        y=[escape(LABELS.get(scheme, scheme)) for scheme in schemes],
        colorscale=[[n / (len(chosen.sequence) - 1), colour] for n, colour in enumerate(chosen.sequence)],
        customdata=hover,
        hovertemplate="%{y} behind %{x}<br>%{customdata}<extra></extra>",
        hoverongaps=True,
        xgap=3,
        ygap=3,
        showscale=False,
    )
    for row, scheme in enumerate(schemes):
        for column, head in enumerate(heads):
            cell = grid[row][column]
            share = 0.0 if cell.value is None or most == least else (cell.value - least) / (most - least)
            pale = _brightness(chosen.sequence, share) > 0.21  # from here on dark letters are read better than light ones
            made.add_annotation(
                x=head,
                y=escape(LABELS.get(scheme, scheme)),
                text=told[row][column] or "–",
                showarrow=False,
                font={"color": chosen.missing if cell.value is None else (LIGHT.ink if pale else LIGHT.ground), "size": 13},
            )
    return made.update_layout(
        xaxis={"side": "top", "type": "category", "showgrid": False, "title": None},
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False, "automargin": True},
    )


def _brightness(scale: Sequence[str], share: float) -> float:
    """How bright a scale is at a share of its way, 0 to 1, as WCAG 2 counts it."""
    at = share * (len(scale) - 1)
    below = min(int(at), len(scale) - 2)
    low, high = (bytes.fromhex(scale[n][1:]) for n in (below, below + 1))
    mixed = [(a + (b - a) * (at - below)) / 255 for a, b in zip(low, high, strict=True)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mixed]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _told(cell: Cell) -> str:
    number = "" if cell.value is None else f"{cell.value:.4f}"
    sure = "" if cell.low is None or cell.high is None else f" (95 % from {cell.low:.4f} to {cell.high:.4f})"
    return "<br>".join(x for x in (f"{number}{sure}", escape(cell.note)) if x)
