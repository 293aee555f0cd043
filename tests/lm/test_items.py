"""The items head against plain Python: rows are means, the loss is a mean of -log softmax, ties are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from llmrec.contracts import Book, IdTable, Names, Token
from llmrec.lm.documents import Window, Writer
from llmrec.lm.heads.items import Items
from llmrec.lm.heads.whole import best, tie_order
from tests.lm import world

CODES = np.asarray([[0, -1, 0], [1, 0, -1], [1, 1, 0], [2, -1, 1], [1, 1, 1]], dtype=np.int32)
UNEVEN = IdTable("uneven", Names(CODES, (Book("a", 3), Book("b", 2), Book("d", 2))))
MIXED = IdTable("mixed", Names(CODES[:, 1:] + 1, (Book("w", 3, texts=("Al", "Up", "54")), Book("d", 3))))


@pytest.mark.parametrize("table", [world.table(), UNEVEN, MIXED], ids=["joint", "uneven", "mixed"])
def test_loss_and_scores_equal_plain_python(table: IdTable) -> None:
    lm, head = world.model(table), Items()
    compiled = head.compile(lm, table)
    writer = Writer(lm.vocab, compiled.names, table, anonymous=1.0)
    batch = writer.write([Window(0, np.asarray([3, 1, 4])), Window(0, np.asarray([0]))], np.random.default_rng(0))
    with torch.no_grad():
        states = lm(batch.ids, batch.mask)
    outputs = {t: lm.rows.outputs(torch.tensor([lm.vocab.row[str(t)]]))[0].tolist() for t in table.tokens}
    rows = []
    for i in range(len(table.items)):
        own = [outputs[p] for p in table.items.spell(i) if isinstance(p, Token)]
        rows.append([sum(column) / len(own) for column in zip(*own, strict=True)])
    total = 0.0
    for item, (row, column) in zip(batch.items, batch.starts, strict=True):
        h = states[row, column - 1].tolist()
        scores = [sum(a * b for a, b in zip(h, r, strict=True)) for r in rows]
        total -= scores[item] - math.log(sum(math.exp(s) for s in scores))
    assert float(head.loss(lm, compiled, batch).detach()) == pytest.approx(total / 4, abs=1e-4)

    prompt = batch.ids[0, : int(batch.starts[0, 1])].tolist()
    h = states[0, batch.starts[0, 1] - 1].tolist()
    scores = [sum(a * b for a, b in zip(h, r, strict=True)) for r in rows]
    ranked = head.rank(lm, compiled, [prompt, prompt[:-1]], len(rows))
    bottom = math.log(sum(math.exp(s) for s in scores))
    assert sorted(ranked.items[0].tolist()) == list(range(len(rows)))
    np.testing.assert_allclose(ranked.scores[0], [scores[i] - bottom for i in ranked.items[0]], atol=1e-4)
    assert (np.diff(ranked.scores[0]) <= 0).all()


def test_ties_follow_a_drawn_order_and_not_the_item_number() -> None:
    ties = tie_order(50)
    assert sorted(ties.tolist()) == list(range(50)) != ties.tolist() and torch.equal(ties, tie_order(50))
    scores = torch.zeros(2, 50)
    scores[1, 7] = 1
    ranked = best(scores, 4, ties)
    assert ranked.items[0].tolist() == ties[:4].tolist()
    assert ranked.items[1].tolist() == [7, *[i for i in ties.tolist() if i != 7][:3]]
    assert float(scores.sum()) == 1  # untouched


def test_gradients_reach_every_token_of_the_names_and_no_other() -> None:
    table = IdTable("spare", Names(CODES[:2, :1], (Book("a", 4),)))
    lm, head = world.model(table), Items()
    compiled = head.compile(lm, table)
    batch = Writer(lm.vocab, compiled.names, table, anonymous=1.0).write([Window(0, np.asarray([0]))], np.random.default_rng(0))
    head.loss(lm, compiled, batch).backward()
    grad = lm.rows.new.grad
    assert grad is not None and (grad[:2].abs().sum(1) > 0).all() and (grad[2:] == 0).all()
