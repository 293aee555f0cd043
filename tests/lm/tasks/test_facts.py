"""References by hand on six films, and a check that finds each kind of untruth.

Cosines with Dune (ann, bob, cat): Alien and Aliens (ann, bob) 2/sqrt(6) = .816, Clue (ann) 1/sqrt(3) = .577, Emma and the Beast (cat) .577.
"""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.lm.tasks.facts import Facts, Statement, attributes
from tests.lm import world
from tests.lm.tasks import six
from tests.lm.tasks.six import speaker

ALIEN, ALIENS, BEAST, CLUE, DUNE, EMMA = range(6)
FACTS = Facts.of(six.train(), six.CATALOG)


def test_attributes_are_genres_and_decade() -> None:
    assert attributes(six.CATALOG)[ALIENS] == ("Action", "Sci-Fi", "1980s")
    assert attributes(six.CATALOG)[EMMA] == ("Romance",)
    assert attributes(six.BARE) == ((),) * 6


def test_cosines_by_hand() -> None:
    got = FACTS.cosine(DUNE, np.asarray([EMMA, ALIEN, CLUE, ALIENS]))
    assert got.tolist() == pytest.approx([3**-0.5, 2 / 6**0.5, 3**-0.5, 2 / 6**0.5])
    assert FACTS.cosine(EMMA, np.asarray([ALIEN, BEAST])).tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    ("target", "history", "expected"),
    [
        # Aliens is as near as Alien and newer: it shares Sci-Fi and the decade; Alien then leaves Sci-Fi alone; Clue shares none of that
        (DUNE, [ALIEN, CLUE, ALIENS], Statement((ALIENS, ALIEN), ("Sci-Fi",))),
        # the newer of two equals first: Alien shares Sci-Fi alone, and Aliens keeps it
        (DUNE, [ALIENS, ALIEN], Statement((ALIEN, ALIENS), ("Sci-Fi",))),
        (DUNE, [CLUE, ALIENS], Statement((ALIENS, CLUE), ("1980s",))),
        (DUNE, [CLUE], Statement((CLUE,), ("1980s",))),
        (DUNE, [EMMA, BEAST], None),  # near enough, nothing shared
        (EMMA, [ALIEN], None),  # nobody took both
        (DUNE, [DUNE], None),  # an item is no reason for itself
        (DUNE, [], None),
    ],
)
def test_references_by_hand(target: int, history: list[int], expected: Statement | None) -> None:
    assert FACTS.reference(target, np.asarray(history, dtype=np.int64)) == expected


def test_without_attributes_behaviour_speaks_alone() -> None:
    bare = Facts.of(six.train(), six.BARE)
    assert bare.reference(DUNE, np.asarray([EMMA, CLUE, ALIEN, ALIENS])) == Statement((ALIENS, ALIEN, CLUE))
    assert bare.check(Statement((ALIEN,)), DUNE, np.asarray([ALIEN])).true


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        (Statement((ALIENS, ALIEN), ("Sci-Fi",)), None),
        (Statement((ALIENS,), ("Sci-Fi", "1980s")), None),
        (Statement((ALIENS,), ("Sci-Fi", "Romance")), "of_target"),  # a false genre
        (Statement((ALIENS,), ("Space opera",)), "of_target"),
        (Statement((ALIENS, CLUE), ("Sci-Fi",)), "of_cited"),  # Clue is none
        (Statement((EMMA,), ("Sci-Fi",)), "in_history"),
        (Statement((ALIENS, -1), ("Sci-Fi",)), "exists"),
        (Statement((ALIENS,)), "of_target"),  # says nothing of what they share
        (Statement((), ("Sci-Fi",)), "exists"),
        (Statement((ALIENS,), ("Sci-Fi",), formed=False), "formed"),
        (Statement((BEAST,), ("Sci-Fi",)), "of_cited"),
    ],
)
def test_the_check_finds_what_is_false(statement: Statement, wrong: str | None) -> None:
    verdict = FACTS.check(statement, DUNE, np.asarray([ALIEN, CLUE, ALIENS, BEAST]))
    assert verdict.true == (wrong is None)
    assert wrong is None or not getattr(verdict, wrong)


@pytest.mark.parametrize("said", [Statement((ALIENS, ALIENS), ("Sci-Fi",)), Statement((ALIENS,), ("Sci-Fi", "Sci-Fi"))])
def test_nothing_is_true_by_repetition(said: Statement) -> None:
    verdict = FACTS.check(said, DUNE, np.asarray([ALIENS]))
    assert verdict.repeating and not verdict.distinct and not verdict.true


