"""Rules of measurement that published numbers of this field break: each check passes here and refuses a small copy of the fault."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from llmrec.contracts import Interactions, Ints, Queries, Ranked, Split
from llmrec.data.split import LeaveOneOut, RandomHoldout, UnseenUsers
from llmrec.data.unseen_items import UnseenItems
from llmrec.report import metrics
from llmrec.report.evaluate import evaluate

# --- ties are broken by item id ---------------------------------------------------------------------------------------------------------

AskedFor = Callable[[Interactions], Ints]


def what_items_are_called_decides_nothing(test_items: AskedFor) -> None:
    """Renumber the items: the same interactions are test. Half of these share their second with another."""
    draw = np.random.default_rng(0)
    user = np.repeat(np.arange(30), 8)
    item = np.concatenate([draw.permutation(40)[:8] for _ in range(30)])
    time = np.tile(np.asarray([1, 2, 3, 4, 5, 6, 6, 6]), 30)
    renumbered = draw.permutation(40)
    one = Interactions.from_unsorted(user, item, time, 30, 40)
    other = Interactions.from_unsorted(user, renumbered[item], time, 30, 40)
    assert np.array_equal(renumbered[test_items(one)], test_items(other))


def test_ties_never_follow_item_ids() -> None:
    def ours(x: Interactions) -> Ints:
        return np.concatenate(LeaveOneOut().split(x, np.random.default_rng(0)).targets("test"))

    def by_id(x: Interactions) -> Ints:
        rows = np.lexsort((x.item, x.time, x.user))
        return x.item[rows][x.offsets[1:] - 1]

    what_items_are_called_decides_nothing(ours)
    with pytest.raises(AssertionError):
        what_items_are_called_decides_nothing(by_id)


# --- a beam that found fewer than k -----------------------------------------------------------------------------------------------------

HitRate = Callable[[Ranked, Sequence[Ints]], float]
FULL, SHORT = [4, 2, 7], [5, -1, -1]
WANTED = tuple(np.asarray([i]) for i in (7, 9, 5, 9))  # third place; missed; first place; item 9, the last one, missed


def missing_places_are_misses(hit_at_3: HitRate) -> None:
    items = np.asarray([FULL, [-1, -1, -1], SHORT, SHORT], dtype=np.int32)
    ranked = Ranked(items, np.where(items < 0, -np.inf, 0).astype(np.float32))
    assert hit_at_3(ranked, WANTED) == 2 / 4


def test_a_beam_that_finds_fewer_counts_the_rest_as_misses() -> None:
    def ours(ranked: Ranked, wanted: Sequence[Ints]) -> float:
        return float(metrics.per_user(ranked, wanted, (3,))["hit@3"].mean())

    def closing_up(ranked: Ranked, wanted: Sequence[Ints]) -> float:
        """What was found lies in one list that is cut every k places: one short answer moves everybody's after it (META ID's release)."""
        found = ranked.items[ranked.items >= 0]
        rows = [found[3 * row : 3 * row + 3] for row in range(len(wanted))]
        return float(np.mean([w[0] in row for w, row in zip(wanted, rows, strict=True)]))

    def those_who_got_an_answer(ranked: Ranked, wanted: Sequence[Ints]) -> float:
        answered = (ranked.items >= 0).any(axis=1)
        return float(np.mean([w[0] in row for w, row in zip(wanted, ranked.items, strict=True)], where=answered))

    def counting_from_the_end(ranked: Ranked, wanted: Sequence[Ints]) -> float:
        """-1 as an index is the last item, 9."""
        catalogue = np.arange(10)
        return float(np.mean([w[0] in catalogue[row] for w, row in zip(wanted, ranked.items, strict=True)]))

    missing_places_are_misses(ours)
    for fault in (closing_up, those_who_got_an_answer, counting_from_the_end):
        with pytest.raises(AssertionError):
            missing_places_are_misses(fault)


# --- the target is ranked among a sample of items ---------------------------------------------------------------------------------------

M = 2000


@dataclass(frozen=True)
class Scored:
    """Recommends by fixed scores: the test item always lies at place 101 of the catalogue."""

    target: Ints

    def scores(self, user: int) -> np.ndarray:
        order = np.random.default_rng(user).permutation(np.delete(np.arange(M), self.target[user]))
        order = np.insert(order, 100, self.target[user])
        scores = np.empty(M, dtype=np.float32)
        scores[order] = -np.arange(M)
        return scores

    def recommend(self, queries: Queries, k: int) -> Ranked:
        all_scores = np.stack([self.scores(int(u)) for u in queries.users])
        best = np.argsort(-all_scores, axis=1)[:, :k].astype(np.int32)
        return Ranked(best, np.take_along_axis(all_scores, best, 1))


def the_whole_catalogue_competes(hit_at_10: Callable[[Scored, Split], float]) -> None:
    """Place 101 of 2,000 is no hit at 10, whoever measures; among 99 sampled items it nearly always is one."""
    draw = np.random.default_rng(1)
    item = np.stack([draw.permutation(M)[:6] for _ in range(50)])
    taken = Interactions.from_unsorted(np.repeat(np.arange(50), 6), item.ravel(), np.tile(np.arange(6), 50), 50, M)
    split = LeaveOneOut().split(taken, draw)
    assert hit_at_10(Scored(np.concatenate(split.targets("test"))), split) == 0


def test_metrics_are_never_sampled() -> None:
    def ours(ranks: Scored, split: Split) -> float:
        return evaluate(ranks, split, "test", masked=False, k=(10,)).metrics["hit@10"]

    def sampled(ranks: Scored, split: Split) -> float:
        draw, hits = np.random.default_rng(0), []
        for user in range(50):
            scores, target = ranks.scores(user), ranks.target[user]
            hits.append((scores[draw.choice(M, 99, replace=False)] > scores[target]).sum() < 10)
        return float(np.mean(hits))

    the_whole_catalogue_competes(ours)
    with pytest.raises(AssertionError):
        the_whole_catalogue_competes(sampled)


# --- the validation set is the test set -------------------------------------------------------------------------------------------------

Parts = Callable[[Interactions], Split]


def validation_and_test_have_nothing_in_common(split_of: Parts) -> None:
    draw = np.random.default_rng(2)
    item = np.concatenate([draw.permutation(60)[:20] for _ in range(25)])
    taken = Interactions.from_unsorted(np.repeat(np.arange(25), 20), item, np.tile(np.arange(20), 25), 25, 60)
    split = split_of(taken)
    pairs = [set(zip(part.user.tolist(), part.item.tolist(), strict=True)) for part in (split.train, split.valid, split.test)]
    assert all(pairs)
    assert not pairs[0] & pairs[1] and not pairs[0] & pairs[2] and not pairs[1] & pairs[2]


@pytest.mark.parametrize("splitter", [LeaveOneOut(), RandomHoldout(), UnseenUsers(0.2), UnseenItems(0.2)])
def test_no_split_validates_on_test(splitter: LeaveOneOut | RandomHoldout | UnseenUsers | UnseenItems) -> None:
    """TokenRec's release builds its validation data from its test data."""

    def release(x: Interactions) -> Split:
        parts = splitter.split(x, np.random.default_rng(0))
        return dataclasses.replace(parts, valid=parts.test)

    validation_and_test_have_nothing_in_common(lambda x: splitter.split(x, np.random.default_rng(0)))
    with pytest.raises(AssertionError):
        validation_and_test_have_nothing_in_common(release)
