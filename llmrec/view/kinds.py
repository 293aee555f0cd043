"""Kinds of items, each with a colour and a name, for figures whose points move: by genre, by year, by how often they are taken.

Where it stands: under `forming`; unlike `colouring`, every colour is spelled out, so that a legend of plain traces can go with it.
What it does not know: coordinates, names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Interactions
from llmrec.view.palette import Palette


@dataclass(frozen=True)
class Kinds:
    """One way to sort items. of: (m,) int64, the kind of each item; names: of the kinds; colours: theirs."""

    label: str
    of: NDArray[np.int64]
    names: tuple[str, ...]
    colours: tuple[str, ...]


def kinds(catalog: Catalog, train: Interactions, colours: Palette) -> list[Kinds]:
    """Every sorting that the data allows; the last, by how often items are taken, always."""
    found = []
    if "genres" in catalog.items:
        found.append(_by_genre(catalog, colours))
    if "year" in catalog.items:
        years = catalog.items["year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        found.append(_by_size("year", years, colours))
    taken = np.bincount(train.item, minlength=train.n_items).astype(np.float64)
    return [*(f for f in found if f is not None), _by_size("how often taken", taken, colours) or _alike(train.n_items, colours)]


def _by_genre(catalog: Catalog, colours: Palette) -> Kinds | None:
    """By first genre; the commonest have colours of their own, the rest are grey."""
    first = [_first(genres) for genres in catalog.items["genres"]]
    count = Counter(genre for genre in first if genre)
    if not count:
        return None
    kept = sorted(count, key=lambda genre: (-count[genre], genre))[: len(colours.categories)]
    place = {genre: at for at, genre in enumerate(kept)}
    of = np.asarray([place.get(genre, len(kept)) for genre in first], dtype=np.int64)
    return Kinds("genre", of, (*kept, "other"), (*colours.categories[: len(kept)], colours.missing))


def _first(genres: object) -> str:
    listed = genres if isinstance(genres, Sequence) and not isinstance(genres, str) else ()
    return str(listed[0]) if len(listed) else ""


def _by_size(label: str, values: NDArray[np.floating], colours: Palette) -> Kinds | None:
    """About equally many in each kind, from small to large; None where all are the same."""
    known = ~np.isnan(values)
    if len(np.unique(values[known])) < 2:
        return None
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, len(colours.sequence) + 1)))
    of = np.full(len(values), len(edges) - 1, dtype=np.int64)
    of[known] = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, len(edges) - 2)
    names = []
    for kind in range(len(edges) - 1):
        mine = values[known][of[known] == kind]
        names.append("" if not len(mine) else f"{mine.min():.0f}" if mine.min() == mine.max() else f"{mine.min():.0f}–{mine.max():.0f}")
    steps = [colours.sequence[round(at)] for at in np.linspace(0, len(colours.sequence) - 1, len(names))]
    return Kinds(label, of, (*names, "unknown"), (*steps, colours.missing))


def _alike(n: int, colours: Palette) -> Kinds:
    return Kinds("items", np.zeros(n, dtype=np.int64), ("items",), (colours.categories[0],))


def table(found: Kinds) -> pd.Series:
    """The kind of each item, by name."""
    return pd.Series([found.names[kind] for kind in found.of], name=found.label)
