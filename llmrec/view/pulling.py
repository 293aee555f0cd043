"""Two rows per item on one plane, pass by pass, and how far apart they are: mutual training as it goes.

Where it stands: on the Tour, over `lm.mutual.watch`. What it does not know: language models, pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from llmrec.contracts import Floats
from llmrec.view.palette import frame, palette

SIDES = ("by who took it", "by what is said of it")
OTHER = "other"


def plane(rows: Sequence[Floats]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middle and the two directions of greatest spread of many looks at once: (d,) and (2, d). rows: arrays (..., d)."""
    every = np.concatenate([r.reshape(-1, r.shape[-1]) for r in rows]).astype(np.float64)
    middle = every.mean(0)
    spread = (every - middle).T @ (every - middle)
    directions = np.linalg.eigh(spread)[1][:, ::-1][:, :2].T
    strongest = np.abs(directions).argmax(1)
    return middle, directions * np.sign(directions[np.arange(2), strongest])[:, None]


def table(points: NDArray[np.float64], passes: Sequence[str], titles: Sequence[str], genres: Sequence[str]) -> pd.DataFrame:
    """Every item after every pass. points: (looks, 2, m, 2): look, side, item, x and y."""
    looks, _, m, _ = points.shape
    numbers = np.repeat(np.arange(looks), m)
    columns = {
        "pass": numbers,
        "after": [passes[look] for look in range(looks) for _ in range(m)],
        "title": list(titles) * looks,
        "genre": list(genres) * looks,
    }
    for side, name in enumerate(("taken", "said")):
        for axis, letter in enumerate("xy"):
            columns[f"{name} {letter}"] = points[:, side, :, axis].reshape(-1).round(4)
    return pd.DataFrame(columns)


def pairs(
    points: NDArray[np.float64], passes: Sequence[str], titles: Sequence[str], genres: Sequence[str], dark: bool = False
) -> go.Figure:
    """Two points per item, joined by a line, coloured by genre; a slider and a play button inside the figure go through the passes."""
    groups = [g for g in dict.fromkeys(sorted(set(genres), key=lambda g: (g == OTHER, -list(genres).count(g), g)))]
    members = {g: [i for i, own in enumerate(genres) if own == g] for g in groups}
    drawn = [_traces(points[look], members, titles, dark) for look in range(len(points))]
    frames = [go.Frame(data=traces, name=str(look)) for look, traces in enumerate(drawn)]
    figure = go.Figure(data=drawn[-1], layout=frame(dark), frames=frames)
    low, high = points.min((0, 1, 2)), points.max((0, 1, 2))
    room = 0.06 * (high - low)
    plain = {"showgrid": False, "zeroline": False, "showticklabels": False}
    figure.update_layout(
        xaxis={**plain, "range": [low[0] - room[0], high[0] + room[0]]},
        yaxis={**plain, "range": [low[1] - room[1], high[1] + room[1]]},
        legend={"itemsizing": "constant", "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
    )
    return _with_controls(figure, [f"{look}: {name}" for look, name in enumerate(passes)], dark)


def _traces(look: NDArray[np.float64], members: Mapping[str, list[int]], titles: Sequence[str], dark: bool) -> list[go.Scatter]:
    """Three traces per genre: the lines between the two points of each of its items, then one side's points and the other's.

    One symbol a trace: the browser moves points from frame to frame by bending their outlines, and a dot does not bend into a diamond.
    """
    p = palette(dark)
    out = []
    for number, (genre, items) in enumerate(members.items()):
        colour = p.missing if genre == OTHER else p.categories[number % len(p.categories)]
        both = {"name": escape(genre), "legendgroup": escape(genre)}
        x, y = ([at for i in items for at in (look[0, i, axis], look[1, i, axis], None)] for axis in (0, 1))
        out.append(go.Scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 0.9}, hoverinfo="skip", showlegend=False, **both))
        for side, symbol in enumerate(("circle", "diamond-open")):
            out.append(
                go.Scatter(
                    x=look[side, items, 0],
                    y=look[side, items, 1],
                    mode="markers",
                    text=[f"{escape(titles[i])}<br>{SIDES[side]}" for i in items],
                    hovertemplate="%{text}<extra></extra>",
                    marker={"symbol": symbol, "size": 9, "color": colour},
                    showlegend=side == 0,
                    **both,
                )
            )
    return out


def _with_controls(figure: go.Figure, labels: Sequence[str], dark: bool) -> go.Figure:
    """A play button and a slider through the frames."""
    p = palette(dark)
    now = {"mode": "immediate", "fromcurrent": True, "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
    play = {**now, "frame": {"duration": 450, "redraw": False}, "transition": {"duration": 350}}
    steps = [{"label": label, "method": "animate", "args": [[str(look)], now]} for look, label in enumerate(labels)]
    slider = {
        "steps": steps,
        "active": len(steps) - 1,
        "currentvalue": {"prefix": "after pass ", "font": {"size": 13}},
        "pad": {"t": 8, "l": 8},
        "x": 0,
        "len": 1,
        "ticklen": 0,
        "minorticklen": 0,
        "font": {"color": "rgba(0,0,0,0)", "size": 1},
    }
    slider["currentvalue"]["font"]["color"] = p.ink  # type: ignore[index]
    buttons = [
        {"label": "Play", "method": "animate", "args": [[str(look) for look in range(len(labels))], {**play, "fromcurrent": False}]},
        {"label": "Stop", "method": "animate", "args": [[None], now]},
    ]
    menu = {
        "type": "buttons",
        "direction": "left",
        "buttons": buttons,
        "showactive": False,
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 78, "l": 0},
        "bgcolor": p.ground,
        "bordercolor": p.missing,
        "font": {"color": p.ink},
    }
    return figure.update_layout(sliders=[slider], updatemenus=[menu])


def apart_table(distances: Mapping[float, Floats], cosines: Mapping[float, Floats], passes: Sequence[str]) -> pd.DataFrame:
    """The mean over items after every pass, for every lambda: columns `lambda`, `pass`, `after`, `distance`, `cosine`."""
    lines = [
        {"lambda": strength, "pass": n, "after": passes[n], "distance": float(row.mean()), "cosine": float(cosines[strength][n].mean())}
        for strength, rows in distances.items()
        for n, row in enumerate(rows)
    ]
    return pd.DataFrame(lines)


def apart(told: pd.DataFrame, chosen: float, dark: bool = False) -> go.Figure:
    """Distance and cosine between the two rows of an item, pass by pass, a line per lambda; the one in hand is thick."""
    p = palette(dark)
    figure = make_subplots(rows=1, cols=2, subplot_titles=("mean distance", "mean cosine"), horizontal_spacing=0.1)
    figure.update_layout(frame(dark))
    strengths = sorted(set(told["lambda"]))
    for number, strength in enumerate(strengths):
        part = told[told["lambda"] == strength]
        colour = p.categories[number % len(p.categories)]
        for column, what in enumerate(("distance", "cosine"), 1):
            figure.add_scatter(
                x=part["pass"],
                y=part[what],
                mode="lines+markers",
                name=f"lambda {strength:g}",
                legendgroup=f"{strength:g}",
                showlegend=column == 1,
                line={"color": colour, "width": 4 if strength == chosen else 1.8},
                marker={"size": 6 if strength == chosen else 4},
                customdata=part["after"],
                hovertemplate=f"lambda {strength:g}, pass %{{x}} (%{{customdata}}): %{{y:.3f}}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(title="pass")
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(legend={"orientation": "h", "y": 1.14, "yanchor": "bottom", "x": 0})
