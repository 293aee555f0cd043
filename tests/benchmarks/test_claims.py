"""Verdicts on places written by hand: one that holds, one that does not, one that is open, one that nobody measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import places
from benchmarks.places import Placed
from benchmarks.report import chapters, claims, means
from benchmarks.report.claims import Claim
from llmrec.report.compare import Interval
from tests.benchmarks import world

N = 120
GOOD = [1 if u % 2 else 0 for u in range(N)]  # N@10 of .5
POOR = [2 if u % 10 == 1 else 0 for u in range(N)]  # .1 / log2(3), never better than GOOD
OTHER = [0 if u % 2 else 1 for u in range(N)]  # as good as GOOD, by other users


def kept(folder: Path, **found: list[list[int]]) -> Path:
    """Rows by name, each with its places at seed 0, 1, ..."""
    for name, seeds in found.items():
        for seed, at in enumerate(seeds):
            places.write(world.said(name, seed, at), folder)
    return folder


def told(folder: Path, left: str = "a", right: str = "b", **more: object) -> claims.Verdict:
    found = claims.verdict(Claim("paper", "a beats b", left, right, **more), folder)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_claim_holds_fails_or_is_open(tmp_path: Path) -> None:
    folder = kept(tmp_path, a=[GOOD], b=[POOR], c=[OTHER])
    found = told(folder)
    assert found.word == "holds at 1 seed" and found.n_users == N and (found.agree, found.seeds) == (1, (0,))
    assert found.left == pytest.approx(0.5) and found.right == pytest.approx(0.1 / np.log2(3))
    assert found.difference.mean == pytest.approx(found.left - found.right)
    assert told(folder, "b", "a").word == "does not hold at 1 seed"
    even = told(folder, "a", "c")
    assert even.word == claims.OPEN and even.difference.low < 0 < even.difference.high


def test_users_are_paired(tmp_path: Path) -> None:
    """Two rows whose means are close differ for sure where one is a little better for everybody who is found."""
    first = [1 if u % 2 else 0 for u in range(N)]
    second = [2 if u % 2 else 0 for u in range(N)]
    paired = told(kept(tmp_path, a=[first], b=[second])).difference
    assert paired.low > 0.12 and paired.high < 0.26  # .185; unpaired the interval would reach from 0 on


def test_seeds_are_averaged_per_user_and_counted(tmp_path: Path) -> None:
    folder = kept(tmp_path, a=[GOOD, POOR, GOOD], b=[POOR, GOOD, POOR])
    found = told(folder)
    assert (found.agree, found.seeds) == (2, (0, 1, 2))
    assert found.left == pytest.approx((0.5 + 0.1 / np.log2(3) + 0.5) / 3)
    assert found.difference.mean == pytest.approx((0.5 - 0.1 / np.log2(3)) / 3)


def test_only_common_seeds_are_compared(tmp_path: Path) -> None:
    found = told(kept(tmp_path, a=[GOOD, POOR], b=[POOR]))
    assert found.seeds == (0,) and found.left == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("apart", "span", "word"),
    [
        ([1, 1, 1], (0.1, 0.5), "holds"),
        ([-1, -1, -1], (-0.5, -0.1), "does not hold"),
        ([1, 1, 1], (-0.1, 0.5), "open"),
        ([1, 1, -1], (0.1, 0.5), "open"),  # sure of the mean, but one training of three says otherwise
        ([1, 1, -1, 1], (0.1, 0.5), "holds"),
        ([1, 1], (0.1, 0.5), "holds at 2 seeds"),
        ([1, 0], (0.1, 0.5), "open"),
        ([-1], (-0.5, -0.1), "does not hold at 1 seed"),
    ],
)
def test_a_verdict_needs_seeds_that_agree(apart: list[float], span: tuple[float, float], word: str) -> None:
    assert claims.word(Interval(sum(span) / 2, *span), np.array(apart, dtype=float)) == word


@pytest.mark.parametrize(
    ("left", "right", "told_of"),
    [
        ({"data": "ml-100k"}, {"data": "lastfm"}, "data"),
        ({"protocol": "loo"}, {"protocol": "holdout"}, "protocol"),
        ({"split": {"train": "1", "test": "2"}}, {"split": {"train": "1", "test": "3"}}, "test part"),
        ({"split": {"train": "1", "test": "2"}}, {"split": {"train": "4", "test": "2"}}, "train"),
    ],
)
def test_sides_of_other_worlds_are_refused(tmp_path: Path, left: dict[str, Any], right: dict[str, Any], told_of: str) -> None:
    places.write(world.said("a", 0, GOOD, **left), tmp_path)
    places.write(world.said("b", 0, POOR, **right), tmp_path)
    with pytest.raises(ValueError, match=f"a and b at seed 0 must not be compared: they differ in {told_of}$"):
        told(tmp_path)


def test_other_numbers_of_targets_are_refused(tmp_path: Path) -> None:
    two = Placed(np.arange(N), np.full(N, 2), [[1]] * N, 30).to_plain()
    places.write(world.said("a", 0, GOOD), tmp_path)
    places.write(world.said("b", 0, GOOD) | {"rankings": {means.MASKED: two}}, tmp_path)
    with pytest.raises(ValueError, match="they differ in targets$"):
        told(tmp_path)


def test_a_split_is_compared_where_both_keep_it(tmp_path: Path) -> None:
    places.write(world.said("a", 0, GOOD, split={"train": "1", "test": "2"}), tmp_path)
    places.write(world.said("b", 0, POOR), tmp_path)
    assert told(tmp_path).seeds == (0,)
    places.write(world.said("c", 0, POOR, split={"train": "4", "test": "2"}, protocol="unseen-users", held_out=[[0, 9]]), tmp_path)
    assert told(tmp_path, "c", "a", held_out=True).n_users == 9, "held-out users are compared across trains, never across tests"


def test_a_share_asks_for_less(tmp_path: Path) -> None:
    near = [2 if p else 0 for p in GOOD]  # .63 of GOOD's N@10
    folder = kept(tmp_path, a=[near] * 3, b=[GOOD] * 3)
    assert told(folder).word == claims.FAILS
    assert told(folder, share=0.5).word == claims.HOLDS
    assert told(folder, metric="hit@10", share=0.9).word == claims.HOLDS


def test_held_out_users_are_compared_with_themselves(tmp_path: Path) -> None:
    """On the whole a is better; on those it held out it is worse."""
    out = list(range(0, N, 2))
    left = [0 if u in out else 1 for u in range(N)]
    places.write(world.said("a", 0, left, held_out=[[u, u + 1] for u in out]), tmp_path)
    places.write(world.said("b", 0, [1 if u in out[:40] else 0 for u in range(N)]), tmp_path)
    assert told(tmp_path).word == "holds at 1 seed"
    found = told(tmp_path, held_out=True)
    assert found.word == "does not hold at 1 seed" and found.n_users == len(out) and found.left == 0
    assert found.right == pytest.approx(40 / 60)


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    claim = Claim("paper", "a beats b", "a", "b")
    kept(tmp_path, a=[GOOD])
    assert claims.verdict(claim, tmp_path) is None
    assert means.ABSENT in claims.table([claim], tmp_path)


def test_other_users_are_not_compared(tmp_path: Path) -> None:
    kept(tmp_path, a=[GOOD], b=[POOR[:-1]])
    with pytest.raises(ValueError, match="asked different users"):
        claims.verdict(Claim("paper", "a beats b", "a", "b"), tmp_path)
    places.write(world.said("a", 1, GOOD[:-1]), tmp_path / "second")
    places.write(world.said("a", 0, GOOD), tmp_path / "second")
    with pytest.raises(ValueError, match="seeds of a asked different users"):
        means.sample("a", "ndcg@10", folder=tmp_path / "second")


def test_the_table_tells_the_verdict(tmp_path: Path) -> None:
    folder = kept(tmp_path, a=[GOOD, GOOD], b=[POOR, POOR])
    line = claims.table([Claim("paper", "a beats b", "a", "b")], folder).splitlines()[-1]
    assert "**holds at 2 seeds**" in line and "2 of 2 (seeds 0, 1)" in line and f"{N} users" in line and "0.5000 | 0.0631" in line


def test_intervals_of_a_table_are_those_of_each_alone(tmp_path: Path) -> None:
    folder = kept(tmp_path, a=[GOOD], b=[POOR], c=[OTHER[:60]])
    samples = [means.sample(name, "ndcg@10", folder=folder) for name in "abc"]
    together = means.spans([*samples, None])
    assert together[3] is None
    for one, found in zip(samples, together, strict=False):
        (alone,) = means.spans([one])
        assert found is not None and alone is not None
        assert (found.mean, found.low, found.high) == pytest.approx((alone.mean, alone.low, alone.high))


def test_where_a_seed_draws_who_is_asked_users_have_the_mean_of_the_seeds_that_asked(tmp_path: Path) -> None:
    rankings = {"test masked": world.placed([1, 0, 2])}, {"test masked": world.placed([0, 1], first=1)}
    for seed, some in enumerate(rankings):
        places.write(world.said("a", seed, [], protocol="unseen-items") | {"rankings": some}, tmp_path)
    found = means.sample("a", "hit@10", folder=tmp_path)
    assert found is not None
    assert found.users.tolist() == [0, 1, 2] and found.per_user.tolist() == [1, 0, 1]
    assert found.per_seed.tolist() == pytest.approx([2 / 3, 1 / 2]) and found.mean == pytest.approx(2 / 3)


@pytest.mark.parametrize(("fast", "word"), [((1.0, 0.9, 1.1), "holds"), ((5.0, 4.0, 6.0), "does not hold"), ((2.0, 1.5, 3.0), "open")])
def test_the_cost_of_ranking_is_judged_by_its_worst_and_best_turn(tmp_path: Path, fast: tuple[float, ...], word: str) -> None:
    times = {"retrieve": fast, "trie, 10 beams": (10.0, 8.0, 12.0)}
    turns = [
        {"names": names, "head": head, "batch": 64, "threads": 1, "ms": ms, "least": least, "most": most}
        for head, (ms, least, most) in times.items()
        for names in ("metaid", "tokenrec")
    ]
    path = tmp_path / "ranking.json"
    path.write_text(json.dumps({"catalogues": {"ml-100k": {"items": 9, "rows": turns}}}))
    lines = claims.cost(path)
    assert len(lines) == 2 and all(line[-1] == f"**{word}**" for line in lines)
    assert lines[0][5].startswith(f"times {fast[0] / 10:.2f} ({fast[1] / 12:.2f} to {fast[2] / 8:.2f})")
    assert claims.cost(tmp_path / "nothing.json")[0][-1] == means.ABSENT


def test_new_items_stand_beside_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"hit@10": [0.1, 0.05, 0.15], "ndcg@10": [0.05, 0.02, 0.08], "new among 10": 0.5}
    said = {"users asked": 400, "new items": 70, "told of them": 2000, "chance": {"hit@10": 0.006, "new among 10": 0.4}}
    more = {"less": {"itemknn, on some": {"ndcg@10": [0.01, -0.02, 0.04]}}, "by takers": {"few": {"users": 40, "hit@10": 0.025}}}
    monkeypatch.setattr(chapters, "MEASURED", tmp_path)
    assert chapters.unseen_items() == means.ABSENT
    (tmp_path / "unseen-items.json").write_text(json.dumps(said | more | {"results": {"tokenrec": found, "itemknn, on some": found}}))
    lines = chapters.unseen_items().splitlines()
    assert lines[-5:-2] == [
        "| TokenRec | 0.1000 (0.050 to 0.150) | 0.0500 (0.020 to 0.080) | 0.50 |  |",
        "| ItemKNN, on some | 0.1000 (0.050 to 0.150) | 0.0500 (0.020 to 0.080) | 0.50 | +0.0100 (-0.020 to +0.040) |",
        "| chance | 0.0060 |  | 0.40 |  |",
    ]
    assert lines[-1].endswith("0.025 of 40 users where told by few.")
