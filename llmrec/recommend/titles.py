"""Titles as people type them, to items: case, accents, articles, missing years and typos forgiven.

Where it stands: in front of `recommend`, for the command line, the page and the chat. What it does not know: models.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from llmrec.contracts import Catalog

ARTICLES = {"the", "a", "an", "le", "la", "les", "l", "il", "el", "der", "die", "das"}
ROMAN = {"ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
TYPO, TIE = 0.74, 0.04  # least likeness of a misspelt title; closer than TIE is a tie
_YEAR = re.compile(r"[\[(]?\b((?:18|19|20)\d\d)\b[\])]?\s*$")


class UnknownTitle(ValueError):
    """No item is called so, or several are. The message names the nearest."""


@dataclass(frozen=True)
class Match:
    """One item that a text may mean. score: 1 for the very title, less for guesses."""

    item: int
    title: str
    score: float


def resolve(text: str, catalog: Catalog, limit: int = 8) -> tuple[Match, ...]:
    """What a text means: one match when it is clear, several candidates (best first) when it is not, none when nothing is near.

    Tried in turn: the title itself, a title that begins so, a title with all these words, a title a typo or two away.
    """
    index = _index(catalog)
    name, year = normal(text)
    if not name:
        return ()
    if year is not None and (found := index.mains.get(_key(text))):  # "2001" is a title, not a year
        return _matches(catalog, found, 1.0)[:limit]
    tries = ((index.mains.get(name), 1.0), (index.names.get(name), 1.0), (index.beginning(name), 0.9), (index.containing(name), 0.85))
    for hits, score in tries:
        if found := index.of_year(hits, year):
            return _matches(catalog, found, score)[:limit]
    close = index.similar(name, year)
    if not close or close[0][1] < TYPO:
        return ()
    best = [(item, score) for item, score in close if score >= max(TYPO, close[0][1] - TIE)]
    return tuple(Match(item, catalog.titles[item], round(score, 3)) for item, score in best)[:limit]


def nearest(text: str, catalog: Catalog, n: int = 3) -> list[str]:
    """The titles most like a text, for error messages."""
    found = (shown(item, catalog) for item, _ in _index(catalog).similar(normal(text)[0], None))
    return list(dict.fromkeys(found))[:n]


def item(text: str, catalog: Catalog) -> int:
    """The one item a text means, by its title. `UnknownTitle` names the candidates, or the nearest where there are none."""
    matches = resolve(text, catalog)
    names = list(dict.fromkeys(shown(m.item, catalog) for m in matches))
    if len(names) == 1:  # MovieLens lists some films twice under one title: the first stands for both
        return matches[0].item
    if names:
        raise UnknownTitle(f"{text!r} may mean {_listed(names)}: write the whole title, with its year")
    raise UnknownTitle(f"no item is called {text!r}: the nearest are {_listed(nearest(text, catalog))}")


def history(text: str, catalog: Catalog) -> list[int]:
    """Items from titles set apart by semicolons, in the order given, each once."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts:
        raise ValueError("the history is empty: give titles, set apart by semicolons")
    return list(dict.fromkeys(item(part, catalog) for part in parts))


def shown(index: int, catalog: Catalog) -> str:
    """A title with its year, where the catalogue knows it apart."""
    year = _year_of(catalog, index)
    title = catalog.titles[index]
    return title if year is None or str(year) in title else f"{title} ({year})"


def normal(text: str) -> tuple[str, int | None]:
    """The bare name of a title, and the year at its end: "Godfather: Part II, The (1974)" -> ("godfather 2", 1974)."""
    found = _YEAR.search(text.strip())
    if found and found.start() > 0:
        return _key(text.strip()[: found.start()]), int(found[1])
    return _key(text), None


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("&", " and ").replace("'", "").replace("\u2019", "")
    words = re.findall(r"\w+", plain)
    while len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]
    while len(words) > 1 and words[-1] in ARTICLES:  # "Godfather, The"
        words = words[:-1]
    return " ".join(ROMAN.get(w, w) for w in words if w != "part" or len(words) == 1)


class _Index:
    """A catalogue's titles by their bare names; a second title in brackets is a name too."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.mains: dict[str, list[int]] = {}
        self.names: dict[str, list[int]] = {}
        for index, title in enumerate(catalog.titles):
            main, _ = normal(title)
            others = [_key(part) for part in re.findall(r"\(([^()]+)\)", title) if not part.isdigit()]
            self.mains.setdefault(main, []).append(index)
            short = _key(re.sub(r"\([^()]*\)", " ", title))
            for name in dict.fromkeys([main, short, *others]):
                if name:
                    self.names.setdefault(name, []).append(index)

    def beginning(self, name: str) -> list[int]:
        return self._where(lambda other: other.startswith(name + " "))

    def containing(self, name: str) -> list[int]:
        words = set(name.split())
        return self._where(lambda other: words <= set(other.split()))

    def of_year(self, items: list[int] | None, year: int | None) -> list[int]:
        """Those of the year, where one is asked for and known; else those one year off, since release years differ by country."""
        known = [(i, _year_of(self.catalog, i)) for i in items or []]
        exact = [i for i, y in known if year is None or y is None or y == year]
        return exact or [i for i, y in known if year is not None and y is not None and abs(y - year) == 1]

    def similar(self, name: str, year: int | None) -> list[tuple[int, float]]:
        """(item, likeness), best first: 1 less the share of letters that must change, two swapped letters counting once."""
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        likeness: dict[int, float] = {}
        for other, score, _ in process.extract(name, list(self.names), scorer=DamerauLevenshtein.normalized_similarity, limit=20):
            for index in self.of_year(self.names[other], year):
                likeness.setdefault(index, float(score))
        return sorted(likeness.items(), key=lambda pair: -pair[1])

    def _where(self, holds: Callable[[str], bool]) -> list[int]:
        return list(dict.fromkeys(i for other, items in self.names.items() if holds(other) for i in items))


@functools.lru_cache(maxsize=8)
def _index_of(held: _Held) -> _Index:
    return _Index(held.catalog)


class _Held:
    """A catalogue as a cache key: by identity, since data frames cannot be hashed."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    def __hash__(self) -> int:
        return id(self.catalog)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.catalog is self.catalog


def _index(catalog: Catalog) -> _Index:
    return _index_of(_Held(catalog))


def _matches(catalog: Catalog, items: list[int], score: float) -> tuple[Match, ...]:
    return tuple(Match(i, catalog.titles[i], score) for i in items)


def _year_of(catalog: Catalog, index: int) -> int | None:
    import pandas as pd

    if "year" in catalog.items.columns:
        year = catalog.items["year"].iloc[index]
        if not pd.isna(year):
            return int(year)
    return normal(catalog.titles[index])[1]


def _listed(titles: list[str]) -> str:
    return "; ".join(titles) if titles else "none"
