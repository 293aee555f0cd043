"""META ID's space as it forms: every item and user at several moments of the training, with a slider and a play button inside.

Where it stands: after `moments`. What it does not know: user interfaces, how the vectors were trained.
Points keep their place in their trace from moment to moment, so that plotly can move them; they are SVG, which alone it moves smoothly.
Colour-by is a menu inside the figure; each of its entries brings its own legend of empty traces.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Interactions
from llmrec.view.kinds import Kinds, kinds, table
from llmrec.view.moments import Moments
from llmrec.view.palette import LIGHT, Palette, frame, palette

ITEMS, USERS = 1200, 400  # drawn; more would stutter
STEP = 900  # milliseconds from one moment to the next
Rows = NDArray[np.int64]


def forming(moments: Moments, catalog: Catalog, train: Interactions, dark: bool = False, focus: int | None = None) -> go.Figure:
    """The figure. Traces: users, items, the ringed item (`focus`, always drawn, or nobody), then the legend's."""
    colours = palette(dark)
    sorts = kinds(catalog, train, colours)
    items, users = drawn(moments, focus)
    ring = np.asarray([] if focus is None else [focus], dtype=np.int64)
    titles = [html.escape(catalog.titles[i]) for i in items]
    figure = go.Figure(_places(moments, (users, items, ring), 0), layout=frame(dark))
    figure.data[0].update(marker={"size": 4, "color": colours.missing, "opacity": 0.55}, name="users", hoverinfo="skip")
    figure.data[1].update(marker={"size": 7, "opacity": 0.9, "color": _colours(sorts[0], items)}, text=titles)
    figure.data[1].update(hovertemplate="%{text}<extra></extra>", showlegend=False, name="items")
    figure.data[2].update(marker={"size": 18, "symbol": "circle-open", "color": colours.accent, "line": {"width": 3}}, showlegend=False)
    figure.data[2].update(hoverinfo="skip", name="selected")
    _legend(figure, sorts)
    figure.frames = [
        go.Frame(name=str(at), data=_places(moments, (users, items, ring), at), traces=[0, 1, 2]) for at in range(len(moments.shares))
    ]
    shown = np.concatenate([np.abs(moments.items).ravel(), np.abs(moments.users).ravel()])
    edge = 1.04 * float(np.nanmax(shown, initial=0.1))
    axis: dict[str, Any] = {"visible": False, "range": [-edge, edge], "fixedrange": True}
    return figure.update_layout(
        xaxis=axis,
        yaxis=axis,
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": colours.missing, "activecolor": colours.ink},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemsizing": "constant", "itemclick": False},
        sliders=[_slider(moments, colours)],
        updatemenus=[_play(), _colour_by(figure, sorts, items, colours)],
    )


def forming_table(moments: Moments, catalog: Catalog, train: Interactions) -> pd.DataFrame:
    """Where each item that has interactions stands at each moment: `walks read`, `key`, `title`, its kinds, `x`, `y`."""
    known = np.flatnonzero(~np.isnan(moments.items[-1, :, 0]))
    named: dict[str, Any] = {"key": [catalog.item_keys[i] for i in known], "title": [catalog.titles[i] for i in known]}
    for sort in kinds(catalog, train, palette()):
        named[sort.label] = table(sort).to_numpy()[known]
    parts = [
        pd.DataFrame({"walks read": read(moments, at), **named, "x": moments.items[at, known, 0], "y": moments.items[at, known, 1]})
        for at in range(len(moments.shares))
    ]
    return pd.concat(parts, ignore_index=True)


def read(moments: Moments, at: int) -> int:
    """How many walks were read at a moment."""
    return round(float(moments.shares[at]) * moments.walks)


def drawn(moments: Moments, focus: int | None = None) -> tuple[Rows, Rows]:
    """Which items and users are drawn, ascending: all, or so many at random, the focus among them."""
    out = []
    for side, most in ((moments.items, ITEMS), (moments.users, USERS)):
        known = np.flatnonzero(~np.isnan(side[-1, :, 0]))
        out.append(known if len(known) <= most else np.sort(np.random.default_rng(0).choice(known, most, replace=False)))
    known_focus = focus is not None and not np.isnan(moments.items[-1, focus, 0])
    return np.union1d(out[0], [focus] if known_focus else []).astype(np.int64), out[1]


