"""From d dimensions to two: PCA and UMAP over users and items together, with numbers that say how far to trust the map.

Where it stands: before the map. What it does not know: names, titles, figures.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Floats, Vectors
from llmrec.view.neighbours import knn, unit

SCORED = 2_000  # trustworthiness takes memory and time by the square of the points


@dataclass(frozen=True)
class Projection:
    """Coordinates of users and items on one map.

    users: (n, 2) float32; items: (m, 2) float32; NaN for a row of zeros, of which nothing is known.
    trustworthiness: 1 where no point is near on the map that is not near in the space (Venna and Kaski 2001), 0.5 by chance.
    knn_overlap: share of the 15 nearest in the space (cosine) that are among the 15 nearest on the map.
    scored: points the two numbers were computed on, a random sample where there are more.
    """

    method: str
    users: Floats
    items: Floats
    trustworthiness: float
    knn_overlap: float
    scored: int


def pca(vectors: Vectors, seed: int = 0) -> Projection:
    """The two directions of greatest spread of the unit vectors. `seed` chooses only the sample that is scored."""

    def lay(x: Floats) -> Floats:
        centred = x - x.mean(axis=0)
        # the d x d scatter, not the n x d rows: a hundred thousand rows take a tenth of the time of their own decomposition
        _, directions = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
        plane = directions.T[::-1][:2]
        strongest = np.abs(plane).argmax(axis=1)  # the sign of a direction is arbitrary: make its largest entry positive
        plane = plane * np.sign(plane[np.arange(len(plane)), strongest])[:, None]
        return np.asarray(centred @ plane.T)

    return _project("PCA", vectors, lay, seed)


def umap(vectors: Vectors, seed: int = 0, n_neighbors: int = 15, min_dist: float = 0.1) -> Projection:
    """UMAP (McInnes et al. 2018) of the unit vectors. Slow to import and to warm up: call it where nobody waits, and keep the result."""
    if n_neighbors < 2 or not 0 <= min_dist <= 1:
        raise ValueError(f"umap: n_neighbors is {n_neighbors} and min_dist {min_dist}, but they must be at least 2 and within 0 to 1")

    def lay(x: Floats) -> Floats:
        from umap import UMAP

        k = min(n_neighbors, len(x) - 1)
        indices, cosine = knn(x, x, k)
        distances = np.sqrt(np.clip(2 - 2 * cosine, 0, None))  # between unit vectors
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="precomputed_knn.*transform")  # newcomers are not placed by UMAP's transform
            reducer = UMAP(
                n_neighbors=k,
                min_dist=min_dist,
                random_state=seed,
                n_jobs=1,  # more jobs would not repeat
                precomputed_knn=(indices, distances, None),
                init="spectral" if len(x) > 50 else "random",
            )
            return np.asarray(reducer.fit_transform(x), dtype=np.float32)

    return _project("UMAP", vectors, lay, seed)


def _project(method: str, vectors: Vectors, lay: Callable[[Floats], Floats], seed: int) -> Projection:
    """Lay out the rows that are known, leave the others off the map, and score the layout."""
    if not vectors.joint:
        raise ValueError("users and items of these vectors live in two spaces and have no common map: use vectors of one space")
    x = unit(np.concatenate([vectors.users, vectors.items]))
    known = x.any(axis=1)
    if known.sum() < 4:
        raise ValueError(f"a map needs at least 4 users and items with vectors, and there are {int(known.sum())}: load more data")
    plane = np.full((len(x), 2), np.nan, dtype=np.float32)
    plane[known] = lay(x[known])
    trust, overlap, scored = scores(x[known], plane[known], np.random.default_rng(seed))
    return Projection(method, plane[: len(vectors.users)], plane[len(vectors.users) :], trust, overlap, scored)


def scores(x: Floats, plane: Floats, rng: np.random.Generator, k: int = 15, limit: int = SCORED) -> tuple[float, float, int]:
    """Trustworthiness and kNN overlap of a layout, on at most `limit` points. x: (n, d) unit rows; plane: (n, 2)."""
    from sklearn.manifold import trustworthiness

    sample = np.arange(len(x)) if len(x) <= limit else np.sort(rng.choice(len(x), limit, replace=False))
    k = max(1, min(k, len(x) - 1, (len(sample) - 1) // 2))  # trustworthiness is defined for k below half of the points
    trust = float(trustworthiness(x[sample], plane[sample], n_neighbors=k))
    near_space = _others(knn(x, x[sample], k + 1)[0], sample)
    near_plane = _others(_plane_knn(plane, plane[sample], k + 1), sample)
    shared = [len(np.intersect1d(a, b)) for a, b in zip(near_space, near_plane, strict=True)]
    return trust, float(np.mean(shared)) / k, len(sample)


def _plane_knn(base: Floats, queries: Floats, k: int) -> np.ndarray:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(base).query(queries, k=k)[1])


def _others(found: np.ndarray, self_index: np.ndarray) -> np.ndarray:
    """Drop the point itself from its k + 1 neighbours, or the last one where duplicates pushed it out: (b, k + 1) -> (b, k)."""
    itself = found == self_index[:, None]
    itself[:, -1] |= ~itself.any(axis=1)
    return np.asarray(found[~itself].reshape(len(found), -1))
