"""What stands out among the bearers of one Token: genres, decades and words of titles that they have more often than everybody.

Where it stands: part of a table's health; the inspector of a Token shows it. What it does not know: names, behaviour.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from llmrec.contracts import Catalog

WORD = re.compile(r"[^\W\d_]{2,}")
# words that join others; a catalogue in another language has its own, whose lift is near 1 and which therefore stand last
JOINING = frozenset("the of and in to an a on for at by from with is it de la le les un une et der die das und il".split())


@dataclass(frozen=True)
class Outstanding:
    """One tag. count: members that have it; everywhere: all that have it; lift: its share among the members over its share among all,
    1 where being a member says nothing."""

    tag: str
    count: int
    everywhere: int
    lift: float


def outstanding(tags: Sequence[Collection[str]], members: Sequence[int], most: int = 6, least: int = 2) -> tuple[Outstanding, ...]:
    """Tags that members have more often than all, the most telling first: by count * log(lift), then by count, then by the alphabet.

    tags: the tags of every item; members: numbers of items; least: members that must have a tag, since one alone says nothing.
    """
    here: Counter[str] = Counter(tag for i in members for tag in set(tags[i]))
    if not here or not members:
        return ()
    everywhere = Counter(tag for of_one in tags for tag in set(of_one) if tag in here)
    found = [Outstanding(tag, n, everywhere[tag], n / len(members) * len(tags) / everywhere[tag]) for tag, n in here.items() if n >= least]
    telling = [one for one in found if one.lift > 1]
    telling.sort(key=lambda one: (-one.count * math.log(one.lift), -one.count, one.tag))
    return tuple(telling[:most])


def words(catalog: Catalog) -> list[frozenset[str]]:
    """The words of every title, without case and without those that only join others."""
    return [frozenset(WORD.findall(title.casefold())) - JOINING for title in catalog.titles]


def genres(catalog: Catalog) -> list[frozenset[str]]:
    """The genres of every item; none where the catalogue has no such column."""
    if "genres" not in catalog.items.columns:
        return [frozenset()] * len(catalog.items)
    return [frozenset() if not hasattr(g, "__iter__") or isinstance(g, str) else frozenset(map(str, g)) for g in catalog.items["genres"]]


def decades(catalog: Catalog) -> list[frozenset[str]]:
    """The decade of every item as `1990s`; none where its year is not known."""
    if "year" not in catalog.items.columns:
        return [frozenset()] * len(catalog.items)
    return [frozenset() if pd.isna(year) else frozenset({f"{int(year) // 10 * 10}s"}) for year in catalog.items["year"]]
