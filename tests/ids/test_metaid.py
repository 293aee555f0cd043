"""META ID's names: clusters that are right on hand-made vectors, ranks, features in the Tokens' order, the faults of the release."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from llmrec.contracts import Catalog, IdTable, Interactions, Token, Vectors
from llmrec.ids.metaid import MetaId, cluster_and_rank, scaled_clusters
from llmrec.ids.vq.kmeans import Centroids

D = 5


def fit(scheme: MetaId, vectors: Vectors, seed: int = 0) -> IdTable:
    n, m = len(vectors.users), len(vectors.items)
    train = Interactions(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), n, m)
    items = pd.DataFrame({"key": [f"i{i}" for i in range(m)], "title": [f"t{i}" for i in range(m)]})
    return scheme.fit(train, Catalog(pd.DataFrame({"key": [f"u{i}" for i in range(n)]}), items), vectors, np.random.default_rng(seed))


@pytest.fixture
def blobs() -> Vectors:
    """Three directions; users 0-3, 4-5, 6 and items 0-4, 5-9, 10-11 lie along them, at very different lengths."""
    rng = np.random.default_rng(1)
    axes = np.eye(D, dtype=np.float32)[:3]

    def side(counts: tuple[int, int, int]) -> np.ndarray:
        x = np.repeat(axes, counts, axis=0) + 0.05 * rng.standard_normal((sum(counts), D))
        return (x * rng.uniform(0.1, 30, (len(x), 1))).astype(np.float32)

    return Vectors(side((4, 2, 1)), side((5, 5, 2)))


def test_users_and_items_of_one_direction_share_a_coarse_token(blobs: Vectors) -> None:
    table = fit(MetaId(n_clusters=3), blobs)
    assert table.users is not None
    assert table.items.codes[:, 0].tolist() == [0] * 5 + [1] * 5 + [2] * 2  # the largest cluster is number 0: 9, 7 and 3 members
    assert table.users.codes[:, 0].tolist() == [0] * 4 + [1] * 2 + [2]
    assert table.items.spell(0)[0] == Token("<c0>") and isinstance(table.items.spell(0)[0], Token)
    assert table.items.spell(0)[0] == table.users.spell(0)[0]


def test_ranks_follow_the_cosine_to_the_centre_over_both_sides(blobs: Vectors) -> None:
    table = fit(MetaId(n_clusters=3), blobs)
    assert table.users is not None and isinstance(table.item_quantizer, Centroids)
    rows = np.concatenate([blobs.items, blobs.users])
    codes = np.concatenate([table.items.codes, table.users.codes])
    for c in range(3):
        members = np.flatnonzero(codes[:, 0] == c)
        unit = [rows[i] / np.linalg.norm(rows[i]) for i in members]
        centre = sum(unit) / np.linalg.norm(sum(unit))
        np.testing.assert_allclose(table.item_quantizer.centres[c], centre, atol=1e-6)
        expected = sorted(members, key=lambda i: -float(rows[i] / np.linalg.norm(rows[i]) @ centre))
        assert [int(i) for i in sorted(members, key=lambda i: codes[i, 1])] == [int(i) for i in expected]
        assert sorted(codes[members, 1].tolist()) == list(range(len(members)))


def test_equal_distances_are_ranked_by_index() -> None:
    same = np.tile(np.array([[1.0, 2.0, 0.0]], dtype=np.float32), (4, 1))
    _, rank, _, _ = cluster_and_rank(same, 1, seed=0)
    assert rank.tolist() == [0, 1, 2, 3]


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.just(4)), elements=st.sampled_from([-1, 0, 0.5, 1])), st.integers(1, 60))
def test_names_are_unique_and_no_token_is_born_dead(x: np.ndarray, k: int) -> None:
    """Duplicates, zeros and more clusters than rows included."""
    cluster, rank, centres, _ = cluster_and_rank(x, k, seed=0, restarts=1)
    assert len(set(zip(cluster.tolist(), rank.tolist(), strict=True))) == len(x)
    sizes = np.bincount(cluster, minlength=len(centres))
    assert (sizes > 0).all() and len(sizes) == len(centres)
    zero = ~x.any(axis=1)
    known = sizes[: len(sizes) - bool(zero.any())]
    assert (np.diff(known) <= 0).all()  # numbered by size
    assert (cluster[zero] == len(centres) - 1).all()
    assert not zero.any() or not (cluster[~zero] == len(centres) - 1).any()


def test_length_says_nothing_only_direction(blobs: Vectors) -> None:
    stretched = Vectors(blobs.users * np.float32(7), blobs.items * np.float32(0.5))
    a, b = fit(MetaId(n_clusters=3), blobs), fit(MetaId(n_clusters=3), stretched)
    np.testing.assert_array_equal(a.items.codes[:, 0], b.items.codes[:, 0])


def test_apart_gives_the_sides_tokens_of_their_own(blobs: Vectors) -> None:
    """The released script clusters the sides apart under one token, so user cluster 5 and item cluster 5 look related and are not."""
    table = fit(MetaId(n_clusters=3, clustering="apart"), blobs)
    assert table.users is not None and table.features is not None and isinstance(table.user_quantizer, Centroids)
    item_coarse = {table.items.spell(i)[0] for i in range(len(table.items))}
    user_coarse = {table.users.spell(u)[0] for u in range(len(table.users))}
    assert item_coarse == {"<ic0>", "<ic1>", "<ic2>"} and user_coarse == {"<uc0>", "<uc1>", "<uc2>"}
    row = {token: table.features[i] for i, token in enumerate(table.tokens)}
    np.testing.assert_allclose(row[Token("<uc0>")], table.user_quantizer.centres[0])
    assert len({table.users.spell(u) for u in range(7)} | {table.items.spell(i) for i in range(12)}) == 19


@pytest.mark.parametrize("clustering", ["joint", "apart"])
def test_features_lie_in_the_order_of_the_tokens(blobs: Vectors, clustering: str) -> None:
    """The release paired features and tokens through a set, whose order changes: every coarse row must be its own members' centre."""
    table = fit(MetaId(n_clusters=3, clustering=clustering), blobs)  # type: ignore[arg-type]
    assert table.users is not None and table.features is not None
    assert table.features.shape == (len(table.tokens), D) and table.features.dtype == np.float32
    for i, token in enumerate(table.tokens):
        if token.startswith("<r"):
            assert 0.1 < np.linalg.norm(table.features[i]) < 3
            continue
        carriers = [blobs.items[j] for j in range(12) if table.items.spell(j)[0] == token]
        carriers += [blobs.users[j] for j in range(7) if table.users.spell(j)[0] == token]
        mean = sum(x / np.linalg.norm(x) for x in carriers)
        np.testing.assert_allclose(table.features[i], mean / np.linalg.norm(mean), atol=1e-6)
    fine = [i for i, token in enumerate(table.tokens) if token.startswith("<r")]
    assert len(np.unique(table.features[fine], axis=0)) == len(fine)


