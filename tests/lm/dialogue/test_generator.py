"""Dialogues made of train: what is said is true, what is recommended fits and is new, and nothing held out is read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Dataset, Split
from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.generator import TURNS, Dialogues, Generator, turns
from llmrec.lm.dialogue.language import BECAUSE, NO, NO_REASON, YES, pointed
from llmrec.lm.dialogue.script import SHOWN, Dialogue
from llmrec.lm.tasks import mixed
from llmrec.lm.tasks.facts import Facts, Statement
from llmrec.lm.tasks.words import Speaker
from llmrec.recommend.chat.values import MARK, Exchange
from tests.lm import world
from tests.lm.dialogue import films
from tests.lm.tasks import six

SKILLS = {"recommend", "list", "like", "attribute", "without", "else", "would", "why", "what", "which", "taste", "talk"}


@pytest.fixture(scope="module")
def made() -> list[tuple[int, Dialogue]]:
    maker, rng = films.generator(), np.random.default_rng(1)
    return [(row, maker.dialogue(row, rng)) for row in films.rows(700)]


@pytest.fixture(scope="module")
def maker() -> Generator:
    return films.generator()


def _turns(made: list[tuple[int, Dialogue]], maker: Generator) -> Iterator[tuple[int, Dialogue, Exchange, tuple[int, ...], set[int]]]:
    """Every turn with the items that the last answer before it named, and all that were seen, named or spoken of before it."""
    train = maker.shelf.train
    for row, dialogue in made:
        user = int(train.user[row])
        last: tuple[int, ...] = ()
        gone = set(train.item[train.offsets[user] : row].tolist())
        for turn in dialogue.turns:
            yield row, dialogue, turn, last, gone
            gone = gone | {m.item for m in turn.mentions if m.item is not None and turn.understood.skill in ("list", "like", "without")}
            if MARK in turn.said and not turn.said.startswith(BECAUSE):
                last, gone = turn.items, gone | set(turn.items)


def test_every_skill_comes_up_and_dialogues_have_one_to_four_turns(made: list[tuple[int, Dialogue]]) -> None:
    assert {t.understood.skill for _, d in made for t in d.turns} == SKILLS
    assert {len(d.turns) for _, d in made} == {1, 2, 3, 4}


def _has(item: int) -> set[str]:
    """What the catalogue says of an item, read from its table."""
    facts = films.catalog().items.iloc[item]
    year = [] if pd.isna(facts["year"]) else [int(facts["year"])]
    return {*facts["genres"], *(f"{y // 10 * 10}s" for y in year), *map(str, year)}


def test_what_is_recommended_fits_and_is_new(made: list[tuple[int, Dialogue]], maker: Generator) -> None:
    has = [_has(i) for i in range(films.N_ITEMS)]
    checked = 0
    for row, _, turn, _, gone in _turns(made, maker):
        u = turn.understood
        if u.skill in ("would", "why", "what", "taste", "talk"):
            assert MARK not in turn.said or u.skill == "why"
            continue
        spoken = set() if u.skill == "list" else {m.item for m in turn.mentions}
        assert turn.items and len(set(turn.items)) == len(turn.items) == turn.said.count(MARK), row
        assert not set(turn.items) & (gone | spoken)
        assert all(set(u.wanted) <= has[i] and not set(u.unwanted) & has[i] for i in turn.items)
        assert u.among is None or set(turn.items) <= set(u.among)
        checked += 1
    assert checked > 500


def test_constraints_stand_until_something_else_is_asked(made: list[tuple[int, Dialogue]], maker: Generator) -> None:
    """After a recommendation, "something else" keeps all, and leaving out or narrowing keeps what was and adds to it."""
    kept = 0
    for _, dialogue in made:
        for before, after in zip(dialogue.turns, dialogue.turns[1:], strict=False):
            a, b = before.understood, after.understood
            if b.skill == "else" and before.items and a.skill != "why":
                assert (a.wanted, a.unwanted, a.like) == (b.wanted, b.unwanted, b.like)
                kept += bool(a.wanted or a.unwanted or a.like)
    assert kept > 10


def test_reasons_are_true_and_of_the_shown_history(made: list[tuple[int, Dialogue]], maker: Generator) -> None:
    facts, n = maker.shelf.facts, 0
    for _, dialogue, turn, _, _ in _turns(made, maker):
        if turn.understood.skill != "why" or turn.said == NO_REASON:
            continue
        (target,) = {m.item for m in turn.mentions}
        assert target is not None
        told = turn.said.rpartition(": ")[2].split(", ")
        shown = np.asarray(dialogue.history[-SHOWN:])
        assert facts.check(Statement(turn.items, tuple(told)), target, shown).true
        n += 1
    assert n > 40


def test_yes_is_what_they_took_and_no_what_they_never_took(made: list[tuple[int, Dialogue]], maker: Generator) -> None:
    train, said = maker.shelf.train, {YES: 0, NO: 0}
    for row, _, turn, _, _ in _turns(made, maker):
        if turn.understood.skill == "would":
            user = int(train.user[row])
            (item,) = (m.item for m in turn.mentions)
            ahead, ever = set(train.item[row : train.offsets[user + 1]].tolist()), set(train.history(user).tolist())
            assert (item in ahead) if turn.said == YES else (item not in ever)
            said[turn.said] += 1
    assert min(said.values()) > 0.6 * max(said.values()) > 10


def test_taste_is_what_the_shown_history_has_more_often_than_train(made: list[tuple[int, Dialogue]], maker: Generator) -> None:
    train, words = maker.shelf.train, maker.language.attributes
    n = 0
    for _, dialogue in made:
        shown = list(dict.fromkeys(dialogue.history[-SHOWN:]))
        for turn in dialogue.turns:
            likes = maker.language.likes(turn.said) if turn.understood.skill == "taste" else ()
            for word in likes:
                bearers = [word in words[i] for i in shown]
                assert sum(bearers) >= 2 and np.mean(bearers) > np.mean([word in words[i] for i in train.item.tolist()])
                n += 1
            assert len(likes) <= 3
    assert n > 20


def test_answers_are_read_back_as_they_were_meant(made: list[tuple[int, Dialogue]], maker: Generator) -> None:
    for _, dialogue in made:
        earlier: list[int] = []
        for turn in dialogue.turns:
            assert maker.language.understood(turn.said, turn.mentions, earlier[::-1]) == turn.understood
            earlier += [m.item for m in turn.mentions if m.item is not None]


def test_mentions_stand_where_they_say_and_pointing_is_read_as_the_chat_reads_it(
    made: list[tuple[int, Dialogue]], maker: Generator
) -> None:
    pointing = 0
    for _, _, turn, last, _ in _turns(made, maker):
        assert all(turn.asked[m.start : m.start + len(m.text)] == m.text for m in turn.mentions)
        points = pointed(turn.asked, last)
        if all(m in points for m in turn.mentions):  # a title that is named comes first, there as here
            assert turn.mentions == points, turn.asked
            pointing += bool(points)
    assert pointing > 40


def test_the_same_seed_makes_the_same_dialogues_and_another_makes_others(maker: Generator) -> None:
    def some(seed: int) -> list[Dialogue]:
        rng = np.random.default_rng(seed)
        return [maker.dialogue(row, rng) for row in films.rows(20)]

    assert some(3) == some(3) != some(4)


def test_unseen_phrasings_are_in_no_dialogue_of_training(maker: Generator) -> None:
    """Unseen dialogues ask in unseen words alone; the words of the two never meet, way by way."""
    for way in asking.ways():
        seen, unseen = ([t for p in asking.phrasings(way, u) for t in asking.expanded(p)] for u in (False, True))
        assert len(set(seen)) >= 10 and len(set(unseen)) >= 4 and not set(seen) & set(unseen)
    rng = np.random.default_rng(0)
    fixed = {p for way in asking.ways() for p in asking.phrasings(way, unseen=True) if "{" not in p}
    asked = {t.asked for row in films.rows(600) for t in maker.dialogue(row, rng).turns}
    assert not asked & fixed
    new = {t.asked for row in films.rows(200) for t in maker.dialogue(row, rng, unseen=True).turns}
    assert len(new & fixed) > 10


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    table = world.table(films.N_USERS, films.N_ITEMS)
    return six.speaker(world.model(table), table)


def _documents(speaker: Speaker, split: Split) -> list[Any]:
    (task,) = mixed.tasks(speaker, {"dialogue": 1.0}, split.train, films.catalog())
    assert isinstance(task, Dialogues)
    rng = np.random.default_rng(7)
    return [task.document(row, rng) for row in films.rows(40)]


def test_documents_of_like_length_are_read_together(speaker: Speaker) -> None:
    """Batches as training makes them, against batches of interactions as they come: much less is padding."""
    (task,) = mixed.tasks(speaker, {"dialogue": 1.0}, films.split().train, films.catalog())
    rows = np.arange(len(films.split().train))
    assert np.allclose(np.bincount(turns(rows))[1:] / len(rows), TURNS, atol=0.06)
    rng = np.random.default_rng(0)
    sizes = np.asarray([len(d.read) + len(d.said) for d in (task.document(int(row), rng) for row in rows)])

    def padded(order: Any) -> float:
        return float(sum(16 * sizes[order[a : a + 16]].max() for a in range(0, len(rows) - 15, 16)) / sizes.sum() - 1)

    assert padded(np.argsort(task.length(rows), kind="stable")) < 0.6 * padded(rng.permutation(len(rows)))


def test_what_is_held_out_changes_nothing(speaker: Speaker) -> None:
    """Other held-out items, same dialogues; another train, other dialogues."""
    split = films.split()
    other = dataclasses.replace(
        split,
        valid=dataclasses.replace(split.valid, item=(split.valid.item + 5) % films.N_ITEMS),
        test=dataclasses.replace(split.test, item=(split.test.item + 9) % films.N_ITEMS),
    )
    assert _documents(speaker, split) == _documents(speaker, other)
    moved = dataclasses.replace(split, train=dataclasses.replace(split.train, item=(split.train.item + 2) % films.N_ITEMS))
    assert _documents(speaker, split) != _documents(speaker, moved)


def test_a_catalogue_without_genres_and_years_gives_plain_dialogues() -> None:
    split = films.split()
    maker, rng = Generator(split.train, world.catalog(films.N_USERS, films.TITLES)), np.random.default_rng(0)
    turns = [t for row in films.rows(200) for t in maker.dialogue(row, rng).turns]
    assert {t.understood.skill for t in turns} == SKILLS - {"attribute", "which"}
    assert not maker.tongue.of_films and not any(t.understood.wanted or t.understood.unwanted for t in turns)
    assert not any("film" in t.asked or "movie" in t.asked for t in turns if t.understood.skill not in ("talk",))


@pytest.mark.slow
def test_dialogues_of_movielens_are_read_back_and_many(ml100k: Dataset) -> None:
    from llmrec.data.split import LeaveOneOut

    train = LeaveOneOut().split(ml100k.interactions, np.random.default_rng(0)).train
    maker, rng = Generator(train, ml100k.catalog, Facts.of(train, ml100k.catalog)), np.random.default_rng(1)
    asked = set()
    for row in rng.integers(len(train), size=2000).tolist():
        earlier: list[int] = []
        for turn in maker.dialogue(row, rng).turns:
            assert maker.language.understood(turn.said, turn.mentions, earlier[::-1]) == turn.understood
            earlier += [m.item for m in turn.mentions if m.item is not None]
            asked.add(turn.asked)
    assert len(asked) > 3000
