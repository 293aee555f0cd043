"""Titles that go on as somebody began to type them, for "@" in the message box.

Where it stands: under `talks`, one for each data set. What it does not know: models, Gradio.

All names of all titles stand in one long text, the best known titles first, so that looking for what was typed, in the order in which it
is shown, is a search in a text that ends early: milliseconds over 100,000 titles. What was typed is reduced to letters, digits and
blanks before; nothing in it is a pattern.
"""

from __future__ import annotations

import bisect
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Interactions
from llmrec.recommend import titles

LONGEST = 60  # letters of what was typed that count
MOST = 50  # titles that come back
FORGIVEN = 4  # letters from which on a typo is forgiven; each five more forgive one more
_BRACKETS = re.compile(r"\(([^()]*)\)")


class Completing:
    """`taken`: interactions by which titles are better or less known; those of train, so that nothing held out shows."""

    def __init__(self, catalog: Catalog, taken: Interactions) -> None:
        self._catalog = catalog
        known = np.bincount(taken.item, minlength=len(catalog.titles))
        self._order = np.lexsort((np.arange(len(known)), -known)).tolist()

    @cached_property
    def _names(self) -> tuple[list[str], list[int]]:
        """Every name of every title, and whose it is; the best known first."""
        names: list[str] = []
        owners: list[int] = []
        for item in self._order:
            title = self._catalog.titles[item]
            forms = [f"{_plain(title)} {self._years[item]}".strip(), titles.normal(title)[0]]
            if "(" in title:
                forms += [titles.normal(_BRACKETS.sub(" ", title))[0], *map(_plain, _BRACKETS.findall(title))]
            for name in dict.fromkeys(forms):
                if name:
                    names.append(name)
                    owners.append(item)
        return names, owners

    @cached_property
    def _years(self) -> list[str]:
        """Each item's year, "" where it is unknown or in the title."""
        items = self._catalog.items
        years = items["year"].tolist() if "year" in items.columns else [None] * len(items)
        known = ("" if pd.isna(year) else str(int(year)) for year in years)
        return [year if year not in title else "" for year, title in zip(known, self._catalog.titles, strict=True)]

    @cached_property
    def _text(self) -> tuple[str, list[int]]:
        """The names, a line each, and where each line begins."""
        names, _ = self._names
        starts, at = [], 0
        for name in names:
            starts.append(at)
            at += len(name) + 1
        return "\n" + "\n".join(names) + "\n", starts

    def prepare(self) -> None:
        """Make what the first search needs: some seconds for 100,000 titles."""
        _ = self._text, self._starts, self._later

    def find(self, begun: str, n: int = 8) -> tuple[int, ...]:
        """Items, at most n: those whose titles begin so, then those with a word that does, each the better known first; where there is
        none, those that would but for a typo or two. Nothing typed: the best known of all. Of equal titles one comes."""
        n = max(0, min(n, MOST))
        typed = begun[: 4 * LONGEST]
        bare, year = titles.normal(typed)
        forms = dict.fromkeys(form[:LONGEST] for form in (_plain(typed), bare if year is None else "") if form)
        if not forms:
            return () if typed.strip(" @") else self._different(iter(self._order), n)
        places = (self._where(before + form) for before in ("\n", " ") for form in forms)
        found = self._different(itertools.chain.from_iterable(places), n)
        return found or self._different(self._misspelt(next(iter(forms))), n)

    def _where(self, needle: str) -> Iterator[int]:
        """Items with a name that holds this, the better known first."""
        text, starts = self._text
        at = text.find(needle)
        while at >= 0:
            yield self._names[1][bisect.bisect_right(starts, at) - 1]
            at = text.find(needle, at + 1)

    def _misspelt(self, typed: str) -> Iterator[int]:
        """Items whose names begin almost so, the least changed first; where there is none, those with a later word that does."""
        if len(typed) < FORGIVEN:
            return
        near = self._starts.near(typed)
        if not near and " " not in typed:
            near = self._later.near(typed)
        for _, place in sorted(near):
            yield self._names[1][place]

    @cached_property
    def _starts(self) -> _Spelt:
        return _Spelt(enumerate(self._names[0]))

    @cached_property
    def _later(self) -> _Spelt:
        return _Spelt((place, word) for place, name in enumerate(self._names[0]) for word in name.split(" ")[1:])

    def _different(self, items: Iterator[int], n: int) -> tuple[int, ...]:
        """The first n, without those that are shown alike."""
        found: dict[tuple[str, str], int] = {}
        for item in items:
            if len(found) == n:
                break
            found.setdefault((self._catalog.titles[item], self._years[item]), item)
        return tuple(found.values())


class _Spelt:
    """Texts by their first two letters: a typo leaves one of those in its place or next to it, so that few need a closer look."""

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        self._begun: dict[str, list[tuple[int, str]]] = {}
        for place, text in texts:
            self._begun.setdefault(text[:2], []).append((place, text))

    def near(self, typed: str) -> list[tuple[int, int]]:
        """(letters to change, place) of texts that begin almost as what was typed, two swapped letters counting once; those with its first
        letter alone, where there are any."""
        return self._near(typed, lambda two: two[0] == typed[0]) or self._near(typed, lambda two: not {*two}.isdisjoint(typed[:2]))

    def _near(self, typed: str, worth: Callable[[str], bool]) -> list[tuple[int, int]]:
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        allowed = 1 + (len(typed) - FORGIVEN) // 5
        some = [pair for two, pairs in self._begun.items() if worth(two) for pair in pairs]
        cut = [text[: len(typed)] for _, text in some]
        close = []
        for _, _, at in process.extract(typed, cut, scorer=OSA.distance, score_cutoff=allowed + 1, limit=None):
            place, text = some[at]
            apart = min(OSA.distance(typed, text[: len(typed) + more]) for more in (-1, 0, 1))
            if apart <= allowed:
                close.append((int(apart), place))
        return close


def _plain(text: str) -> str:
    """Letters and digits without case and accents, a blank between words."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("'", "").replace("\u2019", "")
    return " ".join(re.findall(r"[^\W_]+", plain))
