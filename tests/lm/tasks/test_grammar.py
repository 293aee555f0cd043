"""The grammar: every statement over the history can be said, nothing else can, and names that begin others keep both ways."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.lm.tasks.facts import Facts, Statement
from llmrec.lm.tasks.grammar import Grammar
from llmrec.lm.tasks.wording import Wording
from tests.lm import world
from tests.lm.tasks import six

ALIEN, ALIENS, BEAST, CLUE, DUNE, EMMA = range(6)
SHOWN = np.asarray([CLUE, ALIEN, BEAST, ALIEN, ALIENS])
WORDS = Facts.of(six.train(), six.CATALOG).words


def _wording(titles: list[str] | None = None) -> Wording:
    table = world.table(n_users=3, n_items=6) if titles is None else world.text_table(titles)
    return Wording(six.speaker(world.model(table), table))


def _sayable(wording: Wording, statement: Statement, attributes: tuple[str, ...] = WORDS) -> bool:
    grammar = Grammar(wording, SHOWN, attributes)
    for row in [*wording.write(statement), wording.speaker.end]:
        if row not in grammar.next():
            return False
        grammar.say(row)
    return not grammar.next()


@pytest.mark.parametrize("titles", [None, six.TITLES, ["A", "A B", "A B and", "A B and A", "D", "E"]])
def test_statements_over_the_history_can_be_said_and_nothing_else(titles: list[str] | None) -> None:
    wording = _wording(titles)
    for right in (
        Statement((BEAST, ALIENS, ALIEN), ("Sci-Fi", "1980s")),
        Statement((ALIEN,), ("Romance",)),
        Statement((CLUE, BEAST), WORDS),
    ):
        assert _sayable(wording, right)
    for items, told in (
        ((EMMA,), ("Romance",)),  # not shown
        ((ALIEN, ALIEN), ("Sci-Fi",)),
        ((ALIEN,), ("Sci-Fi", "Sci-Fi")),
        ((ALIEN,), ("Western",)),  # the catalogue has none
        ((ALIEN,), ()),
        ((), ("Sci-Fi",)),
        ((ALIEN, ALIENS, BEAST, CLUE), ("Sci-Fi",)),  # more than a statement cites
    ):
        if not (titles and titles[0] == "A" and len(items) == 4):  # "A B and A" is a name there, and says two of them
            assert not _sayable(wording, Statement(items, told)), (items, told)


def test_where_nothing_is_known_of_items_names_are_all() -> None:
    wording = _wording()
    assert _sayable(wording, Statement((ALIEN, CLUE)), ()) and not _sayable(wording, Statement((ALIEN,), ("Sci-Fi",)), ())


def test_whoever_follows_it_is_well_formed_of_the_history_and_distinct() -> None:
    wording, rng = _wording(six.TITLES), np.random.default_rng(0)
    facts = Facts.of(six.train(), six.CATALOG)
    most = wording.most([WORDS])
    for _ in range(200):
        grammar, rows = Grammar(wording, SHOWN, WORDS), list[int]()
        while grammar.next():
            rows.append(int(rng.choice(sorted(grammar.next()))))
            grammar.say(rows[-1])
        assert rows[-1] == wording.speaker.end and len(rows) <= most
        verdict = facts.check(wording.read(rows[:-1], SHOWN), DUNE, SHOWN)
        assert verdict.formed and verdict.exists and verdict.in_history and verdict.distinct
