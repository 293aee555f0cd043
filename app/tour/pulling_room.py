"""Behind `seam.PullingLike`: two rows per item, taught by who took it and by what is said of it, pulled together under lambda.

Where it stands: a room of the Tour, over the errand `mutual` and `llmrec.view.pulling`. What it does not know: Streamlit, how rows learn.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app import exhibits
from app.library import Library, told
from app.seam.stories import Near, Pending, Scene
from app.seam.values import Card, Exhibit, Trouble
from app.tour import mutual
from app.tour.scenes import waiting
from app.tour.small_world import smallest
from llmrec.contracts import Floats, Ints

K = 10
GENRES = 8  # that have a colour of their own; the rest is "other"


@dataclass(frozen=True, eq=False)
class Corner:
    """The small world: which items of the catalogue it holds, how many users, and what each training is kept under."""

    items: Ints
    users: int
    interactions: int
    keys: dict[float, str]


class Pulling:
    """See `seam.PullingLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._again: set[Hashable] = set()

    def strengths(self) -> tuple[float, ...]:
        """The lambdas that are trained."""
        return mutual.STRENGTHS

    def films(self, run: str | None) -> tuple[Card, ...]:
        """The items of the small world, most taken first."""
        with told():
            corner, world = self._corner(run), self._library.world(run)
            taken = np.bincount(world.split.train.item, minlength=world.split.train.n_items)
            return tuple(world.card("item", int(i)) for i in sorted(corner.items.tolist(), key=lambda i: (-taken[i], i)))

    def scene(self, run: str | None, strength: float, dark: bool = False) -> Scene:
        """The trainings that are done, the one in hand drawn; what is not done yet is asked for."""
        with told():
            self._demand(strength)
            corner = self._corner(run)
            if not len(corner.items):
                raise Trouble("Nobody took anything here, so there is nothing to learn from: load other data on the Data page.")
            done = self._done(corner)
            pending = None if len(done) == len(mutual.STRENGTHS) else self._ask(run, corner)
            if strength not in done:
                return Scene(pending=pending)
            key = ("pulling", self._library.made(run), tuple(corner.keys[s] for s in done), strength, dark)
            shown, said, numbers = self._library.kept(key, lambda: self._drawn(run, corner, done, strength, dark))
            return Scene(said, numbers, shown, pending=pending)

    def near(self, run: str | None, strength: float, item: int) -> Near:
        """The nearest of one item by each of its rows, after the last pass."""
        with told():
            self._demand(strength)
            corner, world = self._corner(run), self._library.world(run)
            rows = self._done(corner).get(strength)
            place = np.flatnonzero(corner.items == item)
            if rows is None or not len(place):
                raise Trouble("This item is not among the most taken that were trained here: choose another.")
            lists = [_nearest(side[-1], int(place[0])) for side in (rows.collaborative, rows.content)]
            taken, said = (tuple((world.card("item", int(corner.items[i])), cosine) for i, cosine in found) for found in lists)
            both = len({c.index for c, _ in taken} & {c.index for c, _ in said})
            return Near(world.card("item", item), taken, said, both)

    def retry(self, key: Hashable) -> None:
        """Have work that failed tried once more, when it is asked for next."""
        self._again.add(key)

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""

    def _demand(self, strength: float) -> None:
        if strength not in mutual.STRENGTHS:
            raise Trouble(f"Nothing is trained with lambda {strength:g}: choose one of {', '.join(f'{s:g}' for s in mutual.STRENGTHS)}.")

    def _corner(self, run: str | None) -> Corner:
        def made() -> Corner:
            world = self._library.world(run)
            _, small, items = smallest(world.dataset.catalog, world.split, mutual.N_ITEMS, mutual.N_USERS)
            keys = {s: mutual.key(world.dataset, world.split, s) for s in mutual.STRENGTHS}
            return Corner(items, small.train.n_users, len(small.train), keys)

        return self._library.kept(("corner", self._library.made(run)), made)

    def _done(self, corner: Corner) -> dict[float, Any]:
        from llmrec.lm.mutual.watch import Watched
        from llmrec.runs import cache

        def read(name: str) -> Any:
            return self._library.kept(("mutual", name), lambda: cache.remember("mutual", name, Watched, _never))

        return {s: read(name) for s, name in corner.keys.items() if cache.holds("mutual", name)}

    def _ask(self, run: str | None, corner: Corner) -> Pending:
        key = ("mutual", tuple(corner.keys.values()))
        again = key in self._again
        self._again.discard(key)
        word, text = (run, "") if run is not None else (mutual.NO_RUN, self._library.world(run).recipe.to_toml())
        errand = self._library.errands.ask(key, "app.tour.mutual", word, text=text, again=again)
        return waiting(key, f"Both sides learn, {len(corner.items)} items and {corner.users} users", mutual.COST, errand)

    def _drawn(self, run: str | None, corner: Corner, done: dict[float, Any], strength: float, dark: bool) -> Any:
        from llmrec.view import pulling as drawing

        world, rows = self._library.world(run), done[strength]
        cards = [world.card("item", int(i)) for i in corner.items]
        titles, genres = [c.title for c in cards], _genres(cards)
        middle, plane = drawing.plane([side for r in done.values() for side in (r.collaborative, r.content)])
        points = np.stack([(side - middle) @ plane.T for side in (rows.collaborative, rows.content)], axis=1)
        table = drawing.table(points, rows.passes, titles, genres)
        caption = (
            f"Lambda {strength:g}. Each item has two points: a dot for the row taught by who took it, a diamond for the row taught by what "
            "is said of it. Play goes through the passes. The plane is the same for every pass and every lambda (PCA of all rows)."
        )
        figure = exhibits.dressed(drawing.pairs(points, rows.passes, titles, genres, dark), 680)
        figure.update_layout(margin={"l": 8, "r": 8, "t": 72, "b": 96})
        told = drawing.apart_table({s: r.distances() for s, r in done.items()}, {s: r.cosines() for s, r in done.items()}, rows.passes)
        lines = exhibits.dressed(drawing.apart(told, strength, dark), 360).update_layout(margin={"t": 96})
        ends = {s: float(r.distances()[-1].mean()) for s, r in done.items()}
        shown = (
            Exhibit("pulling_pairs", "Two rows for each item", caption, table, figure),
            Exhibit("pulling_apart", "How far apart the two rows are", "Both sides begin in the same place. " + _trend(ends), told, lines),
        )
        return shown, _said(rows, strength, corner), _numbers(rows, corner, genres)


def _said(rows: Any, strength: float, corner: Corner) -> str:
    from llmrec.lm.backbone import SCRATCH

    apart, cosine = float(rows.distances()[-1].mean()), float(rows.cosines()[-1].mean())
    long = float(np.linalg.norm(rows.collaborative[-1], axis=-1).mean())
    size = f"{len(corner.items)} items, {corner.users} users and {corner.interactions:,} interactions"
    width, layers = SCRATCH[mutual.BACKBONE][:2]
    return (
        f"With lambda {strength:g} the two rows of an item end {apart:.3f} apart on average, {apart / max(long, 1e-12):.0%} of a "
        f"collaborative row's length; cosine {cosine:.2f}. Trained here on {size} in {len(rows.passes) - 1} passes, with a model of "
        f"{layers} layers, {width} wide: a sketch of the paper's method, not its size."
    )


def _trend(ends: dict[float, float]) -> str:
    """What lambda did to the distance at the end, over what is trained so far."""
    strengths = sorted(ends)
    if len(strengths) < 2:
        return "The other lambdas follow."
    falls = all(ends[b] < ends[a] for a, b in itertools.pairwise(strengths))
    told = ", ".join(f"{ends[s]:.3f} at {s:g}" for s in strengths)
    seen = "The stronger the pull, the nearer they stay." if falls else "Here a stronger pull is not always nearer."
    return f"At the end: {told}. {seen}"


def _numbers(rows: Any, corner: Corner, genres: list[str]) -> tuple[tuple[str, str, str], ...]:
    by = [_same_genre(side[-1], genres) for side in (rows.collaborative, rows.content)]
    counts = np.unique(genres, return_counts=True)[1]
    chance = float((counts * (counts - 1)).sum() / max(1, len(genres) * (len(genres) - 1)))
    meaning = f"Of the {K} nearest of each item by this row, how many have its first genre; by chance it would be {chance:.0%}."
    return (
        ("Mean distance", f"{float(rows.distances()[-1].mean()):.3f}", "Between the two rows of an item, after the last pass."),
        ("Mean cosine", f"{float(rows.cosines()[-1].mean()):.2f}", "Between the two rows of an item, after the last pass."),
        ("Same genre, taken", f"{by[0]:.0%}", meaning),
        ("Same genre, said", f"{by[1]:.0%}", meaning),
        ("By chance", f"{chance:.0%}", "How often two items of this small world have the same first genre."),
        ("Trained in", f"{rows.seconds:.0f} s", "This lambda alone, on one core, with whatever else the machine did."),
    )


def _nearest(rows: Floats, place: int) -> list[tuple[int, float]]:
    """The K nearest of one row by cosine, itself left out."""
    cosines = _cosines(rows)[place]
    order = np.argsort(-cosines, kind="stable")
    return [(int(i), float(cosines[i])) for i in order if i != place][:K]


def _same_genre(rows: Floats, genres: list[str]) -> float:
    cosines = _cosines(rows)
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(K, len(rows) - 1)]
    own = np.asarray(genres)
    return float((own[nearest] == own[:, None]).mean()) if nearest.size else 0.0


def _cosines(rows: Floats) -> Floats:
    """Between all rows, less their mean: they share most of where they began."""
    centred = rows - rows.mean(0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return np.asarray(unit @ unit.T, dtype=np.float32)


def _genres(cards: list[Card]) -> list[str]:
    """Each item's first genre, the most frequent ones by name and the rest as "other"."""
    from llmrec.view.pulling import OTHER

    first = [c.genres[0] if c.genres else OTHER for c in cards]
    names, counts = np.unique([g for g in first if g != OTHER] or [OTHER], return_counts=True)
    kept = set(names[np.argsort(-counts, kind="stable")][:GENRES].tolist())
    return [g if g in kept else OTHER for g in first]


def _never() -> Any:
    raise ValueError("what was computed beside the page is gone from the cache: open this story again")
