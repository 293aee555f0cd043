"""The trie head against brute force: every item's probability spelled out one name at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from llmrec.contracts import Book, IdTable, Names
from llmrec.lm.documents import Window, Writer, pad
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import NameTree
from tests.lm import world

TITLES = ["Alien", "Aliens", "Al", "Up", "54", "5421", "Heat", "Up in the Air"]
PROMPTS_OF = [[0, 3], [5], [1, 2, 3, 4, 0, 6], []]


def _brute_force(lm: LanguageModel, tree: NameTree, prompt: list[int]) -> np.ndarray:
    """log p of every item: a plain forward pass over prompt and name, item by item, softmax over the children at each node."""
    out = []
    names = [tree.names[i].tolist() for i in range(len(tree.names))]
    ids, mask = pad([np.asarray([*prompt, *name]) for name in names], 0)
    with torch.no_grad():
        states = lm(ids, mask)
    for i, (name, h) in enumerate(zip(names, states, strict=True)):
        total = 0.0
        for t, symbol in enumerate(name):
            node = int(tree.paths[tree.names.offsets[i] + t])
            edges = slice(int(tree.start[node]), int(tree.start[node + 1]))
            children = tree.symbols[tree.edge_symbol[edges]]
            with torch.no_grad():
                scores = h[len(prompt) + t - 1] @ lm.rows.outputs(torch.from_numpy(children)).T
            total += float(scores.float().log_softmax(0)[children.tolist().index(symbol)])
        out.append(total)
    return np.asarray(out)


@pytest.mark.parametrize("table", [world.table(), world.text_table(TITLES)], ids=["tokens", "titles"])
def test_beam_equals_brute_force_over_all_items(table: IdTable) -> None:
    lm = world.model(table)
    head = Trie(beams=200)
    tree = head.compile(lm, table)
    writer = Writer(lm.vocab, tree.names, table)
    prompts = [writer.prompt(-1, np.asarray(h, dtype=np.int32)) for h in PROMPTS_OF]
    m = len(table.items)
    ranked = head.rank(lm, tree, prompts, m)
    for row, prompt in enumerate(prompts):
        exact = _brute_force(lm, tree, prompt)
        assert abs(np.exp(exact).sum() - 1) < 1e-4  # one distribution over the catalogue
        assert sorted(ranked.items[row].tolist()) == list(range(m))
        np.testing.assert_allclose(ranked.scores[row], exact[ranked.items[row]], atol=1e-4)
        np.testing.assert_array_equal(ranked.items[row][:5], np.argsort(-exact, kind="stable")[:5])


def test_both_of_two_names_that_begin_alike_can_be_reached() -> None:
    table = world.text_table(["Alien", "Aliens"])
    lm = world.model(table)
    head = Trie(beams=2)
    tree = head.compile(lm, table)
    prompt = Writer(lm.vocab, tree.names, table).prompt(-1, np.zeros(0, dtype=np.int32))
    assert sorted(head.rank(lm, tree, [prompt], 2).items[0].tolist()) == [0, 1]


def test_excluded_items_never_come_and_what_is_missing_is_padded() -> None:
    table = world.table()
    lm = world.model(table)
    head = Trie(beams=200)
    tree = head.compile(lm, table)
    prompt = Writer(lm.vocab, tree.names, table).prompt(0, np.asarray([1, 2], dtype=np.int32))
    gone = np.arange(20)
    ranked = head.rank(lm, tree, [prompt, prompt], 10, (gone, np.zeros(0, dtype=np.int32)))
    assert sorted(ranked.items[0][:4].tolist()) == [20, 21, 22, 23]
    assert (ranked.items[0][4:] == -1).all() and np.isneginf(ranked.scores[0][4:]).all()
    assert (ranked.items[1] >= 0).all()


def test_names_of_unequal_length_come_once_each() -> None:
    codes = np.asarray([[0, -1, -1], [1, 0, -1], [1, 1, 0], [2, -1, -1], [1, 1, 1]], dtype=np.int32)
    table = IdTable("t", Names(codes, (Book("a", 3), Book("b", 2), Book("d", 2))))
    lm = world.model(table)
    head = Trie(beams=20)
    ranked = head.rank(lm, head.compile(lm, table), [[1, 2, 3], [4]], 12)
    for row in range(2):
        assert sorted(ranked.items[row][:5].tolist()) == [0, 1, 2, 3, 4]
        assert (ranked.items[row][5:] == -1).all() and np.isneginf(ranked.scores[row][5:]).all()


def test_one_person_alone_equals_the_same_person_in_a_batch() -> None:
    table = world.table()
    lm = world.model(table)
    head = Trie(beams=3)
    tree = head.compile(lm, table)
    writer = Writer(lm.vocab, tree.names, table)
    prompts = [writer.prompt(-1, np.asarray(h, dtype=np.int32)) for h in PROMPTS_OF]
    together = head.rank(lm, tree, prompts, 5)
    for row, prompt in enumerate(prompts):
        alone = head.rank(lm, tree, [prompt], 5)
        np.testing.assert_array_equal(alone.items[0], together.items[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], atol=1e-5)


def test_loss_is_the_mean_of_minus_log_p_of_the_names() -> None:
    table = world.table()
    lm = world.model(table)
    head = Trie()
    tree = head.compile(lm, table)
    writer = Writer(lm.vocab, tree.names, table, anonymous=1.0)
    items = np.asarray([3, 7, 1], dtype=np.int32)
    batch = writer.write([Window(0, items)], np.random.default_rng(0))
    loss = float(head.loss(lm, tree, batch).detach())
    header = batch.ids[0, : int(batch.starts[0, 1])].tolist()
    total, prompt = 0.0, header
    for i in items:
        total -= _brute_force(lm, tree, prompt)[i]
        prompt = [*prompt, *tree.names[int(i)].tolist()]
    assert loss == pytest.approx(total / 3, abs=1e-4)
