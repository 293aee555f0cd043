"""Behind `seam.MaskingLike`: an item's vector through TokenRec's masked quantizer, step by step, and what masks and sizes do to names.

Where it stands: a room of the Tour, over `scenes`. What it does not know: Streamlit, language models (`racing`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from app.library import Library, told
from app.seam.stories import Pending, Race, Scene
from app.seam.values import Trouble
from app.tour import quantizing, racing, scenes
from app.tour.scenes import Origin, waiting
from app.tour.shelf import Shelf, Source
from llmrec.ids.tokenrec import TokenRec
from llmrec.ids.vq import holes
from llmrec.ids.vq.masked import Masked
from llmrec.view.levels import Levels

BOOKS, CODES = (1, 2, 3, 4, 5, 6), (16, 32, 64, 128, 256, 512)
NAMES_COST, RIVALS_COST, REFIT_COST = "about a minute, once", "about 25 s, once", "about 10 s, once for each size"


class Masking:
    """See `seam.MaskingLike`."""

    def __init__(self, library: Library) -> None:
        self._library, self._shelf = library, Shelf(library)
        self._again: set[Hashable] = set()

    def origin(self, run: str | None) -> Scene:
        """Whose names are looked into, or how far they are."""
        with told():
            found = self._origin(run)
            if isinstance(found, Pending):
                return Scene(pending=found)
            books, codes, width = found.quantizer.books.shape
            who = f"run {found.source.run.name}" if found.source.run is not None else "TokenRec's defaults, fitted without a language model"
            said = f"The quantizer is that of {who}: {books} books of {codes} codewords, {width} numbers each."
            return Scene(said)

    def step(self, run: str | None, step: str, item: int, share: float, draw: int, dark: bool = False) -> Scene:
        """One of "mask", "encode", "snap", "back", "claim", for one item under one drawing of the mask."""
        with told():
            found = self._origin(run)
            if isinstance(found, Pending):
                return Scene(pending=found)
            if not found.vectors.items[item].any():
                raise Trouble(f"{found.embedder} knows nothing of this item, so its vector is zero: choose another item.")
            if step == "claim":
                return self._claim(run, found, item, share, draw, dark)
            hidden = _hidden(found, item, share, draw)
            whole = holes.look(found.quantizer, found.vectors.items[item], np.zeros_like(hidden))
            holed = holes.look(found.quantizer, found.vectors.items[item], hidden)
            if step == "mask":
                return scenes.mask(found, whole, holed, share, dark)
            if step == "encode":
                return scenes.encode(whole, holed, dark)
            card = self._library.world(run).card("item", item)
            return scenes.snap(found, card, whole, holed, dark) if step == "snap" else scenes.back(found, card, whole, holed, dark)

    def choices(self, run: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Which numbers of books and of codes can be tried here."""
        with told():
            known = self._library.world(run).split.train.n_items
            return BOOKS, tuple(c for c in CODES if c <= known) or CODES[:1]

    def sizes(self, run: str | None, books: int, codes: int, dark: bool = False) -> Scene:
        """Quick fits of other sizes: those that were visited, and the one in hand, which is fitted where it was not."""
        with told():
            if books not in BOOKS or codes not in CODES:
                raise Trouble(f"{books} books of {codes} codes are not among the sizes to try: {BOOKS} books, {CODES} codes.")
            found = self._origin(run)
            if isinstance(found, Pending):
                return Scene(pending=found)
            visited = [fit for b in BOOKS for c in CODES if (fit := self._refit(found, b, c)) is not None]
            fitted = next((fit for fit in visited if (fit.books, fit.codes) == (books, codes)), None)
            pending = None
            if fitted is None:
                what = f"{books} books of {codes} codes are fitted, {quantizing.STEPS} steps"
                pending = self._ask(("refit", found.source.key, books, codes), what, REFIT_COST, found, "refit", str(books), str(codes))
            return scenes.sizes(visited, fitted, (books, codes), pending, dark)

    def racers(self, run: str | None) -> tuple[str, ...]:
        """Who would race; nobody where no TokenRec run is trained on this data."""
        with told():
            return racing.racers(self._library, *self._runners(run))

    def race(self, run: str | None, user: int, dark: bool = False) -> Iterator[Race]:
        """Rank for one person by every way in turn, and tell how it stands after each turn."""
        with told():
            yield from racing.race(self._library, *self._runners(run), user, dark)

    def retry(self, key: Hashable) -> None:
        """Have work that failed tried once more, when it is asked for next."""
        self._again.add(key)

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""

    def _runners(self, run: str | None) -> tuple[Any, Any]:
        return self._shelf.behind(run, "tokenrec"), self._shelf.behind(run, "metaid")

    def _origin(self, run: str | None) -> Origin | Pending:
        source = self._shelf.source(run, "tokenrec")
        if source.table is not None and not isinstance(source.table.item_quantizer, Masked):
            source = self._default(run, source)
        if source.table is None:
            making = source.making
            assert making is not None
            return Pending("TokenRec names this data", NAMES_COST, making.share, making.seconds, making.ahead, making.trouble)
        return self._library.kept(("tokenrec", source.key), lambda: self._found(run, source))

    def _default(self, run: str | None, source: Source) -> Source:
        """TokenRec with its defaults, where the newest run of it learned its codes in another way."""
        from llmrec.runs import cache, stages

        recipe = dataclasses.replace(source.recipe, scheme=TokenRec())
        key = stages.keys(recipe)["scheme"]
        if not cache.holds("scheme", key):
            return Source("tokenrec", recipe, key, making=self._shelf.asked(recipe, key))
        world = self._library.world(run)
        points = stages.vectors(recipe, world.dataset, world.split)
        return Source("tokenrec", recipe, key, table=stages.table(recipe, world.dataset, world.split, points))

    def _found(self, run: str | None, source: Source) -> Origin:
        vectors, table = self._shelf.vectors(run, source), source.table
        assert vectors is not None and table is not None and isinstance(table.item_quantizer, Masked)
        return Origin(source, table, vectors, table.item_quantizer, Levels(table))

    def _claim(self, run: str | None, found: Origin, item: int, share: float, draw: int, dark: bool) -> Scene:
        from llmrec.runs import cache

        key = self._key("rivals", found, lambda: quantizing.rivals_key(found.settings, found.table, found.vectors))
        if not cache.holds("rivals", key):
            what = "Three other quantizers of the same size learn the same vectors"
            return Scene(pending=self._ask(("rivals", key), what, RIVALS_COST, found, "rivals"))
        rivals = self._library.kept(("rivals", key), lambda: cache.remember("rivals", key, quantizing.Rivals, _never))
        return scenes.claim(found, rivals, item, share, draw, dark)

    def _ask(self, key: Hashable, what: str, cost: str, found: Origin, *words: str) -> Pending:
        """Have it worked beside the server, and say how far it is."""
        again = key in self._again
        self._again.discard(key)
        run, text = found.words
        errand = self._library.errands.ask(key, "app.tour.quantizing", run, *words, text=text, again=again)
        return waiting(key, what, cost, errand)

    def _refit(self, found: Origin, books: int, codes: int) -> quantizing.Refit | None:
        from llmrec.runs import cache

        size = books, codes
        key = self._key(("refit", size), found, lambda: quantizing.key("refit", found.settings, found.vectors, *size))
        if not cache.holds("refit", key):
            return None
        return self._library.kept(("refit", key), lambda: cache.remember("refit", key, quantizing.Refit, _never))

    def _key(self, what: Hashable, found: Origin, make: Callable[[], str]) -> str:
        """Keys hash all vectors: once is enough."""
        keys = self._library.kept(("story keys", found.source.key), dict[Hashable, str])
        if what not in keys:
            keys[what] = make()
        return keys[what]


def _never() -> Any:
    raise ValueError("what was computed beside the page is gone from the cache: open this step again")


def _hidden(found: Origin, item: int, share: float, draw: int) -> holes.Holes:
    """One drawing of the mask: the same for the same item, share and draw, and growing with the share."""
    chances = np.random.default_rng([draw, item]).random(found.vectors.items.shape[1])
    return np.asarray(chances < share)
