"""The map: every user and item as a point, coloured by coarse Token, genre, year or popularity without leaving the page.

Where it stands: after the projection; it reads names, catalogue and interactions. What it does not know: user interfaces, models.
Colour-by is a menu inside the figure (`updatemenus` restyles), so zoom and selection survive it. Every point carries
`customdata = [side, index]`: read selections by it, never by the point's number.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from llmrec.contracts import Catalog, Floats, IdTable, Interactions, Ints
from llmrec.ids.lookup import Side, written
from llmrec.view.levels import Levels, coloured
from llmrec.view.palette import Palette, frame, palette, smooth, stepped
from llmrec.view.project import Projection

LIMIT = 20_000
_MISSING_SHARE = 0.05


@dataclass(frozen=True)
class Colouring:
    """One way to colour the points. items: (m,) float32; users: (n,) float32; all within `cmin` and `cmax` of a plotly colour scale."""

    label: str
    items: Floats
    users: Floats
    scale: list[list[float | str]]
    cmin: float
    cmax: float
    ticks: tuple[tuple[float, str], ...] = ()


def atlas(
    projection: Projection,
    catalog: Catalog,
    table: IdTable | None = None,
    train: Interactions | None = None,
    selected: tuple[Side, int] | None = None,
    dark: bool = False,
    limit: int = LIMIT,
    seed: int = 0,
) -> go.Figure:
    """The figure. More than `limit` points are sampled, users and items alike, and the title says so; the selected point is always drawn.

    Traces are items, users and, where asked for, the selected point; traces 0 and 1 are the ones the menu restyles.
    """
    colours = palette(dark)
    rows, total = _sample(projection, limit, seed)
    colourings = _colourings(projection, catalog, table, train, colours)
    traces = [_trace(side, projection, rows[side], catalog, table, colourings[0], colours) for side in ("item", "user")]
    figure = go.Figure(traces, layout=frame(dark))
    drawn = len(rows["item"]) + len(rows["user"])
    shown = f"{drawn:,} users and items" if drawn == total else f"{drawn:,} of {total:,} users and items, drawn at random"
    trust = f"trustworthiness {projection.trustworthiness:.2f}, kNN overlap {projection.knn_overlap:.2f}"
    buttons = [{"label": c.label, "method": "restyle", "args": [_restyle(c, rows), [0, 1]]} for c in colourings]
    figure.update_layout(
        title={"text": f"{projection.method} of {shown}<br><sup>{trust} (on {projection.scored:,} points)</sup>", "y": 0.97},
        updatemenus=[{"buttons": buttons, "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom", "direction": "down"}],
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        legend={"orientation": "h", "y": -0.02},
        dragmode="pan",
        margin={"l": 8, "r": 8, "t": 88, "b": 8},
    )
    return figure if selected is None else highlight(figure, projection, *selected, dark=dark)


def highlight(figure: go.Figure, projection: Projection, side: Side, index: int, dark: bool = False) -> go.Figure:
    """Ring one point, in place of the ring before. A point that is not on the map leaves the figure without a ring."""
    figure.data = tuple(trace for trace in figure.data if trace.name != "selected")
    x, y = (projection.items if side == "item" else projection.users)[index]
    if np.isnan(x):
        return figure
    ring = {"size": 20, "symbol": "circle-open", "color": palette(dark).accent, "line": {"width": 3}}
    return figure.add_trace(go.Scattergl(x=[x], y=[y], mode="markers", marker=ring, name="selected", hoverinfo="skip"))


def _sample(projection: Projection, limit: int, seed: int) -> tuple[dict[Side, Ints], int]:
    """Rows to draw of either side, ascending, and how many could be drawn."""
    items = np.flatnonzero(~np.isnan(projection.items[:, 0]))
    users = np.flatnonzero(~np.isnan(projection.users[:, 0]))
    total = len(items) + len(users)
    if total > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(total, limit, replace=False))
        items, users = items[chosen[chosen < len(items)]], users[chosen[chosen >= len(items)] - len(items)]
    return {"item": items, "user": users}, total


def _trace(
    side: Side, projection: Projection, rows: Ints, catalog: Catalog, table: IdTable | None, first: Colouring, colours: Palette
) -> go.Scattergl:
    plane = (projection.items if side == "item" else projection.users)[rows]
    called = catalog.titles if side == "item" else [f"user {key}" for key in catalog.user_keys]
    names = None if table is None else (table.items if side == "item" else table.users)
    name = [""] * len(rows) if names is None else ["<br>" + html.escape(written(names.spell(int(row)))) for row in rows]
    return go.Scattergl(
        x=plane[:, 0],
        y=plane[:, 1],
        mode="markers",
        name=f"{side}s",
        # titles come from files: escaped, or a title could put markup on the page
        text=[html.escape(called[row]) + n for row, n in zip(rows, name, strict=True)],
        hovertemplate="%{text}<extra></extra>",
        customdata=[[side, int(row)] for row in rows],
        marker={
            "size": 6 if side == "item" else 5,
            "symbol": "circle" if side == "item" else "diamond-open",
            "opacity": 0.85,
            "color": _values(first, side)[rows],
            "colorscale": first.scale,
            "cmin": first.cmin,
            "cmax": first.cmax,
            "showscale": side == "item" and bool(first.ticks),
            "colorbar": {**_bar(first), "thickness": 12, "len": 0.7},
            "line": {"width": 0 if side == "item" else 1, "color": colours.ground if side == "item" else None},
        },
    )


def _restyle(c: Colouring, rows: dict[Side, Ints]) -> dict[str, Any]:
    """What the menu changes on traces 0 (items) and 1 (users). A list value goes trace by trace."""
    bar = _bar(c)
    return {
        "marker.color": [c.items[rows["item"]].tolist(), c.users[rows["user"]].tolist()],
        "marker.colorscale": [c.scale, c.scale],
        "marker.cmin": c.cmin,
        "marker.cmax": c.cmax,
        "marker.showscale": [bool(c.ticks), False],
        "marker.colorbar.tickvals": [bar["tickvals"], bar["tickvals"]],
        "marker.colorbar.ticktext": [bar["ticktext"], bar["ticktext"]],
    }


def _bar(c: Colouring) -> dict[str, Any]:
    return {"tickvals": [value for value, _ in c.ticks], "ticktext": [html.escape(text) for _, text in c.ticks]}


def _values(c: Colouring, side: Side) -> Floats:
    return c.items if side == "item" else c.users


def _colourings(
    projection: Projection, catalog: Catalog, table: IdTable | None, train: Interactions | None, colours: Palette
) -> list[Colouring]:
    """Every colouring the data allows, coarse Token first where names begin with one."""
    n_items, n_users = len(projection.items), len(projection.users)
    nobody = np.full(n_users, np.nan)
    found: list[Colouring] = []
    if table is not None and coloured(table.items.books[0]):
        found.append(_by_token(table, n_users, colours))
    if "genres" in catalog.items:
        found.append(_by_genre(catalog, nobody, colours))
    if "year" in catalog.items:
        years = catalog.items["year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        found.append(_ordered("year", years, nobody, colours))
    if train is not None:
        counts = np.log10(1 + np.bincount(train.item, minlength=n_items)), np.log10(1 + np.diff(train.offsets))
        found.append(_ordered("popularity", *counts, colours, spell=lambda v: f"{10**v - 1:,.0f}"))
    sides = np.zeros(n_items), np.ones(n_users)
    return [*found, _stepped("user or item", *sides, ("items", "users"), colours)]


def _by_token(table: IdTable, n_users: int, colours: Palette) -> Colouring:
    """Colour by the first code of the name. There are more codes than colours, so colours repeat: the hover tells which it is."""
    levels = Levels(table)
    users = np.full(n_users, np.nan) if table.users is None else levels.column(table.users, 0)
    return _stepped("coarse Token", levels.column(table.items, 0), users, (), colours)


def _by_genre(catalog: Catalog, nobody: np.ndarray, colours: Palette) -> Colouring:
    """Colour by an item's first genre; the commonest have colours of their own, the rest share the last."""
    first = [str(genres[0]) if genres is not None and len(genres) else None for genres in catalog.items["genres"]]
    count: dict[str, int] = {}
    for genre in first:
        if genre is not None:
            count[genre] = count.get(genre, 0) + 1
    ranked = sorted(count, key=lambda genre: (-count[genre], genre))
    n = len(colours.categories)
    kept = ranked if len(ranked) <= n else ranked[: n - 1]
    place = {genre: min(i, n - 1) for i, genre in enumerate(ranked)}
    values = np.asarray([np.nan if genre is None else place[genre] for genre in first], dtype=float)
    return _stepped("genre", values, nobody, (*kept, "other") if len(kept) < len(ranked) else tuple(kept), colours)