def _places(moments: Moments, rows: tuple[Rows, Rows, Rows], at: int) -> list[go.Scatter]:
    """Users, items and the ringed one at a moment."""
    users, items, ring = rows
    planes = (moments.users[at, users], moments.items[at, items], moments.items[at, ring])
    return [go.Scatter(x=np.round(plane[:, 0], 4), y=np.round(plane[:, 1], 4), mode="markers") for plane in planes]


def _colours(sort: Kinds, items: Rows) -> list[str]:
    return [sort.colours[kind] for kind in sort.of[items]]


def _legend(figure: go.Figure, sorts: list[Kinds]) -> None:
    """An empty trace for every kind that occurs; those of the first sorting are shown."""
    for at, sort in enumerate(sorts):
        there = set(sort.of.tolist())
        for kind, (name, colour) in enumerate(zip(sort.names, sort.colours, strict=True)):
            if kind in there:
                figure.add_scatter(
                    x=[None],
                    y=[None],
                    mode="markers",
                    name=html.escape(name)[:40],
                    marker={"color": colour},
                    visible=at == 0,
                    meta=sort.label,
                )


def _colour_by(figure: go.Figure, sorts: list[Kinds], items: Rows, colours: Palette) -> dict[str, Any]:
    """The menu: it gives the items other colours and shows the other legend."""
    buttons = []
    for sort in sorts:
        paint = [trace.marker.color for trace in figure.data]
        paint[1] = _colours(sort, items)
        seen = [at < 3 or trace.meta == sort.label for at, trace in enumerate(figure.data)]
        buttons.append({"label": sort.label, "method": "restyle", "args": [{"marker.color": paint, "visible": seen}]})
    where = {"x": 1, "xanchor": "right", "y": 0, "yanchor": "top", "pad": {"t": 6}, "direction": "up"}
    return {"buttons": buttons, "showactive": True, **where, **_readable()}


def _slider(moments: Moments, colours: Palette) -> dict[str, Any]:
    """One step a moment. What is measured stands over the slider, which alone plotly keeps in step; the ticks stay without a text."""
    steps = [
        {"label": _said(moments, at), "method": "animate", "args": [[str(at)], _moving(STEP // 2)]} for at in range(len(moments.shares))
    ]
    now = {"visible": True, "xanchor": "left", "font": {"size": 13, "color": colours.ink}, "offset": 14}
    hidden = {"color": "rgba(0,0,0,0)", "size": 1}
    looks = {"bordercolor": colours.missing, "bgcolor": colours.missing, "activebgcolor": colours.accent, "tickcolor": colours.missing}
    where = {"x": 0, "len": 1, "y": 0, "pad": {"t": 48, "b": 0}}  # under the buttons
    return {"steps": steps, "currentvalue": now, "font": hidden, **looks, **where}


def _said(moments: Moments, at: int) -> str:
    taken, chance = (f"{round(float(of[at]), 2) + 0.0:.2f}" for of in (moments.taken, moments.chance))
    return f"<b>{read(moments, at):,} walks read</b> · cosine with what one took {taken}, with anything {chance}"


def _play() -> dict[str, Any]:
    buttons = [
        {"label": "▶", "method": "animate", "args": [None, {**_moving(STEP), "fromcurrent": True}]},
        {"label": "❚❚", "method": "animate", "args": [[None], _moving(0)]},
    ]
    where = {"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "pad": {"t": 6}}
    return {"type": "buttons", "direction": "left", "showactive": False, "buttons": buttons, **where, **_readable()}


def _readable() -> dict[str, Any]:
    """Dark on light on either ground: plotly paints the button under the hand nearly white, whatever is set."""
    return {"bgcolor": LIGHT.ground, "font": {"color": LIGHT.ink}, "bordercolor": LIGHT.missing}


def _moving(milliseconds: int) -> dict[str, Any]:
    return {
        "mode": "immediate",
        "frame": {"duration": milliseconds, "redraw": False},
        "transition": {"duration": milliseconds, "easing": "cubic-in-out"},
    }
