"""The map: every user and item as a point, coloured by Token, genre, year, popularity and more without leaving the page.

Where it stands: after the projection; it reads names, catalogue and split. What it does not know: user interfaces, models.
Colour-by is a menu inside the figure (`updatemenus` restyles points and legend), so zoom and selection survive it. Every point carries
`customdata = [side, index]`: read selections by it, never by the point's number. Traces are items, users, the entries of all
legends, and where asked for the ring.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go

from llmrec.contracts import Catalog, IdTable, Ints, Split
from llmrec.ids.lookup import Side, written
from llmrec.view.colouring import DECIMALS, Colouring, colourings, tokens_shared
from llmrec.view.palette import Palette, frame, palette
from llmrec.view.project import Projection

LIMIT = 20_000
WRITTEN = 16  # Tokens that are written on the map: more would hide it
TIGHT = 0.1  # of the map's width: a Token is written where half of its carriers lie that near to one place
MENU = "Colour by "


def atlas(
    projection: Projection,
    catalog: Catalog,
    table: IdTable | None = None,
    split: Split | None = None,
    selected: tuple[Side, int] | None = None,
    dark: bool = False,
    limit: int = LIMIT,
    seed: int = 0,
) -> go.Figure:
    """The figure. More than `limit` points are sampled, users and items alike, and the title says so; the selected one is drawn."""
    colours = palette(dark)
    rows, total = sample(projection, limit, seed, selected)
    ways = colourings((len(projection.items), len(projection.users)), catalog, table, split, colours)
    points = [_points(side, projection, rows[side], catalog, table, colours) for side in ("item", "user")]
    entries, of_way = _entries(ways, colours)
    figure = go.Figure([*points, *entries], layout=frame(dark))
    tokens = written_tokens(projection, table, colours)
    touched = list(range(len(figure.data)))  # never the ring
    buttons: list[dict[str, Any]] = []
    for n, way in enumerate(ways):
        args: list[Any] = [
            _restyle(way, rows, [n == of for of in of_way], entries),
            {"annotations": tokens if n in tokens_first(table) else []},
            touched,
        ]
        buttons.append({"label": MENU + way.label, "method": "update", "args": args})
    for place, trace in enumerate(figure.data):
        trace.update(_of_trace(buttons[0]["args"][0], place))
    drawn = len(rows["item"]) + len(rows["user"])
    shown = f"{drawn:,} users and items" if drawn == total else f"{drawn:,} of {total:,} users and items, drawn at random"
    trust = f"trustworthiness {projection.trustworthiness:.2f}, kNN overlap {projection.knn_overlap:.2f}"
    figure.update_layout(
        title={"text": f"{projection.method} of {shown}<br><sup>{trust} (on {projection.scored:,} points)</sup>", "y": 0.97},
        updatemenus=[menu(buttons, colours)],
        annotations=buttons[0]["args"][1]["annotations"],
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        # a click on an entry would hide that entry alone, and not its points
        legend={"orientation": "h", "y": -0.01, "yanchor": "top", "x": 0, "itemclick": False, "itemdoubleclick": False},
        dragmode="pan",
        newselection={"line": {"color": colours.ink, "width": 1.5, "dash": "dot"}},
        margin={"l": 8, "r": 8, "t": 88, "b": 8},
    )
    return figure if selected is None else highlight(figure, projection, *selected, dark=dark)


def menu(buttons: list[dict[str, Any]], colours: Palette) -> dict[str, Any]:
    """The colour-by menu, above the picture at the left."""
    look = {"bgcolor": colours.ground, "bordercolor": colours.missing, "font": {"color": colours.ink}, "pad": {"l": 0, "t": 0}}
    return {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "direction": "down", **look}


def tokens_first(table: IdTable | None) -> range:
    """The colourings beside which Tokens are written on the map: the first alone, and only where it colours the first Token."""
    return range(1 if table is not None and 0 in tokens_shared(table) else 0)


def highlight(figure: go.Figure, projection: Projection, side: Side, index: int, dark: bool = False) -> go.Figure:
    """Ring one point, in place of the ring before. A point that is not on the map leaves the figure without a ring."""
    figure.data = tuple(trace for trace in figure.data if trace.name != "selected")
    x, y = (projection.items if side == "item" else projection.users)[index]
    if np.isnan(x):
        return figure
    ring = {"size": 20, "symbol": "circle-open", "color": palette(dark).accent, "line": {"width": 3}}
    return figure.add_trace(go.Scattergl(x=[x], y=[y], mode="markers", marker=ring, name="selected", hoverinfo="skip", showlegend=False))


def sample(projection: Projection, limit: int, seed: int, kept: tuple[Side, int] | None = None) -> tuple[dict[Side, Ints], int]:
    """Rows to draw of either side, ascending, and how many could be drawn. kept: one that is drawn in any case, where it is on the map."""
    items = np.flatnonzero(~np.isnan(projection.items[:, 0]))
    users = np.flatnonzero(~np.isnan(projection.users[:, 0]))
    total = len(items) + len(users)
    if total > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(total, limit, replace=False))
        on_map = {"item": items, "user": users}
        items, users = items[chosen[chosen < len(items)]], users[chosen[chosen >= len(items)] - len(items)]
        if kept is not None and kept[1] in on_map[kept[0]]:
            one = [kept[1]]
            items, users = (np.union1d(items, one), users) if kept[0] == "item" else (items, np.union1d(users, one))
    return {"item": items, "user": users}, total


def _points(side: Side, projection: Projection, rows: Ints, catalog: Catalog, table: IdTable | None, colours: Palette) -> go.Scattergl:
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
        showlegend=False,
        marker={
            "size": 6 if side == "item" else 5,
            "symbol": "circle" if side == "item" else "diamond-open",
            "opacity": 0.85,
            "line": {"width": 0 if side == "item" else 1, "color": colours.ground if side == "item" else None},
        },
        # what is chosen stands out by size and the rest by paleness: the colours keep their meaning
        selected={"marker": {"opacity": 1, "size": 9}},
        unselected={"marker": {"opacity": 0.22}},
    )


def written_tokens(projection: Projection, table: IdTable | None, colours: Palette) -> list[dict[str, Any]]:
    """The most carried first Tokens as annotations, written where their carriers lie, if they lie together."""
    if not len(tokens_first(table)) or table is None:
        return []
    look = {"showarrow": False, "borderpad": 1, "captureevents": False, "opacity": 0.92, "bgcolor": colours.ground}
    font = {"size": 11, "color": colours.ink, "weight": 600}
    return [{"x": x, "y": y, "text": html.escape(token), "font": font, **look} for token, x, y in places_of_tokens(projection, table)]


def places_of_tokens(projection: Projection, table: IdTable) -> list[tuple[str, float, float]]:
    """(Token, x, y) of first Tokens of items whose carriers lie together, the most carried first."""
    known = ~np.isnan(projection.items[:, 0])
    codes, plane = table.items.codes[known, 0], projection.items[known]
    width = float(np.ptp(plane, axis=0).max(initial=0.0))
    found, counts = np.unique(codes[codes >= 0], return_counts=True)
    out: list[tuple[str, float, float]] = []
    for code, count in sorted(zip(found.tolist(), counts.tolist(), strict=True), key=lambda c: (-c[1], c[0])):
        if count < 3 or len(out) == WRITTEN:
            break
        mine = plane[codes == code]
        middle = np.median(mine, axis=0)
        if np.median(np.linalg.norm(mine - middle, axis=1)) <= TIGHT * width:
            x, y = float(middle[0]), float(middle[1])
            # one word above another: the smaller Token stays unwritten
            if all(abs(x - other[1]) > 0.018 * len(other[0]) * width or abs(y - other[2]) > 0.045 * width for other in out):
                out.append((str(table.items.books[0].spell(code)), x, y))
    return out


def _entries(ways: list[Colouring], colours: Palette) -> tuple[list[go.Scatter], list[int]]:
    """Traces without points, one per entry of any legend, and which colouring each belongs to: it shows where its trace is visible."""
    made, of_way = [], []
    for number, way in enumerate(ways):
        for colour, meaning in way.legend:
            symbol = "diamond-open" if meaning == "users" else "circle"
            marker = {"color": colour, "size": 10, "symbol": symbol, "line": {"width": 2 if symbol != "circle" else 0}}
            made.append(go.Scatter(x=[None], y=[None], mode="markers", name=meaning, marker=marker, hoverinfo="skip", showlegend=True))
            of_way.append(number)
    return made, of_way


def _restyle(c: Colouring, rows: dict[Side, Ints], shown: list[bool], entries: list[go.Scatter]) -> dict[str, Any]:
    """What the menu changes, trace by trace: the colours of items and users, and the entries of the legend."""
    rest: list[Any] = [None] * len(entries)
    bar = {"tickvals": [value for value, _ in c.ticks], "ticktext": [html.escape(text) for _, text in c.ticks], "title.text": c.label}
    change: dict[str, Any] = {
        "marker.color": [_plain(c.items[rows["item"]]), _plain(c.users[rows["user"]]), *(e.marker.color for e in entries)],
        "marker.colorscale": [c.scale, c.scale, *rest],
        "marker.cmin": [c.ends[0], c.ends[0], *rest],
        "marker.cmax": [c.ends[1], c.ends[1], *rest],
        "marker.showscale": [bool(c.ticks), False, *rest],
        "visible": [True, True, *shown],
    }
    return change | {f"marker.colorbar.{name}": [value, None, *rest] for name, value in bar.items()}


def _of_trace(change: dict[str, Any], place: int) -> dict[str, Any]:
    """One trace's part of a restyle, as `update` takes it: the figure opens as the menu's first button leaves it."""
    bar = {"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0, "xanchor": "left", "len": 0.62, "thickness": 10}
    given = {name.replace(".", "_"): values[place] for name, values in change.items() if values[place] is not None}
    return given | ({f"marker_colorbar_{name}": value for name, value in bar.items()} if place == 0 else {})


def _plain(values: np.ndarray) -> list[float]:
    """Numbers as short as JSON can have them: thousands of points are sent once for each colouring."""
    whole = values == np.round(values)
    return values.astype(int).tolist() if whole.all() else [round(v, DECIMALS) for v in values.astype(float).tolist()]
