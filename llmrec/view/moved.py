"""Two schemes over the same users and items: both colourings on one layout, how far each item moved, and who flows where.

Where it stands: beside the map; the numbers of agreement are `llmrec.ids.health.diff`. What it does not know: why tables differ, pages.
An item has moved as far as its companions changed: those whose names begin with the same piece.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from llmrec.contracts import Catalog, Floats, IdTable, Names
from llmrec.ids.health.grouping import cells, labels, spelled_alike
from llmrec.ids.lookup import Side, written
from llmrec.view.atlas import LIMIT, MENU, menu, sample
from llmrec.view.colouring import tokens_shared
from llmrec.view.levels import Levels
from llmrec.view.palette import Palette, frame, palette, smooth, stepped
from llmrec.view.project import Projection

FROM, TO = 9, 14  # Tokens that the flow starts from, and that it names where it arrives; the rest arrive together
OTHERS = "others"


def how_far(a: Names, b: Names, depth: int = 1) -> Floats:
    """How far each row moved between two tables of the same rows: 1 - |A and B| / |A or B| of its companions by the first `depth` pieces.
    (n,) float32 in 0..1; nobody's companion in both is 0."""
    one, n_one = labels(spelled_alike(a)[:, :depth])
    two, n_two = labels(spelled_alike(b)[:, :depth])
    before, after = np.bincount(one, minlength=n_one)[one] - 1, np.bincount(two, minlength=n_two)[two] - 1
    both = cells(one, two, n_two) - 1
    either = before + after - both
    moved: Floats = np.divide(either - both, either, out=np.zeros(len(one)), where=either > 0).astype(np.float32)
    return moved


def moved(
    projection: Projection,
    catalog: Catalog,
    tables: tuple[IdTable, IdTable],
    called: tuple[str, str],
    selected: tuple[Side, int] | None = None,
    dark: bool = False,
    limit: int = LIMIT,
) -> go.Figure:
    """One layout twice, left in the colours of the first table, right in those of the second; zoom one and the other follows.

    called: what the two are called above the pictures. The menu colours both by first Token or by how far items moved.
    """
    colours = palette(dark)
    rows, _ = sample(projection, limit, 0, selected)
    far = how_far(tables[0].items, tables[1].items)
    scales = stepped((*colours.categories, colours.missing)), smooth(colours.sequence, colours.missing, 0.045)
    traces, tones, shares = [], [], []
    for place, table in enumerate(tables):
        for side in ("item", "user"):
            tone = _tones(table, side, len(projection.items if side == "item" else projection.users), colours)[rows[side]]
            share = far[rows[side]] if side == "item" else np.full(len(rows[side]), -0.05)
            tones.append(tone.astype(int).tolist())
            shares.append([round(v, 3) for v in share.astype(float).tolist()])
            traces.append(_points(projection, rows[side], side, place, _told(catalog, tables, called, side, rows[side])))
    n = len(colours.categories)
    by_tone = _change(tones, scales[0], (-0.5, n + 0.5), False)
    by_share = _change(shares, scales[1], (-0.05, 1.0), True)
    figure = go.Figure(traces, layout=frame(dark))
    for place, trace in enumerate(figure.data):
        trace.marker.update(color=tones[place], colorscale=scales[0], cmin=-0.5, cmax=n + 0.5, showscale=False)
        bar = {"title": {"text": "share of companions lost or new"}, "orientation": "h", "len": 0.5, "thickness": 10, "y": -0.02}
        trace.marker.colorbar = {
            **bar,
            "yanchor": "top",
            "x": 0,
            "xanchor": "left",
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
        }
    touched = list(range(len(traces)))
    words = (("first Token of each", by_tone), ("how far items moved", by_share))
    buttons = [{"label": MENU + label, "method": "restyle", "args": [change, touched]} for label, change in words]
    _lay_out(figure, called, buttons, colours)
    if selected is not None:
        _ring(figure, projection, selected, colours)
    return figure


def flow(tables: tuple[IdTable, IdTable], called: tuple[str, str], dark: bool = False) -> tuple[go.Figure, pd.DataFrame] | None:
    """Where the items of the first table's largest first Tokens are in the second, as a Sankey diagram and its table (all of their Tokens,
    none taken together); None where either table's names do not begin with a Token that items share."""
    if any(0 not in tokens_shared(table) for table in tables):
        return None
    colours = palette(dark)
    both = pd.DataFrame({"from": _spelled(tables[0]), "to": _spelled(tables[1])})
    both = both[both["from"].isin(_order(both["from"])[:FROM])]
    whole = both.value_counts(sort=False).reset_index(name="items")
    named = _order(both["to"])
    kept = set(named if len(named) <= TO + 1 else named[:TO])
    pairs = both.assign(to=both["to"].where(both["to"].isin(kept), OTHERS)).value_counts(sort=False).reset_index(name="items")
    order = [_order(both["from"]), [*(name for name in named if name in kept), *([OTHERS] if len(kept) < len(named) else [])]]
    place = {(0, name): n for n, name in enumerate(order[0])} | {(1, name): len(order[0]) + n for n, name in enumerate(order[1])}
    tones = [*(_tone(tables[0], name, colours) for name in order[0]), *(_tone(tables[1], name, colours) for name in order[1])]
    source = [place[0, name] for name in pairs["from"]]
    figure = go.Figure(
        go.Sankey(
            node={
                "label": [html.escape(x) for side in order for x in side],
                "color": tones,
                "pad": 10,
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": source,
                "target": [place[1, name] for name in pairs["to"]],
                "value": pairs["items"].tolist(),
                "color": [_pale(tones[n]) for n in source],
            },
            valueformat=",d",
            valuesuffix=" items",
            textfont={"color": colours.ink, "size": 13, "shadow": "none"},
        ),
        layout=frame(dark),
    )
    table = whole.rename(columns={"from": f"in {called[0]}", "to": f"in {called[1]}"})
    if called[0] == called[1]:
        table.columns = pd.Index(["in A", "in B", "items"])
    return figure, table.sort_values("items", ascending=False, kind="stable").reset_index(drop=True)


