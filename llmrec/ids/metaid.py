"""META ID: the cluster a user or item lives in, then its rank inside the cluster.

Where it stands: stage 3, after walks and skip-gram. What it does not know: where the vectors came from, prompts, language models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Book, Catalog, Floats, IdTable, Interactions, Ints, Names, Vectors
from llmrec.ids.vq.kmeans import Centroids

COARSE, FINE = "c", "r"
APART = {"items": "ic", "users": "uc"}


@dataclass(frozen=True)
class MetaId:
    """Names of two Tokens: coarse `<c3>` (cluster of behaviour) and fine `<r17>` (rank by distance to its centre).

    n_clusters: K, or None for `scaled_clusters` (ML-100K 41, Beauty 98).
    clustering: "joint" puts users and items into the same clusters, so that a user and an item can share a coarse Token; "apart" clusters
    the two sides alone and gives them coarse Tokens of their own (`<uc3>`, `<ic3>`), so that cluster 5 of users is never mistaken for
    cluster 5 of items. restarts: k-means runs, of which the best is kept.

    Names are unique by construction: ranks run over users and items of a cluster together. Rows that are all zero (no interactions) form
    a cluster of their own, the last one, so that they blur no other.
    The table's `features` have one row per Token, in the table's order: the centre for a coarse Token, a fixed random vector of length
    1 or so for a fine one. Its quantizers hold the centres that k-means put everybody to, each side's own where apart: so they give every
    known row its own coarse code again, and newcomers go to the nearest. Where k-means came to rest, they are the members' centres too.
    Source: arXiv 2406.08477, section on META ID construction, and the released Beauty tokens, which are a joint clustering.
    """

    n_clusters: int | None = None
    clustering: Literal["joint", "apart"] = "joint"
    restarts: int = 3

    needs_vectors: ClassVar[bool] = True
    embedder: ClassVar[str | None] = "metapath"
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "behaviour"

    def __post_init__(self) -> None:
        if self.n_clusters is not None and self.n_clusters < 1:
            raise ValueError(f"metaid: n_clusters is {self.n_clusters}, but must be at least 1: raise it, or leave it out")
        if self.clustering not in ("joint", "apart"):
            raise ValueError(f"metaid: clustering is {self.clustering!r}, but must be 'joint' or 'apart'")
        if self.restarts < 1:
            raise ValueError(f"metaid: restarts is {self.restarts}, but must be at least 1")

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Cluster, rank, and lay the features beside the Tokens. `train` and `catalog` are not looked at: the vectors carry it all."""
        if vectors is None:
            raise ValueError("metaid names by vectors and got none: give the recipe an embed stage, such as metapath")
        n_items = len(vectors.items)
        if self.clustering == "joint":
            if not vectors.joint:
                raise ValueError(
                    'metaid: these users and items live in two spaces and cannot be clustered together: set clustering = "apart"'
                )
            cluster, rank, centres, frozen = self._name(np.concatenate([vectors.items, vectors.users]), rng)
            codes: NDArray[np.int32] = np.stack([cluster, rank], axis=1)
            prefixes, blocks, nearest = (COARSE, COARSE), {COARSE: centres}, {COARSE: frozen}
        else:
            sides = [self._name(side, rng) for side in (vectors.items, vectors.users)]
            codes = np.concatenate([np.stack([cluster, rank], axis=1) for cluster, rank, _, _ in sides])
            prefixes = (APART["items"], APART["users"])
            blocks, nearest = (
                {p: s[2] for p, s in zip(prefixes, sides, strict=True)},
                {p: s[3] for p, s in zip(prefixes, sides, strict=True)},
            )
        fine = Book(FINE, int(codes[:, 1].max()) + 1)
        item_books, user_books = ((Book(prefix, len(blocks[prefix])), fine) for prefix in prefixes)
        table = IdTable("metaid", items=Names(codes[:n_items], item_books), users=Names(codes[n_items:], user_books))
        d = vectors.items.shape[1]
        features = blocks | {FINE: (rng.standard_normal((fine.size, d)) / np.sqrt(d)).astype(np.float32)}
        # the order of `table.tokens`, never that of a set: the release scrambled these rows
        rows = np.concatenate([features[book.prefix] for book in table.books])
        of_items, of_users = (Centroids(nearest[prefix]) for prefix in prefixes)
        return IdTable(table.scheme, table.items, table.users, rows, of_items, of_users)

    def _name(self, x: Floats, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats, Floats]:
        """See `cluster_and_rank`."""
        k = scaled_clusters(len(x)) if self.n_clusters is None else self.n_clusters
        return cluster_and_rank(x, k, int(rng.integers(2**31)), self.restarts)


