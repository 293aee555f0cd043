"""One walk on the graph of who took what, drawn as a path: people on one side, titles on the other, the skip-gram's window around one.

Where it stands: after `embed.metapath`, whose walker it calls. What it does not know: user interfaces, vectors.
"""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Interactions
from llmrec.embed.metapath import walks
from llmrec.view.palette import frame, palette

SHOWN = 11  # nodes that are drawn
LONGEST = 46  # letters of a title in the figure


def from_person(train: Interactions, user: int, length: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """(length,) the nodes of one walk of the library's own walker that starts from this user: users count from 0, items from n_users on.

    Raises ValueError for a user who took nothing in train: nobody can walk from there.
    """
    if not 0 <= user < train.n_users or not len(train.history(user)):
        raise ValueError("this person took nothing that the walks may use: choose another")
    paths = walks(train, length, 1, rng)
    path: NDArray[np.int32] = paths[paths[:, 0] == user][0]
    return path


def walk_table(path: NDArray[np.int32], train: Interactions, catalog: Catalog) -> pd.DataFrame:
    """The walk step by step: `step` (from 0), `side`, `key`, `title`, `ways` (how many ways led on from there)."""
    degree = np.bincount(np.concatenate([train.user, train.n_users + train.item]), minlength=train.n_users + train.n_items)
    rows = []
    for step, node in enumerate(path.tolist()):
        item = node - train.n_users
        key, title = (catalog.user_keys[node], "") if item < 0 else (catalog.item_keys[item], catalog.titles[item])
        rows.append({"step": step, "side": "user" if item < 0 else "item", "key": key, "title": title, "ways": int(degree[node])})
    return pd.DataFrame(rows)


def walk(table: pd.DataFrame, window: int, dark: bool = False, shown: int = SHOWN) -> go.Figure:
    """The first nodes of a `walk_table` as a path from top to bottom; around one item, those within `window` steps are marked."""
    colours = palette(dark)
    part = table.iloc[:shown]
    items = part["side"] == "item"
    x, y = np.where(items, 1.0, 0.0), -part["step"].to_numpy(dtype=float)
    middle = _middle(part, window)
    near = np.abs(part["step"].to_numpy() - middle) <= window
    figure = go.Figure(layout=frame(dark))
    if middle >= 0:
        first, last = float(part["step"][near].min()), float(part["step"][near].max())
        figure.add_shape(
            type="rect", x0=-0.12, x1=1.12, y0=-last - 0.42, y1=-first + 0.42, line={"width": 0}, fillcolor=colours.accent, opacity=0.07
        )
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": colours.missing, "width": 3}, hoverinfo="skip", showlegend=False)
    for side, colour, symbol in (("user", colours.categories[1], "diamond"), ("item", colours.categories[0], "circle")):
        mine = (part["side"] == side).to_numpy()
        texts = [_label(row) for row in part[mine].itertuples()]
        figure.add_scatter(
            x=x[mine],
            y=y[mine],
            mode="markers+text",
            text=texts,
            textposition="middle left" if side == "user" else "middle right",
            marker={
                "size": np.where(part["step"][mine] == middle, 20, 13),
                "color": colour,
                "symbol": symbol,
                "line": {"width": np.where(part["step"][mine] == middle, 3, 0), "color": colours.accent},
            },
            customdata=part[mine]["ways"],
            hovertemplate="%{text}<br>%{customdata} ways on from here<extra></extra>",
            showlegend=False,
            cliponaxis=False,
        )
    return figure.update_layout(
        xaxis={"visible": False, "range": [-0.75, 3.4], "fixedrange": True},
        yaxis={"visible": False, "range": [-len(part) + 0.4, 0.6], "fixedrange": True},
        dragmode=False,
    )


def _middle(part: pd.DataFrame, window: int) -> int:
    """The step of the item nearest to the middle; -1 where no item is drawn."""
    steps = part.loc[part["side"] == "item", "step"].to_numpy()
    return int(steps[np.abs(steps - len(part) // 2).argmin()]) if len(steps) else -1


def _label(row: object) -> str:
    title, key = str(getattr(row, "title", "")), str(getattr(row, "key", ""))
    said = f"user {key}" if getattr(row, "side", "") == "user" else title or key
    return " " + html.escape(said if len(said) <= LONGEST else said[: LONGEST - 1] + "…") + " "
