"""What mutual training reads: main texts alone are supervised, orders are fresh and repeatable, held-out items are never in the prompt."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from llmrec.contracts import Interactions
from llmrec.lm.mutual.documents import Content, batched
from llmrec.lm.mutual.plan import Mutual
from tests.lm.mutual import pairs

PLAN = Mutual(epochs=(1, 1, 1))


def test_the_collaborative_main_text_is_items_alone() -> None:
    course = pairs.course(PLAN, pairs.model())
    vocab = course.ranking.lm.vocab
    person = course.people.people(pairs.SPLIT.train, "collaborative", 0, 1)[3]
    batch = course.people.write([person], "collaborative")
    said = vocab.decode(batch.ids[0].tolist())
    text = "".join(said)
    assert text.startswith("<u3> has interacted with<i") and len(batch.items) == 10
    assert [f"<i{i}>" for i in batch.items] == said[-10:]
    assert batch.starts[:, 1].tolist() == list(range(len(said) - 10, len(said)))


def test_content_says_what_the_catalogue_says() -> None:
    course = pairs.course(PLAN, pairs.model())
    assert course.content is not None and len(course.content) == 64
    vocab = course.ranking.lm.vocab
    read = ["".join(map(str, vocab.decode(course.content.write([at]).ids[0].tolist()))) for at in (0, 1, 24 + 5)]
    assert read[0] == "The content of<i0> is: Even film 0, Drama"  # its year is missing
    assert read[1] == "The content of<i1> is: Odd film 1, 1991, Comedy"
    assert read[2] == "The profile of<u5> is: 25, artist"


def test_texts_of_train_are_read_under_both_names() -> None:
    course = pairs.course(PLAN, pairs.model())
    some = pairs.SPLIT.train
    text = np.asarray(["", "never <i3> nor item_3", *[""] * (len(some) - 2)], dtype=object)
    train = Interactions(some.user, some.item, some.time, some.n_users, some.n_items, text=text)
    assert course.content is not None
    content = Content.of(course.content.writer, pairs.CATALOG, train)
    assert len(content) == 65
    batch = content.write([64])
    user, item = int(some.user[1]), int(some.item[1])
    vocab = course.ranking.lm.vocab
    read = "".join(map(str, vocab.decode(batch.ids[0].tolist())))
    assert read == f"<u{user}> writes the following about<i{item}>: never <i3> nor item_3"
    assert (batch.items < vocab.first).all() and batch.n_items == len(vocab.encode([" never <i3> nor item_3"]))


def test_words_lost_is_the_mean_over_the_main_text() -> None:
    """By hand: a full softmax over the subwords at every place of the main text, and at no other."""
    course = pairs.course(PLAN, pairs.model())
    assert course.content is not None and course.pair.content is not None
    batch = course.content.write([1, 29, 3])
    pair = course.pair.eval()
    base = pair.lm.rows.base.weight[: pair.lm.vocab.first]
    states = pair.lm.decoder(inputs_embeds=pair.content(batch.ids), attention_mask=batch.mask).last_hidden_state  # type: ignore[misc]
    losses = []
    for row in range(3):
        ids = [i for i, real in zip(batch.ids[row].tolist(), batch.mask[row].tolist(), strict=True) if real]
        colon = next(at for at, piece in enumerate(pair.lm.vocab.decode(ids)) if str(piece).endswith(":"))
        losses += [-float(torch.log_softmax(states[row, at - 1] @ base.T, 0)[ids[at]].detach()) for at in range(colon + 1, len(ids))]
    assert len(losses) == batch.n_items
    assert abs(float(pair.words_lost(batch).detach()) - float(np.mean(losses))) < 1e-5


def test_prompt_words_are_no_targets() -> None:
    """The targets are the main text's: other words asked of the prompt's places would change nothing, for they are not asked."""
    course = pairs.course(PLAN, pairs.model())
    assert course.content is not None
    for stage, epoch in (("collaborative", 1), ("recft", 3)):
        people = course.batches(epoch)[0]
        batch = course.people.write(people, stage)
        for row, person in enumerate(people):
            length = int(batch.mask[row].sum())
            columns = batch.starts[batch.starts[:, 0] == row, 1]
            assert columns.tolist() == (
                [length] * len(person.asked) if stage == "recft" else list(range(length - len(person.asked), length))
            )
    batch = course.content.write([0, 1, 2])
    assert batch.ids[batch.starts[:, 0], batch.starts[:, 1]].tolist() == batch.items.tolist()


def test_orders_are_fresh_each_epoch_and_the_same_for_the_same_one() -> None:
    course = pairs.course(PLAN, pairs.model())
    for stage in ("collaborative", "recft"):
        orders = [
            [(*p.given, *p.asked) for p in course.people.people(pairs.SPLIT.train, stage, seed, epoch)]
            for seed, epoch in ((0, 1), (0, 1), (0, 2), (1, 1))
        ]
        assert orders[0] == orders[1] and orders[0] != orders[2] and orders[0] != orders[3]
        assert all(
            sorted(a) == sorted(b) == sorted(pairs.SPLIT.train.history(u))
            for u, (a, b) in enumerate(zip(orders[0], orders[2], strict=True))
        )
        assert np.mean([a == tuple(pairs.SPLIT.train.history(u)) for u, a in enumerate(orders[0])]) < 0.1


def test_fixed_order_is_that_of_time() -> None:
    course = pairs.course(dataclasses.replace(PLAN, reorder=False), pairs.model())
    for person in course.people.people(pairs.SPLIT.train, "collaborative", 0, 1):
        assert person.asked.tolist() == pairs.SPLIT.train.history(person.user).tolist()
    for person in course.people.people(pairs.SPLIT.train, "recft", 0, 1):
        assert person.given.tolist() == [i for i in pairs.SPLIT.train.history(person.user).tolist() if i in set(person.given.tolist())]


def test_fine_tuning_asks_for_a_fifth_that_the_prompt_lacks() -> None:
    course = pairs.course(PLAN, pairs.model())
    vocab = course.ranking.lm.vocab
    people = course.people.people(pairs.SPLIT.train, "recft", 0, 5)
    batch = course.people.write(people, "recft")
    for row, person in enumerate(people):
        read = set(map(str, vocab.decode(batch.ids[row].tolist())))
        asked = batch.items[batch.starts[:, 0] == row].tolist()
        assert len(asked) == 2 and len(person.given) == 8
        assert not {f"<i{i}>" for i in asked} & read and {f"<i{i}>" for i in person.given} <= read


def test_ranking_reads_what_fine_tuning_read(tmp_path: Path) -> None:
    course = pairs.course(PLAN, pairs.model())
    person = course.people.people(pairs.SPLIT.train, "recft", 0, 1)[7]
    written = course.people.write([person], "recft").ids[0].tolist()
    ranked = course.ranking.prompt(7, person.given)
    assert sorted(written) == sorted(ranked) and written[-6:] == ranked[-6:] and written[:3] == ranked[:3]
    fixed = pairs.course(dataclasses.replace(PLAN, reorder=False), pairs.model())
    person = fixed.people.people(pairs.SPLIT.train, "recft", 0, 1)[7]
    assert fixed.people.write([person], "recft").ids[0].tolist() == fixed.ranking.prompt(7, person.given)


def test_batches_hold_everybody_once_at_similar_lengths() -> None:
    lengths = np.asarray([3, 50, 4, 48, 5, 52, 47, 6])
    batches = batched(lengths, 3, np.random.default_rng(0))
    assert sorted(i for b in batches for i in b) == list(range(8))
    assert {frozenset(b) for b in batches if len(b) == 3} & {
        frozenset((0, 2, 4)),
        frozenset((0, 2, 7)),
        frozenset((0, 4, 7)),
        frozenset((2, 4, 7)),
    }
    assert len(batched(np.zeros(0, dtype=np.int64), 3, np.random.default_rng(0))) == 0


def test_a_share_of_content_is_drawn_afresh() -> None:
    content = pairs.course(PLAN, pairs.model()).content
    assert content is not None
    some = [content.drawn(0.25, 0, epoch) for epoch in (0, 0, 1)]
    assert len(some[0]) == 16 and some[0] == some[1] != some[2]
    assert sorted(content.drawn(1.0, 0, 0)) == list(range(64))
