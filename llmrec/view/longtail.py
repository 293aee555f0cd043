"""Figures of the data itself, each with its table: how long histories are, how few items take most of the interactions, and when.

Where it stands: on the Data page. What it does not know: vectors, names, models.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from llmrec.contracts import Interactions
from llmrec.data.columns import YEAR_2200
from llmrec.view.palette import frame, palette

SPANS = ("D", "W", "M", "Q", "Y")  # days, weeks, months, quarters, years, as pandas calls them


def history_length_table(train: Interactions, bins: int = 24) -> pd.DataFrame:
    """How many users have how many interactions: columns `from`, `to` (inclusive), `users`. Bins grow with the length."""
    lengths = np.diff(train.offsets)
    top = int(lengths.max(initial=0))
    edges = np.unique(np.concatenate([[0, 1], np.geomspace(1, top + 1, bins).round(), [top + 1]])).astype(int)
    users, _ = np.histogram(lengths, bins=edges)
    first = int(np.argmax(users > 0))
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:] - 1, "users": users})[first:].reset_index(drop=True)


def long_tail_table(train: Interactions) -> pd.DataFrame:
    """Items by falling popularity: columns `rank` (from 1), `item`, `interactions`, `share` (of all interactions up to this rank)."""
    counts = np.bincount(train.item, minlength=train.n_items)
    order = np.argsort(-counts, kind="stable")
    share = np.cumsum(counts[order]) / max(len(train), 1)
    return pd.DataFrame({"rank": np.arange(1, train.n_items + 1), "item": order, "interactions": counts[order], "share": share})


def history_lengths(train: Interactions, dark: bool = False) -> go.Figure:
    """A histogram of `history_length_table`."""
    table = history_length_table(train)
    label = [str(a) if a == b else f"{a}\u2013{b}" for a, b in zip(table["from"], table["to"], strict=True)]
    bars = go.Bar(
        x=label, y=table["users"], marker_color=palette(dark).categories[0], hovertemplate="%{x} interactions: %{y} users<extra></extra>"
    )
    figure = go.Figure(bars, layout=frame(dark))
    return figure.update_layout(
        title="How long the histories are", xaxis={"title": "interactions", "type": "category"}, yaxis={"title": "users"}, bargap=0.05
    )


def long_tail(train: Interactions, dark: bool = False) -> go.Figure:
    """Interactions by rank of the item, with the rank at which half of all interactions are reached."""
    table = long_tail_table(train)
    seen = table[table["interactions"] > 0]
    taken = seen["interactions"].to_numpy()
    turns = np.diff(taken, prepend=-1, append=-1) != 0
    corners = seen[turns[:-1] | turns[1:]]  # the ends of each step: the same line, however long the catalogue
    line = go.Scatter(
        x=corners["rank"],
        y=corners["interactions"],
        customdata=corners["share"],
        mode="lines",
        line={"color": palette(dark).categories[0], "width": 3},
        hovertemplate="rank %{x}: %{y} interactions<br>%{customdata:.0%} of all up to here<extra></extra>",
    )
    figure = go.Figure(line, layout=frame(dark))
    if len(seen):
        half = int(np.searchsorted(seen["share"].to_numpy(), 0.5)) + 1
        note = f"half of all interactions: the first {half:,} of {train.n_items:,} items"
        figure.add_vline(x=half, line={"color": palette(dark).accent, "dash": "dot"}, annotation={"text": note})
    return figure.update_layout(
        title="The long tail", xaxis={"title": "item, most popular first"}, yaxis={"title": "interactions", "type": "log"}, showlegend=False
    )


def activity_table(train: Interactions, most: int = 60) -> pd.DataFrame:
    """Interactions over time: columns `from` (the first day of each span), `interactions`, `users`. Spans are days, weeks, months,
    quarters or years, whichever gives `most` rows at most. Empty where times cannot be seconds since 1970."""
    if not len(train) or int(train.time.min()) < 100_000_000 or int(train.time.max()) > YEAR_2200:
        return pd.DataFrame({"from": [], "interactions": [], "users": []})
    when = pd.to_datetime(pd.Series(train.time), unit="s")
    for letter in SPANS:
        spans = when.dt.to_period(letter)
        if (spans.max() - spans.min()).n < most:
            break
    taken = pd.DataFrame({"span": spans, "user": train.user}).groupby("span")["user"].agg(["size", "nunique"])
    taken = taken.reindex(pd.period_range(spans.min(), spans.max(), freq=letter), fill_value=0)
    first = [span.start_time.strftime("%Y-%m-%d") for span in taken.index]
    return pd.DataFrame({"from": first, "interactions": taken["size"].to_numpy(), "users": taken["nunique"].to_numpy()})


def activity(train: Interactions, dark: bool = False) -> go.Figure:
    """Bars of `activity_table`."""
    table = activity_table(train)
    bars = go.Bar(
        x=table["from"],
        y=table["interactions"],
        customdata=table["users"],
        marker_color=palette(dark).categories[0],
        hovertemplate="from %{x}: %{y} interactions of %{customdata} users<extra></extra>",
    )
    figure = go.Figure(bars, layout=frame(dark))
    return figure.update_layout(title="Interactions over time", yaxis={"title": "interactions"}, bargap=0.05)
