"""The only bridge from the pages to llmrec: runs, data, people and recommendations as plain values, and a room for each page.

Where it stands: under every page, behind `seam.BackendLike`. What it does not know: Streamlit and Gradio.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pandas as pd

from app.chat.probing import Probing
from app.chat.talks import Talks
from app.compare.scores import Scores
from app.data.intake import Intake
from app.library import Library, told
from app.seam import Answer, Card, Mention, Overview, Person, Pick, Progress, RunInfo, Side
from app.tokens.maps import Maps
from app.tokens.names import Names
from app.tour.tour import Tour
from app.train.first_run import FirstRun
from app.train.workshop import Workshop
from app.world import World
from app.xray.xray import Xray
from llmrec.contracts import Queries, Ranked


class Backend:
    """`first`: how the first run of a fresh machine is trained."""

    def __init__(self, first: FirstRun | None = None) -> None:
        self._first = first or FirstRun()
        self._library, self._workshop = Library(), Workshop()
        library = self._library
        self._tour, self._intake, self._maps = Tour(library), Intake(library), Maps(library)
        self._names, self._scores, self._xray = Names(library), Scores(library), Xray(library)
        self._talks, self._probes = Talks(library), Probing(library)

    def versions(self) -> dict[str, str]:
        """Versions of what answers."""
        import importlib.metadata as metadata

        import llmrec

        return {"llmrec": llmrec.__version__, **{name: metadata.version(name) for name in ("streamlit", "gradio", "torch")}}

    def runs(self) -> tuple[RunInfo, ...]:
        """Every run, newest first; broken ones are left to the command line."""
        found = []
        for run in self._library.runs():
            if not run.broken:
                with told(quiet=True):
                    found.append(_info(run))
        return tuple(found)

    def first_run(self) -> Progress | None:
        """How far the first run is, where this server trains one."""
        return self._first.progress()

    def start_first_run(self) -> None:
        """Open the runs that ship, or train a first one where there is none."""
        self._first.begin(self._library.runs())

    def warm(self) -> None:
        """Load what the first visitor will ask for; whatever goes wrong here is told when somebody asks."""
        run = next((r.name for r in self.runs() if r.ready), None)
        with contextlib.suppress(Exception):
            self.overview(run)
            self.recommend(run, None if run else "popularity", self.person(run, 0), 1)
            if run is not None:
                self._names.nodes(run)
            self._talks.warm()

    def overview(self, run: str | None, dark: bool = False) -> Overview:
        """A data set at a glance."""
        return self._intake.overview(run, "", dark)

    def titles(self, run: str | None) -> list[str]:
        """Titles; item i is the i-th."""
        with told():
            return self._library.world(run).dataset.catalog.titles

    def user_keys(self, run: str | None) -> list[str]:
        """Keys; user i is the i-th."""
        with told():
            return self._library.world(run).dataset.catalog.user_keys

    def card(self, run: str | None, side: Side, index: int) -> Card:
        """One item or user."""
        with told():
            return self._library.world(run).card(side, index)

    def index(self, run: str | None, side: Side, key: str) -> int | None:
        """The number behind a key, or None."""
        with told():
            return self._library.world(run).index(side, key)

    def history(self, run: str | None, user: int) -> pd.DataFrame:
        """What a user took, oldest first."""
        with told():
            return self._library.world(run).history(user)

    def person(self, run: str | None, user: int) -> Person:
        """A user as the test asks about them."""
        with told():
            return self._library.world(run).person(user)

    def baselines(self) -> list[str]:
        """Names of the classical recommenders that are fitted within seconds: a page cannot wait for the others."""
        from llmrec import registry

        return list(registry.QUICK_BASELINES)

    def recommend(self, run: str | None, model: str | None, person: Person, k: int, seen: bool = False) -> Answer:
        """Ask a model: the run's own (None) or a baseline, by name. seen: whether what the person knows may come back."""
        with told():
            world = self._library.world(run)
            recommender = self._library.recommender(run, model)
            out = person.rejected if seen else (*person.history, *person.rejected)
            query = Queries.of_history(person.history, tuple(dict.fromkeys(out)), world.known_as(person.user))
            k = max(1, min(k, len(world.dataset.catalog.items)))
            with self._library.answering(run, model):
                began = time.perf_counter()
                ranked = recommender.recommend(query, k)
                seconds = time.perf_counter() - began
            return _answer(world, ranked, person, k, seconds, model or run or "")

    def mentions(self, run: str | None, text: str) -> tuple[Mention, ...]:
        """The titles that a message names."""
        with told():
            return self._library.world(run).mentions.find(text)

    def workshop(self) -> Workshop:
        """The queue, the runs at work, and the form."""
        return self._workshop

    def tour(self) -> Tour:
        """The eight names of one item, and the three stories."""
        return self._tour

    def intake(self) -> Intake:
        """Files on their way to a data set."""
        return self._intake

    def maps(self) -> Maps:
        """The map of users and items."""
        return self._maps

    def names(self) -> Names:
        """Who is called what."""
        return self._names

    def scores(self) -> Scores:
        """Runs and baselines as numbers."""
        return self._scores

    def xray(self) -> Xray:
        """What a model reads and how it chooses."""
        return self._xray

    def probes(self) -> Probing:
        """Shipped messages asked of every model alike."""
        return self._probes

    def talks(self) -> Talks:
        """Who can answer, and their answers."""
        return self._talks

    def close(self) -> None:
        """End what this server started, but for trainings: they go on."""
        rooms = (self._tour, self._intake, self._maps, self._names, self._scores, self._xray, self._talks, self._probes)
        for room in (*rooms, self._library, self._workshop):
            room.close()


def _info(run: Any) -> RunInfo:
    from llmrec.report.protocols import headline

    info, state = run.info, run.status.state
    ready = state == "done" or ((run.path / "model").exists() and state not in ("running", "stopping"))
    report = (run.metrics or {}).get("test", {}).get("masked", {})
    numbers = report.get("metrics", {})
    shown = {name: float(numbers[name]) for name in headline(report, numbers)}
    return RunInfo(run.name, "done" if ready else state, str(info["data"]), str(info["scheme"]), "", shown)


def _answer(world: World, ranked: Ranked, person: Person, k: int, seconds: float, model: str) -> Answer:
    target = world.targets.get(person.user, frozenset())
    found = [(int(i), float(s)) for i, s in zip(ranked.items[0], ranked.scores[0], strict=True) if i >= 0]
    picks = tuple(Pick(world.card("item", i), s, i in target) for i, s in found)
    note = "" if len(picks) == k else f"found {len(picks)} of {k}"
    return Answer(model, picks, seconds, note)
