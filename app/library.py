"""What every room of the backend reads: runs loaded when first asked for and then kept, models, figures, and errands.

Where it stands: under `backend` and its rooms. What it does not know: pages.
A few values of each kind are kept; a model answers one question at a time, since inference is not concurrent.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from app.errands import Errands
from app.seam.values import Trouble
from app.world import World
from llmrec.contracts import Recommender

T = TypeVar("T")
WORLDS, MODELS, VALUES = 10, 5, 40
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
            try:
                value = make()
            except BaseException:
                with self._lock:
                    self._making.pop(key, None)
                raise
            with self._lock:
                self._making.setdefault(key, making)  # another thread's try may have failed meanwhile
                self._values[key] = value
                while len(self._values) > self._size:
                    dropped, _ = self._values.popitem(last=False)
                    self._making.pop(dropped, None)
            return value


class Library:
    """`errands`: the processes that this server starts for its pages, trainings apart."""

    def __init__(self) -> None:
        self.errands = Errands()
        self._worlds, self._models, self._values = Kept(WORLDS), Kept(MODELS), Kept(VALUES)
        self._busy: dict[Any, threading.Lock] = {}
        self._lock = threading.Lock()
        self.loading = threading.RLock()  # one model is loaded at a time
        self._base: Any = None
        self._listed: tuple[float, list[Any]] = (-LISTED, [])

    def runs(self) -> list[Any]:
        """Every `llmrec.runs.store.Run` on the disk, newest first, broken ones too."""
        from llmrec.runs import store

        with self._lock:
            when, found = self._listed
            if time.monotonic() - when > LISTED:
                found = store.list_runs()
                self._listed = (time.monotonic(), found)
            return found

    def world(self, run: str | None) -> World:
        """One run's values; None: the default data without a model."""
        return self._worlds.get(self.made(run), lambda: _load(run))

    def recommender(self, run: str | None, model: str | None = None) -> Recommender:
        """The run's own model (None) or a baseline by name, fitted on the run's training interactions. Ask it inside `answering`."""
        return self._models.get((self.made(run, model is None), model), lambda: self._recommender(run, model))

    def _recommender(self, run: str | None, model: str | None) -> Recommender:
        world = self.world(run)
        if model is not None:
            return _baseline(world, model)
        with self.loading:
            return _own(world, self.base)

    @property
    def base(self) -> Any:
        """The one `llmrec.lm.shared.SharedBase` of this process, under all models of all rooms. Take it while `loading` is held."""
        if self._base is None:
            from llmrec.lm.shared import SharedBase

            self._base = SharedBase()
        return self._base

    @contextmanager
    def answering(self, run: str | None, model: str | None = None) -> Iterator[None]:
        """While inside, nobody else asks this model."""
        with self._lock:
            busy = self._busy.setdefault((run, model), threading.Lock())
        with busy:
            yield

    def kept(self, key: Any, make: Callable[[], T]) -> T:
        """A figure or a table, made once per key. The key should hold `made(run)`, and `dark` where it matters."""
        return self._values.get(key, make)

    def made(self, run: str | None, model: bool = False) -> tuple[str | None, int]:
        """A run as a key for what is kept of it: its name and when it, or its `model`, was written. A run that was trained on, or deleted
        and made anew under its old name, is loaded again."""
        from llmrec import home

        if run is None:
            return run, 0
        file = home.runs() / run / ("model/manifest.json" if model else "run.json")
        try:
            return run, file.stat().st_mtime_ns
        except (OSError, ValueError):  # no such run, or no model yet: the loader says so
            return run, 0

    def close(self) -> None:
        """End the errands."""
        self.errands.close()


def _load(run: str | None) -> World:
    from llmrec import recipe
    from llmrec.runs import store

    return World(store.by_name(run)) if run is not None else World(None, recipe.read({"scheme": {"name": "metaid"}}))


def _own(world: World, base: Any) -> Recommender:
    if world.run is None:
        raise Trouble("There is no trained run yet.")
    recommender: Recommender = world.run.recommender(base=base)
    return recommender


def _baseline(world: World, name: str) -> Recommender:
    from llmrec import registry, rng

    fitted: Recommender = registry.load("baseline", name)().fit(world.split.train, rng.stream(0, "baseline", name))
    return fitted


@contextmanager
def told(quiet: bool = False) -> Iterator[None]:
    """What the library refuses with a sentence becomes `Trouble`; anything else is a fault and stays one."""
    try:
        yield
    except Trouble:
        raise
    except (ValueError, FileNotFoundError) as error:
        if not quiet:
            raise Trouble(str(error)) from error
