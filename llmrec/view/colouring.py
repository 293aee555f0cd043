"""Ways to colour users and items on a map: by Token, genre, year, popularity, part of the split, shared names; each with its legend.

Where it stands: under the map. What it does not know: coordinates, figures' layout. A Token has the colour that `levels` gives it.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Catalog, Floats, IdTable, Names, Split
from llmrec.ids.health.grouping import labels, same_books, spelled_alike
from llmrec.view.levels import Levels, coloured
from llmrec.view.palette import Palette, smooth, stepped

DECIMALS = 3  # of a value as it is sent to be drawn
_MISSING_SHARE = 0.05
_TOLD = 3  # Tokens that one entry of the legend names
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
SHARED = ("a name of its own", "shared by 2", "shared by 3 to 5", "shared by more")
PARTS = ("train only", "held out for validation", "held out for the test", "cold: not in training")


@dataclass(frozen=True)
class Colouring:
    """One way to colour the points. items: (m,) float32; users: (n,) float32; all within `ends` of a plotly colour scale.

    legend: (colour, its meaning), for categories; ticks: (value, how it is written), for ordered values. One of them is empty.
    """

    label: str
    items: Floats
    users: Floats
    scale: list[list[float | str]]
    ends: tuple[float, float]
    legend: tuple[tuple[str, str], ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()


def colourings(sizes: tuple[int, int], catalog: Catalog, table: IdTable | None, split: Split | None, colours: Palette) -> list[Colouring]:
    """Every colouring that the data allows, the first Token first where names begin with one. sizes: how many items and users there are."""
    n_items, n_users = sizes
    nobody = np.full(n_users, np.nan)
    found: list[Colouring] = []
    if table is not None:
        found += [_by_token(table, place, n_users, colours) for place in tokens_shared(table)]
    if "genres" in catalog.items:
        found.append(_by_genre(catalog, nobody, colours))
    if "year" in catalog.items:
        years = catalog.items["year"].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        found.append(_ordered("year", years, nobody, colours))
    if split is not None:
        train = split.train
        counts = np.log10(1 + np.bincount(train.item, minlength=n_items)), np.log10(1 + np.diff(train.offsets))
        found.append(_ordered("popularity", *counts, colours, spell=lambda v: f"{10**v - 1:,.0f}"))
        found.append(_stepped("part of the split", *_parts(split, n_items, n_users), PARTS, colours))
    if table is not None:
        found.append(_stepped("shared names", *_sharing(table, n_users), SHARED, colours))
    sides = np.zeros(n_items), np.ones(n_users)
    return [*found, _stepped("user or item", *sides, ("items", "users"), colours)]


def tokens_shared(table: IdTable) -> list[int]:
    """Places of the items' names whose Tokens at least two items share: where nobody shares one, one colour for two would be a lie."""
    kept = []
    for place, book in enumerate(table.items.books):
        codes = table.items.codes[:, place]
        codes = codes[codes >= 0]
        if coloured(book) and len(np.unique(codes)) < len(codes):
            kept.append(place)
    return kept


def _by_token(table: IdTable, place: int, n_users: int, colours: Palette) -> Colouring:
    """Colour by the Token at one place of the name. Colours repeat where there are more Tokens: the legend names the most carried ones."""
    levels, n = Levels(table), len(colours.categories)
    sides = [names for names in (table.items, table.users) if names is not None and place < len(names.books)]
    items = levels.column(table.items, place)
    users = levels.column(sides[1], place) if len(sides) == 2 else np.full(n_users, np.nan)
    carried: dict[str, tuple[int, int]] = {}
    for names in sides:
        _count(names, place, levels, carried)
    legend = []
    for tone in range(n):
        mine = sorted((name for name, (of, _) in carried.items() if of == tone), key=lambda name: (-carried[name][1], name))
        if mine:
            more = f" +{len(mine) - _TOLD}" if len(mine) > _TOLD else ""
            legend.append((colours.categories[tone], html.escape(" ".join(mine[:_TOLD])) + more))
    return _of_tones(f"{PLACES[place] if place < len(PLACES) else place + 1} Token", items, users, tuple(legend), colours)


