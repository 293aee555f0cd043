"""The map's coordinates: PCA now, UMAP from a process of its own, both kept on the disk with their settings and seed.

Where it stands: under `backend`. What it does not know: titles, names, pages. `python -m app.maps RUN` is that process.
UMAP takes many seconds to import and to warm up, so it never runs in the server.
"""

from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys
import threading
from typing import Any

from llmrec.contracts import Vectors
from llmrec.runs import launch
from llmrec.view.project import Projection

SEED, N_NEIGHBORS, MIN_DIST = 0, 15, 0.1
log = logging.getLogger(__name__)


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


class Workers:
    """At most one UMAP process at a time; a run whose process failed is not tried again in this server's life."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._run = ""
        self._failed: dict[str, str] = {}

    def ready(self, run: str, vectors: Vectors) -> bool:
        """Whether the better map is there; where it is not, a process is set to make it."""
        from llmrec.runs import cache

        if cache.holds("map", key(vectors, "umap")):
            return True
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                if self._process.returncode:
                    self._failed[self._run] = f"the UMAP process ended with code {self._process.returncode}"
                self._process = None
            if self._process is None and run not in self._failed:
                self._run = run
                self._process = _start(run)
        return False

    def failure(self, run: str) -> str:
        """Why no better map will come, or nothing."""
        return self._failed.get(run, "")

    def close(self) -> None:
        """End the process, if one runs."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()


def _start(run: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        launch.command("app.maps", run),
        env=launch.environment(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main(run: str) -> int:
    """Make the better map of one run and keep it."""
    from llmrec.runs import store

    umap(space(store.by_name(run))[0])
    return 0


if __name__ == "__main__":
    from app.maps import main as work

    sys.exit(work(sys.argv[1]))
