"""Documents: every interaction once an epoch, supervised where it should be, the same for the same (seed, epoch)."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest
import torch

from llmrec.contracts import IdTable, Interactions
from llmrec.lm import prompts
from llmrec.lm.backbone import small_tokenizer
from llmrec.lm.documents import Batch, Window, Writer, pad
from llmrec.lm.vocab import Vocab
from tests.lm import world


@pytest.fixture(scope="module")
def writer() -> Writer:
    table = world.table(n_users=40)
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    return Writer(vocab, vocab.names(table.items), table, max_items=4)


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
    both = dataclasses.replace(writer, shares={"sequential": 1.0, "direct": 1.0}, max_items=50)
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
    writer = Writer(vocab, vocab.names(table.items), table, max_items=6)
    orders = {tuple(writer.windows(train, np.random.default_rng(s))[0].items.tolist()) for s in range(60)}
    assert len(orders) == 12  # 3! x 2!
    assert all(set(o[:3]) == {0, 1, 2} and o[3] == 3 for o in orders)


@pytest.mark.parametrize("table", [world.table(n_users=2), world.text_table(["Al", "Alien 3", "Up", "Up in the Air", "54", "7", "8", "9"])])
def test_starts_say_where_the_names_of_the_items_begin(table: IdTable) -> None:
    vocab = Vocab.of_table(small_tokenizer([], 260), table)
    names = vocab.names(table.items)
    writer = Writer(vocab, names, table, anonymous=0.5)
    windows = [Window(0, np.asarray([5, 2, 3])), Window(1, np.asarray([7]))]
    batch = writer.write(windows, np.random.default_rng(0))
    assert batch.items.tolist() == [5, 2, 3, 7] and batch.n_items == 4 and batch.starts[:, 0].tolist() == [0, 0, 0, 1]
    for item, (row, column) in zip(batch.items.tolist(), batch.starts.tolist(), strict=True):
        name = names[item].tolist()
        assert batch.ids[row, column : column + len(name)].tolist() == name
    lengths = batch.mask.sum(1).tolist()
    assert lengths == [batch.starts[2, 1] + len(names[3]), batch.starts[3, 1] + len(names[7])]
    assert batch.starts[1, 1] == batch.starts[0, 1] + len(names[5])  # one after another, nothing between


def test_before_picks_the_state_that_predicts() -> None:
    states = torch.arange(2 * 5).reshape(2, 5, 1)
    batch = Batch(torch.zeros(2, 5), torch.ones(2, 5), np.asarray([[0, 2], [1, 1], [1, 4]]), np.asarray([7, 8, 9]))
    assert batch.before(states)[:, 0].tolist() == [1, 5, 8]


def test_a_user_is_named_unless_new(writer: Writer) -> None:
    named, new = writer.header(3), writer.header(-1)
    assert writer.table.users is not None
    name = writer.vocab.encode(writer.table.users.spell(3))
    assert any(named[i : i + 2] == name for i in range(len(named)))
    assert max(new) < writer.vocab.first


def test_prompt_keeps_the_newest(writer: Writer) -> None:
    prompt = writer.prompt(-1, np.arange(10))
    assert prompt[-8:] == writer.history(np.arange(6, 10)).tolist()


def test_padding() -> None:
    rows = [np.asarray([1, 2]), np.asarray([3])]
    assert pad(rows, 9)[0].tolist() == [[1, 2], [3, 9]]
    assert pad(rows, 9)[1].tolist() == [[1, 1], [1, 0]]


def test_a_prompt_without_order_holds_the_same_names_in_an_order_of_its_own(writer: Writer) -> None:
    wide = dataclasses.replace(writer, max_items=20)
    history = np.arange(12)
    ordered, mixed = (wide.prompt(0, history, task=task)[len(wide.header(0, task=task)) :] for task in ("sequential", "direct"))
    assert ordered == wide.history(history).tolist() and sorted(mixed) == sorted(ordered) and mixed != ordered
    assert wide.prompt(0, history, task="direct") == wide.prompt(0, history, task="direct")


def test_words_may_stand_behind_a_history(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    book = {"anonymous": "a person", "seen": ["{user} took {history} and {user} will take:"], "unseen": []}
    monkeypatch.setattr(prompts, "templates", lambda: {"later": book})
    name = writer.table.users.spell(3)  # type: ignore[union-attr]
    assert prompts.header(name, task="later") == (*name, " took ")
    assert prompts.footer(name, task="later") == (" and ", *name, " will take:")
    assert prompts.footer(None, task="later") == (" and ", "a person", " will take:")
    said = writer.prompt(3, np.arange(3), task="later")
    tail = writer.vocab.encode([" and ", *name, " will take:"])
    assert said[-len(tail) :] == tail and said[: len(writer.header(3, task="later"))] == writer.header(3, task="later")


@pytest.mark.parametrize("task", ["sequential", "direct"])
def test_a_prompt_takes_plain_lists_and_nobody_s_history(writer: Writer, task: str) -> None:
    assert writer.prompt(0, [3, 1, 2], task=task) == writer.prompt(0, np.array([3, 1, 2], dtype=np.int32), task=task)
    assert writer.prompt(0, [], task=task) == writer.header(0, task=task)