def _tones(table: IdTable, side: str, n: int, colours: Palette) -> Floats:
    """The colour of each row's first Token; the grey after the last where there is none that others share."""
    names = table.items if side == "item" else table.users
    grey = float(len(colours.categories))
    if names is None or 0 not in tokens_shared(table):
        return np.full(n, grey, dtype=np.float32)
    column = Levels(table).column(names, 0)
    return np.where(np.isnan(column), grey, column).astype(np.float32)


def _told(catalog: Catalog, tables: tuple[IdTable, IdTable], called: tuple[str, str], side: str, rows: Any) -> list[str]:
    """What the pointer reads at each point: who it is, and its name in either table. Titles come from files, so they are escaped."""
    out = []
    for row in rows.tolist():
        lines = [catalog.titles[row] if side == "item" else f"user {catalog.user_keys[row]}"]
        for table, name in zip(tables, called, strict=True):
            names = table.items if side == "item" else table.users
            if names is not None:
                lines.append(f"{name}: {written(names.spell(row))}")
        out.append("<br>".join(html.escape(line) for line in lines))
    return out


def _points(projection: Projection, rows: Any, side: str, place: int, told: list[str]) -> go.Scattergl:
    plane = (projection.items if side == "item" else projection.users)[rows]
    end = "" if place == 0 else "2"
    return go.Scattergl(
        x=plane[:, 0],
        y=plane[:, 1],
        xaxis=f"x{end}",
        yaxis=f"y{end}",
        mode="markers",
        name=f"{side}s",
        text=told,
        hovertemplate="%{text}<extra></extra>",
        customdata=[[side, int(row)] for row in rows],
        showlegend=False,
        marker={"size": 5 if side == "item" else 4, "symbol": "circle" if side == "item" else "diamond-open", "opacity": 0.85},
        selected={"marker": {"opacity": 1, "size": 10}},
        unselected={"marker": {"opacity": 0.22}},
    )


def _change(values: list[list[Any]], scale: list[list[float | str]], ends: tuple[float, float], bar: bool) -> dict[str, Any]:
    n = len(values)
    return {
        "marker.color": values,
        "marker.colorscale": [scale] * n,
        "marker.cmin": ends[0],
        "marker.cmax": ends[1],
        "marker.showscale": [bar, *[False] * (n - 1)],
    }


def _lay_out(figure: go.Figure, called: tuple[str, str], buttons: list[dict[str, Any]], colours: Palette) -> None:
    head = {"xref": "paper", "yref": "paper", "y": 1.0, "yanchor": "bottom", "showarrow": False, "font": {"size": 15, "color": colours.ink}}
    figure.update_layout(
        xaxis={"visible": False, "domain": [0, 0.49]},
        xaxis2={"visible": False, "domain": [0.51, 1], "matches": "x", "anchor": "y2"},
        yaxis={"visible": False, "scaleanchor": "x"},
        yaxis2={"visible": False, "matches": "y", "anchor": "x2"},
        annotations=[
            {**head, "text": f"<b>{html.escape(name)}</b>", "x": x, "xanchor": "center"}
            for name, x in zip(called, (0.245, 0.755), strict=True)
        ],
        updatemenus=[{**menu(buttons, colours), "y": 1.09}],
        dragmode="pan",
        margin={"l": 8, "r": 8, "t": 88, "b": 8},
    )


def _ring(figure: go.Figure, projection: Projection, selected: tuple[Side, int], colours: Palette) -> None:
    x, y = (projection.items if selected[0] == "item" else projection.users)[selected[1]]
    if np.isnan(x):
        return
    ring = {"size": 18, "symbol": "circle-open", "color": colours.accent, "line": {"width": 3}}
    for end in ("", "2"):
        figure.add_trace(
            go.Scattergl(
                x=[x],
                y=[y],
                xaxis=f"x{end}",
                yaxis=f"y{end}",
                mode="markers",
                marker=ring,
                name="selected",
                hoverinfo="skip",
                showlegend=False,
            )
        )


def _spelled(table: IdTable) -> np.ndarray:
    """The first Token of each item as it is written; an empty name has none."""
    found, place = np.unique(table.items.codes[:, 0], return_inverse=True)
    spelled = [str(table.items.books[0].spell(int(c))) if c >= 0 else OTHERS for c in found]
    return np.asarray(spelled, dtype=object)[place]


def _order(ends: pd.Series) -> list[str]:
    """Largest first, equal ones by name; what is written as others is none of them."""
    count = ends[ends != OTHERS].value_counts(sort=False)
    return sorted((str(name) for name in count.index), key=lambda name: (-count[name], name))


def _tone(table: IdTable, token: str, colours: Palette) -> str:
    tone = Levels(table).token(token) if token != OTHERS else None
    return colours.missing if tone is None else colours.categories[tone]


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.35)"
