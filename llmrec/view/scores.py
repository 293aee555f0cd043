"""Figures of a comparison: differences with whiskers, segments, the curve over cuts, accuracy against cost.

Where it stands: on the Compare page and in its report, over the tables of `report.standings`. What it does not know: runs, rankings.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from llmrec.view.palette import frame, palette

DASHES = ("solid", "dot", "dash", "longdash", "dashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")
LONGEST = 28


def look(names: Sequence[str], dark: bool = False) -> dict[str, tuple[str, str, str]]:
    """Colour, dash and symbol of each name, the same in every figure of one comparison; after nine, dash and symbol tell apart."""
    colours = palette(dark).categories
    return {
        name: (colours[n % len(colours)], DASHES[n // len(colours) % len(DASHES)], SYMBOLS[n // len(colours) % len(SYMBOLS)])
        for n, name in enumerate(names)
    }


def differences(table: pd.DataFrame, column: str, reference: str, dark: bool = False) -> go.Figure:
    """A dot and its interval for each line of `standings.difference_table`, the best on top; filled where zero lies outside."""
    chosen = palette(dark)
    rows = table.sort_values(column)
    colours = [chosen.missing if not sure else chosen.categories[1] if d < 0 else chosen.categories[2] for d, sure in _shown(rows, column)]
    figure = go.Figure(layout=frame(dark))
    figure.add_scatter(
        x=rows[column],
        y=[_short(name) for name in rows["name"]],
        mode="markers",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows[column],
            "arrayminus": rows[column] - rows["low"],
            "thickness": 2,
            "width": 5,
            "color": chosen.ink,
        },
        marker={
            "size": 12,
            "color": colours,
            "symbol": ["circle" if sure else "circle-open" for sure in rows["excludes 0"]],
            "line": {"width": 2, "color": chosen.ink},
        },
        customdata=rows[["low", "high", "better for", "worse for", "the same for", "p, Holm"]].to_numpy(),
        hovertemplate="%{y}: %{x:+.4f}<br>95 % from %{customdata[0]:+.4f} to %{customdata[1]:+.4f}<br>better for %{customdata[2]}, "
        "worse for %{customdata[3]}, the same for %{customdata[4]} users<br>p, Holm: %{customdata[5]:.4f}<extra></extra>",
        showlegend=False,
    )
    figure.add_vline(x=0, line={"color": chosen.ink, "width": 1.5, "dash": "dot"})
    title = f"{column}: less {_short(reference)}"
    return figure.update_layout(
        xaxis={"title": title, "tickformat": "+.3f", "zeroline": False}, yaxis={"automargin": True, "type": "category"}
    )


def segments(table: pd.DataFrame, metric: str, dark: bool = False) -> go.Figure:
    """A metric by segment, one dot a recommender with its interval, beside each other within a segment."""
    names = list(dict.fromkeys(table["name"]))
    parts = list(dict.fromkeys(table["targets"]))
    styles = look(names, dark)
    users = {part: int(table.loc[table["targets"] == part, "users"].iloc[0]) for part in parts}
    figure = go.Figure(layout=frame(dark))
    for n, name in enumerate(names):
        mine = table[table["name"] == name]
        colour, _, symbol = styles[name]
        step = 0.72 / max(1, len(names))
        figure.add_scatter(
            x=[parts.index(part) - 0.36 + step * (n + 0.5) for part in mine["targets"]],
            y=mine[metric],
            mode="markers",
            name=_short(name),
            marker={"size": 10, "color": colour, "symbol": symbol},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": mine["high"] - mine[metric],
                "arrayminus": mine[metric] - mine["low"],
                "color": colour,
                "thickness": 1.5,
                "width": 0,
            },
            customdata=mine[["targets", "low", "high", "users"]].to_numpy(),
            hovertemplate=f"{_short(name)}, %{{customdata[0]}}: %{{y:.4f}}<br>95 % from %{{customdata[1]:.4f}} to %{{customdata[2]:.4f}}, "
            "%{customdata[3]} users<extra></extra>",
        )
    told = [f"{escape(part)}<br>{users[part]:,} users" for part in parts]
    return figure.update_layout(
        xaxis={
            "tickvals": list(range(len(parts))),
            "ticktext": told,
            "range": [-0.5, len(parts) - 0.5],
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={"title": metric, "rangemode": "tozero"},
        legend=_LEGEND,
    )


def cuts(table: pd.DataFrame, what: str, dark: bool = False) -> go.Figure:
    """A line with its band for each recommender of `standings.cuts`: how much is found as the list grows."""
    names = list(dict.fromkeys(table["name"]))
    styles = look(names, dark)
    figure = go.Figure(layout=frame(dark))
    for name in names:
        mine = table[table["name"] == name]
        colour, dash, _ = styles[name]
        figure.add_scatter(
            x=[*mine["k"], *mine["k"][::-1]],
            y=[*mine["high"], *mine["low"][::-1]],
            fill="toself",
            fillcolor=_pale(colour),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
        )
        figure.add_scatter(
            x=mine["k"],
            y=mine["value"],
            mode="lines",
            name=_short(name),
            legendgroup=name,
            line={"color": colour, "dash": dash, "width": 2.5},
            customdata=mine[["low", "high"]].to_numpy(),
            hovertemplate=f"{_short(name)}, %{{x}} places: %{{y:.4f}} (%{{customdata[0]:.3f}} to %{{customdata[1]:.3f}})<extra></extra>",
        )
    return figure.update_layout(
        xaxis={"title": "places of the list, k", "rangemode": "tozero"},
        yaxis={"title": what, "rangemode": "tozero"},
        legend=_LEGEND,
        hovermode="closest",
    )


def cost(table: pd.DataFrame, metric: str, costs: dict[str, str], dark: bool = False) -> go.Figure:
    """Accuracy against what it took, a point each with its interval; the buttons above choose the cost. costs: column -> axis title."""
    names = list(table["name"])
    styles = look(names, dark)
    figure = go.Figure(layout=frame(dark))
    first = next(iter(costs))
    for n, name in enumerate(names):
        row = table.iloc[n]
        colour, _, symbol = styles[name]
        figure.add_scatter(
            x=[row[first]],
            y=[row[metric]],
            mode="markers",
            name=_short(name),
            marker={"size": 13, "color": colour, "symbol": symbol, "line": {"width": 1, "color": palette(dark).ink}},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [row[f"{metric} high"] - row[metric]],
                "arrayminus": [row[metric] - row[f"{metric} low"]],
                "color": colour,
                "thickness": 1.5,
                "width": 0,
            },
            hovertemplate=f"{_short(name)}: {metric} %{{y:.4f}}, %{{x:,.3~g}}<extra></extra>",
        )
    buttons = [
        {"label": column, "method": "update", "args": [{"x": [[value] for value in table[column]]}, {"xaxis.title.text": title}]}
        for column, title in costs.items()
    ]
    return figure.update_layout(
        xaxis={"title": costs[first], "type": "log"},
        yaxis={"title": metric, "rangemode": "tozero"},
        legend=_LEGEND,
        updatemenus=[
            {"type": "buttons", "direction": "right", "x": 0, "y": 1.14, "xanchor": "left", "buttons": buttons, "showactive": True}
        ],
    )


def _shown(rows: pd.DataFrame, column: str) -> list[tuple[float, bool]]:
    return list(zip(rows[column], rows["excludes 0"], strict=True))


def _short(name: str) -> str:
    told = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    return escape(told)


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.12)"


_LEGEND = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