def test_the_fine_rows_come_from_the_rng_and_from_nowhere_else(blobs: Vectors) -> None:
    state = np.random.get_state()[1].copy()
    a, b = fit(MetaId(n_clusters=3), blobs, seed=4), fit(MetaId(n_clusters=3), blobs, seed=4)
    np.testing.assert_array_equal(a.features, b.features)
    assert not np.array_equal(a.features, fit(MetaId(n_clusters=3), blobs, seed=5).features)
    assert (np.random.get_state()[1] == state).all()


def test_who_has_no_interactions_gets_a_cluster_of_the_unknown(blobs: Vectors) -> None:
    items = np.concatenate([blobs.items, np.zeros((2, D), dtype=np.float32)])
    table = fit(MetaId(n_clusters=3), Vectors(blobs.users, items))
    assert table.items.codes[12:].tolist() == [[3, 0], [3, 1]]
    assert (table.items.codes[:12, 0] < 3).all()


def test_k_scales_with_the_catalogue() -> None:
    assert scaled_clusters(943 + 1682) == 41  # MovieLens-100K
    assert scaled_clusters(22_363 + 12_101) == 98  # Beauty, where the release takes 100
    assert scaled_clusters(1) == 3


def test_wrong_settings_and_missing_vectors_are_refused(blobs: Vectors) -> None:
    with pytest.raises(ValueError, match="n_clusters is 0"):
        MetaId(n_clusters=0)
    with pytest.raises(ValueError, match="clustering is 'both'"):
        MetaId(clustering="both")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two spaces"):
        fit(MetaId(), Vectors(blobs.users, blobs.items, joint=False))
    with pytest.raises(ValueError, match="metapath"):
        MetaId().fit(None, None, None, np.random.default_rng(0))  # type: ignore[arg-type]


def test_fit_cannot_see_held_out_interactions() -> None:
    assert list(inspect.signature(MetaId.fit).parameters) == ["self", "train", "catalog", "vectors", "rng"]
