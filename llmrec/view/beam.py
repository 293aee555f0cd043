"""A beam search as a tree: what was kept, what was cut, and the way of one followed name through it.

Where it stands: on the X-ray page, over the watched search (`llmrec.recommend.trace.beam`). What it does not know: models, pages.
Left is the first piece of a name, right its last; a way that ends early was cut there.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Literal, NamedTuple

import plotly.graph_objects as go

from llmrec.view.palette import LIGHT, Palette, frame, palette

ROW, TOP = 23, 60  # pixels a row, and above and below all rows
CHARS, TITLE = 18, 30  # of a piece, and of a whole name's title


class Twig(NamedTuple):
    """One piece in the tree. node: its number; parent: that before it, 0 for the start; depth: from 1; piece: as written; tone: its colour
    (`levels`), None for text; total: log p up to here; state: "kept", "cut" or "found" (a whole name); path: on the followed way;
    title: whose name is whole here, "" elsewhere; about: what else a pointer is told, a line each."""

    node: int
    parent: int
    depth: int
    piece: str
    tone: int | None
    total: float
    state: Literal["kept", "cut", "found"]
    path: bool = False
    title: str = ""
    about: tuple[str, ...] = ()


def beam(twigs: Sequence[Twig], dark: bool = False) -> go.Figure:
    """The figure. Twigs whose parent is not among them hang from the start."""
    colours = palette(dark)
    rows = _rows(twigs)
    place = {0: (0.0, _middle([rows[t.node] for t in twigs if t.depth == 1]))} | {t.node: (float(t.depth), rows[t.node]) for t in twigs}
    figure = go.Figure(layout=frame(dark))
    for path, colour, width in ((False, colours.missing, 1.0), (True, colours.accent, 3.0)):
        x, y = _edges([t for t in twigs if t.path == path], place)
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": width, "shape": "spline"}, hoverinfo="skip")
    _points(figure, twigs, place, colours)
    deepest = max((t.depth for t in twigs), default=1)
    figure.update_layout(
        showlegend=False,
        xaxis={
            "tickvals": list(range(1, deepest + 1)),
            "ticktext": [f"piece {d}" if deepest < 9 else str(d) for d in range(1, deepest + 1)],
            "range": [-0.02 * deepest - 0.05, deepest + max(0.4, 0.36 * deepest)],  # titles stand behind the last piece
            "showgrid": False,
            "zeroline": False,
            "side": "top",
        },
        yaxis={"visible": False, "autorange": "reversed"},
        height=TOP + ROW * (1 + len({rows[t.node] for t in twigs})),
        dragmode="pan",
        hovermode="closest",
    )
    return figure


def height(figure: go.Figure) -> int:
    """How tall it wants to be, in pixels."""
    return int(figure.layout.height)


def _points(figure: go.Figure, twigs: Sequence[Twig], place: dict[int, tuple[float, float]], colours: Palette) -> None:
    onward = {t.parent for t in twigs}
    for state, symbol, size in (("cut", "x-thin", 7), ("kept", "circle", 9), ("found", "diamond", 11)):
        mine = [t for t in twigs if t.state == state]
        marks = [colours.missing if t.tone is None or state == "cut" else colours.categories[t.tone] for t in mine]
        rings = [colours.accent if t.path else mark for t, mark in zip(mine, marks, strict=True)]
        ink = [colours.accent if t.path else colours.ink if state != "cut" else _faint(colours) for t in mine]
        figure.add_scatter(
            x=[place[t.node][0] for t in mine],
            y=[place[t.node][1] for t in mine],
            mode="markers+text",
            text=[_label(t) for t in mine],
            textposition=["top center" if t.node in onward else "middle right" for t in mine],  # a label on a line cannot be read
            textfont={"size": 11, "color": ink, "family": "Source Code Pro, monospace"},
            marker={"symbol": symbol, "size": size, "color": marks, "line": {"width": 2, "color": rings}},
            customdata=["<br>".join(html.escape(line) for line in _told(t)) for t in mine],
            hovertemplate="%{customdata}<extra></extra>",
            name=state,
            cliponaxis=False,
        )


def _told(twig: Twig) -> list[str]:
    return [f"{twig.piece}  log p {twig.total:.2f}", *([twig.title] if twig.title else []), *twig.about]


def _label(twig: Twig) -> str:
    title = f" {_short(twig.title, TITLE)}" if twig.title else ""
    return f" {html.escape(_short(twig.piece, CHARS) + title)}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _faint(colours: Palette) -> str:
    return "#8b8b90" if colours is LIGHT else "#85858d"


def _edges(twigs: Sequence[Twig], place: dict[int, tuple[float, float]]) -> tuple[list[float | None], list[float | None]]:
    x: list[float | None] = []
    y: list[float | None] = []
    for twig in twigs:
        (x0, y0), (x1, y1) = place.get(twig.parent, place[0]), place[twig.node]
        x += [x0, x1, None]
        y += [y0, y1, None]
    return x, y


def _rows(twigs: Sequence[Twig]) -> dict[int, float]:
    """A row for each: ends take the next one, best first; whoever goes on stands amid those that follow, so that no lines cross."""
    known = {t.node for t in twigs}
    below: dict[int, list[Twig]] = {}
    for twig in sorted(twigs, key=lambda t: -t.total):
        below.setdefault(twig.parent if twig.parent in known else 0, []).append(twig)
    rows: dict[int, float] = {}
    count = 0
    stack: list[tuple[Twig, bool]] = [(t, False) for t in reversed(below.get(0, []))]
    while stack:
        twig, back = stack.pop()
        after = below.get(twig.node, [])
        if back:
            rows[twig.node] = _middle([rows[t.node] for t in after])
        elif after:
            stack.append((twig, True))
            stack += [(t, False) for t in reversed(after)]
        else:
            rows[twig.node] = float(count)
            count += 1
    return rows


def _middle(rows: Sequence[float]) -> float:
    return (min(rows) + max(rows)) / 2 if rows else 0.0