def test_because_needs_people_who_took_both() -> None:
    """The Beast and Emma share a genre and one person; the Beast and Clue nobody, whatever the catalogue says of them."""
    romance = Facts(FACTS.near, FACTS.counts, (("Romance",),) * 6)
    assert romance.check(Statement((BEAST,), ("Romance",)), EMMA, np.asarray([BEAST])).true
    unlike = romance.check(Statement((BEAST, CLUE), ("Romance",)), EMMA, np.asarray([BEAST, CLUE]))
    assert not unlike.near and not unlike.true
    itself = romance.check(Statement((EMMA,), ("Romance",)), EMMA, np.asarray([EMMA]))
    assert itself.in_history and itself.of_cited and not itself.near and not itself.true


def test_without_attributes_behaviour_is_all_that_is_checked() -> None:
    bare = Facts.of(six.train(), six.BARE)
    assert not bare.check(Statement((ALIEN,)), EMMA, np.asarray([ALIEN])).true  # nobody took both
    assert bare.lookup(EMMA, np.asarray([BEAST, ALIEN])) == Statement((BEAST,))


def test_a_lookup_by_hand() -> None:
    assert FACTS.lookup(DUNE, np.asarray([ALIEN, CLUE, EMMA])) == Statement((CLUE,), ("1980s",))
    assert FACTS.lookup(DUNE, np.asarray([CLUE, ALIENS])) == Statement((ALIENS,), ("Sci-Fi", "1980s"))
    assert FACTS.lookup(DUNE, np.asarray([EMMA, DUNE])) is None


def test_a_cosine_without_the_user_who_is_told_of_is_that_of_the_others() -> None:
    """Against a train from which the user is taken out."""
    train = six.train()
    for user in range(3):
        others, items = Facts.of(train.take(np.flatnonzero(train.user != user)), six.CATALOG), train.history(user)
        for target in items.tolist():
            rest = items[items != target]
            assert FACTS.cosine(target, rest, but_one=True).tolist() == pytest.approx(others.cosine(target, rest).tolist())


def test_every_reference_is_true() -> None:
    split = world.split(n_users=30, length=10)
    catalog = world.catalog(30, [f"Film {i}" for i in range(24)])
    genres = [[g for g, step in (("Odd", 2), ("Third", 3), ("Fifth", 5)) if i % step == 1] for i in range(24)]
    facts = Facts.of(split.train, type(catalog)(catalog.users, catalog.items.assign(genres=genres)))
    histories = [split.train.history(u) for u in range(30)]
    found = [(facts.reference(t, h), t, h) for h in histories for t in range(24)]
    told = [(r, t, h) for r, t, h in found if r is not None]
    assert len(told) > 100 and all(facts.check(r, t, h).true for r, t, h in told)
    looked = [(facts.lookup(t, h), t, h) for r, t, h in found if r is not None]
    assert all(s is not None and facts.check(s, t, h).true for s, t, h in looked)


def test_statements_go_into_row_numbers_and_back() -> None:
    from llmrec.lm.tasks.wording import Wording, shown

    for table in (world.table(n_users=3, n_items=6), six.titled()):
        wording = Wording(speaker(world.model(table), table))
        for statement in (Statement((BEAST, ALIENS, ALIEN), ("Sci-Fi", "1980s")), Statement((ALIEN,))):
            assert wording.read(wording.write(statement), np.asarray([])) == statement
    assert shown(Statement((BEAST, -1), ("Drama",)), six.CATALOG) == "because of Beauty and the Beast and (no such item): Drama"


def test_a_name_that_nobody_bears_is_found_out() -> None:
    from llmrec.lm.tasks.wording import Wording

    table = world.table(n_users=3, n_items=6)
    lm = world.model(table)
    wording = Wording(speaker(lm, table))
    said = wording.write(Statement((ALIEN, CLUE), ("Sci-Fi",)))
    place = len(wording.because)
    stranger = [*said[:place], lm.vocab.first + 4, lm.vocab.first + 4, *said[place + 2 :]]
    assert wording.read(stranger, np.asarray([])) == Statement((-1, CLUE), ("Sci-Fi",))
    assert not wording.read(said[1:], np.asarray([])).formed
    assert not wording.read([*said[: place + 2], *wording.because], np.asarray([])).formed


def test_of_items_with_one_name_the_one_in_the_history_is_meant() -> None:
    from llmrec.lm.tasks.wording import Wording

    table = world.text_table(["Same", "Same", "Other"])
    wording = Wording(speaker(world.model(table), table))
    said = wording.write(Statement((1,)))
    assert wording.read(said, np.asarray([1, 2])).items == (1,) and wording.read(said, np.asarray([2])).items == (0,)
