"""The bootstrap against theory and against itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from llmrec.report.compare import Interval, interval, intervals


def test_the_interval_of_a_share_is_the_normal_one() -> None:
    values = np.array([1.0] * 300 + [0.0] * 700)
    found = interval(values, np.random.default_rng(0), draws=4000)
    half = 1.96 * math.sqrt(0.3 * 0.7 / 1000)
    assert found.mean == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - half, abs=0.003)
    assert found.high == pytest.approx(0.3 + half, abs=0.003)


def test_a_constant_has_no_width() -> None:
    found = interval(np.full(50, 0.25), np.random.default_rng(0))
    assert (found.low, found.mean, found.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_higher_level_is_wider_and_the_seed_decides() -> None:
    values = np.random.default_rng(1).random(200)
    narrow, wide = (interval(values, np.random.default_rng(0), level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert narrow == interval(values, np.random.default_rng(0), level=0.5)


def test_pairing_sees_what_two_intervals_hide() -> None:
    """b is better than a by a little, for everybody: the intervals overlap, the paired difference is sure."""
    rng = np.random.default_rng(2)
    a = rng.random(300)
    b = a + 0.01
    apart = intervals(np.stack([a, b], axis=1), np.random.default_rng(0))
    assert apart[0].high > apart[1].low
    paired = interval(b - a, np.random.default_rng(0))
    assert paired.excludes_zero
    assert paired.mean == pytest.approx(0.01)


def test_no_difference_is_not_one() -> None:
    noise = np.random.default_rng(3).normal(size=400)
    assert not interval(noise - noise.mean(), np.random.default_rng(0)).excludes_zero
    assert Interval(-1, -2, -0.5).excludes_zero


def test_columns_share_their_draws_and_chunks_change_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(4).random((100, 2))
    both = intervals(values, np.random.default_rng(0), 500)
    alone = interval(values[:, 1], np.random.default_rng(0), 500)
    assert (both[1].low, both[1].high) == pytest.approx((alone.low, alone.high))
    monkeypatch.setattr("llmrec.report.compare.CHUNK", 700)
    small = intervals(values, np.random.default_rng(0), 500)
    assert [(i.low, i.high) for i in small] == [pytest.approx((i.low, i.high)) for i in both]


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"level": 1.0}, {"level": 0.0}])
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="draws is"):
        interval(np.ones(3), np.random.default_rng(0), **wrong)  # type: ignore[arg-type]


def test_nobody_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least one user"):
        interval(np.zeros(0), np.random.default_rng(0))
