"""Intervals over users: users and not answers are drawn, differences are paired, and the middle is what is published."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec import rng as streams
from llmrec.lm.tasks.sure import compared, means
from llmrec.report.compare import interval


def test_one_answer_a_user_is_the_bootstrap_of_rankings() -> None:
    values = np.random.default_rng(0).random(50)
    ours, _ = compared(np.arange(50), {"true": values}, {}, seed=4)
    theirs = interval(values, streams.stream(4, "bootstrap"))
    assert ours["true"] == pytest.approx((theirs.low, theirs.high))


def test_answers_of_one_user_are_drawn_together() -> None:
    """Two users, ten answers each, all 0 or all 1: a draw of users is (0, 0), (0, 1), (1, 0) or (1, 1), whatever their answers number."""
    users = np.repeat([3, 8], 10)
    found = means(users, (users == 8).astype(float)[:, None], seed=0)[:, 0]
    assert found[0] == 0.5 and set(found[1:].tolist()) == {0.0, 0.5, 1.0}


def test_a_mean_is_over_answers_and_not_over_users() -> None:
    found = means(np.asarray([0, 1, 1, 1]), np.asarray([[1.0], [0.0], [0.0], [0.0]]), seed=0)[:, 0]
    assert found[0] == 0.25 and set(found[1:].tolist()) == {0.0, 0.25, 1.0}


def test_differences_are_paired_and_roots_are_taken_last() -> None:
    rng = np.random.default_rng(1)
    hard = 10 * rng.random(400)  # users differ much; the baseline is worse by the same for each
    bounds, less = compared(
        np.arange(400), {"mae": hard, "rmse": hard}, {"worse": {"mae": hard + 1, "rmse": 4 * hard}}, 0, {"rmse": np.sqrt}
    )
    assert less["worse"]["mae"] == pytest.approx((-1, -1, -1))
    mean, low, high = less["worse"]["rmse"]
    assert mean == pytest.approx(-np.sqrt(hard.mean())) and low < mean < high < 0
    assert bounds["rmse"] == pytest.approx((-high, -low)) and bounds["mae"][0] < hard.mean() < bounds["mae"][1]
