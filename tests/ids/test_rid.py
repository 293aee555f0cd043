"""RID: unique random numbers of the range, as text, from nothing but the counts."""

from __future__ import annotations

import numpy as np
import pytest

from llmrec.contracts import Dataset, Interactions, Token
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.rid import Rid


@pytest.fixture(scope="module")
def world() -> Dataset:
    return Checkerboard(n_users=40, n_items=30).load()


def test_numbers_are_those_of_the_range_once_each(world: Dataset) -> None:
    table = Rid().fit(world.interactions, world.catalog, None, np.random.default_rng(0))
    assert table.users is not None
    said = [table.items.spell(i) for i in range(30)]
    assert sorted(said) == [(str(n),) for n in range(1001, 1031)] and said != sorted(said)
    assert sorted(int(table.users.spell(u)[0]) for u in range(40)) == list(range(1, 41))
    assert not table.tokens and not any(isinstance(piece, Token) for (piece,) in said)


def test_the_code_is_the_number_that_is_written(world: Dataset) -> None:
    table = Rid(first=7).fit(world.interactions, world.catalog, None, np.random.default_rng(0))
    assert [table.items.spell(i) for i in range(30)] == [(str(c),) for c in table.items.codes[:, 0]]
    assert table.items.codes.min() == 7


def test_words_are_written_as_p5_writes_them_with_the_same_numbers(world: Dataset) -> None:
    plain, worded = (Rid(words=w).fit(world.interactions, world.catalog, None, np.random.default_rng(3)) for w in (False, True))
    assert plain.users is not None and worded.users is not None
    assert [worded.items.spell(i) for i in range(30)] == [(f"item_{plain.items.spell(i)[0]}",) for i in range(30)]
    assert [worded.users.spell(u) for u in range(40)] == [(f"user_{plain.users.spell(u)[0]}",) for u in range(40)]
    assert not worded.tokens


def test_numbers_depend_on_the_seed_and_on_no_interaction(world: Dataset) -> None:
    none = np.zeros(0, dtype=np.int32)
    empty = Interactions(none, none, none.astype(np.int64), 40, 30)
    tables = [
        Rid().fit(train, world.catalog, None, np.random.default_rng(s)) for train, s in ((world.interactions, 0), (empty, 0), (empty, 1))
    ]
    assert np.array_equal(tables[0].items.codes, tables[1].items.codes)
    assert not np.array_equal(tables[1].items.codes, tables[2].items.codes)


def test_a_bad_range_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="first is -1.*OpenP5 takes 1001"):
        Rid(first=-1)
