"""CID: the branch of a tree of co-occurrence an item hangs on, then a number inside the leaf.

Where it stands: stage 3; works on train's interactions alone. What it does not know: vectors, content, prompts.

The tree is grown by spectral clustering, level by level. Co-occurrence is never written out: a product with the users x items matrix and
its transpose does it, so memory grows with the interactions and not with the square of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llmrec import progress
from llmrec.contracts import Book, Catalog, IdTable, Interactions, Ints, Names, Vectors
from llmrec.ids.digits import USERS_FROM, numbered

LEVELS, LAST = "abcdefghijklmnopqrstuvwxy", "z"
LOPSIDED = 0.95  # a division that leaves more than this in one child is none
DENSE = 400  # below this many items all eigenvectors are cheaper than a few

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cid:
    """Names such as `<a3><b57><z12>`: the cluster, the cluster within it, and so on down to a leaf, then a number inside the leaf.

    n_clusters: children of a node; leaf: a node of at most so many items is not divided further (the first division is always made).
    Every cluster has a Token of its own, numbered through its level. The last number is random: it says nothing, as in OpenP5.
    Users are named by their number as text, from 1, as in OpenP5 and META ID's comparison.

    Items that co-occur with nothing in the bulk of their node (in train nobody took them, or nobody took anything else) form a child of
    their own. Source: arXiv 2305.06569, collaborative indexing; OpenP5's settings are 20 clusters and 500 to a leaf. Normalized cuts of
    the co-occurrence counts, rows assigned by pivoted QR (Damle, Minden and Ying 2019), which has no random start.
    """

    n_clusters: int = 20
    leaf: int = 500

    needs_vectors: ClassVar[bool] = False
    embedder: ClassVar[str | None] = None
    names_by: ClassVar[Literal["behaviour", "content", "nothing"]] = "behaviour"

    def __post_init__(self) -> None:
        if self.n_clusters < 2:
            raise ValueError(f"cid: n_clusters is {self.n_clusters}, but must be at least 2: OpenP5 takes 20")
        if self.leaf < 1:
            raise ValueError(f"cid: leaf is {self.leaf}, but must be at least 1: OpenP5 takes 500")

    def fit(self, train: Interactions, catalog: Catalog, vectors: Vectors | None, rng: np.random.Generator) -> IdTable:
        """Grow the tree and number its leaves. `catalog` and `vectors` are not looked at."""
        clusters = grow(taken(train), self.n_clusters, self.leaf, rng)
        leaf = np.unique(clusters, axis=0, return_inverse=True)[1].ravel()
        order = np.lexsort((rng.permutation(len(leaf)), leaf))
        sizes = np.bincount(leaf)
        last = np.empty(len(leaf), dtype=np.int32)
        last[order] = np.arange(len(leaf)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        books = tuple(Book(LEVELS[level], int(clusters[:, level].max()) + 1) for level in range(clusters.shape[1]))
        items = Names(np.column_stack([clusters, last]), (*books, Book(LAST, int(last.max()) + 1)))
        return IdTable("cid", items, numbered(USERS_FROM + np.arange(train.n_users), "user"))


def taken(train: Interactions) -> Any:
    """Who took what, once each: (n_users, n_items) sparse, of ones."""
    from scipy import sparse

    matrix = sparse.csr_array((np.ones(len(train)), (train.user, train.item)), shape=(train.n_users, train.n_items))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix.tocsc()


def grow(took: Any, n_clusters: int, leaf: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """The tree, one column of cluster numbers per level: (n_items, levels), -1 below a leaf. A node's largest child comes first."""
    columns: list[NDArray[np.int32]] = []
    nodes: list[NDArray[np.int64]] = [np.arange(took.shape[1])]
    settled = 0
    while nodes:
        if len(columns) == len(LEVELS):
            raise ValueError(
                f"cid: the tree is more than {len(LEVELS)} levels deep: raise leaf (now {leaf}) or n_clusters (now {n_clusters})"
            )
        column = np.full(took.shape[1], -1, dtype=np.int32)
        children = []
        for node in nodes:
            progress.say("tree of clusters", settled, took.shape[1])  # items that have come to a leaf
            grown = [node[child] for child in divide(took[:, node], n_clusters, rng)]
            settled += sum(len(child) for child in grown if len(child) <= leaf)
            children += grown
        for number, child in enumerate(children):
            column[child] = number
        columns.append(column)
        nodes = [child for child in children if len(child) > leaf]
    progress.say("tree of clusters", 1, 1)
    return np.stack(columns, axis=1)


