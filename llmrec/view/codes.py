"""How often each code of a book is borne: a bar for each, the commonest first, the dead ones marked.

Where it stands: beside health, which has the numbers; the Tokens page and notebooks show it. What it does not know: user interfaces.
"""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from llmrec.contracts import Book, IdTable
from llmrec.ids.health.grouping import same_books
from llmrec.view.levels import Levels, coloured
from llmrec.view.palette import frame, palette

DRAWN = 3000  # bars that a browser draws at once


def places(table: IdTable) -> list[tuple[int, Book]]:
    """Every place of a name and the book that fills it; users' after items', once where both sides have that book there."""
    found: list[tuple[int, Book]] = []
    for names in (table.items, table.users):
        for place, book in enumerate(names.books if names is not None else ()):
            same = [n for n, (p, b) in enumerate(found) if p == place and same_books([b], [book])]
            if not same:
                found.append((place, book))
            elif book.size > found[same[0]][1].size:
                found[same[0]] = (place, book)
    return found


def use_table(table: IdTable, place: int, book: Book) -> pd.DataFrame:
    """One row per code, the commonest first: columns code, piece, items, users, bearers, share (of all that have a piece here)."""
    counts = {}
    for side, names in (("items", table.items), ("users", table.users)):
        counts[side] = np.zeros(book.size, dtype=np.int64)
        if names is not None and place < len(names.books) and same_books([names.books[place]], [book]):
            codes = names.codes[:, place]
            counts[side] += np.bincount(codes[codes >= 0], minlength=book.size)
    bearers = counts["items"] + counts["users"]
    order = np.argsort(-bearers, kind="stable")
    found = pd.DataFrame({"code": order, "piece": [str(book.spell(int(c))) for c in order], **{s: n[order] for s, n in counts.items()}})
    return found.assign(bearers=bearers[order], share=bearers[order] / max(1, int(bearers.sum())))


def use(found: pd.DataFrame, table: IdTable, book: Book, dark: bool = False) -> go.Figure:
    """Bars of `use_table`, an even share as a line, and a cross for every code that nobody bears."""
    colours = palette(dark)
    shown = found.head(DRAWN)
    tones = Levels(table) if coloured(book) else None
    fill = colours.categories[0] if tones is None else [_tone(tones, book, code, colours.categories) for code in shown["code"]]
    rank = np.arange(1, len(shown) + 1)
    bars = go.Bar(
        x=rank,
        y=shown["bearers"],
        customdata=[[html.escape(str(piece)[:80])] for piece in shown["piece"]],
        marker={"color": fill, "line": {"width": 0}},
        hovertemplate="%{customdata[0]}: %{y} bearers<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure(bars, layout=frame(dark))
    dead = shown["bearers"].to_numpy() == 0
    if dead.any() and book.token and book.texts is None:
        marks = {"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": colours.accent}}
        names = [html.escape(str(p)) for p in shown["piece"][dead]]
        figure.add_scatter(
            x=rank[dead],
            y=np.zeros(int(dead.sum())),
            mode="markers",
            marker=marks,
            text=names,
            hovertemplate="%{text}: dead<extra></extra>",
            name=f"{int((found['bearers'] == 0).sum()):,} dead",
        )
    even = float(found["bearers"].sum()) / max(1, len(found))
    figure.add_hline(
        y=even,
        line={"color": colours.accent, "dash": "dot", "width": 1.5},
        annotation={"text": f"an even share: {even:,.1f}", "font": {"color": colours.ink}, "xanchor": "right"},
    )
    return figure.update_layout(
        title="How often each code is used",
        xaxis={"title": "codes, the commonest first"},
        yaxis={"title": "bearers"},
        bargap=0.05 if len(shown) < 400 else 0,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    )


def _tone(levels: Levels, book: Book, code: int, categories: tuple[str, ...]) -> str:
    tone = levels.tone(book, int(code))
    return categories[0 if tone is None else tone]
