"""A prompt taken apart is the prompt that is read, whoever is meant and whichever words stand around it."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from llmrec.contracts import Id
from llmrec.lm.heads.trie import Trie
from llmrec.recommend.language import LanguageRecommender
from llmrec.recommend.trace import reading
from llmrec.recommend.trace.reading import Template
from tests.lm import world
from tests.lm.test_trie import TITLES

TASKS = ("sequential", "direct", "recft", "recft-fixord")


@functools.cache
def made(kind: str, task: str) -> LanguageRecommender:
    table = world.text_table(TITLES) if kind == "text" else world.table(n_items=8)
    return LanguageRecommender(world.model(table), table, Trie(), task=task, max_items=3)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["tokens", "text"])
@pytest.mark.parametrize("who", [-1, 2])
def test_every_template_reads_as_it_is_written(kind: str, task: str, who: int) -> None:
    model = made(kind, task)
    for words in reading.templates(task):
        found = reading.read(model, who, np.asarray([1, 5, 2, 7, 6]), words)
        assert found.ids == model.prompt(who, [1, 5, 2, 7, 6], words.number, words.unseen)
        items = [s.item for s in found.stretches if s.kind == "item"]
        assert sorted(items) == [2, 6, 7] and found.cut == 2
        assert items == [2, 7, 6] or not found.ordered
        for stretch in found.stretches:
            if stretch.kind == "item":
                assert list(stretch.ids) == model.compiled.names[stretch.item].tolist()


def test_the_person_is_told_apart_from_the_words() -> None:
    model = made("tokens", "recft")
    found = reading.read(model, 1, np.asarray([3]), Template())
    assert [s.kind for s in found.stretches] == ["person", "words", "item", "words", "person", "words"]
    assert model.table.users is not None
    own = tuple(model.lm.vocab.row[str(p)] for p in model.table.users.spell(1))
    assert found.stretches[0].ids == found.stretches[4].ids == own
    name: Id = model.table.users.spell(3)
    assert reading.read(model, name, np.asarray([3]), Template()).stretches[0].ids == tuple(model.lm.vocab.row[str(p)] for p in name)
    stranger = reading.read(model, -1, np.asarray([3]), Template()).stretches[0]
    assert stranger.kind == "person" and "".join(map(str, model.lm.vocab.decode(stranger.ids))) == "a person"


def test_nobody_with_no_past_has_words_alone() -> None:
    model = made("text", "sequential")
    found = reading.read(model, 2, np.zeros(0, dtype=np.int64), Template(4))
    assert {s.kind for s in found.stretches} == {"words", "person"} and found.cut == 0 and found.tokens(model.lm.vocab.first) == 0
