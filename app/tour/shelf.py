"""Where a scheme's names come from: the newest run of it on the data in hand, else a table that is fitted without a model.

Where it stands: under the Tour's rooms, over `llmrec.runs`. What it does not know: items, pages.
Names that need no fitting are dealt here and now; the others are fitted by an errand, cheapest first, and kept in the stage cache, where
a training finds them too.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.library import Kept, Library
from app.seam.tour import Making
from llmrec.contracts import IdTable, Vectors

SCHEMES = ("rid", "sid", "cid", "title", "metaid", "tokenrec", "tiger", "cllm4rec")
AT_ONCE = ("rid", "sid", "title", "cllm4rec")  # nothing to fit
IN_TURN = ("cid", "metaid", "tokenrec", "tiger")  # seconds, more seconds, half a minute
TABLES, FACTS = 32, 256


@dataclass(frozen=True)
class Source:
    """Names of one scheme. run: the run they are from, None for a table; table: None while `making` tells how far it is."""

    scheme: str
    recipe: Any
    key: Hashable
    run: Any = None
    table: IdTable | None = None
    making: Making | None = None


class Shelf:
    """`library`: where runs and errands are."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._tables, self._facts = Kept(TABLES), Kept(FACTS)

    def sources(self, run: str | None) -> tuple[Source, ...]:
        """All eight; what must be fitted is asked for, the quickest first."""
        found = {scheme: self.source(run, scheme) for scheme in (*AT_ONCE, *IN_TURN)}
        return tuple(found[scheme] for scheme in SCHEMES)

    def source(self, run: str | None, scheme: str) -> Source:
        """One scheme's names on the data of `run`; asks for them where they are not there."""
        from llmrec.runs import cache, stages

        behind = self.behind(run, scheme)
        if behind is not None:
            made: Hashable = ("run", self._library.made(behind.name))
            recipe, table = self._tables.get(made, lambda: (behind.recipe, _named(behind)))
            return Source(scheme, recipe, made, behind, table)
        recipe = self.recipe(run, scheme)
        kept = stages.keys(recipe)["scheme"]
        key = ("stage", kept)
        if scheme in AT_ONCE or cache.holds("scheme", kept):
            return Source(scheme, recipe, key, table=self._tables.get(key, lambda: self._fitted(run, recipe)))
        return Source(scheme, recipe, key, making=self.asked(recipe, kept))

    def recipe(self, run: str | None, scheme: str) -> Any:
        """The recipe of the run whose names are shown; where there is none, the scheme with its defaults on this data."""
        behind = self.behind(run, scheme)
        if behind is not None:
            return self._tables.get(("run", self._library.made(behind.name)), lambda: (behind.recipe, _named(behind)))[0]
        return self._tables.get(("recipe", self._library.made(run), scheme), lambda: _recipe(self._library.world(run), scheme))

    def asked(self, recipe: Any, kept: str) -> Making:
        """Have the names of a recipe fitted, and say how far that is."""
        errand = self._library.errands.ask(("naming", kept), "app.tour.naming", text=recipe.to_toml())
        return making(errand)

    def vectors(self, run: str | None, source: Source) -> Vectors | None:
        """The vectors behind a source whose table is there."""
        from llmrec.runs import stages

        def read() -> Vectors | None:
            if source.run is not None:
                found: Vectors | None = source.run.vectors()
                return found
            world = self._library.world(run)
            return stages.vectors(source.recipe, world.dataset, world.split)

        return self._tables.get(("vectors", source.key), read)

    def behind(self, run: str | None, scheme: str) -> Any:
        """The run whose names of this scheme are shown: the one in hand, else the newest on the same data and split; None for none."""
        wanted = self._made_on(run)
        runs = [r for r in self._library.runs() if not r.broken]
        for candidate in sorted(runs, key=lambda r: r.name != run):  # stable: the one in hand, then newest first
            facts = self._facts.get(self._library.made(candidate.name), partial(_facts, candidate))
            if facts[0] == scheme and facts[1:] == wanted and _usable(candidate):
                return candidate
        return None

    def _made_on(self, run: str | None) -> tuple[str, str]:
        def told() -> tuple[str, str]:
            from llmrec import artifacts

            world = self._library.world(run)
            recipe = world.run.recipe if world.run is not None else world.recipe
            return artifacts.fingerprint(world.dataset), recipe.fingerprint("split")

        return self._facts.get(("data", self._library.made(run)), told)

    def _fitted(self, run: str | None, recipe: Any) -> IdTable:
        from llmrec.runs import stages

        world = self._library.world(run)
        points = stages.vectors(recipe, world.dataset, world.split)
        return stages.table(recipe, world.dataset, world.split, points)


def making(errand: Any) -> Making:
    """An errand as the page tells it; one that is done is looked for once more."""
    trouble = errand.reason if errand.state == "failed" else ""
    return Making(errand.stage, errand.share, errand.ahead, errand.seconds, trouble)


def _recipe(world: Any, scheme: str) -> Any:
    """The scheme with its defaults, as the sketch recipes have it, on the data of this world."""
    from llmrec import recipe

    own = world.run.recipe if world.run is not None else world.recipe
    plain = own.to_dict()
    kept = {section: plain[section] for section in ("seed", "data", "filter", "split") if section in plain}
    return recipe.read({**kept, "scheme": {"name": scheme}})


def _facts(run: Any) -> tuple[str, str, str]:
    """A run's scheme, data and split; empty where its folder cannot be read."""
    try:
        info = run.info
        return str(info["scheme"]), str(info.get("data_fingerprint")), run.recipe.fingerprint("split")
    except (ValueError, KeyError, OSError):
        return "", "", ""


def _usable(run: Any) -> bool:
    state = run.status.state
    return state == "done" or (state not in ("running", "stopping", "queued") and (run.path / "model").exists())


def _named(run: Any) -> IdTable:
    from llmrec.runs import newcomers

    return newcomers.pool(run, run.table(), None)[0]
