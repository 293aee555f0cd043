"""BPR-MF: the rows are the vectors, and what people took comes first."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Interactions
from llmrec.data.synthetic import Checkerboard
from llmrec.embed import pairwise
from llmrec.embed.bpr import Bpr


def test_one_epoch_is_one_step_of_the_plain_rows() -> None:
    user, item = np.array([(0, 0), (0, 1), (1, 1), (2, 2), (2, 0)]).T
    train = Interactions.from_unsorted(user, item, np.arange(5, dtype=np.int64), 3, 3)
    rng = np.random.default_rng(2)
    rows = pairwise.start("bpr", train, 3, 0.1, rng)
    ((u, i, j),) = pairwise.Pairs.of(train).batches(10, rng)
    slope = np.zeros((6, 3))
    for a, b, c in zip(u, i + 3, j + 3, strict=True):
        e = rows.astype(np.float64)
        pull = 1 / (1 + np.exp(e[a] @ (e[b] - e[c]))) / len(u)
        slope[a] += -pull * (e[b] - e[c]) + 0.2 / len(u) * e[a]
        slope[b] += -pull * e[a] + 0.2 / len(u) * e[b]
        slope[c] += pull * e[a] + 0.2 / len(u) * e[c]
    expected = rows - 0.05 * slope / (np.abs(slope) + 1e-8)  # Adam's first step, whatever the betas
    found = Bpr(d=3, epochs=1, lr=0.05, l2=0.2, batch=10).fit(train, None, np.random.default_rng(2))
    np.testing.assert_allclose(np.concatenate([found.users, found.items]), expected, atol=1e-4)


def test_the_checkerboard_is_learned() -> None:
    train = Checkerboard(n_users=60, n_items=40).load().interactions
    vectors = Bpr(d=16, epochs=150, lr=0.02).fit(train, None, np.random.default_rng(0))
    best = (vectors.users @ vectors.items.T).argmax(axis=1)
    assert vectors.joint and (best % 2 == np.arange(60) % 2).all()


@pytest.mark.parametrize(("setting", "value"), [("d", 0), ("epochs", 0), ("batch", 0), ("lr", -1.0), ("l2", float("nan")), ("scale", 0.0)])
def test_a_setting_out_of_range_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"bpr: {setting} is"):
        Bpr(**{setting: value})  # type: ignore[arg-type]
