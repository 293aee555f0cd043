"""Clusters of a table's names on a map: each item in the tone of its first Token, one item ringed, those who share its Token in front.

Where it stands: after the projection and the names. What it does not know: user interfaces, how clusters were found.
"""

from __future__ import annotations

import html

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from llmrec.contracts import Catalog, IdTable
from llmrec.view.levels import Levels
from llmrec.view.palette import Palette, frame, palette, stepped
from llmrec.view.project import Projection

LIMIT = 5_000  # items drawn: this figure is drawn again at every move of the slider
NAMED = 14  # clusters whose Token is written on the map


def clusters(projection: Projection, catalog: Catalog, table: IdTable, item: int, dark: bool = False, limit: int = LIMIT) -> go.Figure:
    """The figure. Traces: everybody else, who shares the first Token of `item`, the ring."""
    colours = palette(dark)
    levels = Levels(table)
    rows = drawn(projection, item, limit)
    mine = table.items.codes[rows, 0] == table.items.codes[item, 0]
    tones = levels.column(table.items, 0)
    plane = projection.items
    scale = stepped(colours.categories)
    codes = table.items.codes[:, 0]
    said = {c: html.escape(str(table.items.books[0].spell(c))) if c >= 0 else "" for c in set(codes[rows].tolist())}
    figure = go.Figure(layout=frame(dark))
    for chosen, size, opacity, name in ((~mine, 5, 0.45, "other clusters"), (mine, 9, 1.0, "its cluster")):
        here = rows[chosen]
        figure.add_scattergl(
            x=plane[here, 0],
            y=plane[here, 1],
            mode="markers",
            name=name,
            text=[f"{html.escape(catalog.titles[i])}<br>{said[code]}" for i, code in zip(here, codes[here].tolist(), strict=True)],
            hovertemplate="%{text}<extra></extra>",
            customdata=[["item", int(i)] for i in here],
            marker={
                "size": size,
                "opacity": opacity,
                "color": tones[here],
                "colorscale": scale,
                "cmin": -0.5,
                "cmax": len(colours.categories) - 0.5,
                "line": {"width": 1 if name == "its cluster" else 0, "color": colours.ink},
            },
            showlegend=False,
        )
    _tokens(figure, table, plane, rows, colours)
    if not np.isnan(plane[item, 0]):
        ring = {"size": 22, "symbol": "circle-open", "color": colours.accent, "line": {"width": 3}}
        figure.add_scattergl(
            x=[plane[item, 0]], y=[plane[item, 1]], mode="markers", marker=ring, name="selected", hoverinfo="skip", showlegend=False
        )
    return figure.update_layout(xaxis={"visible": False}, yaxis={"visible": False, "scaleanchor": "x"}, dragmode="pan")


def drawn(projection: Projection, item: int, limit: int = LIMIT) -> NDArray[np.int64]:
    """Items on the map, ascending: all, or so many at random, `item` among them."""
    known = np.flatnonzero(~np.isnan(projection.items[:, 0]))
    if len(known) > limit:
        known = np.random.default_rng(0).choice(known, limit, replace=False)
    return np.union1d(known, [item] if not np.isnan(projection.items[item, 0]) else []).astype(np.int64)


def _tokens(figure: go.Figure, table: IdTable, plane: NDArray[np.float32], rows: NDArray[np.int64], colours: Palette) -> None:
    """The Tokens of the largest clusters, each in the middle of its members."""
    codes = table.items.codes[rows, 0]
    counts = np.bincount(codes[codes >= 0])
    largest = [int(c) for c in np.argsort(-counts, kind="stable")[:NAMED] if counts[c]]
    notes = []
    for code in largest:
        x, y = np.median(plane[rows[codes == code]], axis=0)
        said = f"<b>{html.escape(str(table.items.books[0].spell(code)))}</b>"
        look = {"showarrow": False, "font": {"size": 12}, "bgcolor": colours.ground, "opacity": 0.8, "borderpad": 1}
        notes.append({"x": float(x), "y": float(y), "text": said, **look})
    figure.update_layout(annotations=notes)  # at once: one by one each is looked through again with every next
