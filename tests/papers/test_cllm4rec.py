"""CLLM4Rec's release (`yaochenzhu/LLM4Rec`): each fault read in it is a check that ours passes and that a small faulty stand-in fails.

The stand-ins say in a few lines what the release does; nothing is copied from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
import pytest
import torch
from torch import Tensor

from llmrec.contracts import Interactions, Ints, Ranked, Token
from llmrec.lm.documents import Batch
from llmrec.lm.heads.items import Items
from llmrec.lm.mutual.course import Alternating
from llmrec.lm.mutual.documents import Content, Person
from llmrec.lm.mutual.plan import Mutual
from llmrec.lm.vocab import Vocab
from tests.lm.mutual import pairs

PLAN = Mutual(epochs=(1, 1, 1), regularise=(0.0, 2.0))
TRAIN = pairs.SPLIT.train
RECFT = 3  # the epoch of PLAN that fine-tunes


@pytest.fixture(scope="module")
def course() -> Alternating:
    """A course whose two sides already differ."""
    made = pairs.course(PLAN, pairs.model())
    assert made.pair.content is not None
    with torch.no_grad():
        made.pair.content.new.add_(0.1 * torch.randn(made.pair.content.new.shape, generator=torch.Generator().manual_seed(1)))
    return made


# 1. The recommendation head calls log_softmax through a name that its module never imported.


def check_the_head_runs(rank: Callable[[], Ranked]) -> None:
    """It scores, and returns as many different items as were asked for."""
    items = rank().items[0].tolist()
    assert len(set(items)) == 5 and min(items) >= 0


def test_the_recommendation_head_runs_and_ranks(course: Alternating) -> None:
    lm = course.ranking.lm.eval()
    prompt = course.ranking.prompt(0, TRAIN.history(0))
    check_the_head_runs(lambda: Items().rank(lm, course.ranking.compiled, [prompt], 5, (TRAIN.history(0),)))

    def released() -> Ranked:
        scores = lm(torch.tensor([prompt]))[:, -1] @ lm.rows.new[:24].T
        return F.log_softmax(scores, dim=-1)  # type: ignore[name-defined, no-any-return]  # noqa: F821

    with pytest.raises(NameError):
        check_the_head_runs(released)


# 2. In pretraining the items of a person always come in the order of their numbers.


def check_the_order_is_fresh(asked: Callable[[int], Iterable[Ints]]) -> None:
    """Two epochs write the same items in other orders, for nearly everybody."""
    pairs_of_epochs = list(zip(asked(1), asked(2), strict=True))
    assert all(sorted(a) == sorted(b) for a, b in pairs_of_epochs)
    assert np.mean([tuple(a) != tuple(b) for a, b in pairs_of_epochs]) > 0.9


def test_the_order_is_shuffled_in_pretraining(course: Alternating) -> None:
    check_the_order_is_fresh(lambda epoch: [p.asked for p in course.people.people(TRAIN, "collaborative", 0, epoch)])
    with pytest.raises(AssertionError):
        check_the_order_is_fresh(lambda epoch: [np.sort(TRAIN.history(u)).astype(np.int64) for u in range(TRAIN.n_users)])


# 3. Mutual regularisation in fine-tuning touches one item per user: the first row of what `nonzero` gives is the first item alone.


def check_all_are_touched(pulled: Callable[[list[Person]], set[int]], people: list[Person]) -> None:
    """Every person and every item of theirs, given and held out, feels the pull."""
    assert pulled(people) >= {24 + p.user for p in people} | {int(i) for p in people for i in (*p.given, *p.asked)}


def test_fine_tuning_regularises_all_items_of_a_person(course: Alternating, monkeypatch: pytest.MonkeyPatch) -> None:
    people = course.batches(RECFT)[0]
    monkeypatch.setattr(Items, "loss", lambda self, lm, compiled, batch: torch.zeros(()))  # the pull alone is left

    def pulled(people: list[Person]) -> set[int]:
        (grad,) = torch.autograd.grad(course.loss(people, RECFT, 0).loss, [course.ranking.lm.rows.new])
        return set(torch.nonzero(grad.abs().sum(1)).flatten().tolist())

    check_all_are_touched(pulled, people)

    def released(people: list[Person]) -> set[int]:
        touched = set()
        for person in people:
            wanted = torch.zeros(24)
            wanted[torch.from_numpy(np.concatenate([person.given, person.asked]).astype(np.int64))] = 1.0
            touched |= {24 + person.user, *wanted.nonzero()[0].tolist()}
        return touched

    with pytest.raises(AssertionError):
        check_all_are_touched(released, people)


# 4. Ids are found in text by a pattern: a review that says "item_3" mentions item 3.


def check_a_review_stays_text(read: Callable[[str], list[int]], vocab: Vocab) -> None:
    """Nothing that a person writes becomes somebody's row."""
    for said in ("just like item_3 and user_7", "<i3> is better than <u5>", "item_3"):
        assert all(row < vocab.first for row in read(said))


