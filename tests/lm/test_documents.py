"""Documents: every interaction once an epoch, supervised where it should be, the same for the same (seed, epoch)."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest

from llmrec.contracts import Interactions
from llmrec.lm.backbone import small_tokenizer
from llmrec.lm.documents import Window, Writer, pad
from llmrec.lm.names import NameTree
from llmrec.lm.vocab import Vocab
from tests.lm import world


@pytest.fixture(scope="module")
def writer() -> Writer:
    table = world.table(n_users=40)
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    return Writer(vocab, NameTree.build(vocab, table), table, max_items=4)


def test_an_epoch_holds_every_interaction_once(writer: Writer) -> None:
    train = world.split().train
    windows = [w for batch in writer.epoch(train, 0, 0, 8) for w in batch]
    seen = collections.Counter((w.user, int(i)) for w in windows for i in w.items)
    assert seen == collections.Counter(zip(train.user.tolist(), train.item.tolist(), strict=True))
    assert max(len(w.items) for w in windows) == 4


def _plain(batches: list[list[Window]]) -> list[list[tuple[int, list[int], str]]]:
    return [[(w.user, w.items.tolist(), w.task) for w in b] for b in batches]


def test_the_direct_task_reads_everything_once_more_in_no_order(writer: Writer) -> None:
    train = world.split().train
    both = dataclasses.replace(writer, direct=1.0, max_items=50)
    windows = both.windows(train, np.random.default_rng(0))
    ordered, direct = ({w.user: w.items.tolist() for w in windows if w.task == t} for t in ("sequential", "direct"))
    assert all(ordered[u] == train.history(u).tolist() for u in range(40))
    assert all(sorted(direct[u]) == sorted(ordered[u]) for u in range(40)) and direct != ordered
    assert both.header(-1, task="direct") != both.header(-1)


def test_same_seed_and_epoch_same_documents(writer: Writer) -> None:
    train = world.split().train
    one, two, other = (writer.epoch(train, 1, e, 8) for e in (3, 3, 4))
    assert _plain(one) == _plain(two) != _plain(other)


def test_only_ties_are_shuffled() -> None:
    table = world.table(n_users=1)
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    time = np.asarray([0, 0, 0, 1, 2, 2], dtype=np.int64)
    train = Interactions(np.zeros(6, dtype=np.int32), np.arange(6, dtype=np.int32), time, 1, 24)
    writer = Writer(vocab, NameTree.build(vocab, table), table, max_items=6)
    orders = {tuple(writer.windows(train, np.random.default_rng(s))[0].items.tolist()) for s in range(60)}
    assert len(orders) == 12  # 3! x 2!
    assert all(set(o[:3]) == {0, 1, 2} and o[3] == 3 for o in orders)


def test_supervision_covers_names_alone_and_knows_the_node_before(writer: Writer) -> None:
    batch = writer.write([Window(0, np.asarray([5, 2])), Window(1, np.asarray([7]))], np.random.default_rng(0))
    assert batch.n_items == 3 and len(batch.where) == 6
    for (row, column), node, symbol in zip(batch.where.tolist(), batch.nodes, batch.symbols.tolist(), strict=True):
        right = int(writer.tree.symbols[symbol])
        assert batch.ids[row, column] == right
        edges = slice(writer.tree.start[node], writer.tree.start[node + 1])
        assert right in writer.tree.symbols[writer.tree.edge_symbol[edges]]
    assert batch.mask.sum(1).tolist()[0] == int(batch.where[batch.where[:, 0] == 0][:, 1].max()) + 1


def test_a_user_is_named_unless_new(writer: Writer) -> None:
    named, new = writer.header(3), writer.header(-1)
    assert writer.table.users is not None
    name = writer.vocab.encode(writer.table.users.spell(3))
    assert any(named[i : i + 2] == name for i in range(len(named)))
    assert max(new) < writer.vocab.first


def test_prompt_keeps_the_newest(writer: Writer) -> None:
    prompt = writer.prompt(-1, np.arange(10))
    assert prompt[-8:] == writer.history(np.arange(6, 10)).tolist()


def test_padding_sides() -> None:
    rows = [np.asarray([1, 2]), np.asarray([3])]
    assert pad(rows, 9)[0].tolist() == [[1, 2], [3, 9]]
    assert pad(rows, 9, left=True)[1].tolist() == [[1, 1], [0, 1]]
