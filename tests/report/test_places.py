"""Places against the metrics of whole rankings: nothing is lost by keeping only where the held-out items stood."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from llmrec import artifacts
from llmrec.contracts import Ranked
from llmrec.report import metrics
from llmrec.report.evaluate import Evaluation
from llmrec.report.places import Places

NAMES = ("hit@1", "ndcg@3", "hit@3", "recall@5", "plain_recall@5", "mrr@5")


def measured(items: Any, targets: list[list[int]], k: int = 5, part: Any = "test", masked: bool = True) -> Evaluation:
    """An evaluation of these rankings."""
    ranked = Ranked(np.asarray(items, dtype=np.int32), np.zeros(np.shape(items), dtype=np.float32))
    wanted = tuple(np.asarray(some, dtype=np.int32) for some in targets)
    users = np.arange(len(targets), dtype=np.int32) * 2 + 1
    names = [name for name in NAMES if metrics.cut(name) <= k]
    return Evaluation(part, masked, users, wanted, ranked, metrics.named(ranked, wanted, names), {}, 0.5, {})


def by_chance(rng: np.random.Generator, n: int = 40, m: int = 12, k: int = 5) -> Evaluation:
    items = np.stack([rng.permutation(m)[:k] for _ in range(n)])
    items[rng.random(items.shape) < 0.1] = -1
    return measured(items, [rng.permutation(m)[: rng.integers(1, 4)].tolist() for _ in range(n)], k)


@pytest.mark.parametrize("seed", range(5))
def test_every_metric_is_what_the_ranking_says(seed: int) -> None:
    found = by_chance(np.random.default_rng(seed))
    kept = Places.of(found)
    for name, values in kept.per_user([name for name in NAMES]).items():
        assert values.tolist() == found.per_user[name].tolist(), name


def test_places_are_counted_by_hand() -> None:
    kept = Places.of(measured([[3, 1, 2], [0, -1, -1]], [[2, 9], [4]], 3))
    assert kept.asked == "test masked" and kept.users.tolist() == [1, 3] and kept.k == 3 and kept.seconds == 0.5
    assert list(zip(kept.owner.tolist(), kept.item.tolist(), kept.place.tolist(), strict=True)) == [(0, 2, 3), (0, 9, 0), (1, 4, 0)]
    assert kept.counts.tolist() == [2, 1] and [some.tolist() for some in kept.found] == [[3], []]
    assert kept.coverage(8) == 4 / 8  # 0, 1, 2 and 3 were shown


def test_a_target_named_twice_counts_once_and_a_place_is_never_that_of_a_gap() -> None:
    kept = Places.of(measured([[-1, 5, -1]], [[5, 5]], 3))
    assert kept.item.tolist() == [5] and kept.place.tolist() == [2] and kept.counts.tolist() == [1]


def test_asked_for_some_items_alone_is_what_the_segments_measure() -> None:
    from llmrec.report.segments import _segment

    found = by_chance(np.random.default_rng(7))
    member = np.arange(12) % 2 == 0
    part = Places.of(found).among(member)
    assert part is not None
    theirs = _segment(found, member)
    assert len(part.users) == theirs.n_users < found.n_users
    for name, values in part.per_user(NAMES).items():
        assert values.mean() == pytest.approx(theirs.metrics[name])
    assert Places.of(found).among(np.zeros(12, dtype=bool)) is None


def test_some_users_alone() -> None:
    found = by_chance(np.random.default_rng(3))
    mask = np.arange(found.n_users) % 3 == 0
    part = Places.of(found).only(mask)
    assert part.users.tolist() == found.users[mask].tolist()
    assert part.per_user(["ndcg@3"])["ndcg@3"].tolist() == found.per_user["ndcg@3"][mask].tolist()


def test_they_come_back_from_the_disk_as_they_were(tmp_path: Any) -> None:
    kept = Places.of(by_chance(np.random.default_rng(1)))
    back = artifacts.load(Places, artifacts.save(kept, tmp_path / "places" / "test-masked"))
    for field in dataclasses.fields(Places):
        assert np.array_equal(getattr(back, field.name), getattr(kept, field.name)), field.name
    assert back.place.dtype == kept.place.dtype


def test_too_deep_a_metric_and_senseless_places_are_refused() -> None:
    kept = Places.of(measured([[0, 1, 2]], [[1]], 3))
    with pytest.raises(ValueError, match="needs 5 places, but 3 were kept"):
        kept.per_user(["hit@5"])
    with pytest.raises(ValueError, match=r"lie in 0\.\.3"):
        dataclasses.replace(kept, place=np.array([4]))
    with pytest.raises(ValueError, match="needs a target"):
        dataclasses.replace(kept, users=np.array([1, 3]))


def test_answers_to_other_questions_are_not_compared() -> None:
    one = Places.of(measured([[0, 1, 2]], [[1]], 3))
    one.alike(one)
    with pytest.raises(ValueError, match="test masked, the other on valid masked"):
        one.alike(Places.of(measured([[0, 1, 2]], [[1]], 3, part="valid")))
    with pytest.raises(ValueError, match="different users"):
        one.alike(Places.of(measured([[0, 1, 2], [0, 1, 2]], [[1], [1]], 3)))
    with pytest.raises(ValueError, match="different items"):
        one.alike(Places.of(measured([[0, 1, 2]], [[2]], 3)))