def test_a_review_that_spells_a_name_stays_text(course: Alternating) -> None:
    vocab = course.ranking.lm.vocab
    assert course.content is not None
    writer = course.content.writer

    def main_text(said: str) -> list[int]:
        text = np.asarray([said, *[""] * (len(TRAIN) - 1)], dtype=object)
        train = Interactions(TRAIN.user, TRAIN.item, TRAIN.time, TRAIN.n_users, TRAIN.n_items, text=text)
        content = Content.of(writer, pairs.CATALOG, train)
        words: list[int] = content.write([len(content) - 1]).items.tolist()
        return words

    check_a_review_stays_text(main_text, vocab)

    def released(said: str) -> list[int]:
        found = [p for p in re.split(r"(user_\d+|item_\d+)", said) if p]
        pieces = [Token(f"<{p[0]}{p.split('_')[1]}>") if re.fullmatch(r"(user|item)_\d+", p) else p for p in found]
        return vocab.encode(pieces)

    with pytest.raises(AssertionError):
        check_a_review_stays_text(released, vocab)


# 5. Fine-tuning targets all items of a person, those in the prompt included.


def check_targets_are_held_out(write: Callable[[list[Person]], Batch], people: list[Person], vocab: Vocab) -> None:
    """No target stands in its own prompt, and together they are the person's items."""
    batch = write(people)
    for row, person in enumerate(people):
        asked = set(batch.items[batch.starts[:, 0] == row].tolist())
        read = {int(i) - vocab.first for i in batch.ids[row].tolist() if vocab.first <= i < vocab.first + 24}
        assert asked and not asked & read and asked | read == set(TRAIN.history(person.user).tolist())


def test_fine_tuning_targets_held_out_items_alone(course: Alternating) -> None:
    people = course.batches(RECFT)[0]
    vocab = course.ranking.lm.vocab
    check_targets_are_held_out(lambda p: course.people.write(p, "recft"), people, vocab)

    def released(people: list[Person]) -> Batch:
        batch = course.people.write(people, "recft")
        all_items = [np.concatenate([p.given, p.asked]).astype(np.int64) for p in people]
        lengths = batch.mask.sum(1).numpy()
        starts = np.concatenate([[(row, lengths[row])] * len(items) for row, items in enumerate(all_items)])
        return Batch(batch.ids, batch.mask, starts, np.concatenate(all_items))

    with pytest.raises(AssertionError):
        check_targets_are_held_out(released, people, vocab)


# 6. The distance is summed over the places of prompt and main text: who is written more often (and the words, and the padding) counts more.


def check_everybody_counts_once(distance: Callable[[Batch], Tensor], batch: Batch) -> None:
    """A document that is read twice in a batch pulls no harder than once, and padding does not pull at all."""
    twice = Batch(torch.cat([batch.ids, batch.ids]), torch.cat([batch.mask, batch.mask]), batch.starts, batch.items)
    assert float(distance(twice)) == pytest.approx(float(distance(batch)), rel=1e-6)


def test_regularisation_counts_everybody_once(course: Alternating) -> None:
    batch = course.people.write(course.batches(1)[0], "collaborative")
    pair = course.pair.eval()
    check_everybody_counts_once(lambda b: pair.apart("collaborative", pair.mentioned(b)).detach(), batch)

    def released(batch: Batch) -> Tensor:
        assert pair.content is not None
        return torch.sum((pair.lm.rows(batch.ids) - pair.content(batch.ids)).detach() ** 2)

    with pytest.raises(AssertionError):
        check_everybody_counts_once(released, batch)