def divide(took: Any, n_clusters: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The children of one node, largest first: arrays of its item numbers. Two or more, unless there is but one item.

    Where one connected part holds most items it is clustered, and the rest is one child more; else whole parts are dealt to the children.
    """
    n = took.shape[1]
    part = _parts(took)
    sizes = np.bincount(part)
    if 2 * sizes.max() <= n:
        label = _dealt(sizes, n_clusters)[part]
    else:
        bulk = np.flatnonzero(part == sizes.argmax())
        label = np.full(n, n_clusters)
        label[bulk] = spectral(took[:, bulk], n_clusters, rng)
    children = [np.flatnonzero(label == c) for c in np.unique(label)]
    return sorted(children, key=len, reverse=True)


def spectral(took: Any, n_clusters: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Clusters of items that hang together: (n,). Items no more than clusters are each their own.

    Normalized cuts: the eigenvectors of D^-1/2 W D^-1/2 for the largest eigenvalues, W the co-occurrence counts without the diagonal, over
    D^1/2. Where a cut only chips off splinters, the items are laid out along the second eigenvector and cut into equal runs.
    """
    n = took.shape[1]
    if n <= n_clusters:
        return np.arange(n)
    size = np.asarray(took.sum(axis=0)).ravel()
    degree = took.T @ (took @ np.ones(n)) - size
    scale = 1 / np.sqrt(degree)
    rows = _eigenvectors(took, size, scale, n_clusters, rng) * scale[:, None]
    label = _assign(rows)
    if np.bincount(label).max() > LOPSIDED * n:
        label = np.empty(n, dtype=np.int64)
        label[np.argsort(rows[:, 1], kind="stable")] = np.arange(n) * n_clusters // n
    return label


def _eigenvectors(took: Any, size: Array, scale: Array, k: int, rng: np.random.Generator) -> Array:
    """(n, k), the largest eigenvalue's first."""
    from scipy.linalg import eigh
    from scipy.sparse.linalg import LinearOperator, eigsh

    n = took.shape[1]
    if n <= max(DENSE, 2 * k):
        together = (took.T @ took).toarray()
        np.fill_diagonal(together, 0)
        vectors = eigh(scale[:, None] * together * scale, subset_by_index=[n - k, n - 1])[1]
    else:

        def product(v: Array) -> Array:
            x = v.ravel() * scale
            return np.asarray(scale * (took.T @ (took @ x) - size * x))

        operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
        vectors = eigsh(operator, k=k, which="LA", v0=rng.standard_normal(n), tol=1e-6)[1]
    return np.asarray(vectors[:, ::-1])


def _assign(rows: Array) -> NDArray[np.int64]:
    """Clusters from eigenvectors by pivoted QR: k rows that stand apart are turned onto the axes, every row joins its nearest axis."""
    from scipy.linalg import qr, svd

    k = rows.shape[1]
    pivots = qr(rows.T, mode="r", pivoting=True)[1]
    left, _, right = svd(rows[pivots[:k]].T)
    return np.asarray(np.abs(rows @ (left @ right)).argmax(axis=1))


def _parts(took: Any) -> NDArray[np.int32]:
    """Which connected part of the co-occurrence graph each item is in: (n,), numbers without gaps."""
    from scipy.sparse import block_array, csr_array
    from scipy.sparse.csgraph import connected_components

    users, n = took.shape
    both = block_array([[csr_array((users, users)), took], [took.T, csr_array((n, n))]], format="csr")
    label = connected_components(both, directed=False)[1][users:]
    return np.asarray(np.unique(label, return_inverse=True)[1].ravel(), dtype=np.int32)


def _dealt(sizes: Ints, n_clusters: int) -> NDArray[np.int64]:
    """A child for every part, so that children come out about equal: the largest part first, each into what is emptiest by then."""
    child = np.empty(len(sizes), dtype=np.int64)
    filled = np.zeros(n_clusters, dtype=np.int64)
    for part in np.argsort(-sizes, kind="stable"):
        child[part] = filled.argmin()
        filled[child[part]] += sizes[part]
    return child
