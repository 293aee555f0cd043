"""Documents in words: what is supervised, and that generation reads the very rows that training does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from llmrec.lm.model import LanguageModel
from llmrec.lm.tasks import words
from llmrec.lm.tasks.words import Document, Said
from tests.lm import world
from tests.lm.tasks import six

TABLE = world.table(n_users=3, n_items=6)
LOUD = dataclasses.replace(world.TINY, augment=5.0)


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return world.model(TABLE, LOUD)


def test_a_prompt_is_its_words_and_names(lm: LanguageModel) -> None:
    speaker = six.speaker(lm, TABLE)
    assert TABLE.users is not None
    ann = lm.vocab.encode(TABLE.users.spell(0))
    read = speaker.prompt("rating", 0, 4)
    assert read == [*ann, *speaker.text(" rates"), *speaker.names[4].tolist(), *speaker.text(":")]
    assert speaker.prompt("rating", -1, 4)[: len(speaker.text("a person"))] == speaker.text("a person")
    why = speaker.prompt("explanation", 1, 2, np.asarray([5, 0]))
    names = [*speaker.names[5].tolist(), *speaker.names[0].tolist()]
    assert any(why[i : i + len(names)] == names for i in range(len(why)))
    assert speaker.prompt("explanation", 1, 2, np.asarray([5, 0]), unseen=True) != why


@pytest.mark.parametrize("task", ["rating", "explanation", "review"])
def test_every_task_has_ten_seen_templates_and_one_unseen(task: str, lm: LanguageModel) -> None:
    from llmrec.lm import prompts

    book = prompts.templates()[task]
    assert len(set(book["seen"])) == 10 and len(book["unseen"]) == 1 and book["unseen"][0] not in book["seen"]
    needed = ("{user}", "{item}", "{history}") if task == "explanation" else ("{user}", "{item}")
    assert all(text.count(slot) == 1 for text in (*book["seen"], *book["unseen"]) for slot in needed)


def test_the_loss_is_plain_cross_entropy_over_what_is_said(lm: LanguageModel) -> None:
    first = lm.vocab.first
    documents = [Document([5, first + 1, 9], [7, first, 2]), Document([4], [first + 3])]
    total, n = 0.0, 0
    with torch.no_grad():
        rows = lm.rows.outputs(torch.arange(lm.vocab.size))
        for d in documents:
            for place, right in enumerate(d.said):
                h = lm(torch.tensor([[*d.read, *d.said[:place]]]))[0, -1]
                total -= float((rows @ h).log_softmax(0)[right])
                n += 1
        assert float(words.loss(lm, words.speech(documents))) == pytest.approx(total / n, rel=1e-4)


def _plainly(lm: LanguageModel, read: list[int], end: int, longest: int) -> list[int]:
    """Without a cache and without a batch: everything is read again for each row said."""
    said: list[int] = []
    with torch.no_grad():
        while len(said) < longest:
            h = lm(torch.tensor([[*read, *said]]))[0, -1]
            row = int((lm.rows.outputs(torch.arange(lm.vocab.size)) @ h).argmax())
            if row == end:
                break
            said.append(row)
    return said


def _shaken(augment: float, seed: int) -> LanguageModel:
    """A model whose rows and weights are large enough to say several things."""
    lm = world.model(TABLE, dataclasses.replace(world.TINY, augment=augment))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in lm.trained().values():
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return lm


@pytest.mark.parametrize("seed", [1, 2])
def test_generation_with_a_cache_equals_recomputation_row_by_row(seed: int) -> None:
    lm = _shaken(5.0, seed)
    speaker = six.speaker(lm, TABLE)
    read = [speaker.prompt("explanation", u, 4, np.asarray(h)) for u, h in ((0, [0, 3, 1]), (1, [0]), (-1, [2, 5]))]
    said = words.generate_all(lm, read, speaker.end, batch=2)
    rows = [s.rows for s in said]
    assert rows == [_plainly(lm, r, speaker.end, words.LONGEST) for r in read]
    assert all(rows) and len(set(map(tuple, rows))) > 1


def test_generation_ends_at_the_end_mark() -> None:
    lm = _shaken(5.0, 1)
    speaker = six.speaker(lm, TABLE)
    read = [speaker.prompt("rating", 0, 4)]
    said = words.generate(lm, read, speaker.end, longest=12)[0].rows
    third = said[2]
    assert words.generate(lm, read, third, longest=12)[0] == Said(said[: said.index(third)], True)
    assert words.generate(lm, read, speaker.end, longest=2)[0] == Said(said[:2], False)


class _Spells:
    """A guide that leaves one way."""

    def __init__(self, rows: list[int]) -> None:
        self.rows, self.heard = list(rows), list[int]()

    def next(self) -> set[int]:
        return {self.rows[len(self.heard)]}

    def say(self, row: int) -> None:
        self.heard.append(row)


def test_a_guide_leaves_the_likeliest_of_what_may_come(lm: LanguageModel) -> None:
    speaker = six.speaker(lm, TABLE)
    read, ways = [speaker.prompt("rating", u, 4) for u in (0, 1)], [[5, 9, speaker.end], [7, speaker.end]]
    said = words.generate(lm, read, speaker.end, guides=[_Spells(way) for way in ways])
    assert said == [Said([5, 9], True), Said([7], True)]


def test_scores_are_products_in_fp32_whatever_the_model_reads_in(lm: LanguageModel) -> None:
    h = torch.randn(3, lm.rows.outputs(torch.arange(1)).shape[1], generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        found, some = words.scores(lm, h), words.scores(lm, h, [4, 2])
    with torch.no_grad():
        right = h @ lm.rows.outputs(torch.arange(lm.vocab.size)).T
    assert found.dtype == torch.float32 and torch.allclose(found, right, atol=1e-6) and torch.allclose(some, right[:, [4, 2]], atol=1e-6)


def test_the_augmentation_acts_in_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    """META ID's release bypasses it in `generate`: then this model would say the same with it and without."""
    lm = _shaken(5.0, 1)
    speaker = six.speaker(lm, TABLE)
    read = [speaker.prompt("explanation", 0, 4, np.asarray([0, 3, 1]))]
    with_it = words.generate(lm, read, speaker.end)[0].rows
    rows = lm.rows.rows().detach()
    assert not torch.allclose(rows, lm.rows.new)
    with monkeypatch.context() as patch:
        patch.setattr(lm.rows, "scale", 0.0)
        without = words.generate(lm, read, speaker.end)[0].rows
        assert without == _plainly(lm, read[0], speaker.end, words.LONGEST)
    assert with_it != without


def test_the_augmentation_acts_in_training() -> None:
    lm = world.model(TABLE, LOUD).train()
    speaker = six.speaker(lm, TABLE)
    words.loss(lm, words.speech([Document(speaker.prompt("rating", 0, 4), speaker.ended(speaker.text("4")))])).backward()
    assert lm.rows.augment is not None and lm.rows.augment.weight.grad is not None
    assert float(lm.rows.augment.weight.grad.abs().sum()) > 0


def test_words_never_become_tokens(lm: LanguageModel) -> None:
    speaker = six.speaker(lm, TABLE)
    assert max(speaker.text("<c0><r1> and <|im_end|>")) < lm.vocab.first
    assert speaker.end not in speaker.text("<|im_end|>")
    assert speaker.spelled(speaker.text(" so it is: <c0>")) == "so it is: <c0>"


def test_what_is_too_long_is_cut_and_does_not_end(lm: LanguageModel) -> None:
    speaker = six.speaker(lm, TABLE)
    assert speaker.ended([1, 2]) == [1, 2, speaker.end]
    assert speaker.ended([1] * 200) == [1] * words.LONGEST
