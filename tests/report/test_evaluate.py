"""Evaluation with recommenders whose answers are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from llmrec.contracts import Interactions, Queries, Ranked, Split
from llmrec.registry import QUICK_BASELINES, names
from llmrec.report.compare import difference
from llmrec.report.evaluate import evaluate, evaluate_baselines
from llmrec.report.segments import by_popularity, popularity_bands, segment_rows


@dataclass(frozen=True)
class Next:
    """Recommends what follows the last item of the history, on a circle of m items; leaves excluded items out."""

    m: int
    asked: list[Queries]

    def recommend(self, queries: Queries, k: int) -> Ranked:
        self.asked.append(queries)
        items = np.full((len(queries), k), -1, dtype=np.int32)
        for row, history in enumerate(queries.histories):
            out = set(queries.exclude[row].tolist()) if queries.exclude is not None else set()
            found = [(int(history[-1]) + step) % self.m for step in range(1, self.m + 1)]
            found = [i for i in found if i not in out][:k]
            items[row, : len(found)] = found
        return Ranked(items, np.where(items < 0, -np.inf, 0).astype(np.float32))


def circle(m: int = 10, length: int = 6) -> Split:
    """User u takes items u, u + 1, ... on a circle; the last is test, the one before validation."""
    user = np.repeat(np.arange(m), length)
    step = np.tile(np.arange(length), m)
    x = Interactions.from_unsorted(user, (user + step) % m, step, m, m)
    return Split("loo", x.take(step < length - 2), x.take(step == length - 2), x.take(step == length - 1))


@pytest.mark.parametrize("part", ["valid", "test"])
@pytest.mark.parametrize("masked", [True, False])
def test_the_right_answer_scores_one(part: str, masked: bool) -> None:
    found = evaluate(Next(10, []), circle(), part, masked, (1, 3))  # type: ignore[arg-type]
    assert found.n_users == 10
    assert found.part == part
    assert found.seen == ("masked" if masked else "unmasked")
    assert found.metrics == pytest.approx({f"{name}@{k}": 1.0 for name in ("hit", "ndcg", "recall", "mrr", "coverage") for k in (1, 3)})
    assert found.seconds >= 0


def test_histories_end_right_before_the_target_and_masks_are_the_histories() -> None:
    model = Next(10, [])
    evaluate(model, circle(), "test", True, (1,))
    (asked,) = model.asked
    assert [h.tolist() for h in asked.histories] == [[(u + s) % 10 for s in range(5)] for u in range(10)]
    assert asked.exclude is not None
    assert [e.tolist() for e in asked.exclude] == [h.tolist() for h in asked.histories]


def test_batches_change_nothing() -> None:
    whole, model = evaluate(Next(10, []), circle(), k=(2, 5)), Next(10, [])
    seen: list[tuple[int, int]] = []
    parts = evaluate(model, circle(), k=(5, 2, 5), batch=3, progress=lambda done, of: seen.append((done, of)))
    assert [len(q) for q in model.asked] == [3, 3, 3, 1]
    assert seen == [(3, 10), (6, 10), (9, 10), (10, 10)]
    assert parts.k == (2, 5)
    assert parts.metrics == whole.metrics
    assert np.array_equal(parts.ranked.items, whole.ranked.items)


def test_fewer_than_k_found_counts_as_a_miss() -> None:
    @dataclass(frozen=True)
    class Nothing:
        def recommend(self, queries: Queries, k: int) -> Ranked:
            return Ranked(np.full((len(queries), k), -1, dtype=np.int32), np.full((len(queries), k), -np.inf, dtype=np.float32))

    assert set(evaluate(Nothing(), circle()).metrics.values()) == {0.0}


@pytest.mark.parametrize(("wrong", "message"), [({"k": ()}, "k is"), ({"k": (0, 5)}, "k is"), ({"batch": 0}, "batch is 0")])
def test_senseless_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(Next(10, []), circle(), **wrong)  # type: ignore[arg-type]


def test_a_split_without_targets_is_refused() -> None:
    split = circle()
    empty = split.test.take(np.zeros(len(split.test), dtype=bool))
    with pytest.raises(ValueError, match="nobody has a target in the test part"):
        evaluate(Next(10, []), Split("loo", split.train, split.valid, empty))


def test_every_quick_baseline_is_evaluated_on_the_same_questions() -> None:
    found = evaluate_baselines(circle(), "valid", k=(1, 3))
    assert tuple(found) == QUICK_BASELINES
    assert set(QUICK_BASELINES) <= set(names("baseline"))
    for one in found.values():
        assert np.array_equal(one.users, np.arange(10))
    again = evaluate_baselines(circle(), "valid", names=["popularity"], k=(1, 3))
    assert again["popularity"].metrics == found["popularity"].metrics


def test_baselines_are_fitted_on_train_alone() -> None:
    """Item 9 is in nobody's train, so nobody may recommend it, though it is in the histories of test."""
    x = Interactions.from_unsorted(np.repeat(np.arange(6), 5), np.tile([0, 1, 2, 9, 3], 6), np.tile(np.arange(5), 6), 6, 10)
    step = x.time
    split = Split("loo", x.take(step < 3), x.take(step == 3), x.take(step == 4))
    for name, one in evaluate_baselines(split, "test", masked=False, k=(10,)).items():
        assert not (one.ranked.items == 9).any(), name


