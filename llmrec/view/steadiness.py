"""How often codes stay the same under masks, and what the sizes of the books cost: quantizers compared, each figure with its table.

Where it stands: on the Tour, beside `quantizing`. What it does not know: how quantizers learn, pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from llmrec.contracts import Floats, Quantizer
from llmrec.ids.vq import holes
from llmrec.view.palette import frame, palette

DASHES = ("solid", "dash", "dot", "dashdot")  # so that lines are told apart without colour
QUANTIZER, SHARE, CODES, NAMES = "quantizer", "hidden", "codes kept", "names kept"


def curve(
    quantizers: Mapping[str, Quantizer],
    mean: Floats,
    rows: Floats,
    shares: Sequence[float],
    draws: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Each quantizer under the same masks: a line per quantizer and share of hidden numbers, averaged over rows and draws.

    Columns `quantizer`, `hidden` (0..1), `codes kept` (of all codes) and `names kept` (all codes of a name).
    """
    lines = []
    for share in shares:
        hidden = holes.drawn((len(rows), draws, rows.shape[1]), share, rng)
        for name, quantizer in quantizers.items():
            same = holes.kept(quantizer, mean, rows, hidden)
            lines.append({QUANTIZER: name, SHARE: share, CODES: float(same.mean()), NAMES: float(same.all(-1).mean())})
    return pd.DataFrame(lines)


def steadiness(table: pd.DataFrame, one: pd.DataFrame, share: float, dark: bool = False) -> go.Figure:
    """A line per quantizer over the share of hidden numbers; one item at the share in hand as diamonds. one: lines as of `curve`."""
    p = palette(dark)
    figure = go.Figure(layout=frame(dark))
    for number, name in enumerate(dict.fromkeys(table[QUANTIZER])):
        part, own = table[table[QUANTIZER] == name], one[one[QUANTIZER] == name]
        colour = p.categories[number % len(p.categories)]
        hover = f"{name}, %{{x:.0%}} hidden: %{{y:.0%}} of codes kept<extra></extra>"
        line = {"color": colour, "width": 4 if number == 0 else 2.5, "dash": DASHES[number % len(DASHES)]}
        figure.add_scatter(
            x=part[SHARE],
            y=part[CODES],
            mode="lines+markers",
            name=name,
            legendgroup=name,
            line=line,
            marker={"size": 6},
            hovertemplate=hover,
        )
        mark = {"symbol": "diamond", "size": 12, "color": colour, "line": {"color": p.ink, "width": 1}}
        figure.add_scatter(
            x=own[SHARE], y=own[CODES], mode="markers", name=name, legendgroup=name, showlegend=False, marker=mark, hovertemplate=hover
        )
    figure.add_vline(x=share, line={"color": p.accent, "dash": "dot", "width": 1.5})
    return figure.update_layout(
        xaxis={"title": "share of numbers hidden", "tickformat": ".0%", "range": [-0.02, 0.93]},
        yaxis={"title": "codes that stay the same", "tickformat": ".0%", "range": [0, 1.03]},
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )


def sizes(table: pd.DataFrame, what: str, chosen: tuple[int, int], dark: bool = False, share: bool = False) -> go.Figure:
    """One measure against the codes of a book, a line per number of books. table: columns `books`, `codes` and `what`; chosen: ringed."""
    p = palette(dark)
    figure = go.Figure(layout=frame(dark))
    form = ".0%" if share else ".3f"
    for books in sorted(set(table["books"])):
        part = table[table["books"] == books].sort_values("codes")
        colour = p.categories[(books - 1) % len(p.categories)]
        figure.add_scatter(
            x=part["codes"],
            y=part[what],
            mode="lines+markers",
            name=f"{books} book{'s' if books > 1 else ''}",
            line={"color": colour, "width": 2.5},
            marker={"size": 8},
            hovertemplate=f"{books} x %{{x}} codes: %{{y:{form}}}<extra></extra>",
        )
    here = table[(table["books"] == chosen[0]) & (table["codes"] == chosen[1])]
    ring = {"size": 19, "symbol": "circle-open", "color": p.accent, "line": {"width": 3}}
    figure.add_scatter(x=here["codes"], y=here[what], mode="markers", name="chosen", showlegend=False, marker=ring, hoverinfo="skip")
    ticks = sorted(set(table["codes"]))
    return figure.update_layout(
        xaxis={"title": "codes in a book", "type": "log", "tickvals": ticks, "ticktext": [str(t) for t in ticks]},
        yaxis={"title": what, "tickformat": ".0%" if share else None, "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.15, "x": 0},
        showlegend=True,
    )
