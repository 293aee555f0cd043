"""Prompts of a language recommender: who is named how, which words stand around the history, which order it has."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from llmrec import recipe
from llmrec.contracts import Id, Ints, Queries
from llmrec.lm import prompts
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.vocab import END
from llmrec.recommend.language import BATCH, LanguageRecommender
from tests.lm import world

RECIPES = Path(__file__).parents[2] / "benchmarks" / "recipes"
TABLE = world.table()
LM = world.model(TABLE)
HISTORY = np.array([3, 1, 7, 5, 2], dtype=np.int32)


class NamedAs:
    """A stand-in for `Namer`: everyone is named as user 2, but those without a history."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, histories: Sequence[Ints]) -> list[Id | None]:
        self.asked.append(len(histories))
        assert TABLE.users is not None
        return [TABLE.users.spell(2) if len(h) else None for h in histories]


@pytest.fixture(scope="module")
def plain() -> LanguageRecommender:
    return LanguageRecommender(LM, TABLE, Trie())


def said(recommender: LanguageRecommender, user: int, history: Ints = HISTORY) -> str:
    return "".join(LM.vocab.decode(recommender.prompt(user, history))).replace(END, "")


def test_a_known_user_has_a_name_and_a_new_one_is_a_person(plain: LanguageRecommender) -> None:
    assert TABLE.users is not None
    assert said(plain, 2).startswith("".join(TABLE.users.spell(2)) + " has interacted with")
    assert said(plain, -1).startswith("a person has interacted with")


def test_a_newcomer_is_named_where_there_is_a_namer_and_known_users_keep_their_own(plain: LanguageRecommender) -> None:
    namer = NamedAs()
    naming = dataclasses.replace(plain, namer=namer)
    queries = Queries(np.array([-1, 1, -1], dtype=np.int32), (HISTORY, HISTORY, HISTORY[:0]))
    found = naming.recommend(queries, 5)
    as_two, as_one, as_nobody = (
        plain.recommend(Queries.of_history(h, (), u), 5) for u, h in ((2, HISTORY), (1, HISTORY), (-1, HISTORY[:0]))
    )
    for row, alone in enumerate((as_two, as_one, as_nobody)):
        np.testing.assert_array_equal(found.items[row], alone.items[0])
        np.testing.assert_allclose(found.scores[row], alone.scores[0], atol=1e-4)
    assert namer.asked == [2]  # at once, and only the new
    assert not np.allclose(as_two.scores, plain.recommend(Queries.of_history(HISTORY, ()), 5).scores)  # a name says something


def test_people_keep_their_places_across_batches(plain: LanguageRecommender) -> None:
    namer = NamedAs()
    many = Queries(np.full(BATCH + 3, -1, dtype=np.int32), (HISTORY[:0],) * (BATCH + 2) + (HISTORY,))
    found = dataclasses.replace(plain, namer=namer).recommend(many, 3)
    np.testing.assert_allclose(found.scores[-1], plain.recommend(Queries.of_history(HISTORY, (), 2), 3).scores[0], atol=1e-4)
    assert namer.asked == [BATCH + 3]


def test_the_unseen_template_has_words_of_its_own(plain: LanguageRecommender) -> None:
    unseen = said(dataclasses.replace(plain, unseen=True), -1)
    words = prompts.templates()["sequential"]["unseen"][0].replace("{user}", "a person")
    assert unseen.startswith(words) and words not in prompts.templates()["sequential"]["seen"]
    assert unseen.removeprefix(words) == said(plain, -1).removeprefix("a person has interacted with")


def test_where_order_does_not_count_a_query_is_read_in_one_of_its_own(plain: LanguageRecommender) -> None:
    direct = dataclasses.replace(plain, task="direct")
    one, again = direct.prompt(1, HISTORY), direct.prompt(1, HISTORY.copy())
    assert one == again
    assert sorted(one[-len(HISTORY) * 2 :]) == sorted(plain.prompt(1, HISTORY)[-len(HISTORY) * 2 :])
    many = [np.roll(np.arange(12, dtype=np.int32), i) for i in range(6)]
    orders = {tuple(np.argsort(np.argsort(read(direct, h)))) for h in many}
    assert len(orders) > 3, "the same shuffle for everyone is an order again"
    assert any(not np.array_equal(read(direct, h), h) for h in many)
    assert all(np.array_equal(read(plain, h), h) for h in many)
    long = np.arange(24, dtype=np.int32)
    assert set(read(dataclasses.replace(direct, max_items=4), long).tolist()) == {20, 21, 22, 23}


def test_a_model_that_learned_no_order_is_asked_in_none() -> None:
    """TokenRec's unordered recipe; any share of ordered histories in training keeps time's order."""
    assert FineTune(tasks={"sequential": 0.0, "direct": 1.0}).ranks_by == "direct"
    assert FineTune(tasks={"direct": 1.0}).ranks_by == FineTune().ranks_by == "sequential"
    assert recipe.load(RECIPES / "codes" / "unordered-ml-100k-sketch.toml").train.ranks_by == "direct"


def read(recommender: LanguageRecommender, history: Ints) -> Ints:
    """The items of a prompt, in the order they are read."""
    rows = recommender.prompt(-1, history)
    names = {
        tuple(recommender.compiled.names.ids[a:b].tolist()): i
        for i, (a, b) in enumerate(itertools.pairwise(recommender.compiled.names.offsets.tolist()))
    }
    width = len(next(iter(names)))
    first = next(at for at in range(len(rows)) if tuple(rows[at : at + width]) in names)
    return np.array([names[tuple(rows[at : at + width])] for at in range(first, len(rows), width)], dtype=np.int32)
