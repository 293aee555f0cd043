"""The guide of reasons: everything that it lets a model say is true by `Facts`, and what is true and short enough can be said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from llmrec.lm.backbone import Backbone
from llmrec.lm.tasks.facts import MOST_ITEMS, Facts, Statement
from llmrec.lm.tasks.wording import Wording
from llmrec.lm.tasks.words import Speaker
from llmrec.recommend.chat.truths import Truths
from tests.lm import world as names
from tests.recommend.chat import world
from tests.recommend.chat.world import ALIEN, BLADE, CASA, FILMS, HEAT, SCREAM


def _wording(titles: bool = False) -> Wording:
    table = names.text_table([t for t, _, _ in FILMS]) if titles else names.table(n_users=4, n_items=len(FILMS))
    lm = names.model(table, Backbone("tiny"))
    return Wording(Speaker(lm.vocab, lm.vocab.names(table.items), table))


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts.of(world.train(), world.catalog())


def _said(truths: Truths, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """A walk through the guide: its rows, and what was settled at the end."""
    rows = []
    while choices := sorted(truths.next()):
        rows.append(int(rng.choice(choices)))
        truths.say(rows[-1])
    return rows, list(truths.settled)


@pytest.mark.parametrize("titles", [False, True])
def test_every_walk_is_a_true_statement(facts: Facts, titles: bool) -> None:
    wording, rng, seen = _wording(titles), np.random.default_rng(0), set()
    for target, history in itertools.product((ALIEN, BLADE, 12), ((BLADE, HEAT, CASA, SCREAM), (ALIEN, 13, 14, 12))):
        for _ in range(12):
            rows, settled = _said(Truths(wording, facts, target, history), rng)
            if not rows:
                assert facts.reference(target, np.asarray(history)) is None  # silent only where there is nothing to say
                continue
            assert rows[-1] == wording.speaker.end
            statement = wording.read(rows[:-1], np.asarray(history))
            assert facts.check(statement, target, np.asarray(history)).true and len(statement.items) <= MOST_ITEMS
            assert settled == [*statement.items, *statement.attributes]
            seen.add(statement)
    assert len(seen) > 6


def test_what_train_and_catalogue_support_can_be_said(facts: Facts) -> None:
    wording, history = _wording(), (BLADE, HEAT, SCREAM)
    reference = facts.reference(ALIEN, np.asarray(history))
    assert reference is not None
    truths = Truths(wording, facts, ALIEN, history)
    for row in [*wording.write(reference), wording.speaker.end]:
        assert row in truths.next()
        truths.say(row)
    assert truths.next() == set() and truths.settled == (*reference.items, *reference.attributes)


def test_nobody_can_say_what_is_false(facts: Facts) -> None:
    """Heat was not taken with Alien, Scream shares no science fiction with it, Alien is no reason for itself."""
    wording, history = _wording(), (BLADE, HEAT, SCREAM, ALIEN)
    for false in (
        Statement((HEAT,), ("Sci-Fi",)),
        Statement((SCREAM,), ("Sci-Fi",)),
        Statement((ALIEN,), ("Horror",)),
        Statement((BLADE,)),
    ):
        truths = Truths(wording, facts, ALIEN, history)
        rows = [*wording.write(false), wording.speaker.end]
        for row in rows:
            if row not in truths.next():
                break
            truths.say(row)
        else:
            raise AssertionError(f"{false} was let through")
    assert not facts.check(Statement((HEAT,), ("Sci-Fi",)), ALIEN, np.asarray(history)).true


def test_without_history_nothing_can_be_said(facts: Facts) -> None:
    assert Truths(_wording(), facts, ALIEN, ()).next() == set()
    assert Truths(_wording(), facts, ALIEN, (CASA,)).next() == set()
