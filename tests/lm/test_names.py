"""The name tree: paths, legal continuations, and what is dead once items are taken out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from llmrec.contracts import Book, IdTable, Names
from llmrec.lm.backbone import small_tokenizer
from llmrec.lm.names import NameTree, SharedNames
from llmrec.lm.vocab import Vocab
from tests.lm import world


def _tree(table: IdTable) -> tuple[Vocab, NameTree]:
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    return vocab, NameTree.build(vocab, table)


@pytest.mark.parametrize("table", [world.table(), world.text_table(["Alien", "Aliens", "Al", "Up", "54", "5421"])])
def test_tree_equals_a_dictionary_of_prefixes(table: IdTable) -> None:
    vocab, tree = _tree(table)
    names = [vocab.names(table.items)[i].tolist() for i in range(len(table.items))]
    children: dict[tuple[int, ...], set[int]] = {}
    for name in names:
        for t in range(len(name)):
            children.setdefault(tuple(name[:t]), set()).add(name[t])
    for i, name in enumerate(names):
        nodes = tree.paths[tree.names.offsets[i] : tree.names.offsets[i + 1]]
        assert nodes[0] == 0
        for t, node in enumerate(nodes):
            legal = tree.legal(np.asarray([node]))[0]
            assert {int(s) for s in tree.symbols[torch.isfinite(legal).numpy()]} == children[tuple(name[:t])]
            assert tree.below[node] == sum(n[:t] == name[:t] for n in names)
        assert tree.leaf[tree.last[i]] == i
    assert tree.n_nodes == 1 + len({tuple(n[:t]) for n in names for t in range(1, len(n) + 1)})


def test_shared_names_are_refused_with_both_titles() -> None:
    codes = np.asarray([[0, 0], [1, 0], [0, 0]], dtype=np.int32)
    table = IdTable("t", Names(codes, (Book("a", 2), Book("b", 1))))
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    with pytest.raises(SharedNames, match="'Heat' and 'Heat 2'"):
        NameTree.build(vocab, table, world.catalog(0, ["Heat", "Up", "Heat 2"]))


def test_targets_name_the_state_the_node_and_the_symbol_of_every_piece() -> None:
    table = world.text_table(["Alien", "Aliens", "Al", "Up", "54"])
    _, tree = _tree(table)
    starts, items = np.asarray([[0, 4], [2, 1], [2, 30]]), np.asarray([1, 4, 1])
    before, nodes, symbols = tree.targets(starts, items)
    expected = [
        (row, column + t - 1, i, t) for (row, column), i in zip(starts.tolist(), items, strict=True) for t in range(len(tree.names[i]))
    ]
    assert before.tolist() == [[row, column] for row, column, _, _ in expected]
    for node, symbol, (_, _, i, t) in zip(nodes, symbols, expected, strict=True):
        assert tree.symbols[symbol] == tree.names[i][t] and node == tree.paths[tree.names.offsets[i] + t]
    assert starts.tolist() == [[0, 4], [2, 1], [2, 30]]  # untouched


def test_dead_nodes_have_nothing_left_below() -> None:
    table = world.table()
    _, tree = _tree(table)
    cluster0 = np.flatnonzero(table.items.codes[:, 0] == 0)
    dead = tree.dead((cluster0, np.concatenate([cluster0[1:], cluster0[1:]]), np.zeros(0, dtype=np.int64)))
    node_of_cluster0 = tree.paths[tree.names.offsets[cluster0[0]] + 1]
    assert dead[0, node_of_cluster0] and not dead[1, node_of_cluster0]  # repeated items count once
    assert not dead[2].any() and not dead[:, 0].any()
    assert dead[0, tree.last[cluster0]].all() and dead[1, tree.last[cluster0[1:]]].all() and not dead[1, tree.last[cluster0[0]]]
