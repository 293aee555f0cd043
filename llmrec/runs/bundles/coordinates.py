"""The map of a run's users and items: made before packing, and after opening put where the Tokens page looks for it.

Where it stands: beside packing and opening, over the cache. What it does not know: figures, pages.

The page keeps a map under the fingerprint of the vectors that it lays out. Vectors that were made anew on another processor differ in
their last places, so the map is put under the fingerprint of those that are here: it is the map as it was laid out where the run was made.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from llmrec import artifacts
from llmrec.view import project

if TYPE_CHECKING:
    from llmrec.contracts import Vectors
    from llmrec.recipe import Recipe
    from llmrec.runs.store import Run
    from llmrec.view.project import Projection

NEIGHBORS, DIST, SEED = 15, 0.1, 0  # UMAP's settings with which the Tokens page opens
FOLDER = "map"  # in an opened run


def key(mark: str) -> str:
    """What the page keeps the map of these vectors under, in its first settings."""
    from llmrec.runs import cache

    return cache.key("map", "umap", NEIGHBORS, DIST, SEED, cache.code(project.__name__), mark)


def walking(recipe: Recipe) -> Recipe:
    """The recipe of the space in which a run without vectors of its own is shown: META ID's walks."""
    from llmrec.embed.metapath import MetaPath

    return recipe if recipe.embed is not None else dataclasses.replace(recipe, embed=MetaPath())


def space(run: Run) -> Vectors:
    """The vectors whose map a run shows: its own, or the walks that are lent to it."""
    from llmrec.runs import stages

    own = run.vectors()
    if own is not None:
        return own
    lent = stages.vectors(walking(run.recipe), run.dataset(), run.split())
    assert lent is not None
    return lent


def laid(vectors: Vectors) -> Projection | None:
    """The map, out of the cache or made now; None where these vectors have none: two spaces, or too few known points."""
    from llmrec.runs import cache

    def make() -> Projection:
        return project.umap(vectors, SEED, NEIGHBORS, DIST)

    try:
        return cache.remember("map", key(artifacts.fingerprint(vectors)), project.Projection, make)
    except ValueError as error:
        if isinstance(error, artifacts.BadArtifact):
            raise
        return None


def settle(run: Run) -> bool:
    """Make the vectors that a run opened from a bundle is shown in, and put its map beside them. Whether there was a map to put.

    Walks take some ten seconds, once for all runs of one data set and seed.
    """
    from llmrec.contracts import Vectors
    from llmrec.runs import cache

    if not (run.path / FOLDER).exists():
        return False
    vectors = space(run)
    if run.recipe.embed is not None and not (run.path / "vectors").exists():
        artifacts.save(Vectors(vectors.users, vectors.items, vectors.joint), run.path / "vectors")
    kept = artifacts.load(project.Projection, run.path / FOLDER)
    if (len(kept.users), len(kept.items)) != (len(vectors.users), len(vectors.items)):
        return False
    cache.remember("map", key(artifacts.fingerprint(vectors)), project.Projection, lambda: kept)
    return True
