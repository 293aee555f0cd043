"""A fake that speaks `seam.XrayLike`, over the fake backend's films."""

from __future__ import annotations

from typing import Any

import pandas as pd

from app.seam import Card, Exhibit, Pick, Trouble
from app.seam.xray import Bit, Following, Look, Prompt, Question, Stretch

TEMPLATES = {"0": "{user} has interacted with", "1": "{user} liked", "unseen-0": "Everything that {user} picked:"}
NOBODY = 5  # the user for whom nothing was held out


class FakeXray:
    """`backend`: the fake backend, for its films and names; `asked`: the questions, in order; `fails`: what a look raises."""

    def __init__(self, backend: Any) -> None:
        self.backend, self.fails = backend, ""
        self.asked: list[Question] = []
        self.prefixes: list[str] = []
        self.anew = 0

    def templates(self, run: str) -> dict[str, str]:
        return TEMPLATES

    def held_out(self, run: str, user: int) -> tuple[Card, ...]:
        return () if user in (NOBODY, -1) else (self.backend.card(run, "item", [10, 7, 6, 11, 4][user]),)

    def first(self, run: str) -> int:
        return 1

    def look(self, run: str, question: Question, dark: bool = False) -> Look:
        self.asked.append(question)
        if self.fails:
            raise Trouble(self.fails)
        names = [self._stretch(run, i) for i in question.person.history]
        words = Stretch("words", (Bit("·likes", 0, 5, "text"), Bit("</s>", 1, 2, "special")))
        prompt = Prompt((words, *names), TEMPLATES[question.template], "Nothing is left out.", (("Pieces", "7", "How many."),))
        picks = tuple(Pick(self.backend.card(run, "item", i), -float(n), i == question.follow) for n, i in enumerate((2, 6, 8)))
        table = pd.DataFrame({"piece": [1], "log p": [-0.5]})
        way = Exhibit("way", "The followed name", "Exact.", table)
        if question.follow is None:
            return Look("nobody", "No item is followed", "First comes “Heat”.", prompt, picks, (), (way,), "trie")
        title = self.backend.titles(run)[question.follow]
        return Look("lost", "Lost at piece 1 of 2", f"“{title}” was lost.", prompt, picks, (("Place", "none", "x"),), (way,), "trie")

    def after(self, run: str, question: Question, prefix: str = "", dark: bool = False) -> Following:
        self.prefixes.append(prefix)
        if prefix == "99":
            raise Trouble("No item's name begins with these pieces.")
        table = pd.DataFrame({"piece": ["<c1>"], "probability": [0.5]})
        charts = tuple(Exhibit(f"next_{n}", n, "Likeliest is <c1>.", table) for n in ("whole", "allowed"))
        trail = tuple(Bit(f"<c{row}>", n, int(row), "token", 1) for n, row in enumerate(prefix.split("-"))) if prefix else ()
        deeper = {} if prefix else {"1": "<c1>", "2": "<c2>"}
        return Following(trail, (("On Tokens", "50%", "x"),), charts, deeper, "" if prefix else "2", "A note.")

    def what_if(self, run: str, question: Question, dark: bool = False) -> Exhibit:
        self.anew += 1
        if question.follow is None:
            raise Trouble("Choose an item to follow.")
        return Exhibit("what_if", "What if?", "With the past as it is: rank 3.", pd.DataFrame({"past": ["as it is"], "rank": [3]}))

    def close(self) -> None: ...

    def _stretch(self, run: str, item: int) -> Stretch:
        card = self.backend.card(run, "item", item)
        bits = tuple(Bit(str(p), n, 100 + n, "token", t) for n, (p, t) in enumerate(zip(card.pieces, card.tones, strict=True)))
        return Stretch("item", bits, card.title)
