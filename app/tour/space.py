"""META ID's story on real data: a walk, the space that walks form, and names as K moves.

Where it stands: a part of the Tour's room, over `llmrec.view` and the scheme itself. What it does not know: Streamlit.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from app import exhibits
from app.library import Library
from app.seam.tour import Clusters, Forming, Making, Walk, Written
from app.seam.values import Exhibit, Trouble
from app.tour import forming as training
from app.tour.shelf import Shelf, Source, making
from llmrec.contracts import IdTable, Vectors
from llmrec.embed.metapath import MetaPath
from llmrec.ids.lookup import written
from llmrec.view.levels import Levels

NEAR = 12
COLOURS = "There are more clusters than colours, so the largest say their Token."
MANY = 6_000  # users and items from which k-means starts once instead of `restarts` times, so that the slider stays quick
WIDEST = 4  # the slider ends at so many times META ID's own K


class Space:
    """`shelf`: where META ID's names and vectors come from."""

    def __init__(self, library: Library, shelf: Shelf) -> None:
        self._library, self._shelf = library, shelf

    def people(self, run: str | None) -> list[str]:
        """Keys of those who can be walked from."""
        world = self._library.world(run)
        train = world.split.train
        return [world.dataset.catalog.user_keys[u] for u in np.flatnonzero(np.diff(train.offsets)).tolist()]

    def walk(self, run: str | None, key: str | None, seed: int, dark: bool) -> Walk:
        """One walk from this person, or from the first who can walk."""
        from llmrec import rng
        from llmrec.view import walks

        world = self._library.world(run)
        if key is None or world.index("user", key) is None:
            key = self.people(run)[0]
        user = world.index("user", key)
        assert user is not None
        settings = self._settings(run)
        path = walks.from_person(world.split.train, user, settings.walk_length, rng.stream(seed, "walk"))
        table = walks.walk_table(path, world.split.train, world.dataset.catalog)
        figure = exhibits.dressed(walks.walk(table, settings.window, dark), 40 * min(len(table), walks.SHOWN) + 24)
        films = table[table["side"] == "item"]["title"].tolist()
        said = (
            f"From user {key} a walker steps to an item they took, on to somebody else who took it, and on. Items that it meets within "
            f"{settings.window} steps, the shaded part around the ringed one, count as its context: here "
            f"{films[0]} and {films[1]} stand close."
            if len(films) > 1
            else f"From user {key} a walker steps to an item they took."
        )
        table = table.rename(columns={"ways": "ways on"})
        return Walk(key, Exhibit("walk", "One walk", said, table, figure), pairs(len(path), settings.window), settings.walks_per_node)

    def forming(self, run: str | None, item: int, dark: bool) -> Forming:
        """The space at eight moments, or how far its training is."""
        from llmrec.runs import cache

        recipe = self._walked(run)
        key = training.key(recipe)
        if not cache.holds("forming", key):
            return Forming(making=making(self._library.errands.ask(("forming", key), "app.tour.forming", text=recipe.to_toml())))
        return self._library.kept(("forming", key, item, dark), lambda: self._formed(run, recipe, item, dark))

    def _formed(self, run: str | None, recipe: Any, item: int, dark: bool) -> Forming:
        from llmrec.view import forming

        world = self._library.world(run)
        moments, catalog, train = training.watched(recipe), world.dataset.catalog, world.split.train
        figure = exhibits.dressed(forming.forming(moments, catalog, train, dark, item), 700)
        figure.update_layout(margin={"l": 8, "r": 8, "t": 44, "b": 130})
        shown, people = forming.drawn(moments, item)
        there = int(np.isfinite(moments.items[-1, :, 0]).sum())
        sampled = "" if len(shown) >= there else f" {len(shown):,} of {there:,} items and {len(people):,} users are drawn, at random."
        said = (
            f"Press play. Every vector of {recipe.embed.d} numbers begins at random, and each walk pulls together whom it meets. The plane "
            f"is that of the last moment, so a point moves only because its vector did; cosines count all {recipe.embed.d}. "
            f"The ring is {catalog.titles[item]}.{sampled}"
        )
        return Forming(Exhibit("forming", "A space forms", said, forming.forming_table(moments, catalog, train), figure))

    def clusters(self, run: str | None, item: int, k: int | None, dark: bool) -> Clusters:
        """The item's name and its neighbours' at this K; None: META ID's own."""
        source = self._shelf.source(run, "metaid")
        if source.table is None:
            return Clusters(making=source.making or Making())
        vectors = self._shelf.vectors(run, source)
        assert vectors is not None
        own = _own(source, vectors)
        most = max(2, min(WIDEST * own, int(np.any(vectors.items != 0, axis=1).sum()) // 2))
        wanted = own if k is None else min(max(2, k), most)
        made = self._library.kept(("k", source.key, wanted), lambda: self._renamed(run, source, vectors, wanted, own))
        _, on = _plane(self._library, source, vectors)
        seen = ("clusters", on, item, wanted, dark)  # a page asks for the K before as well as for the one it moved to
        return self._library.kept(seen, lambda: self._told(run, source, vectors, (item, wanted, own, most, made), dark))

    def _renamed(self, run: str | None, source: Source, vectors: Vectors, k: int, own: int) -> IdTable:
        """The scheme itself with another K and the same draws, so that its own K gives its own names."""
        from llmrec import rng

        assert source.table is not None
        if k == own:
            return source.table
        world = self._library.world(run)
        scheme = source.recipe.scheme
        once = 1 if len(vectors.items) + len(vectors.users) > MANY else scheme.restarts
        changed = dataclasses.replace(scheme, n_clusters=k, restarts=once)
        table: IdTable = changed.fit(world.split.train, world.dataset.catalog, vectors, rng.stream(source.recipe.seed, "scheme"))
        return table

    def _told(self, run: str | None, source: Source, vectors: Vectors, at: tuple[int, int, int, int, IdTable], dark: bool) -> Clusters:
        item, k, own, most, table = at
        assert source.table is not None
        world = self._library.world(run)
        coarse = table.items.codes[:, 0] == table.items.codes[item, 0]
        people = 0
        if table.users is not None and table.users.books[0].prefix == table.items.books[0].prefix:
            people = int((table.users.codes[:, 0] == table.items.codes[item, 0]).sum())
        near = _near(world, vectors, source.table, table, item)
        pieces = table.items.spell(item)
        name = Written(pieces, Levels(table).of(table.items, item), tuple(map(str, pieces)))
        title = world.card("item", item).title
        moved = int((near["beside it"].isin(["came", "left"])).sum())
        says = f"{title} is {written(pieces)} and shares {pieces[0]} with {int(coarse.sum()) - 1:,} items" + (
            f" and {people:,} users." if people else "."
        )
        if k != own:
            says += f" Against META ID's own K = {own}, {moved} of its {len(near)} nearest came into its cluster or left it."
        numbers = _numbers(table, near)
        shown = self._map(run, source, vectors, (item, k, table), dark)
        return Clusters(own, most, name, shown, numbers, near, says)

    def _map(self, run: str | None, source: Source, vectors: Vectors, at: tuple[int, int, IdTable], dark: bool) -> Exhibit:
        from llmrec.view import clusters

        item, k, table = at
        catalog = self._library.world(run).dataset.catalog
        plane, _ = _plane(self._library, source, vectors)
        figure = exhibits.dressed(clusters.clusters(plane, catalog, table, item, dark), 520)
        figure.update_layout(margin={"l": 0, "r": 0, "t": 8, "b": 8})
        names = [table.items.spell(i) for i in range(len(table.items))]
        members = pd.DataFrame(
            {
                "Token": [str(name[0]) for name in names],
                "name": [written(name) for name in names],
                "key": catalog.item_keys,
                "title": catalog.titles,
            }
        )
        ring = f"The ring is {catalog.titles[item]}; large points share {table.items.spell(item)[0]} with it."
        said = f"{ring} {plane.method} of the vectors. {COLOURS}"
        return Exhibit("clusters", f"K = {k}", said, members, figure)

    def _settings(self, run: str | None) -> MetaPath:
        embed = self._walked(run).embed
        assert isinstance(embed, MetaPath)
        return embed

    def _walked(self, run: str | None) -> Any:
        """META ID's recipe on this data, with its own embedder."""
        recipe = self._shelf.recipe(run, "metaid")
        return recipe if isinstance(recipe.embed, MetaPath) else dataclasses.replace(recipe, embed=MetaPath())


def pairs(length: int, window: int) -> int:
    """Ordered pairs of nodes of one walk that are at most `window` steps apart: what a skip-gram of a fixed window learns from."""
    return sum(min(length - 1, at + window) - max(0, at - window) for at in range(length))


def _own(source: Source, vectors: Vectors) -> int:
    """META ID's own K for these vectors."""
    from llmrec.ids.metaid import scaled_clusters

    scheme = source.recipe.scheme
    together = len(vectors.items) + (len(vectors.users) if scheme.clustering == "joint" else 0)
    return int(scheme.n_clusters or scaled_clusters(together))


def _plane(library: Library, source: Source, vectors: Vectors) -> tuple[Any, Any]:
    """Where items lie, with a key that names it: the first map of the Tokens page where it was made, which is asked for where a run is
    there; until then, and without a run, the two directions of greatest spread."""
    from app.seam.maps import Lay
    from app.tokens import projecting

    if not vectors.joint:
        raise Trouble("The users and items of these vectors live in two spaces, which have no common map: choose another run.")
    mark = library.kept(("mark", source.key), lambda: projecting.fingerprint(vectors))
    lay = Lay("UMAP")
    if source.run is None or projecting.ready(library.errands, source.run.name, lay, mark) is not None:
        lay = Lay("PCA")
    key = ("plane", source.key, lay.how)
    return library.kept(key, lambda: projecting.project(vectors, lay, mark)), key


def _near(world: Any, vectors: Vectors, before: IdTable, now: IdTable, item: int) -> pd.DataFrame:
    """The item's nearest in the space, and whether each is in its cluster with the own K and with this one."""
    from llmrec.view import neighbours

    found = neighbours.nearest(vectors, "item", item, NEAR, "item")
    rows = []
    for rank, (other, distance) in enumerate(zip(found.indices.tolist(), found.distances.tolist(), strict=True), 1):
        was, is_now = (t.items.codes[other, 0] == t.items.codes[item, 0] for t in (before, now))
        change = "stays" if was and is_now else "came" if is_now else "left" if was else "apart"
        card = world.card("item", other)
        name = written(now.items.spell(other))
        rows.append(
            {"rank": rank, "title": card.title, "cosine": round(1 - distance, 3), "name": name, "beside it": change, "key": card.key}
        )
    columns = ["rank", "title", "cosine", "name", "beside it", "key"]
    return pd.DataFrame(rows, columns=columns)


def _numbers(table: IdTable, near: pd.DataFrame) -> tuple[tuple[str, str, str], ...]:
    sizes = np.bincount(table.items.codes[:, 0])
    sizes = sizes[sizes > 0]
    with_it = int(near["beside it"].isin(["stays", "came"]).sum())
    return (
        ("Clusters", f"{table.items.books[0].size:,}", "Coarse Tokens. Whoever has no interactions in train forms one more than K."),
        ("Largest", f"{int(sizes.max()):,}", "Items in the largest cluster."),
        (
            "New rows",
            f"{sum(b.size for b in table.books):,}",
            "Tokens that the model must learn: coarse ones, and ranks up to the largest cluster.",
        ),
        ("Neighbours with it", f"{with_it} of {len(near)}", "Of its nearest items in the space, how many share its coarse Token."),
    )
