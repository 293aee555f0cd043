"""Probabilities as bars: what may come next, which item, and how much each piece of a name gives.

Where it stands: on the X-ray page, over what a head computed. What it does not know: models, pages.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from llmrec.view.palette import frame, palette

ROW, ROUND = 26, 70  # pixels a bar, and above and below all bars
CHARS = 26


class Bar(NamedTuple):
    """One bar. tone: its colour (`levels`), None for text; legal: whether a ranking may take it; marked: it is what is followed;
    about: what else a pointer is told; said: its number as written, "" for so many places as it needs."""

    label: str
    p: float
    tone: int | None = None
    legal: bool = True
    marked: bool = False
    about: tuple[str, ...] = ()
    said: str = ""


def bars(given: Sequence[Bar], what: str = "probability", dark: bool = False) -> go.Figure:
    """Bars from above, likeliest first; what may not be taken is hatched, what is followed has the accent's edge."""
    colours = palette(dark)
    fill = [colours.missing if bar.tone is None else colours.categories[bar.tone] for bar in given]
    figure = go.Figure(layout=frame(dark))
    figure.add_bar(
        x=[bar.p for bar in given],
        y=list(range(len(given))),
        orientation="h",
        text=[bar.said or _number(bar.p) for bar in given],
        textposition="outside",
        cliponaxis=False,
        marker={
            "color": fill,
            "pattern": {"shape": ["" if bar.legal else "/" for bar in given], "fgcolor": colours.ground, "solidity": 0.5},
            "line": {"color": [colours.accent if bar.marked else one for bar, one in zip(given, fill, strict=True)], "width": 2},
        },
        customdata=["<br>".join(html.escape(line) for line in (f"{bar.label}: {bar.said or _number(bar.p)}", *bar.about)) for bar in given],
        hovertemplate="%{customdata}<extra></extra>",
    )
    most, least = max((bar.p for bar in given), default=1.0), min((bar.p for bar in given), default=0.0)
    return _lying(
        figure, [f"▸ {bar.label}" if bar.marked else bar.label for bar in given], what, [min(0.0, least * 1.22), max(most * 1.22, 1e-9)]
    )


def stacked(labels: Sequence[str], parts: Sequence[Sequence[tuple[str, float, int | None]]], what: str, dark: bool = False) -> go.Figure:
    """One bar a label, made of parts: (piece, amount, tone)."""
    colours = palette(dark)
    figure = go.Figure(layout=frame(dark))
    for place in range(max((len(p) for p in parts), default=0)):
        mine = [(row, *p[place]) for row, p in enumerate(parts) if place < len(p)]
        figure.add_bar(
            x=[amount for _, _, amount, _ in mine],
            y=[row for row, *_ in mine],
            orientation="h",
            marker={"color": [colours.missing if tone is None else colours.categories[tone] for *_, tone in mine]},
            opacity=1.0 if place == 0 else 0.6,
            text=[html.escape(piece) for _, piece, _, _ in mine],
            customdata=[html.escape(f"{piece} gives {amount:.2f}") for _, piece, amount, _ in mine],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(barmode="relative")
    return _lying(figure, labels, what, None)


def height(figure: go.Figure) -> int:
    """How tall it wants to be, in pixels."""
    return int(figure.layout.height)


def _lying(figure: go.Figure, labels: Sequence[str], what: str, span: list[float] | None) -> go.Figure:
    told = [html.escape(one if len(one) <= CHARS else f"{one[: CHARS - 1]}…") for one in labels]
    return figure.update_layout(
        xaxis={"title": {"text": what, "font": {"size": 12}}, "range": span, "zeroline": True},
        yaxis={"tickvals": list(range(len(told))), "ticktext": told, "range": [len(told) - 0.4, -0.6], "automargin": True},
        bargap=0.25,
        height=ROUND + ROW * max(1, len(told)),
        showlegend=False,
    )


def _number(p: float) -> str:
    return f"{p:.3f}" if abs(p) >= 0.001 or p == 0 else f"{p:.1e}"
