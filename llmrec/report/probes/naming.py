"""Titles for probes: which can be said so that one item alone is meant, how they are typed, and titles that the catalogue lacks.

Where it stands: under `filling`. What it does not know: models. A probe tests what a model makes of a message; whether "Up" is a title is
another question, so plain titles are drawn, and slips are a matter of probes of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

import numpy as np

from llmrec.lm.dialogue import asking
from llmrec.recommend import titles as reading
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.ordinary import ordinary
from llmrec.report.probes.plain import Plain

FEW = 5  # letters that a title has at least
ALIKE = 25  # places in the order of popularity within which two items are alike
FAMOUS = (
    "Oppenheimer",
    "Inception",
    "Slumdog Millionaire",
    "Zootopia",
    "Ratatouille",
    "Interstellar",
    "Quantumania",
    "Barbenheimer Rising",
)
MADE_UP = "Quervian Moltrop"
_AGAIN = re.compile(r"\s+")


class Titles:
    """`knowledge`, `plain`: of one data set."""

    def __init__(self, knowledge: Knowledge, plain: Plain) -> None:
        self.knowledge, self.plain = knowledge, plain

    @cached_property
    def speakable(self) -> list[bool]:
        """Whether a title is nobody else's, not too short, more than everyday words, and no beginning of another."""
        names = [reading.normal(t)[0] for t in self.plain.catalog.titles]
        shown = [reading.normal(t)[0] for t in self.knowledge.language.titles]
        shared = {n for n, times in Counter(names).items() if times > 1}
        starts = _beginnings(names)
        return [
            name not in shared and len(plain) >= FEW and name.startswith(plain) and plain not in starts and not _everyday(plain)
            for name, plain in zip(names, shown, strict=True)
        ]

    @cached_property
    def often(self) -> list[int]:
        """Speakable items by how often train has them, the rare half left out."""
        some = sorted((i for i in range(self.plain.n_items) if self.speakable[i]), key=lambda i: (-self.plain.counts[i], i))
        return some[: max(1, (len(some) + 1) // 2)]

    def alike(self, item: int, out: set[int]) -> list[int]:
        """Speakable items about as popular as another."""
        order = sorted(range(self.plain.n_items), key=lambda i: (-self.plain.counts[i], i))
        at = order.index(item)
        around = order[max(0, at - ALIKE) : at + ALIKE + 1]
        return [i for i in around if i != item and i not in out and self.speakable[i]]

    def typed(self, item: int, how: str, draw: np.random.Generator) -> str:
        """A title as somebody types it; a how that is none of those of probes.toml: as it stands."""
        title, year = self.knowledge.language.titles[item], self.plain.years[item]
        if how == "year" and year is not None and str(year) not in title:
            return f"{title} ({year})"
        if how == "slip":
            return asking.mistyped(title, draw)
        return {"lower": title.lower(), "upper": title.upper(), "at": f"@{title}"}.get(how, title)

    def unknown(self, draw: np.random.Generator, famous: bool = False) -> str:
        """A title that the catalogue lacks: a famous one, or one made of the words of others."""
        catalog = self.plain.catalog
        if famous:
            some = [t for t in FAMOUS if not reading.resolve(t, catalog)]
            return some[int(draw.integers(len(some)))] if some else MADE_UP
        for _ in range(40):
            words = [w for _ in range(2) for w in catalog.titles[int(draw.integers(self.plain.n_items))].split()[:2]]
            text = _AGAIN.sub(" ", " ".join(words[at] for at in draw.permutation(len(words)).tolist())).strip(" ,.:")
            if len(text) >= FEW and not reading.resolve(text, catalog) and not self._named_in(text):
                return text
        return MADE_UP

    def _named_in(self, text: str) -> bool:
        """Whether some words of a text are a title of the catalogue."""
        words = reading.normal(text)[0].split()
        spans = (" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, len(words) + 1))
        return any(span in self._names for span in spans)

    @cached_property
    def _names(self) -> set[str]:
        return {reading.normal(t)[0] for titles in (self.plain.catalog.titles, self.knowledge.language.titles) for t in titles}


def _everyday(name: str) -> bool:
    return all(ordinary(w) for w in name.split())


def _beginnings(names: list[str]) -> set[str]:
    """Names that other names begin with, word by word."""
    out: set[str] = set()
    for name in names:
        words = name.split()
        out |= {" ".join(words[:n]) for n in range(1, len(words))}
    return out
