"""The only bridge from the pages to llmrec: runs, data, names, the map and recommendations as plain values.

Where it stands: under every page, behind `seam.BackendLike`. What it does not know: Streamlit and Gradio.
Runs are loaded when first asked for and kept, a few at a time; a model answers one question at a time, since inference is not concurrent.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from app import exhibits, maps
from app.seam import Answer, Atlas, Card, Inspection, Mention, Overview, Person, Pick, Progress, RunInfo, Side, Trouble
from app.train.first_run import FirstRun
from app.train.workshop import Workshop
from app.world import World
from llmrec.contracts import Queries, Ranked, Recommender
from llmrec.ids.lookup import written
from llmrec.view.palette import palette

T = TypeVar("T")
KEPT = {"worlds": 4, "models": 3, "figures": 12}
LISTED = 1.0  # seconds for which the list of runs is taken as it was


class Kept:
    """Values made once per key and kept, the least used dropped. Two threads that ask for one key make it once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._making: dict[Any, threading.Lock] = {}

    def get(self, key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    kept: T = self._values[key]
                    return kept
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._size:
                    dropped, _ = self._values.popitem(last=False)
                    self._making.pop(dropped, None)
            return value


class Backend:
    """`first`: how the first run of a fresh machine is trained."""

    def __init__(self, first: FirstRun | None = None) -> None:
        self._first = first or FirstRun()
        self._worlds, self._models, self._figures = (Kept(KEPT[k]) for k in ("worlds", "models", "figures"))
        self._busy: dict[Any, threading.Lock] = {}
        self._maps, self._workshop = maps.Workers(), Workshop()
        self._lock = threading.Lock()
        self._listed: tuple[float, list[Any]] = (-LISTED, [])

    def versions(self) -> dict[str, str]:
        """Versions of what answers."""
        import importlib.metadata as metadata

        import llmrec

        return {"llmrec": llmrec.__version__, **{name: metadata.version(name) for name in ("streamlit", "gradio", "torch")}}

    def runs(self) -> tuple[RunInfo, ...]:
        """Every run, newest first; broken ones are left to the command line."""
        found = []
        for run in self._on_disk():
            if not run.broken:
                with _told(quiet=True):
                    found.append(_info(run))
        return tuple(found)

    def first_run(self) -> Progress | None:
        """How far the first run is, where this server trains one."""
        return self._first.progress()

    def start_first_run(self) -> None:
        """Train a first run where there is none."""
        if not any(r.ready for r in self.runs()):
            self._first.begin(self._on_disk())

    def warm(self) -> None:
        """Load what the first visitor will ask for; whatever goes wrong here is told when somebody asks."""
        run = next((r.name for r in self.runs() if r.ready), None)
        with contextlib.suppress(Exception):
            self.overview(run)
            self.recommend(run, None if run else "popularity", self.person(run, 0), 1)
            if run is not None:
                self.nodes(run)

    def overview(self, run: str | None, dark: bool = False) -> Overview:
        """A data set at a glance."""
        with _told():
            return self._figures.get(("overview", _made(run), dark), lambda: exhibits.overview(self._world(run).dataset, dark))

    def titles(self, run: str | None) -> list[str]:
        """Titles; item i is the i-th."""
        with _told():
            return self._world(run).dataset.catalog.titles

    def user_keys(self, run: str | None) -> list[str]:
        """Keys; user i is the i-th."""
        with _told():
            return self._world(run).dataset.catalog.user_keys

    def card(self, run: str | None, side: Side, index: int) -> Card:
        """One item or user."""
        with _told():
            return self._world(run).card(side, index)

    def index(self, run: str | None, side: Side, key: str) -> int | None:
        """The number behind a key, or None."""
        with _told():
            return self._world(run).index(side, key)

    def history(self, run: str | None, user: int) -> pd.DataFrame:
        """What a user took, oldest first."""
        with _told():
            return self._world(run).history(user)

    def person(self, run: str | None, user: int) -> Person:
        """A user as the test asks about them."""
        with _told():
            return self._world(run).person(user)

    def nodes(self, run: str) -> dict[str, str]:
        """Everything on the map and every Token: node -> how it is written."""
        with _told():
            return self._world(run).nodes

    def inspect(self, run: str, node: str) -> Inspection:
        """One point of the map, or one Token."""
        with _told():
            return self._world(run).inspect(node)

    def atlas(self, run: str, focus: str | None = None, dark: bool = False) -> Atlas:
        """The map: UMAP where it is made already, PCA until then. focus: the node to ring."""
        with _told():
            world = self._world(run)
            if world.vectors is None:
                raise Trouble("There is no trained run yet, so there is no space to map.")
            better = self._maps.ready(run, world.vectors)
            failure = "" if better else self._maps.failure(run)
            atlas = self._figures.get((_made(run), better, focus, dark), lambda: _atlas(world, better, focus, dark))
            if failure:
                return Atlas(atlas.how, atlas.figure, atlas.table, atlas.quality, atlas.note, False, f"{failure}; the map stays PCA.")
            return atlas if better else Atlas(atlas.how, atlas.figure, atlas.table, atlas.quality, atlas.note, True)

    def baselines(self) -> list[str]:
        """Names of the classical recommenders that are fitted within seconds: a page cannot wait for the others."""
        from llmrec import registry

        return list(registry.QUICK_BASELINES)

    def recommend(self, run: str | None, model: str | None, person: Person, k: int, seen: bool = False) -> Answer:
        """Ask a model: the run's own (None) or a baseline, by name. seen: whether what the person knows may come back."""
        with _told():
            world = self._world(run)
            recommender = self._models.get((_made(run, model is None), model), lambda: _recommender(world, model))
            out = person.rejected if seen else (*person.history, *person.rejected)
            query = Queries.of_history(person.history, tuple(dict.fromkeys(out)), world.known_as(person.user))
            k = max(1, min(k, len(world.dataset.catalog.items)))
            with self._one_at_a_time((run, model)):
                began = time.perf_counter()
                ranked = recommender.recommend(query, k)
                seconds = time.perf_counter() - began
            return _answer(world, ranked, person, k, seconds, model or run or "")

    def mentions(self, run: str | None, text: str) -> tuple[Mention, ...]:
        """The titles that a message names."""
        with _told():
            return self._world(run).mentions.find(text)

    def workshop(self) -> Workshop:
        """The queue, the runs at work, and the form."""
        return self._workshop

    def close(self) -> None:
        """End what this server started, but for trainings: they go on."""
        self._maps.close()
        self._workshop.close()

    def _on_disk(self) -> list[Any]:
        from llmrec.runs import store

        with self._lock:
            when, found = self._listed
            if time.monotonic() - when > LISTED:
                found = store.list_runs()
                self._listed = (time.monotonic(), found)
            return found

    def _world(self, run: str | None) -> World:
        return self._worlds.get(_made(run), lambda: _load(run))

    @contextmanager
    def _one_at_a_time(self, key: Any) -> Iterator[None]:
        with self._lock:
            busy = self._busy.setdefault(key, threading.Lock())
        with busy:
            yield


def _made(run: str | None, model: bool = False) -> tuple[str | None, int]:
    """A run as a key for what is kept of it: its name and when it, or its `model`, was written. A run that was trained on, or deleted and
    made anew under its old name, is loaded again."""
    from llmrec import home

    if run is None:
        return run, 0
    file = home.runs() / run / ("model/manifest.json" if model else "run.json")
    try:
        return run, file.stat().st_mtime_ns
    except (OSError, ValueError):  # no such run, or no model yet: the loader says so
        return run, 0


def _info(run: Any) -> RunInfo:
    from llmrec.report.protocols import headline

    info, state = run.info, run.status.state
    ready = state == "done" or ((run.path / "model").exists() and state not in ("running", "stopping"))
    report = (run.metrics or {}).get("test", {}).get("masked", {})
    numbers = report.get("metrics", {})
    shown = {name: float(numbers[name]) for name in headline(report, numbers)}
    return RunInfo(run.name, "done" if ready else state, str(info["data"]), str(info["scheme"]), "", shown)


def _load(run: str | None) -> World:
    from llmrec import recipe
    from llmrec.runs import store

    return World(store.by_name(run)) if run is not None else World(None, recipe.read({"scheme": {"name": "metaid"}}))


def _recommender(world: World, model: str | None) -> Recommender:
    from llmrec import registry, rng

    if model is None:
        if world.run is None:
            raise Trouble("There is no trained run yet.")
        recommender: Recommender = world.run.recommender()
        return recommender
    fitted: Recommender = registry.load("baseline", model)().fit(world.split.train, rng.stream(0, "baseline", model))
    return fitted


def _answer(world: World, ranked: Ranked, person: Person, k: int, seconds: float, model: str) -> Answer:
    target = world.targets.get(person.user, frozenset())
    found = [(int(i), float(s)) for i, s in zip(ranked.items[0], ranked.scores[0], strict=True) if i >= 0]
    picks = tuple(Pick(world.card("item", i), s, i in target) for i, s in found)
    note = "" if len(picks) == k else f"found {len(picks)} of {k}"
    return Answer(model, picks, seconds, note)


def _atlas(world: World, better: bool, focus: str | None, dark: bool) -> Atlas:
    from llmrec.view import atlas as drawing

    assert world.vectors is not None
    laid = maps.umap(world.vectors) if better else maps.pca(world.vectors)
    side, _, key = (focus or "").partition(":")
    index = world.index("item" if side == "item" else "user", key) if side in ("item", "user") else None
    selected: Any = (side, index) if index is not None else None
    figure = drawing.atlas(laid, world.dataset.catalog, world.table, world.split.train, selected, dark)
    exhibits.dressed(figure, 620).update_layout(
        margin={"l": 4, "r": 4, "t": 46, "b": 4},
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": palette(dark).missing, "activecolor": palette(dark).ink},
    )
    figure.update_traces(showlegend=False, selector={"name": "selected"})
    points = len(laid.users) + len(laid.items)
    note = "Colours repeat: there are more Tokens than colours; point at one to see its name. The menu colours by something else."
    if world.lent:
        colours = note if world.table is not None and world.table.items.books[0].token else ""
        note = f"This scheme names without vectors: the map lies in the space of walks, where META ID finds its clusters. {colours}".strip()
    if points > drawing.LIMIT:
        note = f"{drawing.LIMIT:,} of {points:,} points are drawn, at random; the search finds all. {note}"
    quality = (
        (
            "Trustworthiness",
            laid.trustworthiness,
            f"1: nobody is near on the map who is not near in the original space; 0.5: chance. On {laid.scored:,} points.",
        ),
        (
            "Neighbours kept",
            laid.knn_overlap,
            f"Share of the 15 nearest in the original space that are among the 15 nearest here. On {laid.scored:,} points.",
        ),
    )
    return Atlas(laid.method, figure, _coordinates(world, laid), quality, note)


def _coordinates(world: World, laid: Any) -> pd.DataFrame:
    catalog = world.dataset.catalog
    sides: tuple[tuple[Side, list[str], Any], ...] = (("item", catalog.item_keys, laid.items), ("user", catalog.user_keys, laid.users))
    parts = []
    for side, keys, plane in sides:
        cards = [world.card(side, i) for i in range(len(keys))]
        names = [written(c.pieces) for c in cards]
        parts.append(
            pd.DataFrame({"side": side, "key": keys, "title": [c.title for c in cards], "name": names, "x": plane[:, 0], "y": plane[:, 1]})
        )
    table = pd.concat(parts, ignore_index=True)
    known: pd.DataFrame = table[~np.isnan(table["x"].to_numpy(dtype=float))].reset_index(drop=True)
    return known


@contextmanager
def _told(quiet: bool = False) -> Iterator[None]:
    """What the library refuses with a sentence becomes `Trouble`; anything else is a fault and stays one."""
    try:
        yield
    except Trouble:
        raise
    except (ValueError, FileNotFoundError) as error:
        if not quiet:
            raise Trouble(str(error)) from error
