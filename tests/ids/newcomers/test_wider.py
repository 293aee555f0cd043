"""New items in a frozen table: who was there stays, names come from the quantizer, nothing new enters the vocabulary."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from llmrec.contracts import Book, IdTable, Names, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.lightgcn import LightGcn
from llmrec.ids.metaid import MetaId
from llmrec.ids.newcomers.naming import CannotName, name_item
from llmrec.ids.newcomers.wider import widened
from llmrec.ids.sid import Sid
from llmrec.ids.tokenrec import TokenRec
from llmrec.ids.vq.kmeans import Centroids
from llmrec.lm.names import NameTree
from llmrec.rng import stream
from tests.lm import world as models

WORLD = Checkerboard(n_users=60, n_items=40).load()
TRAIN = LeaveOneOut().split(WORLD.interactions, stream(0, "split")).train
EMBEDDER = LightGcn(d=8, epochs=30)
VECTORS = EMBEDDER.fit(TRAIN, WORLD.catalog, stream(0, "embed"))
EVEN, ODD = np.arange(0, 30, 2), np.arange(1, 31, 2)


@functools.cache
def tokenrec() -> IdTable:
    return TokenRec(2, 4, steps=60).fit(TRAIN, WORLD.catalog, VECTORS, stream(0, "tokenrec"))


@functools.cache
def metaid() -> IdTable:
    return MetaId(n_clusters=4).fit(TRAIN, WORLD.catalog, VECTORS, stream(0, "metaid"))


@pytest.mark.parametrize("named", ["tokenrec", "metaid"])
def test_new_items_come_after_the_last_and_everybody_else_stays(named: str) -> None:
    table = {"tokenrec": tokenrec, "metaid": metaid}[named]()
    wider, vectors = widened(table, VECTORS, EMBEDDER, TRAIN, [EVEN, ODD])
    assert len(wider.items) == 42 and vectors.items.shape == (42, 8)
    np.testing.assert_array_equal(wider.items.codes[:40], table.items.codes)
    np.testing.assert_array_equal(vectors.items[:40], VECTORS.items)
    assert wider.tokens == table.tokens and wider.books == table.books and wider.users is table.users and vectors.users is VECTORS.users
    alone = name_item(table, EMBEDDER, VECTORS, TRAIN, users=EVEN.tolist())
    assert wider.items.spell(40) == alone.pieces
    cosine = vectors.items[40:] @ VECTORS.items.T
    assert cosine[0, 0::2].mean() > cosine[0, 1::2].mean() and cosine[1, 1::2].mean() > cosine[1, 0::2].mean()


def test_items_that_had_rows_and_no_takers_are_named_in_place() -> None:
    """TokenRec: two who were taken by the same people may share a name. Nobody else moves."""
    table = tokenrec()
    wider, vectors = widened(table, VECTORS, EMBEDDER, TRAIN, [EVEN, EVEN], np.array([7, 3]))
    assert len(wider.items) == 40
    np.testing.assert_array_equal(wider.items.codes[7], wider.items.codes[3])
    np.testing.assert_array_equal(vectors.items[7], vectors.items[3])
    others = np.setdiff1d(np.arange(40), [3, 7])
    np.testing.assert_array_equal(wider.items.codes[others], table.items.codes[others])
    np.testing.assert_array_equal(vectors.items[others], VECTORS.items[others])


def test_where_names_are_unique_they_stay_so() -> None:
    wider, _ = widened(metaid(), VECTORS, EMBEDDER, TRAIN, [EVEN, EVEN, ODD])
    assert len(np.unique(wider.items.codes, axis=0)) == 43
    tree = NameTree.build(models.model(wider).vocab, wider)
    assert len(tree.last) == 43


def test_a_table_without_room_is_not_widened() -> None:
    class North:
        def fold_in(self, vectors: Vectors, train: object, took: list[np.ndarray], side: str) -> np.ndarray:
            return np.tile(np.array([[0.0, 1.0]], dtype=np.float32), (len(took), 1))

    centres = Centroids(np.eye(2, dtype=np.float32))
    items = Names(np.array([[0, 0], [0, 1], [1, 0]], dtype=np.int32), (Book("c", 2), Book("r", 2)))
    table = IdTable("metaid", items, item_quantizer=centres)
    vectors = Vectors(np.zeros((2, 2), np.float32), np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32))
    wider, _ = widened(table, vectors, North(), TRAIN, [np.array([0])])
    np.testing.assert_array_equal(wider.items.codes[3], [1, 1])
    with pytest.raises(CannotName, match="only a new Token could tell"):
        widened(table, vectors, North(), TRAIN, [np.array([0]), np.array([1])])


def test_who_cannot_and_what_does_not_fit_is_refused() -> None:
    with pytest.raises(CannotName, match="first appearance"):
        widened(Sid().fit(TRAIN, WORLD.catalog, None, stream(0, "sid")), VECTORS, EMBEDDER, TRAIN, [EVEN])
    with pytest.raises(CannotName, match="place a new item"):
        widened(tokenrec(), VECTORS, object(), TRAIN, [EVEN])
    for rows in ([1], [1, 1], [1, 40], [-1, 3]):
        with pytest.raises(ValueError, match="different rows"):
            widened(tokenrec(), VECTORS, EMBEDDER, TRAIN, [EVEN, ODD], np.array(rows))
