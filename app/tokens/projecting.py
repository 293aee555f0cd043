"""The map's coordinates: PCA now, UMAP from a process of its own, both kept on the disk with their settings and seed.

Where it stands: under `backend`. What it does not know: titles, names, pages. `python -m app.tokens.projecting RUN` is that process.
UMAP takes many seconds to import and to warm up, so it never runs in the server.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from app.errands import Errand, Errands
from llmrec.contracts import Vectors
from llmrec.view.project import Projection

SEED, N_NEIGHBORS, MIN_DIST = 0, 15, 0.1


def key(vectors: Vectors, method: str) -> str:
    """What the coordinates are kept under: the vectors and every setting."""
    from llmrec import artifacts
    from llmrec.runs import cache

    return cache.key("map", method, SEED, N_NEIGHBORS, MIN_DIST, cache.code("llmrec.view.project"), artifacts.fingerprint(vectors))


def pca(vectors: Vectors) -> Projection:
    """The quick map, made here."""
    from llmrec.runs import cache
    from llmrec.view import project

    return cache.remember("map", key(vectors, "pca"), Projection, lambda: project.pca(vectors, SEED))


def umap(vectors: Vectors) -> Projection:
    """The better map, made here: only the worker process calls this without asking `Workers.ready` first."""
    from llmrec.runs import cache
    from llmrec.view import project

    return cache.remember("map", key(vectors, "umap"), Projection, lambda: project.umap(vectors, SEED, N_NEIGHBORS, MIN_DIST))


def space(run: Any) -> tuple[Vectors, bool]:
    """The vectors whose map a run shows, and whether they are its own. A scheme that names without vectors is shown in the space of walks,
    so that it can be seen which of its names lie where behaviour is alike."""
    from llmrec.embed.metapath import MetaPath
    from llmrec.runs import stages

    own = run.vectors()
    if own is not None:
        return own, True
    lent = stages.vectors(dataclasses.replace(run.recipe, embed=MetaPath()), run.dataset(), run.split())
    assert lent is not None
    return lent, False


def ready(errands: Errands, run: str, vectors: Vectors) -> Errand | None:
    """None where the better map is there; else the process that makes it, which is started where none is under way."""
    from llmrec.runs import cache

    if cache.holds("map", key(vectors, "umap")):
        return None
    return errands.ask(("umap", run, key(vectors, "umap")), "app.tokens.projecting", run)


def main(run: str) -> int:
    """Make the better map of one run and keep it."""
    from llmrec.runs import store

    umap(space(store.by_name(run))[0])
    return 0


if __name__ == "__main__":
    from app.tokens.projecting import main as work

    sys.exit(work(sys.argv[1]))