def _count(names: Names, place: int, levels: Levels, carried: dict[str, tuple[int, int]]) -> None:
    """Add how many carry each Token at one place: its spelling -> its tone and the count."""
    book = names.books[place]
    found, counts = np.unique(names.codes[:, place], return_counts=True)
    for code, count in zip(found.tolist(), counts.tolist(), strict=True):
        tone = levels.tone(book, code)
        if tone is not None:
            spelled = str(book.spell(code))
            carried[spelled] = (tone, count + carried.get(spelled, (tone, 0))[1])


def _of_tones(label: str, items: np.ndarray, users: np.ndarray, legend: tuple[tuple[str, str], ...], colours: Palette) -> Colouring:
    n = len(colours.categories)
    scale = stepped((*colours.categories, colours.missing))
    if np.isnan(items).any() or np.isnan(users).any():
        legend = (*legend, (colours.missing, "none"))
    return Colouring(label, _filled(items, n), _filled(users, n), scale, (-0.5, n + 0.5), legend)


def _by_genre(catalog: Catalog, nobody: np.ndarray, colours: Palette) -> Colouring:
    """Colour by an item's first genre; the commonest have colours of their own, the rest share the last."""
    first = [str(genres[0]) if genres is not None and len(genres) else None for genres in catalog.items["genres"]]
    count: dict[str, int] = {}
    for genre in first:
        if genre is not None:
            count[genre] = count.get(genre, 0) + 1
    ranked = sorted(count, key=lambda genre: (-count[genre], genre))
    n = len(colours.categories)
    kept = ranked if len(ranked) <= n else ranked[: n - 1]
    place = {genre: min(i, n - 1) for i, genre in enumerate(ranked)}
    values = np.asarray([np.nan if genre is None else place[genre] for genre in first], dtype=float)
    return _stepped("genre", values, nobody, (*kept, "other") if len(kept) < len(ranked) else tuple(kept), colours)


def _parts(split: Split, n_items: int, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """What the split does with each item and user: held out for the test outweighs validation, and in no training outweighs both."""
    sides = []
    for column, n in (("item", n_items), ("user", n_users)):
        part = np.zeros(n)
        part[np.unique(getattr(split.valid, column))] = 1
        part[np.unique(getattr(split.test, column))] = 2
        part[np.bincount(getattr(split.train, column), minlength=n) == 0] = 3
        sides.append(part)
    return sides[0], sides[1]


def _sharing(table: IdTable, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """How many bear the same whole name, as a place in `SHARED`; NaN for users where the scheme names none."""
    items = spelled_alike(table.items)
    if table.users is None:
        return _bearers(items), np.full(n_users, np.nan)
    users = spelled_alike(table.users)
    if not same_books(table.items.books, table.users.books):
        return _bearers(items), _bearers(users)
    both = _bearers(np.concatenate([items, users]))
    return both[: len(items)], both[len(items) :]


def _bearers(codes: np.ndarray) -> np.ndarray:
    label, n_groups = labels(codes)
    return np.digitize(np.bincount(label, minlength=n_groups)[label], [2, 3, 6]).astype(float)


def _stepped(label: str, items: np.ndarray, users: np.ndarray, names: tuple[str, ...], colours: Palette) -> Colouring:
    """Categories: value i has colour i; NaN has the grey after the last. Only categories that occur stand in the legend."""
    present = set(np.unique(np.concatenate([items, users])).tolist())
    legend = tuple((colours.categories[i], html.escape(name)) for i, name in enumerate(names) if i in present)
    return _of_tones(label, items, users, legend, colours)


def _ordered(
    label: str, items: np.ndarray, users: np.ndarray, colours: Palette, spell: Callable[[float], str] = lambda v: f"{v:.0f}"
) -> Colouring:
    """Ordered values: low to high; NaN lies in a grey band below the lowest."""
    values = np.concatenate([items, users]).astype(np.float32)  # as they will be drawn, or the ends would round out of the scale
    values = values[~np.isnan(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    high = high if high > low else low + 1
    floor = round(low - (high - low) * _MISSING_SHARE / (1 - _MISSING_SHARE), DECIMALS)
    high = round(high, DECIMALS)
    scale = smooth(colours.sequence, colours.missing, _MISSING_SHARE * 0.9)  # a little less, so that the lowest value keeps its colour
    ticks = tuple((float(v), spell(v)) for v in np.linspace(low, high, 5))
    return Colouring(label, _filled(items, floor), _filled(users, floor), scale, (floor, high), (), ticks)


def _filled(values: np.ndarray, missing: float) -> Floats:
    return np.where(np.isnan(values), missing, values).astype(np.float32)
