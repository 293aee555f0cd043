"""The map's coordinates: PCA now, UMAP from a process of its own, both kept on the disk with their settings and seed.

Where it stands: under `maps`. What it does not know: titles, names, pages. `python -m app.tokens.projecting RUN NEIGHBORS DIST SEED` is
that process; with RUN alone it makes the vectors that are lent to a run which has none. UMAP takes many seconds to import and to warm up,
so it never runs in the server.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from app.errands import Errand, Errands
from app.seam.maps import Lay
from app.world import World
from llmrec.contracts import Vectors
from llmrec.view.project import Projection


def key(mark: str, lay: Lay) -> str:
    """What the coordinates are kept under: the vectors' fingerprint and every setting. PCA has none, and is the same under each seed."""
    from llmrec.runs import cache

    settings = (lay.neighbors, lay.dist, lay.seed) if lay.how == "UMAP" else ()
    return cache.key("map", lay.how.lower(), *settings, cache.code("llmrec.view.project"), mark)


def fingerprint(vectors: Vectors) -> str:
    """The fingerprint of vectors; ask once per run, since a large catalogue takes a while to read through."""
    from llmrec import artifacts

    return artifacts.fingerprint(vectors)


def project(vectors: Vectors, lay: Lay, mark: str) -> Projection:
    """The coordinates, read from the disk or made here: PCA anywhere, UMAP only where nobody waits or where `ready` says it is there."""
    from llmrec.runs import cache
    from llmrec.view import project as layouts

    def make() -> Projection:
        return layouts.pca(vectors) if lay.how == "PCA" else layouts.umap(vectors, lay.seed, lay.neighbors, lay.dist)

    return cache.remember("map", key(mark, lay), Projection, make)


def space(run: Any) -> tuple[Vectors, bool]:
    """The vectors whose map a run shows, and whether they are its own. A scheme that names without vectors is shown in the space of walks,
    so that it can be seen which of its names lie where behaviour is alike."""
    from llmrec.runs import stages

    own = run.vectors()
    if own is not None:
        return own, True
    lent = stages.vectors(_walking(run), run.dataset(), run.split())
    assert lent is not None
    return lent, False


def _walking(run: Any) -> Any:
    from llmrec.embed.metapath import MetaPath

    return dataclasses.replace(run.recipe, embed=MetaPath())


def unwalked(run: Any) -> bool:
    """Whether a run's space is lent to it and is still to be walked."""
    from llmrec.runs import stages

    return run.recipe.embed is None and "embed" not in stages.cached(_walking(run))


def lending(errands: Errands, world: World) -> Errand | None:
    """None where a run's space is there; else the process that walks it, which is started where none is under way. Runs that would walk
    the same walks share it."""
    from llmrec.runs import stages

    if world.run is None or world.vectors is not None:
        return None
    return errands.ask(("space", stages.keys(_walking(world.run))["embed"]), "app.tokens.projecting", world.run.name)


def held(lay: Lay, mark: str) -> bool:
    """Whether this map is kept on the disk."""
    from llmrec.runs import cache

    return cache.holds("map", key(mark, lay))


def ready(errands: Errands, run: str, lay: Lay, mark: str) -> Errand | None:
    """None where this map can be shown; else the process that makes it, which is started where none is under way."""
    if lay.how == "PCA" or held(lay, mark):
        return None
    words = (run, str(lay.neighbors), str(lay.dist), str(lay.seed))
    return errands.ask(("umap", run, key(mark, lay)), "app.tokens.projecting", *words)


def main(run: str, *settings: str) -> int:
    """Make the space of one run where it is not there, and one UMAP where its settings are given; keep both."""
    from llmrec.runs import store

    print(json.dumps({"stage": "walking between users and items" if not settings else "reading the vectors"}), flush=True)
    vectors = space(store.by_name(run))[0]
    if not settings:
        return 0
    neighbors, dist, seed = settings
    print(json.dumps({"stage": "laying out"}), flush=True)
    try:
        project(vectors, Lay("UMAP", int(neighbors), float(dist), int(seed)), fingerprint(vectors))
    except ValueError as error:
        print(json.dumps({"trouble": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    from app.tokens.projecting import main as work

    sys.exit(work(*sys.argv[1:]))
