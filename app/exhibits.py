"""Charts as the pages show them: in the pages' font, with their tables.

Where it stands: under the rooms of the backend, over `llmrec.view`. What it does not know: pages, models.
"""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.seam import Exhibit
from llmrec.view.palette import frame, palette

FONT = "Source Sans, Source Sans Pro, system-ui, sans-serif"
MOST = 30  # bars that can be told apart, with their names


def bars(name: str, title: str, caption: str, counted: dict[str, int], what: str, dark: bool, unit: str = "items") -> Exhibit:
    """Counts as bars, the first MOST of them; the table has all. unit: what was counted."""
    table = pd.DataFrame({what: list(counted), unit: list(counted.values())})
    told = [escape(str(name)[:80]) for name in counted][:MOST]  # a chart reads links and letters of HTML, and genres come from files
    figure = go.Figure(go.Bar(x=told, y=table[unit][:MOST], marker_color=palette(dark).categories[0]), layout=frame(dark))
    figure.update_layout(xaxis={"type": "category"}, yaxis={"title": unit}, bargap=0.2)
    return Exhibit(name, title, caption, table, dressed(figure))


def dressed(figure: Any, height: int = 300) -> Any:
    """A figure in the pages' font, without the title that the page gives it."""
    return figure.update_layout(title=None, height=height, margin={"l": 8, "r": 8, "t": 12, "b": 8}, font={"family": FONT, "size": 13})
