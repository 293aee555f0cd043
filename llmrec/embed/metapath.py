"""META ID's vectors: walks on the user-item graph, then skip-gram with negative sampling.

Where it stands: stage 2, before the scheme. What it does not know: names, catalogues, validation and test interactions.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from llmrec import progress
from llmrec.contracts import Catalog, Floats, Interactions, Ints, Side, Vectors
from llmrec.embed import fold

SPOKEN = 64  # walks between two words on how far the skip-gram is


@dataclass(frozen=True)
class MetaPath:
    """Users and items in one space: close where many short walks lead from one to the other.

    d: width of a vector; walk_length: nodes per walk; walks_per_node: walks that start at each user and each item; window: nodes to each
    side that count as context; negatives: noise nodes per pair; epochs: passes over the walks.
    subsample: a node visited more than this many times the average is skipped now and then, so that a few popular items do not fill every
    context (0 = never skip).
    centred: subtract the mean of its side from each vector. Skip-gram leaves a gap between the sides wherever the data is dense, and then
    no user shares a cluster with an item; the paper does not say whether it centres.

    Source: META ID (arXiv 2406.08477, section on meta-path embedding), after metapath2vec (Dong et al., KDD 2017, equations 2 to 5).
    A user or item without interactions gets the zero vector: nothing is known of it, and schemes can tell.
    """

    d: int = 64
    walk_length: int = 20
    walks_per_node: int = 20
    window: int = 5
    negatives: int = 5
    epochs: int = 5
    subsample: float = 0.25
    centred: bool = True

    label: ClassVar[str] = "walks and skip-gram"

    def __post_init__(self) -> None:
        for name, least in (("d", 1), ("walk_length", 2), ("walks_per_node", 1), ("window", 1), ("negatives", 1), ("epochs", 1)):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"metapath: {name} is {value}, but must be at least {least}: raise it in the recipe")
        if self.subsample < 0:
            raise ValueError(f"metapath: subsample is {self.subsample}, but must be 0 (never skip) or more: change it in the recipe")

    def fit(self, train: Interactions, catalog: Catalog | None, rng: np.random.Generator) -> Vectors:
        """Walk, then train the skip-gram. One thread: the same seed gives the same bits."""
        from gensim.models import Word2Vec
        from gensim.models.callbacks import CallbackAny2Vec

        if not len(train):
            raise ValueError("metapath: there are no training interactions to walk on: loosen the filter or load more data")
        paths = walks(train, self.walk_length, self.walks_per_node, rng)
        rng.shuffle(paths)  # else every epoch would end on the items
        sentences = _Sentences(paths, train.n_users + train.n_items, self.epochs)
        watch = CallbackAny2Vec()
        watch.on_epoch_end = sentences.check
        model = Word2Vec(
            sentences=sentences,
            vector_size=self.d,
            window=self.window,
            negative=self.negatives,
            epochs=self.epochs,
            alpha=0.025,
            sample=self.subsample / len(np.unique(paths)),  # gensim counts in shares of all steps
            sg=1,
            min_count=1,
            workers=1,  # more threads race for the weights
            seed=int(rng.integers(2**31)),
            hashfxn=_stable_hash,
            callbacks=[watch],
        )
        vectors = np.zeros((train.n_users + train.n_items, self.d), dtype=np.float32)
        vectors[[int(word) for word in model.wv.index_to_key]] = model.wv.vectors
        users, items = vectors[: train.n_users], vectors[train.n_users :]
        return Vectors(_without_mean(users), _without_mean(items)) if self.centred else Vectors(users, items)

    def fold_in(self, vectors: Vectors, train: Interactions, took: Sequence[Ints], side: Side) -> Floats:
        """See `fold`. Walks of the newcomer's own would need the words' context rows, which do not outlive `fit`."""
        return fold.fold_in(vectors, train, took, side)


def walks(train: Interactions, length: int, per_node: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Random walks user-item-user... and item-user-item..., all walkers stepping at once.

    Returns (n_walks, length) int32: users are 0..n_users-1, item i is n_users + i; every node with an interaction starts `per_node` walks,
    in `per_node` rounds over all nodes. A step goes to each interaction of the node with equal chance.
    """
    n_users = train.n_users
    user, item = train.user.astype(np.int64), train.item.astype(np.int64) + n_users
    here, there = np.concatenate([user, item]), np.concatenate([item, user])
    there = there[np.argsort(here, kind="stable")]
    degree = np.bincount(here, minlength=n_users + train.n_items)
    start = np.cumsum(degree) - degree

    paths = np.empty((per_node * int((degree > 0).sum()), length), dtype=np.int32)
    node = np.tile(np.flatnonzero(degree), per_node)
    paths[:, 0] = node
    for step in range(1, length):
        progress.say("walks", step - 1, length - 1)
        node = there[start[node] + (rng.random(len(node)) * degree[node]).astype(np.int64)]
        paths[:, step] = node
    progress.say("walks", 1, 1)
    return paths


def _without_mean(side: Floats) -> Floats:
    """A side of the graph with its mean taken off; rows without interactions stay zero."""
    known = np.any(side != 0, axis=1, keepdims=True)
    return np.where(known, side - side[known[:, 0]].mean(axis=0), np.float32(0))


class _Sentences:
    """The walks as gensim reads them, spelled one at a time and not all at once: for the words first, then once an epoch.

    An epoch is read by a thread of gensim's, in which an error would leave the others waiting. So whoever ends it there only ends the
    reading, and `check` raises it again in the thread that called gensim.
    """

    def __init__(self, paths: NDArray[np.int32], n_nodes: int, epochs: int) -> None:
        self._paths, self._epochs, self._epoch = paths, epochs, -1
        self._words = [str(node) for node in range(n_nodes)]
        self._say = progress.voice()
        self._left: BaseException | None = None

    def __iter__(self) -> Iterator[list[str]]:
        words, epoch = self._words, self._epoch
        self._epoch += 1
        for at, path in enumerate(self._paths):
            if epoch >= 0 and at % SPOKEN == 0:
                try:
                    self._say("skip-gram", epoch * len(self._paths) + at, self._epochs * len(self._paths))
                except BaseException as left:
                    self._left = left
                    return
            yield [words[node] for node in path.tolist()]

    def check(self, model: object) -> None:
        """The end of an epoch, in the thread that called gensim."""
        if self._left is not None:
            raise self._left
        self._say("skip-gram", self._epoch, self._epochs)


def _stable_hash(word: str) -> int:
    return zlib.crc32(word.encode())
