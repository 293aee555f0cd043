"""A backend without models: twelve films, six users, names of two Tokens. It speaks `BackendLike`, and pages cannot tell."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.seam import (
    Answer,
    Card,
    Exhibit,
    Mention,
    Overview,
    Person,
    Pick,
    Progress,
    RunInfo,
    Side,
    Trouble,
)
from llmrec.contracts import Token
from tests.app.fake_intake import FakeIntake
from tests.app.fake_maps import FakeMaps
from tests.app.fake_names import FakeNames
from tests.app.fake_probes import FakeProbes
from tests.app.fake_scores import FakeScores
from tests.app.fake_talks import FakeTalks
from tests.app.fake_tour import FakeTour
from tests.app.fake_workshop import FakeWorkshop
from tests.app.fake_xray import FakeXray

FILMS = [
    ("Alien", 1979, ("Horror", "Sci-Fi")),
    ("Aliens", 1986, ("Action", "Sci-Fi")),
    ("Blade Runner", 1982, ("Sci-Fi",)),
    ("Toy Story", 1995, ("Animation",)),
    ("Fargo", 1996, ("Crime",)),
    ("Casablanca", 1942, ("Drama",)),
    ("<b>Bold</b> & Co", 1999, ("Comedy",)),
    ("Amélie", None, ()),
    ("Heat", 1995, ("Crime",)),
    ("Up", 2009, ("Animation",)),
    ("Psycho", 1960, ("Horror",)),
    ("Jaws", 1975, ("Thriller",)),
]
SMALL = 2  # users and items of the run that is called "small"
TASTES = [[0, 1, 2, 10], [3, 9, 7], [4, 8, 5, 11, 6], [2, 0, 11], [5, 7, 4], [9, 3, 6]]


class FakeBackend(FakeMaps, FakeNames):
    """`progress`: what `first_run` tells; `names`: the runs that there are; `fails`: what every recommendation raises."""

    def __init__(self, names: tuple[str, ...] = ("alpha", "beta"), progress: Progress | None = None, fails: str = "") -> None:
        self.called, self.progress, self.fails = names, progress, fails
        self.bench = FakeWorkshop()
        self.rooms = FakeTour(self), FakeIntake(self), FakeScores(self), FakeXray(self)
        self.talking, self.probing = FakeTalks(self), FakeProbes()
        self.asked: list[tuple[str | None, str | None, Person, int, bool]] = []

    def versions(self) -> dict[str, str]:
        return {"llmrec": "0"}

    def runs(self) -> tuple[RunInfo, ...]:
        return tuple(RunInfo(n, "done", "films", "metaid", "", {"hit@10": 0.2}) for n in self.called)

    def first_run(self) -> Progress | None:
        return self.progress

    def start_first_run(self) -> None: ...

    def warm(self) -> None: ...

    def overview(self, run: str | None, dark: bool = False) -> Overview:
        table = pd.DataFrame({"item": [1, 2, 3], "interactions": [9, 4, 1]})
        tail = Exhibit(
            "longtail", "Long tail", "A few items take most.", table, go.Figure(go.Scatter(x=table["item"], y=table["interactions"]))
        )
        return Overview("films", (("Users", "6", "People."), ("Items", "12", "Films.")), (tail,), ("3 rows were dropped.",))

    def titles(self, run: str | None) -> list[str]:
        return [t for t, _, _ in FILMS[: SMALL if run == "small" else None]]

    def user_keys(self, run: str | None) -> list[str]:
        return [str(100 + u) for u in range(len(TASTES))][: SMALL if run == "small" else None]

    def card(self, run: str | None, side: Side, index: int) -> Card:
        if side == "user":
            return Card(
                "user",
                index,
                str(100 + index),
                f"user {100 + index}",
                facts=("student",),
                pieces=(Token(f"<c{index % 3}>"), Token(f"<r{index + 12}>")),
                tones=(index % 3, None),
            )
        title, year, genres = FILMS[index]
        return Card(
            "item",
            index,
            str(index + 1),
            title,
            year,
            genres,
            pieces=(Token(f"<c{index % 3}>"), Token(f"<r{index}>")) if run else (),
            tones=(index % 3, None),
        )

    def index(self, run: str | None, side: Side, key: str) -> int | None:
        keys = self.user_keys(run) if side == "user" else [str(i + 1) for i in range(len(FILMS))]
        return keys.index(key) if key in keys else None

    def history(self, run: str | None, user: int) -> pd.DataFrame:
        return pd.DataFrame([{"title": FILMS[i][0], "year": FILMS[i][1], "genres": ", ".join(FILMS[i][2])} for i in TASTES[user]]).astype(
            {"year": "Int64"}
        )

    def person(self, run: str | None, user: int) -> Person:
        return Person(user, tuple(TASTES[user][:-1]))

    def baselines(self) -> list[str]:
        return ["popularity", "itemknn-last3"]

    def recommend(self, run: str | None, model: str | None, person: Person, k: int, seen: bool = False) -> Answer:
        self.asked.append((run, model, person, k, seen))
        if self.fails:
            raise Trouble(self.fails)
        out = set(person.rejected) | (set() if seen else set(person.history))
        start = person.history[-1] if person.history else 0
        order = [(start + step) % len(FILMS) for step in range(1, len(FILMS) + 1)]
        picks = [
            Pick(self.card(run, "item", i), -float(n), person.user >= 0 and i == TASTES[person.user][-1])
            for n, i in enumerate(order)
            if i not in out
        ]
        return Answer(model or run or "", tuple(picks[:k]), 0.012)

    def mentions(self, run: str | None, text: str) -> tuple[Mention, ...]:
        low = text.casefold()
        found = [Mention(t, i) for i, (t, _, _) in enumerate(FILMS) if t.casefold() in low and not (t == "Alien" and "aliens" in low)]
        return (*found, *([Mention("Zzyzx", None, (2,))] if "zzyzx" in low else []))

    def workshop(self) -> FakeWorkshop:
        return self.bench

    def tour(self) -> FakeTour:
        return self.rooms[0]

    def intake(self) -> FakeIntake:
        return self.rooms[1]

    def maps(self) -> FakeBackend:
        return self

    def names(self) -> FakeBackend:
        return self

    def scores(self) -> FakeScores:
        return self.rooms[2]

    def xray(self) -> FakeXray:
        return self.rooms[3]

    def talks(self) -> FakeTalks:
        return self.talking

    def probes(self) -> FakeProbes:
        return self.probing

    def close(self) -> None: ...


def serve(port: int, **settings: Any) -> None:
    """The real server over a fake, for trying pages out: `python -m tests.app.fake_backend` from the root."""
    import uvicorn

    from app import server

    uvicorn.run(server.build(FakeBackend(**settings)), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    serve(8600)
