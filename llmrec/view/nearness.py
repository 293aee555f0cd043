"""Where a prompt leads in the items' space: the projected state, the items nearest to it, the history and the followed item on a plane.

Where it stands: on the X-ray page, over the retrieve head. What it does not know: models, pages, how the plane was made.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Literal, NamedTuple

import plotly.graph_objects as go

from llmrec.view.palette import frame, palette

CHARS = 40  # of the followed item's title
Role = Literal["query", "near", "history", "followed"]


class Spot(NamedTuple):
    """One point. cosine: to the query."""

    x: float
    y: float
    role: Role
    label: str
    cosine: float


def nearness(spots: Sequence[Spot], dark: bool = False) -> go.Figure:
    """The figure; points of one role can be switched off in the legend."""
    colours = palette(dark)
    figure = go.Figure(layout=frame(dark))
    looks = (
        ("history", "told: the history", "circle-open", 8, colours.categories[2], "markers"),
        ("near", "nearest items", "circle", 9, colours.categories[0], "markers"),
        ("followed", "the followed item", "diamond", 14, colours.accent, "markers+text"),
        ("query", "where the prompt leads", "star", 17, colours.ink, "markers"),
    )
    for role, name, symbol, size, colour, mode in looks:
        mine = [s for s in spots if s.role == role]
        if mine:
            figure.add_scatter(
                x=[s.x for s in mine],
                y=[s.y for s in mine],
                mode=mode,
                name=name,
                text=[html.escape(s.label if len(s.label) <= CHARS else f"{s.label[: CHARS - 1]}…") for s in mine],
                textposition="bottom center",
                customdata=[html.escape(s.label) + ("" if role == "query" else f"<br>cosine {s.cosine:.3f}") for s in mine],
                hovertemplate="%{customdata}<extra></extra>",
                marker={"symbol": symbol, "size": size, "color": colour, "line": {"width": 1.5, "color": colour}},
            )
    return figure.update_layout(
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        dragmode="pan",
        hovermode="closest",
    )
