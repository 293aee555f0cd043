"""A fake that speaks `seam.TourLike`, over the fake backend's films: three schemes, one with a run, one still made where a test says so."""

from __future__ import annotations

import importlib
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.seam import Card, Exhibit
from app.seam.tour import Clusters, Company, Forming, Habits, Making, Naming, Score, Walk, Written
from llmrec.contracts import Token


class FakeTour:
    """`backend`: the fake backend, for its films and names. making: what is told of TIGER's names and of the space instead of them."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.making: Making | None = None
        self.asked: list[tuple[str, Any]] = []

    def items(self, run: str | None) -> dict[str, str]:
        return {str(i + 1): title for i, title in enumerate(self.backend.titles(run))}

    def item(self, run: str | None, key: str | None) -> Card:
        index = self.backend.index(run, "item", key or "")
        return self.backend.card(run, "item", 2 if index is None else index)

    def taken(self, run: str | None, item: int) -> tuple[int, int]:
        return 3 + item, 6

    def names(self, run: str | None, item: int) -> tuple[Naming, ...]:
        title = self.backend.titles(run)[item]
        film = self.backend.card(run, "item", (item + 3) % len(self.backend.titles(run)))
        plain = Written((title,), (None,), (f" {title[:3]}", title[3:]))
        mine = Written((Token(f"<c{item % 3}>"), Token(f"<r{item}>")), (item % 3, None), (f"<c{item % 3}>", f"<r{item}>"), run or "")
        score = Score(run, "hit@10", 0.2, 0.15, 0.25) if run else None
        tiger = Written((Token("<t0_1>"),), (1,), ("<t0_1>",))
        last = Naming("tiger", "TIGER", "By content.", tiger, Habits(1.0, 9, 2), Company(0))
        return (
            Naming("title", "Title", "What the catalogue says.", plain, Habits(2.5, 0, 0), Company(1, (film,))),
            Naming("metaid", "META ID", "Cluster, then rank.", mine, Habits(2.0, 1234, 0), Company(3, (film,)), score),
            last if self.making is None else Naming("tiger", "TIGER", "By content.", making=self.making),
        )

    def people(self, run: str | None) -> list[str]:
        return list(self.backend.user_keys(run))

    def walk(self, run: str | None, key: str | None, seed: int, dark: bool = False) -> Walk:
        self.asked.append(("walk", (key, seed)))
        table = pd.DataFrame({"step": [0, 1], "side": ["user", "item"], "key": [key, "1"], "title": ["", "Alien"]})
        return Walk(key or "", Exhibit("walk", "One walk", f"From user {key}.", table, go.Figure(go.Scatter(x=[0, 1], y=[0, seed]))), 2, 13)

    def forming(self, run: str | None, item: int, dark: bool = False) -> Forming:
        self.asked.append(("forming", item))
        if self.making is not None:
            return Forming(making=self.making)
        table = pd.DataFrame({"key": ["1"], "x": [0.5]})
        return Forming(Exhibit("forming", "A space forms", "Press play.", table, go.Figure(go.Scatter(x=[0], y=[item]))))

    def clusters(self, run: str | None, item: int, k: int | None, dark: bool = False) -> Clusters:
        self.asked.append(("clusters", k))
        if self.making is not None:
            return Clusters(making=self.making)
        pieces = (Token(f"<c{(k or 6) % 4}>"), Token("<r1>"))
        name = Written(pieces, (0, None), tuple(map(str, pieces)))
        near = pd.DataFrame({"rank": [1], "title": ["Aliens"], "beside it": ["came"]})
        shown = Exhibit("clusters", f"K = {k}", "A map.", near, go.Figure(go.Scatter(x=[0], y=[0])))
        return Clusters(6, 24, name, shown, (("Clusters", str(k or 6), "How many."),), near, f"called with K {k}")

    def masking(self) -> Any:
        return importlib.import_module("tests.app.fake_stories").FakeMasking(self.backend)

    def pulling(self) -> Any:
        return importlib.import_module("tests.app.fake_stories").FakePulling(self.backend)

    def close(self) -> None: ...
