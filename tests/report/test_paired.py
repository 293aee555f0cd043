"""Paired differences against numbers worked by hand, and Holm's correction against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.report import paired
from llmrec.report.compare import bootstrap, interval
from llmrec.report.places import Places


def draws(values: np.ndarray) -> np.ndarray:
    return bootstrap(values, np.random.default_rng(0))


def placed(places: list[int], k: int = 10) -> Places:
    """One target each; its place, 0 for a miss."""
    n = len(places)
    whole = np.arange(n, dtype=np.int32)
    return Places("test masked", whole, whole, np.full(n, 3, dtype=np.int32), np.asarray(places, dtype=np.int32), np.zeros(5), k, 0.0)


def test_wins_losses_ties_and_the_mean_are_counted_by_hand() -> None:
    reference, other = placed([1, 0, 0, 4, 2, 0]), placed([1, 3, 7, 0, 9, 0])
    (hit,) = paired.against(reference, {"b": other}, "hit@5", draws)
    assert (hit.wins, hit.losses, hit.ties) == (1, 2, 3)  # user 1 found; users 3 and 4 lost; the rest the same within five
    assert hit.less.mean == pytest.approx(-1 / 6)
    (found,) = paired.against(reference, {"b": other}, "ndcg@10", draws)
    by_hand = [0.0, 1 / np.log2(4), 1 / np.log2(8), -1 / np.log2(5), 1 / np.log2(10) - 1 / np.log2(3), 0.0]
    assert found.less.mean == pytest.approx(sum(by_hand) / 6)
    assert (found.wins, found.losses, found.ties) == (2, 2, 2)


def test_the_interval_is_that_of_the_differences_themselves() -> None:
    rng = np.random.default_rng(5)
    a, b = (placed(rng.integers(0, 11, 300).tolist()) for _ in range(2))
    (found,) = paired.against(a, {"b": b}, "hit@5", draws)
    alone = interval(b.per_user(["hit@5"])["hit@5"] - a.per_user(["hit@5"])["hit@5"], np.random.default_rng(0))
    assert (found.less.mean, found.less.low, found.less.high) == pytest.approx((alone.mean, alone.low, alone.high))


def test_itself_differs_from_nobody_and_a_sure_winner_does() -> None:
    one = placed([1, 0] * 100)
    same, better = paired.against(one, {"same": one, "better": placed([1, 2] * 100)}, "hit@10", draws)
    assert (same.less.mean, same.p, same.holm, same.ties) == (0.0, 1.0, 1.0, 200) and not same.sure
    assert better.less.mean == 0.5 and better.less.excludes_zero and better.sure and better.wins == 100
    assert better.holm == pytest.approx(2 * better.p)


def test_p_agrees_with_the_interval() -> None:
    """Where the 95 % interval holds 0 with room, p is above .05, and below where it excludes 0 with room."""
    rng = np.random.default_rng(9)
    for shift, sure in ((0.0, False), (0.35, True)):
        a = rng.random(400) < 0.3
        b = a | (rng.random(400) < shift)
        (found,) = paired.against(placed(a.astype(int).tolist()), {"b": placed(b.astype(int).tolist())}, "hit@5", draws)
        assert found.less.excludes_zero is sure and (found.p < 0.05) is sure


def test_holm_is_the_step_down_of_its_definition() -> None:
    assert paired.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert paired.holm([0.5, 0.5]) == [1.0, 1.0] and paired.holm([]) == []
    for seed in range(20):
        chances = np.random.default_rng(seed).random(6).tolist()
        corrected = paired.holm(chances)
        ranked = sorted(range(6), key=lambda i: chances[i])
        for step, at in enumerate(ranked):
            assert corrected[at] == pytest.approx(min(1.0, max(chances[ranked[j]] * (6 - j) for j in range(step + 1))))


def test_p_is_never_nought() -> None:
    assert paired.two_sided(np.ones(999)) == pytest.approx(2 / 1000)
    assert paired.two_sided(np.zeros(10)) == 1.0


def test_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="different users"):
        paired.against(placed([1, 2]), {"b": placed([1])}, "hit@5", draws)
    assert paired.against(placed([1]), {}, "hit@5", draws) == []
