"""A vector on its way through the masked quantizer: what is hidden, what the encoders say, where it snaps, what comes back.

Where it stands: on the Tour, over `ids.vq.holes`; every figure with its table. What it does not know: titles, pages, how it was learned.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from llmrec.contracts import Floats, Ints
from llmrec.ids.vq.holes import Holes, Look
from llmrec.view.palette import frame, palette, smooth


def strip_table(row: Floats, hidden: Holes) -> pd.DataFrame:
    """One line per number of a vector: columns `number` (from 1), `value`, `hidden` ("hidden" or "")."""
    told = np.where(hidden, "hidden", "")
    return pd.DataFrame({"number": np.arange(1, len(row) + 1), "value": row.round(4), "hidden": told})


def strip(table: pd.DataFrame, dark: bool = False) -> go.Figure:
    """The numbers as bars; those that the encoders do not see are hollow."""
    p = palette(dark)
    figure = go.Figure(layout=frame(dark))
    for name, part, look in (
        ("seen", table[table["hidden"] == ""], {"color": p.categories[0]}),
        ("hidden", table[table["hidden"] != ""], {"color": "rgba(0,0,0,0)", "line": {"color": p.accent, "width": 1}}),
    ):
        hover = f"number %{{x}}: %{{y:.2f}}<br>{name}<extra></extra>"
        figure.add_bar(x=part["number"], y=part["value"], name=name, marker=look, hovertemplate=hover)
    return _along(figure, int(table["number"].max()))


def said_table(whole: Look, holed: Look) -> pd.DataFrame:
    """What every encoder makes of the whole vector and of the one with holes: columns `book`, `number`, `whole`, `with holes`."""
    books, width = whole.said.shape
    return pd.DataFrame(
        {
            "book": np.repeat(np.arange(1, books + 1), width),
            "number": np.tile(np.arange(1, width + 1), books),
            "whole": whole.said.reshape(-1).round(4),
            "with holes": holed.said.reshape(-1).round(4),
        }
    )


def said(table: pd.DataFrame, dark: bool = False) -> go.Figure:
    """Two rows of colours per book, the whole vector above the one with holes: where they differ, something was lost."""
    rows, names = [], []
    for book in reversed(sorted(set(table["book"]))):
        part = table[table["book"] == book]
        for column in ("with holes", "whole"):
            rows.append(part[column].tolist())
            names.append(f"book {book}, {column}")
    top = max((abs(v) for row in rows for v in row), default=1.0)
    colours = smooth(palette(dark).sequence, palette(dark).sequence[0], 0.0)
    heat = go.Heatmap(
        z=rows,
        x=list(range(1, len(rows[0]) + 1)),
        y=names,
        zmin=-top,
        zmax=top,
        colorscale=colours,
        ygap=2,
        colorbar={"thickness": 10, "outlinewidth": 0},
        hovertemplate="%{y}<br>number %{x}: %{z:.2f}<extra></extra>",
    )
    figure = go.Figure(heat, layout=frame(dark))
    return figure.update_layout(xaxis={"title": "number of what the encoder says"}, yaxis={"automargin": True})


def flat(book: Floats) -> tuple[Floats, Floats]:
    """The middle of a book's codewords and the two directions of their greatest spread: (c,) and (2, c)."""
    middle = book.mean(0)
    directions = np.linalg.svd(book - middle, full_matrices=False)[2][:2]
    if len(directions) < 2:  # a book of one codeword, or of one number
        directions = np.vstack([directions, np.zeros((2 - len(directions), book.shape[1]))])
    strongest = np.abs(directions).argmax(1)
    return middle, np.asarray(directions * np.sign(directions[np.arange(2), strongest])[:, None] + 0.0, dtype=np.float32)


def snap_table(book: Floats, names: Sequence[str], far: Floats, carried: Ints) -> pd.DataFrame:
    """Every codeword of one book, nearest first: columns `codeword`, `distance`, `items` (who carry it), `x`, `y`."""
    middle, plane = flat(book)
    at = (book - middle) @ plane.T
    table = pd.DataFrame({"codeword": list(names), "distance": far.round(3), "items": carried, "x": at[:, 0], "y": at[:, 1]})
    return table.sort_values("distance", kind="stable").reset_index(drop=True)


def snap(table: pd.DataFrame, said: Floats, book: Floats, tone: int | None, dark: bool = False) -> go.Figure:
    """The codewords of one book as points, what the encoder says as a cross, and a line to the codeword that it gets."""
    p = palette(dark)
    middle, plane = flat(book)
    x, y = (said - middle) @ plane.T
    figure = go.Figure(layout=frame(dark))
    hover = "%{customdata[0]}: %{customdata[1]} items<br>distance %{customdata[2]:.2f}<extra></extra>"
    told = table[["codeword", "items", "distance"]]
    colour = p.accent if tone is None else p.categories[tone % len(p.categories)]
    near = table.iloc[0]
    size = 4 + 2 * np.sqrt(table["items"].clip(upper=64))
    figure.add_scatter(x=[x, near["x"]], y=[y, near["y"]], mode="lines", line={"color": p.ink, "width": 2}, hoverinfo="skip")
    figure.add_scatter(
        x=table["x"], y=table["y"], mode="markers", customdata=told, hovertemplate=hover, marker={"size": size, "color": p.missing}
    )
    first = {"size": max(12.0, float(size.iloc[0])), "color": colour, "line": {"color": p.ink, "width": 1.5}}
    figure.add_scatter(x=[near["x"]], y=[near["y"]], mode="markers", customdata=told[:1], hovertemplate=hover, marker=first)
    cross = {"size": 13, "symbol": "x", "color": p.accent}
    figure.add_scatter(x=[x], y=[y], mode="markers", hovertemplate="what the encoder says<extra></extra>", marker=cross)
    plain = {"showgrid": False, "zeroline": False, "showticklabels": False}
    return figure.update_layout(showlegend=False, xaxis=plain, yaxis={**plain, "scaleanchor": "x"})


def back_table(holed: Look, whole: Look) -> pd.DataFrame:
    """The vector and what the decoder tells of it: columns `number`, `original`, `from the whole`, `from what was seen`, `hidden`."""
    table = strip_table(holed.row, holed.hidden).rename(columns={"value": "original"})
    return table.assign(**{"from the whole": whole.told.round(4), "from what was seen": holed.told.round(4)})


def back(table: pd.DataFrame, dark: bool = False) -> go.Figure:
    """The original as bars, what comes back as points on them."""
    p = palette(dark)
    figure = go.Figure(layout=frame(dark))
    figure.add_bar(
        x=table["number"], y=table["original"], name="original", marker_color=p.missing, hovertemplate="original %{y:.2f}<extra></extra>"
    )
    for column, colour, symbol in (("from the whole", p.categories[0], "circle-open"), ("from what was seen", p.accent, "x")):
        hover = f"{column} %{{y:.2f}}<extra></extra>"
        mark = {"color": colour, "size": 10 if symbol == "circle-open" else 6, "symbol": symbol}
        figure.add_scatter(x=table["number"], y=table[column], name=column, mode="markers", marker=mark, hovertemplate=hover)
    return _along(figure, int(table["number"].max()))


def _along(figure: go.Figure, d: int) -> go.Figure:
    """The axes and the legend of a figure over the d numbers of a vector."""
    return figure.update_layout(
        barmode="overlay",
        bargap=0.15,
        xaxis={"title": "number of the vector", "range": [0.2, d + 0.8]},
        yaxis={"title": "value", "zeroline": True},
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )
