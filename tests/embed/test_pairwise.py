"""Pairs are drawn evenly and never from what was taken; a step is the step that torch takes from the loss as it is written down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Interactions
from llmrec.embed import pairwise


def graph(pairs: list[tuple[int, int]], n_users: int, n_items: int) -> Interactions:
    user, item = (np.asarray(side, dtype=np.int64) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
    return Interactions.from_unsorted(user, item, np.arange(len(user), dtype=np.int64), n_users, n_items)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=30), st.integers(1, 8))
def test_an_epoch_has_every_interaction_once_and_nobody_loses_to_what_they_took(pairs: list[tuple[int, int]], size: int) -> None:
    known = {i for _, i in pairs}
    taken = {u: {i for v, i in pairs if v == u} for u in range(5)}
    batches = list(pairwise.Pairs.of(graph(pairs, 5, 8)).batches(size, np.random.default_rng(0)))
    assert all(len(u) == size for u, _, _ in batches[:-1])
    drawn = [(int(u), int(i), int(j)) for batch in batches for u, i, j in zip(*batch, strict=True)]
    assert sorted((u, i) for u, i, _ in drawn) == sorted({(u, i) for u, i in pairs if taken[u] != known})
    assert all(j in known - taken[u] for u, _, j in drawn)


def test_what_was_not_taken_is_drawn_evenly() -> None:
    train = graph([(0, 1), (0, 3), (0, 4), (1, 0), (1, 2), (1, 6), (1, 7)], 2, 9)  # items 5 and 8 are nobody's
    pairs = pairwise.Pairs.of(train)
    drawn = pairs.losers(np.repeat([0, 1], 30_000), np.random.default_rng(0))
    share = np.bincount(drawn[:30_000], minlength=9) / 30_000
    assert share == pytest.approx([0.25, 0, 0.25, 0, 0, 0, 0.25, 0.25, 0], abs=0.012)
    assert set(drawn[30_000:].tolist()) == {1, 3, 4}


def test_a_step_by_hand() -> None:
    """One user at (1, 0), who took item (2, 0) and not item (0, 1): margin 2, pull sigmoid(-2)."""
    rows = np.array([[1, 0], [2, 0], [0, 1]], dtype=np.float32)
    slope = pairwise.gradient(rows, lambda x: x, np.array([0]), np.array([1]), np.array([2]), 0.1)
    pull = 1 / (1 + np.exp(2))
    expected = [[-2 * pull + 0.1, pull], [-pull + 0.2, 0], [pull, 0.1]]
    assert slope == pytest.approx(np.array(expected), abs=1e-6)
    pairwise.Adam(rows.shape, 0.01).step(rows, slope)  # Adam's first step is lr against the sign of the slope
    assert rows == pytest.approx(np.array([[1.01, -0.01], [1.99, 0], [-0.01, 0.99]]), abs=1e-4)


def test_ten_steps_are_those_of_torch() -> None:
    """torch's Adam and automatic gradient on the loss as `learn` states it, through a map that mixes rows."""
    import torch

    rng = np.random.default_rng(0)
    rows = rng.standard_normal((9, 4)).astype(np.float32)
    mix = rng.standard_normal((9, 9)).astype(np.float32)
    mix = mix + mix.T
    layer = torch.tensor(rows.copy(), requires_grad=True)
    theirs = torch.optim.Adam([layer], lr=0.05)
    adam = pairwise.Adam(rows.shape, 0.05)
    for _ in range(10):
        user, good, bad = rng.integers(0, 4, 6), rng.integers(4, 9, 6), rng.integers(4, 9, 6)
        final = torch.tensor(mix) @ layer
        margin = (final[user] * (final[good] - final[bad])).sum(1)
        squares = sum((layer[part] ** 2).sum() for part in (user, good, bad))
        loss = -torch.nn.functional.logsigmoid(margin).mean() + 0.3 / 2 * squares / 6
        theirs.zero_grad()
        loss.backward()
        slope = pairwise.gradient(rows, lambda x: mix @ x, user, good, bad, 0.3)
        np.testing.assert_allclose(slope, layer.grad.numpy(), atol=2e-4, rtol=1e-3)
        theirs.step()
        adam.step(rows, slope)
    np.testing.assert_allclose(rows, layer.detach().numpy(), atol=2e-3)


def test_huge_margins_neither_overflow_nor_move() -> None:
    rows = np.array([[100.0], [100.0], [-100.0]], dtype=np.float32)
    with np.errstate(over="raise"):
        won = pairwise.gradient(rows, lambda x: x, np.array([0]), np.array([1]), np.array([2]), 0.0)
        lost = pairwise.gradient(rows, lambda x: x, np.array([0]), np.array([2]), np.array([1]), 0.0)
    assert not won.any()
    assert lost[:, 0] == pytest.approx([200, 100, -100])
