"""What mutual training reads: main texts alone are supervised, orders are fresh and repeatable, held-out items are never in the prompt."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from llmrec.contracts import Catalog, Interactions
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


def test_a_share_of_content_goes_round() -> None:
    """No document is read twice before all are read once; then in another order."""
    content = pairs.course(PLAN, pairs.model()).content
    assert content is not None
    first, second = ([content.drawn(0.25, 0, turn) for turn in turns] for turns in (range(4), range(4, 8)))
    assert all(len(some) == 16 for some in first) and first[0] == content.drawn(0.25, 0, 0)
    assert sorted(i for some in first for i in some) == sorted(i for some in second for i in some) == list(range(64))
    assert first != second and first[0] != content.drawn(0.25, 1, 0)
    uneven = [content.drawn(0.3, 0, turn) for turn in range(4)]
    assert [len(some) for some in uneven] == [19, 19, 19, 7] and len({i for some in uneven for i in some}) == 64
    assert sorted(content.drawn(1.0, 0, 0)) == sorted(content.drawn(1.0, 0, 1)) == list(range(64))


def interactions(rows: list[tuple[int, int]]) -> Interactions:
    """(user, item) in order of time."""
    user, item = np.asarray(rows, dtype=np.int32).T
    return Interactions.from_unsorted(user, item, np.arange(len(rows), dtype=np.int64), 40, 24)


@pytest.mark.parametrize("reorder", [True, False])
def test_who_takes_an_item_twice_took_it_once_the_first_time(reorder: bool) -> None:
    people = pairs.course(dataclasses.replace(PLAN, reorder=reorder), pairs.model()).people
    train = interactions([(0, i) for i in (5, 7, 5, 9, 7, 2, 5)])
    for epoch in range(20):
        (told,) = people.people(train, "recft", 0, epoch)
        assert sorted((*told.given, *told.asked)) == [2, 5, 7, 9]
        (told,) = people.people(train, "collaborative", 0, epoch)
        assert told.asked.tolist() == [5, 7, 9, 2] if not reorder else sorted(told.asked) == [2, 5, 7, 9]


def test_a_large_mask_leaves_one_item_to_read() -> None:
    people = pairs.course(dataclasses.replace(PLAN, mask=0.99), pairs.model()).people
    asked = people.people(interactions([(0, 1), (0, 2), (0, 3), (1, 4), (1, 5), (2, 6), (3, 7), (3, 7)]), "recft", 0, 1)
    assert [(p.user, len(p.given), len(p.asked)) for p in asked] == [(0, 1, 2), (1, 1, 1)]


def test_recft_with_nobody_to_ask_is_refused() -> None:
    alone = dataclasses.replace(pairs.SPLIT, train=interactions([(u, u % 24) for u in range(40)]))
    with pytest.raises(ValueError, match="two different items"):
        pairs.course(PLAN, pairs.model(), alone)
    assert pairs.course(dataclasses.replace(PLAN, epochs=(1, 1, 0)), pairs.model(), alone).epochs == 2


def test_a_title_that_is_the_key_says_nothing() -> None:
    course = pairs.course(PLAN, pairs.model())
    assert course.content is not None
    writer, keys = course.content.writer, [f"i{i}" for i in range(24)]
    users = pd.DataFrame({"key": [f"u{i}" for i in range(40)]})
    genres = [np.asarray(["Drama", "War"], dtype=object), *[np.asarray([], dtype=object)] * 23]
    items = pd.DataFrame({"key": keys, "title": ["Film", *keys[1:]], "genres": genres})
    content = Content.of(writer, Catalog(users, items), pairs.SPLIT.train)
    assert content.texts == ("Film, Drama, War",) and content.items.tolist() == [0]
    nothing = Catalog(users, pd.DataFrame({"key": keys, "title": keys}))
    with pytest.raises(ValueError, match=r"nothing is said.*items_path.*train\.content = 0"):
        Content.of(writer, nothing, pairs.SPLIT.train)
