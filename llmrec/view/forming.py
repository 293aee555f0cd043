"""META ID's space as it forms: every item and user at several moments of the training, with a slider and a play button inside.

Where it stands: after `moments`. What it does not know: user interfaces, how the vectors were trained.
Points keep their place in their trace from moment to moment, so that plotly can move them; they are SVG, which alone it moves smoothly.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Interactions
from llmrec.view.moments import Moments
from llmrec.view.palette import frame, palette

ITEMS, USERS = 1200, 400  # drawn; more would stutter
KINDS = 7  # kinds of items with a colour of their own
STEP = 900  # milliseconds from one moment to the next
THIRDS = ("taken most", "taken now and then", "taken least")


def forming(moments: Moments, catalog: Catalog, train: Interactions, dark: bool = False, focus: int | None = None) -> go.Figure:
    """The figure. focus: an item that is always drawn, ringed."""
    colours = palette(dark)
    kinds, names = grouped(catalog, train)
    items, users = drawn(moments, focus)
    parts = [np.asarray([i for i in items if kinds[i] == kind], dtype=np.int64) for kind in range(len(names))]
    last = len(moments.shares) - 1
    traces = [_points(moments, "users", users, 0, {"size": 4, "color": colours.missing, "opacity": 0.45}, "users")]
    for kind, rows in enumerate(parts):
        colour = colours.categories[kind] if kind < len(colours.categories) - 1 else colours.missing
        marker = {"size": 7, "color": colour, "opacity": 0.85, "line": {"width": 0.5, "color": colours.ground}}
        text = [html.escape(catalog.titles[i]) for i in rows]
        traces.append(_points(moments, "items", rows, 0, marker, names[kind], text))
    if focus is not None:
        ring = {"size": 18, "symbol": "circle-open", "color": colours.accent, "line": {"width": 3}}
        traces.append(_points(moments, "items", np.asarray([focus]), 0, ring, catalog.titles[focus], [html.escape(catalog.titles[focus])]))
    order = [("users", users), *(("items", rows) for rows in parts), *([("items", np.asarray([focus]))] if focus is not None else [])]
    figure = go.Figure(traces, layout=frame(dark))
    figure.frames = [
        go.Frame(
            name=str(at), data=[_places(moments, side, rows, at) for side, rows in order], layout={"annotations": [_said(moments, at)]}
        )
        for at in range(len(moments.shares))
    ]
    edge = 1.06 * float(np.nanmax(np.abs([*moments.items[last].ravel(), *moments.users[last].ravel()]), initial=0.1))
    axis: dict[str, Any] = {"visible": False, "range": [-edge, edge], "fixedrange": True}
    return figure.update_layout(
        xaxis=axis,
        yaxis=axis,
        annotations=[_said(moments, 0)],
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemsizing": "constant"},
        sliders=[_slider(moments)],
        updatemenus=[_play()],
    )


def forming_table(moments: Moments, catalog: Catalog, train: Interactions) -> pd.DataFrame:
    """Where each item that has interactions stands at each moment: `walks read`, `key`, `title`, `kind`, `x`, `y`."""
    kinds, names = grouped(catalog, train)
    known = np.flatnonzero(~np.isnan(moments.items[-1, :, 0]))
    parts = [
        pd.DataFrame(
            {
                "walks read": round(float(share) * moments.walks),
                "key": [catalog.item_keys[i] for i in known],
                "title": [catalog.titles[i] for i in known],
                "kind": [names[kinds[i]] for i in known],
                "x": moments.items[at, known, 0],
                "y": moments.items[at, known, 1],
            }
        )
        for at, share in enumerate(moments.shares)
    ]
    return pd.concat(parts, ignore_index=True)


def grouped(catalog: Catalog, train: Interactions) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(m,) kind of each item, and the kinds' names: the commonest first genres and "other"; without genres how often it is taken."""
    genres = catalog.items["genres"] if "genres" in catalog.items else [None] * len(catalog.items)
    first = [str(g[0]) if g is not None and not isinstance(g, float) and len(g) else "" for g in genres]
    if any(first):
        count = pd.Series([g for g in first if g]).value_counts(sort=True)
        kept = sorted(count.index, key=lambda g: (-int(count[g]), str(g)))[:KINDS]
        place = {str(genre): at for at, genre in enumerate(kept)}
        return np.asarray([place.get(g, len(kept)) for g in first]), (*map(str, kept), "other")
    taken = np.bincount(train.item, minlength=train.n_items)
    rank = np.argsort(np.argsort(-taken, kind="stable"), kind="stable")
    return rank * len(THIRDS) // max(1, len(rank)), THIRDS


def drawn(moments: Moments, focus: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which items and users are drawn, ascending: all, or so many at random, the focus among them."""
    out = []
    for side, most in ((moments.items, ITEMS), (moments.users, USERS)):
        known = np.flatnonzero(~np.isnan(side[-1, :, 0]))
        chosen = known if len(known) <= most else np.sort(np.random.default_rng(0).choice(known, most, replace=False))
        out.append(chosen)
    items = np.union1d(out[0], [focus]) if focus is not None and not np.isnan(moments.items[-1, focus, 0]) else out[0]
    return items.astype(np.int64), out[1]


def _points(
    moments: Moments, side: str, rows: NDArray[np.int64], at: int, marker: dict[str, Any], name: str, text: list[str] | None = None
) -> go.Scatter:
    place = _places(moments, side, rows, at)
    hover = {"hoverinfo": "skip"} if text is None else {"text": text, "hovertemplate": "%{text}<extra></extra>"}
    return place.update(mode="markers", marker=marker, name=html.escape(name)[:40], **hover)


def _places(moments: Moments, side: str, rows: NDArray[np.int64], at: int) -> go.Scatter:
    plane = (moments.items if side == "items" else moments.users)[at, rows]
    return go.Scatter(x=np.round(plane[:, 0], 4), y=np.round(plane[:, 1], 4))


def _said(moments: Moments, at: int) -> dict[str, Any]:
    """What is measured at a moment, inside the figure."""
    read = f"{round(float(moments.shares[at]) * moments.walks):,} of {moments.walks:,} walks read"
    cosine = f"cosine of people and what they took {moments.taken[at]:.2f}, of people and anything {moments.chance[at]:.2f}"
    where = {"xref": "paper", "yref": "paper", "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left"}
    return {"text": f"<b>{read}</b><br>{cosine}", **where}


def _slider(moments: Moments) -> dict[str, Any]:
    steps = [
        {"label": f"{share:.0%}", "method": "animate", "args": [[str(at)], _moving(STEP // 2, "immediate")]}
        for at, share in enumerate(moments.shares)
    ]
    return {"steps": steps, "x": 0.09, "len": 0.91, "y": 0, "pad": {"t": 24, "b": 4}, "currentvalue": {"visible": False}}


def _play() -> dict[str, Any]:
    buttons = [
        {"label": "▶", "method": "animate", "args": [None, {**_moving(STEP, "immediate"), "fromcurrent": True}]},
        {"label": "❚❚", "method": "animate", "args": [[None], _moving(0, "immediate")]},
    ]
    where = {"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "pad": {"t": 24, "r": 8}}
    return {"type": "buttons", "direction": "left", "showactive": False, "buttons": buttons, **where}


def _moving(milliseconds: int, mode: str) -> dict[str, Any]:
    return {
        "mode": mode,
        "frame": {"duration": milliseconds, "redraw": False},
        "transition": {"duration": milliseconds, "easing": "cubic-in-out"},
    }
