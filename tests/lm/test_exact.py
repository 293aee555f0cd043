"""Exact scores of names against brute force, one name at a time, and against a beam that is wide enough for all."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from llmrec.contracts import Book, IdTable, Names
from llmrec.lm.documents import Writer
from llmrec.lm.heads import exact
from llmrec.lm.heads.exact import Exact
from llmrec.lm.heads.trie import Step, Trie
from llmrec.lm.names import NameTree
from tests.lm import world
from tests.lm.test_trie import TITLES, _brute_force

UNEQUAL = IdTable(
    "t",
    Names(
        np.asarray([[0, -1, -1], [1, 0, -1], [1, 1, 0], [2, -1, -1], [1, 1, 1]], dtype=np.int32), (Book("a", 3), Book("b", 2), Book("d", 2))
    ),
)
TABLES = pytest.mark.parametrize("table", [world.table(), world.text_table(TITLES), UNEQUAL], ids=["tokens", "titles", "unequal"])


def opened(table: IdTable, history: list[int]) -> tuple[Exact, Trie, NameTree, list[int]]:
    lm, head = world.model(table), Trie(beams=500)
    tree = head.compile(lm, table)
    prompt = Writer(lm.vocab, tree.names, table).prompt(-1, np.asarray(history, dtype=np.int32))
    return Exact(lm, head, tree, prompt), head, tree, prompt


@TABLES
@pytest.mark.parametrize("chunk", [1, 3, 256])
def test_every_item_scores_as_when_its_name_is_read_alone(table: IdTable, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "CHUNK", chunk)
    seen, _, tree, prompt = opened(table, [0, 3, 1])
    brute = _brute_force(seen.lm, tree, prompt)
    assert seen.items is not None
    np.testing.assert_allclose(seen.items, brute, atol=1e-4)
    for item in range(len(table.items)):
        pieces = seen.item(item)
        assert len(pieces) == len(tree.names[item]) and sum(pieces) == pytest.approx(brute[item], abs=1e-4)


@TABLES
def test_a_beam_that_keeps_all_ranks_as_the_exact_scores_do(table: IdTable) -> None:
    seen, head, tree, prompt = opened(table, [2])
    ranked = head.rank(seen.lm, tree, [prompt], len(table.items))
    assert seen.items is not None
    np.testing.assert_allclose(ranked.scores[0], np.sort(seen.items)[::-1], atol=1e-4)
    np.testing.assert_allclose(ranked.scores[0], seen.items[ranked.items[0]], atol=1e-4)


def test_a_pass_reads_no_more_nodes_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.stack(np.unravel_index(np.arange(24), (4, 3, 2)), 1).astype(np.int32)
    seen, *_ = opened(IdTable("deep", Names(codes, (Book("a", 4), Book("b", 3), Book("d", 2)))), [0])
    everywhere = np.arange(seen.tree.n_nodes)
    whole = seen.states(everywhere)
    monkeypatch.setattr(exact, "CHUNK", 5)
    read: list[int] = []
    seen.lm.register_forward_pre_hook(lambda _, given: read.append(given[0].shape[1]))
    torch.testing.assert_close(seen.states(everywhere), whole, atol=1e-4, rtol=1e-4)
    assert len(read) > 1 and max(read) <= 5


def test_a_catalogue_of_too_many_names_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "MOST", 2)
    seen, *_ = opened(world.table(), [0])
    assert seen.items is None and len(seen.item(3)) == 2


@pytest.mark.parametrize("gone", [None, (np.arange(5), np.zeros(0, dtype=np.int64))])
@pytest.mark.parametrize("beams", [1, 3, 500])
def test_who_is_watched_finds_the_same_to_the_bit(beams: int, gone: tuple[np.ndarray, ...] | None) -> None:
    table = world.table()
    lm, head = world.model(table), Trie(beams=beams)
    tree = head.compile(lm, table)
    writer = Writer(lm.vocab, tree.names, table)
    prompts = [writer.prompt(-1, np.asarray(h, dtype=np.int32)) for h in ([0, 3], [5])]
    steps: list[Step] = []
    plain, watched = head.rank(lm, tree, prompts, 9, gone), head.rank(lm, tree, prompts, 9, gone, steps.append)
    assert np.array_equal(plain.items, watched.items) and np.array_equal(plain.scores, watched.scores)
    assert len(steps) == tree.depth
    for step in steps:  # the beam is the best of what was offered and goes on
        offered = step.totals.masked_fill(torch.from_numpy(tree.leaf)[step.child] >= 0, -np.inf).view(2, -1)
        best = offered.sort(dim=1, descending=True).values[:, : step.scores.shape[1]]
        assert torch.equal(best, step.scores)
