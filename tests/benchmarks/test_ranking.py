"""What ranking costs is measured on what it says: the same people and names, every way once in turn. No speed is asserted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import ranking
from llmrec.contracts import IdTable
from llmrec.lm.backbone import Backbone
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.retrieve import Retrieve
from llmrec.lm.heads.trie import Trie

TINY = Backbone(name="tiny", layers=1)


@pytest.fixture(scope="module")
def world() -> ranking.World:
    return ranking.made_up(60, n=20, n_people=4)


def test_a_made_up_world_has_names_of_both_shapes(world: ranking.World) -> None:
    metaid, tokenrec = world.tables["metaid"], world.tables["tokenrec"]
    assert metaid.items.codes.shape == (60, 2) and tokenrec.items.codes.shape == (60, 3)
    assert isinstance(metaid, IdTable) and metaid.users is not None
    everybody = np.concatenate([metaid.items.codes, metaid.users.codes])
    assert len(np.unique(everybody, axis=0)) == 80  # META ID's are unique
    assert all((codes < [b.size for b in table.items.books]).all() for table in world.tables.values() for codes in [table.items.codes])
    assert [len(h) for h in world.people.histories] == [30] * 4 and world.n_items == 60


def test_every_way_ranks_the_same_people_and_has_a_row(world: ranking.World) -> None:
    threads = torch.get_num_threads()
    rows = ranking.measure(world, TINY, (1,), 2, {1: 2, 64: 4})
    assert torch.get_num_threads() == threads
    ways = [("metaid", head) for head in ranking.HEADS] + [("tokenrec", "retrieve")]
    assert [(r["names"], r["head"], r["batch"]) for r in rows] == [(*way, batch) for batch in (1, 64) for way in ways]
    assert all(0 < r["least"] <= r["ms"] <= r["most"] and r["cpu_ms"] > 0 for r in rows)
    assert {r["head"]: r["passes"] for r in rows} == {"retrieve": 1, "items": 1, "trie, 10 beams": 2, "trie, 20 beams": 2}
    assert {(r["head"], r["batch"]) for r in rows if "rows_ms" in r} == {("items", 1), ("items", 64)}
    assert all(r["rows_ms"] > 0 for r in rows if "rows_ms" in r)
    one = {(r["names"], r["batch"]): r["prompt"] for r in rows}
    assert one["tokenrec", 1] - one["metaid", 1] == 31  # three pieces instead of two for 30 items and the person
    assert [r["of_retrieve"] for r in rows if (r["names"], r["head"]) == ("metaid", "retrieve")] == [1.0, 1.0]
    assert [(p["batch"], p["threads"]) for p in ranking.papers(rows)] == [(1, 1), (64, 1)]


def test_the_ways_are_the_heads_of_the_package(world: ranking.World) -> None:
    ways = ranking.contenders(world, TINY)
    assert {type(way.ranks.head) for way in ways} == {Retrieve, Items, Trie}
    shared = {id(way.ranks.lm) for way in ways if way.names == "metaid"}
    assert len(shared) == 1  # one model behind every head
    for way in ways:
        ranked = way.ranks.recommend(world.people, 5)
        assert all(not set(row.tolist()) & set(h.tolist()) for row, h in zip(ranked.items, world.people.histories, strict=True))


def test_medians_are_per_person() -> None:
    told = {"wall": [0.2, 0.8, 0.4], "cpu": [0.4, 0.4, 4.0]}
    assert ranking.per_person(told, 4) == {"ms": 100.0, "least": 50.0, "most": 200.0, "cpu_ms": 100.0}


def test_the_papers_are_compared_as_each_ranks() -> None:
    rows = [
        {"names": n, "head": h, "batch": 1, "threads": 1, "ms": ms}
        for n, h, ms in (("metaid", "trie, 10 beams", 30.0), ("metaid", "retrieve", 7.0), ("tokenrec", "retrieve", 10.0))
    ]
    assert ranking.papers(rows) == [{"batch": 1, "threads": 1, "trie_over_retrieve": 3.0}]


def test_turns_are_taken_in_order_and_the_first_does_not_count() -> None:
    calls: list[str] = []
    told = ranking.by_turns({w: (lambda w=w: calls.append(w)) for w in "ab"}, 2, 1)
    assert calls == ["a", "b"] * 3
    assert {w: len(t["wall"]) for w, t in told.items()} == {"a": 2, "b": 2}


def test_index_and_comparing_with_all_find_the_same_pool() -> None:
    rows = ranking.pools((500,), (1,), 1, batches=(2,))
    assert [(r["vectors"], r["way"]) for r in rows] == [(500, "index"), (500, "compare with all")]