def test_bands_part_the_catalogue() -> None:
    item = np.array([0] * 5 + [1] * 3 + [2] * 3 + [3, 4])
    train = Interactions.from_unsorted(np.arange(13), item, np.arange(13), 13, 10)
    bands = {name: np.flatnonzero(mask).tolist() for name, mask in popularity_bands(train, 0.2).items()}
    assert bands == {"head": [0, 1, 2], "tail": [3, 4], "cold": [5, 6, 7, 8, 9]}
    with pytest.raises(ValueError, match="share is 1"):
        popularity_bands(train, 1)


def test_segments_weigh_back_to_the_whole() -> None:
    split = circle()
    found = evaluate_baselines(split, "test", names=["itemknn"], k=(3, 10))["itemknn"]
    segments = by_popularity(found, split.train)
    assert sum(s.n_users for s in segments.values()) == found.n_users
    total = sum(s.n_users * s.metrics.get("ndcg@3", 0.0) for s in segments.values())
    assert total / found.n_users == pytest.approx(found.metrics["ndcg@3"])
    assert segments["cold"].n_users == 0
    assert segment_rows(segments)[2] == {"targets": "cold", "items": 0, "users": 0, "hit@10": None, "ndcg@10": None}


def test_a_user_with_targets_of_two_kinds_counts_in_both() -> None:
    train = Interactions.from_unsorted(np.arange(5), np.array([0, 0, 0, 1, 2]), np.arange(5), 5, 5)
    test = Interactions.from_unsorted(np.array([0, 0]), np.array([1, 4]), np.array([9, 10]), 5, 5)
    split = Split("holdout", train, test.take(np.zeros(2, dtype=bool)), test)
    found = evaluate(Next(5, []), split, k=(1, 3))  # 1, 2, 3 for user 0
    segments = by_popularity(found, train)
    assert (segments["tail"].n_users, segments["tail"].metrics["hit@1"]) == (1, 1.0)
    assert (segments["cold"].n_users, segments["cold"].metrics["hit@3"]) == (1, 0.0)
    assert found.metrics["recall@3"] == 0.5


def test_difference_refuses_other_questions() -> None:
    rng = np.random.default_rng(0)
    a, b = evaluate(Next(10, []), circle()), evaluate(Next(10, []), circle(), masked=False)
    with pytest.raises(ValueError, match="different seen-item policies, masked and unmasked"):
        difference(a, b, "hit@10", rng)
    with pytest.raises(ValueError, match="different parts"):
        difference(a, evaluate(Next(10, []), circle(), "valid"), "hit@10", rng)
    with pytest.raises(ValueError, match="different users"):
        difference(a, evaluate(Next(8, []), circle(8)), "hit@10", rng)
    with pytest.raises(ValueError, match="different targets"):
        difference(a, evaluate(Next(10, []), circle(10, 7)), "hit@10", rng)
    with pytest.raises(ValueError, match="'auc' was not measured"):
        difference(a, a, "auc", rng)
