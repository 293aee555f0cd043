"""The eight names of one item: each scheme's name, what it costs, who begins alike, and how well its newest run finds things.

Where it stands: a part of the Tour's room, over `shelf` and `reading`. What it does not know: Streamlit.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from app.library import Kept, Library
from app.seam.tour import Company, Habits, Naming, Score, Written
from app.seam.values import Card
from app.tour import reading
from app.tour.reading import Read
from app.tour.shelf import Shelf, Source
from llmrec import registry

SHOWN = 3
LISTED = 20_000  # items in the search; the address reaches all


class EightNames:
    """`shelf`: where names come from."""

    def __init__(self, library: Library, shelf: Shelf) -> None:
        self._library, self._shelf = library, shelf
        self._read = Kept(32)

    def items(self, run: str | None) -> dict[str, str]:
        """Keys and titles to choose from, the most taken first."""
        return self._library.kept(("tour items", self._library.made(run)), lambda: _listed(self._library.world(run), self.popular(run)))

    def item(self, run: str | None, key: str | None) -> Card:
        """The item of this key, or the most taken one."""
        world = self._library.world(run)
        index = world.index("item", key) if key else None
        return world.card("item", int(self.popular(run)[0][0]) if index is None else index)

    def popular(self, run: str | None) -> tuple[Any, Any]:
        """Items from the most taken on, and how many took each."""

        def count() -> tuple[Any, Any]:
            taken = self._library.world(run).dataset.interactions
            counts = np.bincount(taken.item, minlength=taken.n_items)
            return np.argsort(-counts, kind="stable"), counts

        return self._library.kept(("popular", self._library.made(run)), count)

    def names(self, run: str | None, item: int) -> tuple[Naming, ...]:
        """One row a scheme, those that are still made with how far they are."""
        return tuple(self._naming(run, item, source) for source in self._shelf.sources(run))

    def _naming(self, run: str | None, item: int, source: Source) -> Naming:
        called, says = introduced(source.scheme)
        if source.table is None:
            return Naming(source.scheme, called, says, making=source.making)
        found = self.read(run, source)
        pieces, tones = found.name(item)
        owner = source.run.name if source.run is not None else ""
        written = Written(pieces, tones, found.of(item), owner)
        habits = Habits(found.mean, found.new_rows, found.collisions)
        return Naming(source.scheme, called, says, written, habits, self._company(run, found, item), score(source.run))

    def read(self, run: str | None, source: Source) -> Read:
        """A source's names as a model reads them."""
        assert source.table is not None
        table = source.table

        def subwords() -> Any:
            if source.run is not None and (source.run.path / "model").exists():
                return reading.of_run(source.run)
            titles = self._library.world(run).dataset.catalog.titles
            return self._library.kept(("subwords", self._library.made(run)), lambda: reading.of_texts(titles))

        return self._read.get(source.key, lambda: reading.read(table, subwords))

    def _company(self, run: str | None, found: Read, item: int) -> Company:
        alike = found.alike(item)
        counts = self.popular(run)[1]
        world = self._library.world(run)
        first = alike[np.lexsort((alike, -counts[alike]))][:SHOWN]
        return Company(len(alike), tuple(world.card("item", int(i)) for i in first))


def introduced(scheme: str) -> tuple[str, str]:
    """What a scheme is called and what it does, in the first line of its module."""
    cls = registry.load("scheme", scheme)
    line = (sys.modules[cls.__module__].__doc__ or scheme).strip().splitlines()[0]
    called, _, says = line.partition(": ")
    called, says = called.removesuffix("'s names"), says.strip()
    return (called, says[:1].upper() + says[1:]) if says else (scheme, line)


def score(run: Any) -> Score | None:
    """The number that a run's own report puts first; None before it was measured."""
    from llmrec.report.protocols import headline

    report = (run.metrics or {}).get("test", {}).get("masked", {}) if run is not None else {}
    numbers = report.get("metrics", {})
    for name in headline(report, numbers)[:1]:
        low, high = report.get("intervals", {}).get(name, (None, None))
        return Score(run.name, name, float(numbers[name]), low, high)
    return None


def _listed(world: Any, popular: tuple[Any, Any]) -> dict[str, str]:
    catalog = world.dataset.catalog
    out = {}
    for index in popular[0][:LISTED].tolist():
        card = world.card("item", index)
        year = "" if card.year is None or str(card.year) in card.title else f" ({card.year})"
        out[catalog.item_keys[index]] = f"{card.title}{year}"
    return out
