"""The map's room of the fake backend: the same points on a small grid, whatever the layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.seam.maps import Area, Atlas, Change, Found, Lay, Quality
from app.seam.values import Exhibit, Trouble


class FakeMaps:
    """Part of `FakeBackend`, whose `nodes`, `index` and `card` it reads."""

    def atlas(self, run: str, focus: str | None, dark: bool, lay: Lay, outline: tuple[Area, ...] = ()) -> Atlas:
        self.outlines = [*getattr(self, "outlines", []), outline]
        table = self.coordinates(run, lay)
        figure = self._drawn(run, table)
        quality = (Quality(lay.how, 0.9, 0.4, 18), Quality("PCA", 0.8, 0.1, 18))[: 1 if lay.how == "PCA" else 2]
        return Atlas(lay.how, figure, table, len(table), quality)

    def coordinates(self: Any, run: str, lay: Lay) -> pd.DataFrame:
        nodes = [n for n in self.nodes(run) if not n.startswith("token")]
        return pd.DataFrame({"node": nodes, "x": [n * 7 % 18 for n in range(len(nodes))], "y": [n * 5 % 18 for n in range(len(nodes))]})

    def _drawn(self: Any, run: str, table: pd.DataFrame) -> go.Figure:
        who = [[n.partition(":")[0], self.index(run, *n.split(":", 1))] for n in table["node"]]
        return go.Figure(go.Scattergl(x=table["x"], y=table["y"], mode="markers", customdata=who, marker={"size": 9}))

    def within(self, run: str, lay: Lay, areas: Sequence[Area]) -> list[str]:
        """By the corners' box: the fake's areas are boxes."""
        table = self.coordinates(run, lay)
        return [
            node
            for node, x, y in table.itertuples(index=False)
            if any(min(a.x) <= x <= max(a.x) and min(a.y) <= y <= max(a.y) for a in areas)
        ]

    def find(self: Any, run: str, words: str, k: int = 30) -> Found:
        hits = {n: label for n, label in self.nodes(run).items() if words.casefold() in label.casefold()}
        return Found(dict(list(hits.items())[:k]), max(0, len(hits) - k))

    def change(self: Any, run: str, other: str, focus: str | None = None, dark: bool = False, lay: Lay = Lay()) -> Change:  # noqa: B008
        if other == "small":
            raise Trouble(f"{run} is about 12 items and {other} about 2: choose a run over the same items and users to compare with.")
        table = pd.DataFrame({"title": [self.card(run, "item", i).title for i in (2, 0)], "moved": [1.0, 0.5], "kept": [0, 1]})
        agreement = pd.DataFrame({f"of {run}": ["piece 1"], f"of {other}": ["piece 1"], "mutual information": [0.3], "Rand index": [0.1]})
        flow = Exhibit("flow", "Where the largest Tokens go", "Bands.", pd.DataFrame({"items": [4]}), go.Figure(go.Sankey()))
        figure = self._drawn(run, self.coordinates(run, lay))
        return Change(figure, agreement, table, ("item:3", "item:1"), flow, ("items changed 75% of their companions",))