def _stepped(label: str, items: np.ndarray, users: np.ndarray, names: tuple[str, ...], colours: Palette) -> Colouring:
    """Categories: value i has colour i; NaN has the grey after the last."""
    n = len(colours.categories)
    scale = stepped((*colours.categories, colours.missing))
    ticks = tuple((float(i), name) for i, name in enumerate(names))
    some_missing = bool(ticks) and bool(np.isnan(items).any() or np.isnan(users).any())
    ticks = (*ticks, (float(n), "none")) if some_missing else ticks
    return Colouring(label, _filled(items, n), _filled(users, n), scale, -0.5, n + 0.5, ticks)


def _ordered(label: str, items: np.ndarray, users: np.ndarray, colours: Palette, spell: Any = lambda v: f"{v:.0f}") -> Colouring:
    """Ordered values: low to high; NaN lies in a grey band below the lowest."""
    values = np.concatenate([items, users]).astype(np.float32)  # as they will be drawn, or the ends would round out of the scale
    values = values[~np.isnan(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    high = high if high > low else low + 1
    floor = float(np.float32(low - (high - low) * _MISSING_SHARE / (1 - _MISSING_SHARE)))
    scale = smooth(colours.sequence, colours.missing, _MISSING_SHARE * 0.9)  # a little less, so that the lowest value keeps its colour
    ticks = tuple((float(v), spell(v)) for v in np.linspace(low, high, 5))
    return Colouring(label, _filled(items, floor), _filled(users, floor), scale, floor, high, ticks)


def _filled(values: np.ndarray, missing: float) -> Floats:
    return np.where(np.isnan(values), missing, values).astype(np.float32)
