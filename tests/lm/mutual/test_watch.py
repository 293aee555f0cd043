"""Watching mutual training: a look after every pass, nothing changed by looking, and a pull that holds the rows together."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.lm.mutual.plan import Mutual
from llmrec.lm.mutual.watch import Watched, watch
from tests.lm.mutual import pairs


@pytest.fixture(autouse=True)
def fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_PRECISION", "fp32")


def watched(strength: float, rounds: int = 1) -> Watched:
    plan = Mutual(epochs=(1, rounds, 0), batch=20, lr=(1e-2, 1e-2), regularise=(1e-3, strength), validations=1)
    heard: list[float] = []
    out = watch(plan, pairs.model(), pairs.TABLE, pairs.SPLIT, pairs.CATALOG, 0, heard.append)
    assert heard == sorted(heard) and heard[-1] == 1
    return out


def test_there_is_a_look_at_the_start_and_after_each_pass() -> None:
    seen = watched(1.0, rounds=2)
    assert seen.passes == ("start", "content", "collaborative", "content", "collaborative")
    assert seen.collaborative.shape == seen.content.shape == (5, 24, 32)
    assert (seen.collaborative[0] == seen.content[0]).all()
    assert (seen.collaborative[1] == seen.collaborative[0]).all() and (seen.content[1] != seen.content[0]).any()  # content alone


def test_rows_that_are_pulled_stay_nearer() -> None:
    free, held = watched(0.0), watched(1000.0)
    assert held.distances()[-1].mean() < 0.8 * free.distances()[-1].mean()
    assert held.cosines()[-1].mean() > free.cosines()[-1].mean()


def test_distances_and_cosines_by_hand() -> None:
    rows = np.asarray([[[3.0, 0.0], [1.0, 0.0]]], dtype=np.float32), np.asarray([[[0.0, 4.0], [2.0, 0.0]]], dtype=np.float32)
    seen = Watched(("start",), *rows, 0.0)
    assert seen.distances().tolist() == [[5.0, 1.0]] and seen.cosines().tolist() == [[0.0, 1.0]]


def test_without_a_content_side_there_is_nothing_to_watch() -> None:
    plan = Mutual(epochs=(0, 1, 0), content=0.0)
    with pytest.raises(ValueError, match="no content side"):
        watch(plan, pairs.model(), pairs.TABLE, pairs.SPLIT, pairs.CATALOG, 0, lambda _: None)
