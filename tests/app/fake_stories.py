"""Fakes that speak `seam.stories`, over the fake backend's films: scenes that tell what they were asked for."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.seam.stories import Near, Pending, Race, Scene
from app.seam.values import Answer, Card, Exhibit, Pick, Trouble


def exhibit(name: str, caption: str = "What is seen.") -> Exhibit:
    """A chart of two points."""
    table = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    moving = table, {"mark": "bar", "encoding": {"x": {"field": "x", "type": "quantitative"}}}
    return Exhibit(name, f"Chart {name}", caption, table, figure, moving)


class _Held:
    """What a test sets on the fake backend: `waits` (what every scene waits for), `heard` (what was asked), `fails`, `trained`."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.held: dict[str, Any] = backend.__dict__.setdefault("stories", {"heard": [], "waits": None, "fails": "", "trained": True})

    def hear(self, *what: Any) -> None:
        self.held["heard"].append(what)
        if self.held["fails"]:
            raise Trouble(self.held["fails"])

    def retry(self, key: Hashable) -> None:
        self.held["heard"].append(("retry", key))
        self.held["waits"] = None

    @property
    def waits(self) -> Pending | None:
        waits: Pending | None = self.held["waits"]
        return waits


class FakeMasking(_Held):
    """See `seam.stories.MaskingLike`."""

    def origin(self, run: str | None) -> Scene:
        return Scene("The quantizer of a fake.")

    def step(self, run: str | None, step: str, item: int, share: float, draw: int, dark: bool = False) -> Scene:
        self.hear(step, item, share, draw)
        if self.waits is not None:
            return Scene(pending=self.waits)
        card = self.backend.card(run, "item", item)
        names = (("whole vector", card),) if step in ("snap", "back") else ()
        shown = tuple(exhibit(f"{step}{n}") for n in range(3 if step == "snap" else 1))
        said = f"Step {step} of {card.title} with {share:.0%} hidden."
        return Scene(said, (("Hidden", f"{share:.0%}", "How much."),), shown, beside=step == "snap", names=names)

    def choices(self, run: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (1, 2, 3), (16, 32)

    def sizes(self, run: str | None, books: int, codes: int, dark: bool = False) -> Scene:
        self.hear("sizes", books, codes)
        if self.waits is not None:
            return Scene("", (), (exhibit("size"),), pending=self.waits)
        return Scene(f"{books} books of {codes} codes.", (), (exhibit("size"), exhibit("shared")), beside=True)

    def racers(self, run: str | None) -> tuple[str, ...]:
        return ("retrieve", "trie") if self.held["trained"] else ()

    def race(self, run: str | None, user: int, dark: bool = False) -> Iterator[Race]:
        self.hear("race", user)
        for turn in (1, 2):
            last = turn == 2
            found = tuple(Answer(w, (Pick(self.backend.card(run, "item", 6), 1.0, True),), 0.01) for w in ("retrieve", "trie"))
            yield Race(turn, 2, exhibit("race"), f"Median of {turn} calls.", found if last else (), ("A note.",) if last else ())

    def close(self) -> None: ...


class FakePulling(_Held):
    """See `seam.stories.PullingLike`."""

    def strengths(self) -> tuple[float, ...]:
        return (0.0, 1.0, 10.0)

    def films(self, run: str | None) -> tuple[Card, ...]:
        return tuple(self.backend.card(run, "item", i) for i in range(len(self.backend.titles(run))))

    def scene(self, run: str | None, strength: float, dark: bool = False) -> Scene:
        self.hear("scene", strength)
        if self.waits is not None:
            return Scene(pending=self.waits)
        return Scene(f"With lambda {strength:g}.", (), (exhibit("pairs"), exhibit("apart")))

    def near(self, run: str | None, strength: float, item: int) -> Near:
        self.hear("near", strength, item)
        cards = self.films(run)
        one, other = tuple((c, 0.9) for c in cards[:3]), tuple((c, 0.5) for c in cards[2:5])
        return Near(cards[item], one, other, 1)

    def close(self) -> None: ...
