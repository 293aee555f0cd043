"""A fake that speaks `seam.probes.ProbesLike`: two tables and three failures that were made up, over whatever models it is asked about."""

from __future__ import annotations

from typing import Any

import pandas as pd

from app.seam import Trouble
from app.seam.probes import Ask, Board, Failure, Going, Sheet

HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$"
SKILLS = ("recommend", "like", "why", "refuse")


class FakeProbes:
    """`going`: what is still to be asked; `known`: whether anything was asked; `asked`: every question, and whether it was to start."""

    def __init__(self) -> None:
        self.going, self.known = Going(), True
        self.asked: list[tuple[Ask, bool]] = []

    def skills(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, f"{name} · {n}") for n, name in enumerate(SKILLS, 1))

    def board(self, ask: Ask, start: bool = False) -> Board:
        self.asked.append((ask, start))
        if "gone" in ask.models:
            raise Trouble("No trained run is called 'gone': choose another above.")
        going = self.going if start else Going()
        if not self.known:
            return Board("Nobody has asked yet.", going=going, asked=tuple((m, 0) for m in ask.models))
        lines = [[m, "90 / 80", "100 / 50", "cannot"] for m in ask.models]
        skills = pd.DataFrame(lines, columns=["model", "recommend", "like", "why"])
        speed = pd.DataFrame([[m, "0.20"] for m in ask.models], columns=["model", "first word, s"])
        sheets = (Sheet("skills", "Skills", "Percent of turns.", skills), Sheet("speed", "Speed", "Medians.", speed))
        return Board("12 probes by 2 users.", sheets, tuple(failures(ask.models[0])), going, tuple((m, ask.users) for m in ask.models))

    def result(self, ask: Ask) -> dict[str, Any]:
        return {"format": 1, "models": list(ask.models)}

    def close(self) -> None:
        """Nothing is held."""


def failures(model: str) -> list[Failure]:
    """One of a skill each, the first with a text that is none of ours."""
    faults = ("constraint: not Comedy: Alien", "count: 5 named, 3 asked for")
    return [
        Failure(model, "like", "seen", "like one", "100", f"something like {HOSTILE}", f"Close to {HOSTILE}: Alien", faults),
        Failure(model, "why", "unseen", "why, bare", "100", "but why", "Here is what fits you: Alien", ("reason: no reason was given",)),
        Failure(model, "like", "unseen", "like two", "101", "after Alien, what?", "Hello!", ("understood: talk instead of like",)),
    ]