def scaled_clusters(n: int) -> int:
    """K for n users and items: three times the cube root of n, so that clusters grow, but more slowly than the catalogue."""
    return max(2, round(3 * math.cbrt(n)))


def cluster_and_rank(x: Floats, k: int, seed: int, restarts: int = 3) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats, Floats]:
    """Spherical k-means, then ranks by falling cosine to the centre, ties by row.

    x: (n, d), any length. Returns cluster (n,) int32, rank (n,) int32, and two times (n clusters, d) float32: the members' centres, and
    the centres of k-means, to which every row is nearest to its own; these are the same where k-means came to rest. Clusters are numbered
    by size, the largest first; empty ones are dropped, so that no Token is born dead. All-zero rows come last, with a zero centre.
    """
    length = np.linalg.norm(x, axis=1, keepdims=True)
    known = length[:, 0] > 0
    unit = np.ascontiguousarray(np.divide(x, length, out=np.zeros_like(x, dtype=np.float32), where=length > 0), dtype=np.float32)
    cluster = np.full(len(x), -1, dtype=np.int32)
    nearest = np.zeros((0, x.shape[1]), dtype=np.float32)
    if known.any():
        nearest = _spherical_kmeans(unit[known], k, seed, restarts)
        found = Centroids(nearest).encode(x[known])[:, 0]
        cluster[known] = _by_size(found)
        nearest = nearest[_largest_first(found)]
    n_clusters = len(nearest)
    centres = np.zeros((n_clusters + int(not known.all()), x.shape[1]), dtype=np.float32)
    np.add.at(centres, cluster[known], unit[known])
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    cluster[~known] = n_clusters

    cosine = np.einsum("nd,nd->n", unit, centres[cluster])
    order = np.lexsort((-cosine, cluster))
    sizes = np.bincount(cluster, minlength=len(centres))
    rank = np.empty(len(x), dtype=np.int32)
    rank[order] = np.arange(len(x)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return cluster, rank, centres, np.concatenate([nearest, np.zeros((len(centres) - n_clusters, x.shape[1]), dtype=np.float32)])


def _spherical_kmeans(unit: Floats, k: int, seed: int, restarts: int) -> Floats:
    """Centres of length 1 of rows of length 1; fewer rows than k make fewer clusters."""
    import faiss

    means = faiss.Kmeans(
        unit.shape[1],
        min(k, len(unit)),
        niter=30,
        nredo=restarts,
        spherical=True,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=len(unit),  # every row counts: no subsample
    )
    means.train(unit)
    return np.array(means.centroids, dtype=np.float32)


def _largest_first(labels: Ints) -> NDArray[np.int64]:
    """The labels that occur, the commonest first; equally common ones keep their order."""
    sizes = np.bincount(labels)
    return np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]


def _by_size(labels: Ints) -> NDArray[np.int32]:
    """The same clusters, numbered by size without gaps; equal sizes keep their order."""
    order = _largest_first(labels)
    number = np.empty(int(labels.max()) + 1, dtype=np.int32)
    number[order] = np.arange(len(order))
    return number[labels]
