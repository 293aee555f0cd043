"""Which data sets there are to look at, and each as a world without a model: the run's own, those by name, those of this machine.

Where it stands: under `intake`. What it does not know: Streamlit, files on their way in.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pandas as pd

from app import chips
from app.data import reading
from app.errands import Errand
from app.library import Kept, Library
from app.seam.intake import DataSet, Wait
from app.seam.values import Trouble
from app.world import World

NAMED = ("ml-100k", "lastfm", "ml-1m", "beauty")
FOUND = 40  # items that a search gives
WORLDS = 4


class Sets:
    """`library`: where the worlds of runs are kept; those without a run are kept here."""

    def __init__(self, library: Library) -> None:
        self._library, self._worlds = library, Kept(WORLDS)

    def listed(self, run: str | None) -> tuple[DataSet, ...]:
        """The run's own first, then those by name that are there, then those of this machine."""
        from llmrec import registry
        from llmrec.data import uploads

        found = []
        if run is not None:
            name = next((str(r.info["data"]) for r in self._library.runs() if r.name == run and not r.broken), "")
            found.append(DataSet("", f"{name}, as the run took it" if name else "the run's own", "run", f"What {run} learned from."))
        for name in NAMED:
            cls = registry.load("data", name)
            with contextlib.suppress(ValueError):
                if hasattr(cls, "files"):
                    cls().files()
                found.append(DataSet(name, name, "named", " ".join((cls.__doc__ or "").split("\n\n")[0].split())))
        found += [DataSet(name, name, "own", "Imported on this machine.") for name in uploads.names()]
        return tuple(found)

    def recipe(self, data: str) -> Any:
        """What a run on this set would say of it. Raises `Trouble` for a set that is not there."""
        from llmrec import guard
        from llmrec.data import uploads

        sections = {"data": {"name": data}} if data in NAMED else uploads.fragment(data)
        return guard.checked({**{name: body for name, body in sections.items() if body}, "scheme": {"name": "metaid"}})

    def world(self, run: str | None, data: str) -> World:
        """One set's values. data: "" for that of the run."""
        if not data:
            return self._library.world(run)
        return self._worlds.get(self.stamp(run, data), lambda: World(None, self.recipe(data)))

    def stamp(self, run: str | None, data: str) -> Any:
        """What is kept of a set is kept under this: another one after its files changed."""
        from llmrec.runs import stages

        return (data, stages.keys(self.recipe(data))["split"]) if data else self._library.made(run)

    def waiting(self, run: str | None, data: str) -> Wait | None:
        """None where the set can be shown now; else how far reading it is. Raises `Trouble` where it cannot be read."""
        from llmrec.runs import stages

        if not data or data == "ml-100k":
            return None
        wanted = self.recipe(data)
        if {"data", "split"} <= set(stages.cached(wanted)) or reading.is_small(wanted.data.files()):
            return None
        key = ("reading", stages.keys(wanted)["split"])
        return wait(self._library.errands.ask(key, "app.data.reading", "set", data, text=wanted.to_toml()), f"reading {data}")

    def find(self, run: str | None, data: str, words: str) -> tuple[tuple[str, str], ...]:
        """Items whose titles hold every one of these words, the most taken first: (key, title and year)."""
        world = self.world(run, data)
        lines, order = self._library.kept(("searched", self.stamp(run, data)), lambda: _searched(world))
        wanted = words.casefold().split()
        hits = [int(i) for i in order if all(word in lines[i] for word in wanted)][:FOUND] if wanted else [int(i) for i in order[:FOUND]]
        keys = world.dataset.catalog.item_keys
        return tuple((keys[i], chips.label(world.card("item", i))) for i in hits)

    def takers(self, run: str | None, data: str, item: str) -> tuple[str, pd.DataFrame]:
        """An item's title, and who took it, first to last."""
        world = self.world(run, data)
        index = world.index("item", item)
        if index is None:
            raise Trouble(f"No item has the key {item!r:.100} here: search for its title.")
        taken = world.dataset.interactions
        rows = np.flatnonzero(taken.item == index)
        rows = rows[np.argsort(taken.time[rows], kind="stable")]
        keys, lengths = world.dataset.catalog.user_keys, np.diff(taken.offsets)
        table = pd.DataFrame(
            {
                "user": [keys[u] for u in taken.user[rows]],
                "date": dates(taken.time[rows]),
                **({} if taken.rating is None else {"rating": taken.rating[rows].astype(float)}),
                "length of their history": lengths[taken.user[rows]],
            }
        )
        return chips.label(world.card("item", index)), table


def dates(times: Any) -> list[str]:
    """Seconds since 1970 as dates; what cannot be those as it is."""
    from llmrec.data.columns import YEAR_2200

    return [pd.Timestamp(int(t), unit="s").strftime("%Y-%m-%d") if 100_000_000 < t < YEAR_2200 else str(t) for t in times]


def wait(errand: Errand, stage: str) -> Wait | None:
    """How an errand stands, None where it is done. Raises `Trouble` with its own words where it failed."""
    if errand.state == "failed":
        raise Trouble(errand.reason)
    if errand.state == "done":
        return None
    return Wait(errand.stage or stage, errand.share, errand.seconds, errand.ahead)


def _searched(world: World) -> tuple[list[str], Any]:
    catalog, taken = world.dataset.catalog, world.dataset.interactions
    years = catalog.items["year"].astype("string").fillna("") if "year" in catalog.items else [""] * len(catalog.items)
    lines = [f"{title} {year} {key}".casefold() for title, year, key in zip(catalog.titles, years, catalog.item_keys, strict=True)]
    return lines, np.argsort(-np.bincount(taken.item, minlength=taken.n_items), kind="stable")
