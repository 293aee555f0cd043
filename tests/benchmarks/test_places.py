"""What a result file keeps is what was measured: places there and back, metrics by hand."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import places
from benchmarks.places import Placed, members, ranges
from tests.benchmarks import world


@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_the_same_numbers(numbers: set[int]) -> None:
    ordered = np.array(sorted(numbers), dtype=np.int64)
    spans = ranges(ordered)
    assert members(spans).tolist() == ordered.tolist()
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans)), "ranges that touch are one"


@given(st.lists(st.tuples(st.sets(st.integers(1, 8)), st.integers(0, 3)), min_size=1, max_size=12))
def test_places_there_and_back(people: list[tuple[set[int], int]]) -> None:
    found = [sorted(places) for places, _ in people]
    counts = np.array([max(1, len(places) + more) for places, more in people])
    users = np.cumsum(1 + np.arange(len(people)) % 2)
    back = Placed.from_plain(json.loads(json.dumps(Placed(users, counts, found, 8, 1.25, 2.5, {"coverage@5": 0.5}).to_plain())))
    assert back.places == found and (back.counts == counts).all() and (back.users == users).all() and back.k == 8
    assert (back.seconds, back.cpu_seconds, back.coverage) == (1.25, 2.5, {"coverage@5": 0.5})


def test_one_target_each_is_a_flat_list() -> None:
    assert world.placed([3, 0, 30])["places"] == [3, 0, 30]
    two = Placed(np.arange(2), np.array([2, 1]), [[1, 2], []], 2).to_plain()
    assert two["places"] == [[1, 2], []] and two["targets"] == [2, 1]


def test_metrics_by_hand() -> None:
    placed = Placed.from_plain(world.placed([1, 0, 11, 2]))
    assert placed.per_user("hit@10").tolist() == [1, 0, 0, 1]
    assert placed.per_user("ndcg@10").tolist() == pytest.approx([1, 0, 0, 1 / math.log2(3)])
    assert placed.per_user("mrr@20").tolist() == pytest.approx([1, 0, 1 / 11, 1 / 2])
    several = Placed.from_plain({"users": [[5, 7]], "k": 4, "targets": [3, 1], "places": [[1, 4], []], "seconds": 0, "cpu_seconds": 0})
    assert several.per_user("recall@2").tolist() == pytest.approx([1 / 2, 0])  # of two places one, though three are wanted
    assert several.per_user("recall@4").tolist() == pytest.approx([2 / 3, 0])
    with pytest.raises(ValueError, match="30 were kept"):
        placed.per_user("hit@40")


def test_some_of_the_users() -> None:
    placed = Placed.from_plain(world.placed([1, 0, 2, 3], first=10))
    assert placed.only(np.array([11, 13])).per_user("mrr@10").tolist() == pytest.approx([0, 1 / 3])
    with pytest.raises(ValueError, match="not asked"):
        placed.only(np.array([9]))


def test_files_lie_by_row_and_seed(tmp_path: Path) -> None:
    for seed in (2, 0):
        assert places.write(world.said("a/b", seed, [1, 0]), tmp_path) == tmp_path / "a/b" / f"{seed}.json"
    assert [r.seed for r in places.of_row("a/b", tmp_path)] == [0, 2]
    assert places.of_row("a", tmp_path) == []
    first = places.of_row("a/b", tmp_path)[0]
    assert dict(first.said) == world.said("a/b", 0, [1, 0])
    placed = first.placed("test masked")
    assert placed is not None and placed.per_user("hit@5").tolist() == [1, 0]
    assert first.placed("test masked unseen template") is None


def test_a_file_without_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.json").write_text('{"metrics": {}}')
    with pytest.raises(ValueError, match="keeps no places"):
        places.read(tmp_path / "0.json")
    plain = world.placed([1, 0]) | {"places": [1]}
    with pytest.raises(ValueError, match="2 users need as many places"):
        Placed.from_plain(plain)


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "is damaged"), ("[]", "keeps no places"), ('{"rankings": {}}', "does not say what was measured"), ("\x00\xff", "damaged")],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a/0.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=f"a/0.json {told}|a/0.json is {told}"):
        places.read(path)
