"""Behind `seam.TourLike`: the eight names of one item and META ID's story; two rooms inside tell the other stories.

Where it stands: a room of the backend. What it does not know: Streamlit.
"""

from __future__ import annotations

import importlib
from typing import Any

from app.library import Library, told
from app.seam.tour import Clusters, Forming, Naming, Walk
from app.seam.values import Card
from app.tour.names import EightNames
from app.tour.shelf import Shelf
from app.tour.space import Space


class Tour:
    """See `seam.TourLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._shelf = Shelf(library)
        self._names, self._space = EightNames(library, self._shelf), Space(library, self._shelf)
        self._rooms: dict[str, Any] = {}

    def items(self, run: str | None) -> dict[str, str]:
        """Keys and titles to choose from, the most taken first."""
        with told():
            return self._names.items(run)

    def item(self, run: str | None, key: str | None) -> Card:
        """The item of this key, or the most taken one."""
        with told():
            return self._names.item(run, key)

    def taken(self, run: str | None, item: int) -> tuple[int, int]:
        """How many took this item, of how many users."""
        with told():
            return int(self._names.popular(run)[1][item]), self._library.world(run).dataset.interactions.n_users

    def names(self, run: str | None, item: int) -> tuple[Naming, ...]:
        """The item in eight schemes; those whose names are still fitted say how far they are."""
        with told():
            return self._names.names(run, item)

    def people(self, run: str | None) -> list[str]:
        """Keys of users that a walk can start from."""
        with told():
            return self._space.people(run)

    def walk(self, run: str | None, key: str | None, seed: int, dark: bool = False) -> Walk:
        """One walk from this user."""
        with told():
            return self._space.walk(run, key, seed, dark)

    def forming(self, run: str | None, item: int, dark: bool = False) -> Forming:
        """The space as walks form it, this item ringed."""
        with told():
            return self._space.forming(run, item, dark)

    def clusters(self, run: str | None, item: int, k: int | None, dark: bool = False) -> Clusters:
        """Names with K clusters; None: META ID's own K."""
        with told():
            return self._space.clusters(run, item, k, dark)

    def masking(self) -> Any:
        """TokenRec's story."""
        return self._room("masking_room", "Masking")

    def pulling(self) -> Any:
        """CLLM4Rec's story."""
        return self._room("pulling_room", "Pulling")

    def _room(self, module: str, name: str) -> Any:
        """A room inside, made when first asked for."""
        if name not in self._rooms:
            self._rooms[name] = getattr(importlib.import_module(f"app.tour.{module}"), name)(self._library)
        return self._rooms[name]

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""
