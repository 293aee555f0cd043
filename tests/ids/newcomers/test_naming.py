"""Newcomers by hand, and known users and items named as if they were new."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import pytest

from llmrec.contracts import Book, Catalog, Dataset, IdTable, Interactions, Names, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.metapath import MetaPath
from llmrec.ids.cid import Cid
from llmrec.ids.metaid import MetaId
from llmrec.ids.newcomers.naming import CannotName, Near, Newcomer, name_item, name_user
from llmrec.ids.tiger import Tiger
from llmrec.ids.title import Title
from llmrec.ids.tokenrec import TokenRec
from llmrec.ids.vq.kmeans import Centroids
from llmrec.rng import stream

Took = Sequence[np.ndarray]


class Mean:
    """Folds a newcomer in as the mean of what it took: the answer can be worked out by hand."""

    def fold_in(self, vectors: Vectors, train: Interactions, took: Took, side: str) -> np.ndarray:
        near = vectors.items if side == "user" else vectors.users
        return np.stack([near[t].mean(axis=0) for t in took]).astype(np.float32)


class Reader:
    def read(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[1.0, 0.0] if "even" in t else [0.0, 1.0] for t in texts], dtype=np.float32)


EAST, NORTH, AWAY = [1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]
TRAIN = Interactions.from_unsorted(np.array([0, 0, 1]), np.array([0, 1, 2]), np.arange(3), 2, 4)
VECTORS = Vectors(np.array([EAST, NORTH], dtype=np.float32), np.array([EAST, [0.9, 0.1], NORTH, [0.6, 0.8]], dtype=np.float32))
CENTRES = Centroids(np.array([EAST, NORTH, AWAY], dtype=np.float32))


def joint(size: int = 4) -> IdTable:
    """Items 0 and 1 and user 0 are east, the rest north."""
    books = (Book("c", 3), Book("r", size))
    return IdTable(
        "metaid",
        Names(np.array([[0, 0], [0, 2], [1, 0], [1, 2]], dtype=np.int32), books),
        Names(np.array([[0, 1], [1, 1]], dtype=np.int32), books),
        item_quantizer=CENTRES,
        user_quantizer=CENTRES,
    )


def test_a_user_by_hand() -> None:
    found = name_user(joint(), Mean(), VECTORS, TRAIN, [1, 1])
    assert (found.side, found.codes, found.pieces, found.note) == ("user", (0, 3), ("<c0>", "<r3>"), "")
    assert [(n.index, n.shared) for n in found.items] == [(1, 1), (0, 1)]  # both share one piece, and 1 is nearer
    assert [(n.index, n.shared) for n in found.users] == [(0, 1)]
    assert json.loads(json.dumps(found.to_dict()))["pieces"] == ["<c0>", "<r3>"]


def test_the_first_free_rank_is_taken_over_both_sides() -> None:
    table = joint()
    gap = dataclasses.replace(table, items=Names(table.items.codes[[0, 0, 2, 3]] * [[1, 1]] + 0, table.items.books))
    assert name_user(gap, Mean(), VECTORS, TRAIN, [0]).codes == (0, 2)  # 0 is an item's, 1 a user's
    assert table.users is not None
    apart = dataclasses.replace(table, users=Names(table.users.codes, (Book("uc", 3), Book("r", 4))))
    found = name_user(apart, Mean(), VECTORS, TRAIN, [0])
    assert found.codes == (0, 0) and found.pieces == ("<uc0>", "<r0>")
    assert found.items == () and [n.index for n in found.users] == [0]


def test_a_full_cluster_gives_way_to_the_next_nearest() -> None:
    found = name_item(joint(size=3), Mean(), VECTORS, TRAIN, users=[0])
    assert found.codes == (2, 0) and found.note.startswith(
        "all 3 names under the nearest codes [0] are taken: named under"
    )  # 1 is full too
    crowd = np.array([[c, r] for c in range(3) for r in range(1)], dtype=np.int32)
    books = (Book("c", 3), Book("r", 1))
    full = IdTable("metaid", Names(crowd, books), item_quantizer=CENTRES)
    vectors = Vectors(VECTORS.users, VECTORS.items[:3])
    found = name_item(full, Mean(), vectors, dataclasses.replace(TRAIN, n_items=3), users=[1])
    assert found.codes == (1, 0) and "shared with a known one" in found.note


def test_as_deep_as_the_quantizer_says_who_bears_the_name_already() -> None:
    table = IdTable("tokenrec", Names(np.array([[0], [0], [1], [1]]), (Book("c", 3),)), item_quantizer=CENTRES)
    found = name_item(table, Mean(), VECTORS, TRAIN, users=[0])
    assert (found.codes, found.note) == ((0,), "2 known already bear this name")
    assert [n.index for n in found.items] == [0, 1]


def test_a_table_whose_lone_names_end_early_goes_on_so() -> None:
    books = (Book("c", 3), Book("d", 2))
    table = IdTable("tiger", Names(np.array([[0, 0], [0, 1], [1, -1], [2, -1]]), books), item_quantizer=CENTRES)
    assert name_item(table, Reader(), VECTORS, TRAIN, text="odd").codes == (1, 0)
    lonely = dataclasses.replace(table, items=Names(np.array([[0, 0], [0, 1], [2, -1], [2, 0]]), books))
    assert name_item(lonely, Reader(), VECTORS, TRAIN, text="odd").pieces == ("<c1>",)


def test_bad_questions_are_refused_with_a_remedy() -> None:
    table = joint()
    for history, said in (([], "history is empty"), ([9], "history has item 9, but known items are 0 to 3")):
        with pytest.raises(ValueError, match=said):
            name_user(table, Mean(), VECTORS, TRAIN, history)
    with pytest.raises(ValueError, match="give one of the two"):
        name_item(table, Mean(), VECTORS, TRAIN)
    with pytest.raises(CannotName, match="Mean, which reads no text"):
        name_item(table, Mean(), VECTORS, TRAIN, text="even")
    with pytest.raises(CannotName, match="no fold_in; give the new item's text instead"):
        name_item(table, Reader(), VECTORS, TRAIN, users=[0])
    with pytest.raises(ValueError, match="text is empty"):
        name_item(table, Reader(), VECTORS, TRAIN, text=" ")
    wide = Vectors(np.ones((2, 3), dtype=np.float32), np.ones((4, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="has 3 numbers, but the table's quantizer takes 2"):
        name_user(table, Mean(), wide, TRAIN, [0])
    for scheme in ("rid", "sid", "cllm4rec", "cid", "another"):
        bare = dataclasses.replace(table, scheme=scheme, item_quantizer=None, user_quantizer=None)
        with pytest.raises(CannotName, match=f"^{scheme} cannot name a new user without being fitted anew: .*; fit the table again"):
            name_user(bare, Mean(), VECTORS, TRAIN, [0])
    with pytest.raises(CannotName, match="items only"):
        name_user(dataclasses.replace(table, users=None), Mean(), VECTORS, TRAIN, [0])


def test_a_title_is_its_own_name_told_apart() -> None:
    import pandas as pd

    catalog = Catalog(pd.DataFrame({"key": ["u"]}), pd.DataFrame({"key": list("abc"), "title": ["Am\u00e9lie", "Sabrina", "Sabrina"]}))
    table = Title().fit(TRAIN, catalog, None, stream(0, "title"))
    assert name_item(table, None, None, TRAIN, text="  Toy  Story ").pieces == ("Toy Story",)
    again = name_item(table, None, None, TRAIN, text="Sabrina")
    assert again.pieces == ("Sabrina #3",) and "known item" in again.note
    for spelling in ("Am\u00e9lie", "Ame\u0301lie"):  # one letter, or e and its accent: the same to the eye, so the same name
        found = name_item(table, None, None, TRAIN, text=spelling)
        assert found.pieces == ("Am\u00e9lie #2",) and "known item" in found.note
    with pytest.raises(CannotName, match="give the title as text"):
        name_item(table, None, None, TRAIN, users=[0])
    with pytest.raises(CannotName, match="items only"):
        name_user(table, None, None, TRAIN, [0])


@pytest.fixture(scope="module")
def world() -> Dataset:
    return Checkerboard(n_users=80, n_items=60, share=0.5).load()


@pytest.fixture(scope="module")
def train(world: Dataset) -> Interactions:
    return LeaveOneOut().split(world.interactions, stream(0, "split")).train


def test_known_ones_named_as_if_new_land_where_their_kind_lives(train: Interactions) -> None:
    embedder = MetaPath(d=16, epochs=2, walks_per_node=5)
    vectors = embedder.fit(train, None, stream(0, "metapath"))
    table = MetaId(n_clusters=4).fit(train, Checkerboard().load().catalog, vectors, stream(0, "metaid"))
    before = table.items.codes.copy()
    evenness = np.bincount(table.items.codes[:, 0], weights=np.arange(60) % 2 == 0) / np.bincount(table.items.codes[:, 0])

    def right(found: Newcomer, index: int) -> bool:
        return bool((evenness[found.codes[0]] > 0.5) == (index % 2 == 0))

    users = [name_user(table, embedder, vectors, train, train.history(u).tolist()) for u in range(40)]
    items = [name_item(table, embedder, vectors, train, users=np.unique(train.user[train.item == i]).tolist()) for i in range(40)]
    assert np.mean([right(n, u) for u, n in enumerate(users)]) > 0.9
    assert np.mean([right(n, i) for i, n in enumerate(items)]) > 0.9
    assert users[3] == name_user(table, embedder, vectors, train, train.history(3).tolist())
    assert (table.items.codes == before).all()
    known = {tuple(c) for names in (table.items, table.users) if names is not None for c in names.codes.tolist()}
    assert all(n.codes not in known for n in users if not n.note)
    assert all(abs(near.index - u) % 2 == 0 for u, n in enumerate(users) for near in n.items[:1])


def test_tokenrecs_frozen_quantizers_name_both_sides(world: Dataset, train: Interactions) -> None:
    embedder = MetaPath(d=16, epochs=2, walks_per_node=5)
    vectors = embedder.fit(train, None, stream(0, "metapath"))
    table = TokenRec(n_books=2, n_codes=4, steps=150).fit(train, world.catalog, vectors, stream(0, "tokenrec"))
    found = [name_user(table, embedder, vectors, train, train.history(u).tolist()) for u in range(30)]
    assert np.mean([near.index % 2 == u % 2 for u, n in enumerate(found) for near in n.users]) > 0.8  # named like users of their parity
    assert all(len(n.codes) == 2 and n.items == () for n in found)  # items have books of their own
    taken = np.unique(train.user[train.item == 5]).tolist()
    assert name_item(table, embedder, vectors, train, users=taken).pieces[0].startswith("<i0_")


def test_tiger_names_an_item_by_its_text_and_no_user(world: Dataset, train: Interactions) -> None:
    rows = np.random.default_rng(0).standard_normal((60, 6)).astype(np.float32)

    class Lines:
        def read(self, texts: Sequence[str]) -> np.ndarray:
            return np.stack([rows[int(text.split()[1])] for text in texts])

    vectors = Vectors(np.zeros((80, 6), dtype=np.float32), rows)
    table = Tiger(quantizer="rqkmeans", n_levels=2, n_codes=6).fit(train, world.catalog, vectors, stream(0, "tiger"))
    assert table.item_quantizer is not None
    for i, codes in enumerate(table.items.codes.tolist()):
        found = name_item(table, Lines(), vectors, train, text=world.catalog.titles[i])
        assert list(found.codes) not in table.items.codes.tolist() or "shared" in found.note
        assert found.note or (list(found.codes[:2]) == codes[:2] and found.items[0] == Near(i, 2))
    with pytest.raises(CannotName, match="hash of their keys"):
        name_user(table, Lines(), vectors, train, [0])


def test_on_cids_tree_a_known_item_finds_its_own_branch(world: Dataset, train: Interactions) -> None:
    table = Cid(n_clusters=2, leaf=20).fit(train, world.catalog, None, stream(0, "cid"))
    found = [name_item(table, None, None, train, users=np.unique(train.user[train.item == i]).tolist()) for i in range(60)]
    parity = [np.mean([near.index % 2 == i % 2 for near in n.items]) for i, n in enumerate(found) if n.items]
    assert len(parity) == 60 and np.mean(parity) > 0.9
    assert all(n.codes not in {tuple(c) for c in table.items.codes.tolist()} for n in found if "shared" not in n.note)
    with pytest.raises(CannotName, match="give the users"):
        name_item(table, None, None, train, text="even")
    with pytest.raises(CannotName, match="numbers"):
        name_user(table, None, None, train, [0])


@pytest.mark.slow
def test_on_movielens_newcomers_find_their_cluster(ml100k: Dataset) -> None:
    """Fold-in and the frozen centres give a known user, or item, its own coarse Token far beyond chance (the largest: a tenth)."""
    train = LeaveOneOut().split(ml100k.interactions, stream(0, "split")).train
    embedder = MetaPath()
    vectors = embedder.fit(train, None, stream(0, "metapath"))
    table = MetaId().fit(train, ml100k.catalog, vectors, stream(0, "metaid"))
    assert table.users is not None and table.item_quantizer is not None and table.user_quantizer is not None
    by_user = embedder.fold_in(vectors, train, [train.history(u) for u in range(train.n_users)], "user")
    takers = [np.unique(train.user[train.item == i]) for i in range(train.n_items)]
    many = [i for i, users in enumerate(takers) if len(users) >= 5]
    by_item = embedder.fold_in(vectors, train, [takers[i] for i in many], "item")
    users = float((table.user_quantizer.encode(by_user)[:, 0] == table.users.codes[:, 0]).mean())
    items = float((table.item_quantizer.encode(by_item)[:, 0] == table.items.codes[many, 0]).mean())
    biggest = np.bincount(np.concatenate([table.items.codes[:, 0], table.users.codes[:, 0]])).max() / (len(table.items) + len(table.users))
    print(f"own coarse Token: users {users:.3f}, items of five takers or more {items:.3f}; the largest cluster holds {biggest:.3f}")
    assert biggest < 0.1 and users > 0.3 and items > 0.3
