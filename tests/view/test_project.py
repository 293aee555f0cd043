"""Layouts and the numbers that judge them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from llmrec.contracts import Vectors
from llmrec.view.neighbours import unit
from llmrec.view.project import pca, scores, umap


def blobs(n: int = 60) -> Vectors:
    rng = np.random.default_rng(0)
    x = (np.repeat(np.eye(6)[:3], n // 3, axis=0) + 0.1 * rng.standard_normal((n, 6))).astype(np.float32)
    x = x[rng.permutation(n)]
    return Vectors(x[: n // 3], x[n // 3 :])


def test_pca_is_that_of_sklearn_on_unit_rows() -> None:
    vectors = blobs()
    ours = pca(vectors)
    x = unit(np.concatenate([vectors.users, vectors.items]))
    theirs = PCA(2, svd_solver="full").fit_transform(x)
    mine = np.concatenate([ours.users, ours.items])
    signs = np.sign((mine * theirs).sum(axis=0))
    np.testing.assert_allclose(mine, theirs * signs, atol=1e-4)


def test_a_perfect_layout_scores_one_and_a_random_one_does_not() -> None:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 200)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    trust, overlap, scored = scores(x, x, rng)
    assert (trust, overlap, scored) == (pytest.approx(1.0), pytest.approx(1.0), 200)
    trust, overlap, _ = scores(x, rng.standard_normal(x.shape).astype(np.float32), rng)
    assert trust < 0.65 and overlap < 0.2


def test_scores_of_many_points_come_from_a_sample() -> None:
    x = unit(np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32))
    assert scores(x, x[:, :2], np.random.default_rng(0), limit=100)[2] == 100


def test_rows_of_zeros_stay_off_the_map() -> None:
    vectors = blobs()
    items = vectors.items.copy()
    items[5] = 0
    layout = pca(Vectors(vectors.users, items))
    assert np.isnan(layout.items[5]).all()
    assert np.isfinite(np.delete(layout.items, 5, axis=0)).all() and layout.scored == 59


def test_what_cannot_be_mapped_is_refused() -> None:
    with pytest.raises(ValueError, match="two spaces"):
        pca(Vectors(blobs().users, blobs().items, joint=False))
    with pytest.raises(ValueError, match="at least 4"):
        pca(Vectors(np.zeros((5, 3), np.float32), np.eye(3, dtype=np.float32)))
    with pytest.raises(ValueError, match="n_neighbors is 1"):
        umap(blobs(), n_neighbors=1)


@pytest.mark.slow
def test_umap_repeats_and_keeps_clusters_together() -> None:
    """Slow: umap alone takes long to import and to compile."""
    vectors = blobs(90)
    a, b = umap(vectors, seed=3), umap(vectors, seed=3)
    np.testing.assert_array_equal(a.items, b.items)
    assert a.trustworthiness > 0.8 and a.method == "UMAP"
    assert not np.array_equal(a.items, umap(vectors, seed=4).items)
