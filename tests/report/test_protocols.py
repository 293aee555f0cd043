"""Protocols: what each measures, by hand; who is told apart; and that validation chooses while test is not read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Interactions, Queries, Ranked, Split
from llmrec.data.split import LeaveOneOut, RandomHoldout, UnseenUsers
from llmrec.report import protocols
from llmrec.report.evaluate import evaluate, evaluate_baselines
from llmrec.report.protocols import PROTOCOLS, SEEN, UNSEEN, Protocol
from llmrec.report.table import rows, summary


@dataclass(frozen=True)
class Fixed:
    """Answers everybody with the same items, what is excluded left out."""

    items: tuple[int, ...]

    def recommend(self, queries: Queries, k: int) -> Ranked:
        found = np.full((len(queries), k), -1, dtype=np.int32)
        for row in range(len(queries)):
            out = set() if queries.exclude is None else set(queries.exclude[row].tolist())
            best = [i for i in self.items if i not in out][:k]
            found[row, : len(best)] = best
        return Ranked(found, np.where(found < 0, -np.inf, 0).astype(np.float32))


def world(lengths: list[int], m: int, seed: int = 0) -> Interactions:
    """User u takes lengths[u] of m items, each once."""
    draw = np.random.default_rng(seed)
    user = np.repeat(np.arange(len(lengths)), lengths)
    item = np.concatenate([draw.permutation(m)[:n] for n in lengths])
    return Interactions.from_unsorted(user, item, np.concatenate([np.arange(n) for n in lengths]), len(lengths), m)


SPLITS = {"loo": LeaveOneOut(), "holdout": RandomHoldout(), "unseen-users": UnseenUsers()}


def test_the_registered_protocols_are_those_of_the_splits() -> None:
    from llmrec import registry

    assert list(PROTOCOLS) == registry.names("split")
    taken = world([30] * 30, 40)
    for name, how in SPLITS.items():
        assert type(how) is registry.load("split", name)
        made = how.split(taken, np.random.default_rng(0))
        assert made.protocol == name and protocols.of(made) is PROTOCOLS[name]


def test_each_protocol_by_hand() -> None:
    loo, holdout, unseen = (PROTOCOLS[name] for name in SPLITS)
    assert set(loo.metrics) == {f"{m}@{k}" for m in ("hit", "ndcg") for k in (5, 10, 20, 30)} | {"mrr@10"}
    assert (loo.select, loo.cuts, loo.groups) == ("ndcg@10", (5, 10, 20, 30), ())
    assert holdout.metrics == ("recall@20", "recall@40", "ndcg@100")
    assert (holdout.select, holdout.cuts) == ("ndcg@100", (20, 40, 100))
    assert (unseen.metrics, unseen.select, unseen.groups) == (loo.metrics, "ndcg@10", (SEEN, UNSEEN))


def test_older_splits_with_users_held_out_are_read_as_unseen_users() -> None:
    made = UnseenUsers(0.2).split(world([8] * 10, 20), np.random.default_rng(0))
    assert protocols.of(dataclasses.replace(made, protocol="loo")).name == "unseen-users"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"metrics": ()}, "name one metric or more"),
        ({"metrics": ("ndcg@10", "ndcg@10")}, "each once"),
        ({"metrics": ("auc@10", "ndcg@10")}, "no metric is called 'auc@10'"),
        ({"metrics": ("ndcg",)}, "'ndcg' names no place to cut at: write it as hit@10"),
        ({"select": "ndcg@50"}, "does not measure 'ndcg@50'"),
        ({"headline": ("hit@7",)}, "does not measure 'hit@7'"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dataclasses.replace(PROTOCOLS["loo"], **changes)


def test_an_unknown_protocol_is_refused_by_name() -> None:
    made = LeaveOneOut().split(world([8] * 10, 20), np.random.default_rng(0))
    with pytest.raises(ValueError, match="no protocol is called 'random'; there are loo, holdout, unseen-users"):
        evaluate(Fixed((0,)), dataclasses.replace(made, protocol="random"))


def holdout(test: list[list[int]], m: int = 60) -> Split:
    """User u has these test items; everybody took items 58 and 59 in train."""
    user = np.concatenate([np.full(len(t), u) for u, t in enumerate(test)])
    item = np.concatenate([np.asarray(t, dtype=np.int64) for t in test])
    n = len(test)
    asked = Interactions.from_unsorted(user, item, np.zeros(len(user), dtype=np.int64), n, m)
    train = Interactions.from_unsorted(np.repeat(np.arange(n), 2), np.tile([58, 59], n), np.zeros(2 * n, dtype=np.int64), n, m)
    return Split("holdout", train, asked.take(np.zeros(len(asked), dtype=bool)), asked)


def test_holdout_by_hand() -> None:
    """Recall divides by min(k, targets), and a user without test items is nobody's question.

    User 0 has 25 targets, of which 10 stand in the first 20 and 25 in the first 40; user 1 has none; user 2 has one, at place 30.
    """
    targets = [list(range(10, 35)), [], [29]]
    found = evaluate(Fixed(tuple(range(60))), holdout(targets))
    assert found.users.tolist() == [0, 2] and list(found.per_user) == ["recall@20", "recall@40", "ndcg@100"]
    assert found.per_user["recall@20"].tolist() == [10 / 20, 0.0]
    assert found.per_user["recall@40"].tolist() == [25 / 25, 1.0]
    gained = sum(1 / np.log2(place + 1) for place in range(11, 36))
    best = sum(1 / np.log2(place + 1) for place in range(1, 26))
    assert found.per_user["ndcg@100"] == pytest.approx([gained / best, 1 / np.log2(31)])


def test_holdout_takes_exact_shares_and_lets_the_short_go() -> None:
    lengths = [30, 9, 10, 25, 100]
    made = RandomHoldout().split(world(lengths, 120), np.random.default_rng(1))
    assert np.bincount(made.test.user, minlength=5).tolist() == np.bincount(made.valid.user, minlength=5).tolist() == [3, 0, 1, 2, 10]
    assert np.bincount(made.train.user, minlength=5).tolist() == [24, 9, 8, 21, 80]
    assert evaluate(Fixed(tuple(range(120))), made).users.tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("masked", [True, False])
def test_every_protocol_measures_its_own_both_ways(masked: bool) -> None:
    taken = world([30] * 30, 40)
    for name, how in SPLITS.items():
        made = how.split(taken, np.random.default_rng(0))
        found = evaluate_baselines(made, "test", masked, ["itemknn"])["itemknn"]
        assert tuple(found.per_user) == PROTOCOLS[name].metrics and found.k == PROTOCOLS[name].cuts
        assert found.ranked.items.shape == (len(made.asked("test")), PROTOCOLS[name].cuts[-1])
        known = [set(h.tolist()) for h in made.queries("test").histories]
        returned = [bool(seen & set(row.tolist())) for seen, row in zip(known, found.ranked.items, strict=True)]
        assert not any(returned) if masked else all(returned)


def test_cuts_of_ones_own_are_measured_as_before() -> None:
    found = evaluate(Fixed((1, 2)), LeaveOneOut().split(world([8] * 10, 20), np.random.default_rng(0)), k=(2, 1))
    assert list(found.per_user) == [f"{m}@{k}" for k in (1, 2) for m in ("hit", "ndcg", "recall", "mrr")]


def unseen(seed: int = 0) -> Split:
    return UnseenUsers(0.2).split(world([7, 30, 8, 30, 6, 30, 30, 30, 4, 30, 30], 40, seed), np.random.default_rng(0))


def test_groups_part_the_users_and_their_means_make_the_whole() -> None:
    made = unseen()
    found = evaluate_baselines(made, names=["itemknn", "popularity"])
    told = summary(
        found["itemknn"], run="r", data="d", split="unseen-users", seed=1, baselines={"popularity": found["popularity"]}, draws=100
    )
    assert made.held_out.tolist() == [0, 4]
    groups = told["groups"]
    assert {name: group["n_users"] for name, group in groups.items()} == {SEEN: 8, UNSEEN: 2} and told["n_users"] == 10
    masks = np.stack(list(found["itemknn"].groups.values()))
    assert (masks.sum(axis=0) == 1).all() and found["itemknn"].users[masks[1]].tolist() == [0, 4]
    for metric in PROTOCOLS["unseen-users"].metrics:
        parts = sum(group["n_users"] * group["metrics"][metric] for group in groups.values())
        assert parts / told["n_users"] == pytest.approx(told["metrics"][metric])
        for group in groups.values():
            low, high = group["intervals"][metric]
            assert low <= group["metrics"][metric] <= high
            apart = group["metrics"][metric] - group["baselines"]["popularity"][metric]
            assert group["differences"]["popularity"][metric][0] == pytest.approx(apart)
    assert rows(told)[-1]["hit@10"] == told["metrics"]["hit@10"]


def test_on_validation_nobody_is_unseen() -> None:
    found = evaluate_baselines(unseen(), "valid", names=["popularity"])["popularity"]
    assert list(found.groups) == [SEEN] and not np.isin(found.users, unseen().held_out).any()
    told = summary(found, run="r", data="d", split="unseen-users", seed=0, draws=10)
    assert told["groups"][SEEN]["metrics"] == {name: told["metrics"][name] for name in PROTOCOLS["unseen-users"].metrics}


def test_what_unseen_users_did_reaches_neither_train_nor_vectors_nor_names() -> None:
    """Two worlds that differ only in what the unseen did: all that is learned is the same to the bit."""
    from llmrec.embed.lightgcn import LightGcn
    from llmrec.ids.sid import Sid

    one = world([30] * 40, 50)
    out = UnseenUsers().split(one, np.random.default_rng(0)).held_out
    assert len(out) == 2  # 5 % of 40
    item = one.item.copy()
    for u in out:
        item[one.offsets[u] : one.offsets[u + 1]] = item[one.offsets[u] : one.offsets[u + 1]][::-1]
    two = dataclasses.replace(one, item=item)
    left, right = (UnseenUsers().split(x, np.random.default_rng(0)) for x in (one, two))
    assert not all(np.array_equal(a, b) for a, b in zip(left.targets("test"), right.targets("test"), strict=True))
    for part in ("train", "valid"):
        assert not np.isin(out, getattr(left, part).user).any()
        assert np.array_equal(getattr(left, part).item, getattr(right, part).item)
    points = [LightGcn(d=4, epochs=2).fit(s.train, None, np.random.default_rng(5)) for s in (left, right)]  # type: ignore[arg-type]
    assert np.array_equal(points[0].items, points[1].items) and np.array_equal(points[0].users, points[1].users)
    codes = [Sid().fit(s.train, None, None, np.random.default_rng(5)).items.codes for s in (left, right)]  # type: ignore[arg-type]
    assert np.array_equal(codes[0], codes[1])


@pytest.mark.parametrize("how", [LeaveOneOut(), RandomHoldout(), UnseenUsers(0.2)])
def test_validation_and_test_are_other_interactions_and_other_objects(how: Any) -> None:
    made = how.split(world([30] * 10, 40), np.random.default_rng(0))
    pairs = [set(zip(part.user.tolist(), part.item.tolist(), strict=True)) for part in (made.train, made.valid, made.test)]
    assert all(pairs) and not (pairs[0] & pairs[1] or pairs[0] & pairs[2] or pairs[1] & pairs[2])
    assert made.valid is not made.test and not np.shares_memory(made.valid.item, made.test.item)
    asked = {int(u): history for u, history in zip(made.asked("valid"), made.queries("valid").histories, strict=True)}
    for u, i in pairs[1] | pairs[2]:
        assert i not in asked.get(u, []), "a query of validation must not hold what validation or test asks for"


def test_short_views_show_what_was_measured() -> None:
    assert protocols.headline({"split": "loo"}, ["hit@5", "ndcg@10", "hit@10"]) == ("hit@10", "ndcg@10")
    assert protocols.headline({"split": "holdout"}, PROTOCOLS["holdout"].metrics) == ("recall@20", "ndcg@100")
    assert protocols.headline({"split": "holdout"}, ["hit@10", "mrr@10", "x@1"]) == ("hit@10", "mrr@10")
    assert protocols.headline({}, {}) == ()
    with pytest.raises(ValueError, match="hit@10"):
        Protocol("p", ("hit",), "hit", (), "", "")
