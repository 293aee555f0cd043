"""TIGER's names: levels, the Token that tells apart, hashed users, a newcomer by its text."""

from __future__ import annotations

import inspect
import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec.contracts import Catalog, IdTable, Interactions, Token, Vectors
from llmrec.ids.tiger import Tiger, hashed, scaled_codes, told_apart

QUICK = Tiger(quantizer="rqkmeans", n_codes=4)
BOTH = pytest.mark.parametrize("scheme", [QUICK, Tiger(n_codes=4, latent=4, steps=60)], ids=["rqkmeans", "rqvae"])


def fit(scheme: Tiger, items: np.ndarray, keys: tuple[str, ...] = ("ann", "bob"), seed: int = 0) -> IdTable:
    m = len(items)
    none = Interactions(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), len(keys), m)
    frame = pd.DataFrame({"key": [f"i{i}" for i in range(m)], "title": ["x"] * m})
    vectors = Vectors(np.zeros((len(keys), items.shape[1]), np.float32), items)
    return scheme.fit(none, Catalog(pd.DataFrame({"key": list(keys)}), frame), vectors, np.random.default_rng(seed))


@pytest.fixture
def twins() -> np.ndarray:
    """24 items in pairs of equal vectors."""
    return np.repeat(np.random.default_rng(0).standard_normal((12, 6)), 2, axis=0).astype(np.float32)


@BOTH
def test_names_are_unique_and_twins_differ_in_the_last_token_alone(scheme: Tiger, twins: np.ndarray) -> None:
    table = fit(scheme, twins)
    codes = table.items.codes
    assert codes.shape == (24, 4) and len({tuple(c) for c in codes.tolist()}) == 24
    assert np.array_equal(codes[::2, :3], codes[1::2, :3]) and (codes[::2, 3] < codes[1::2, 3]).all()
    assert table.item_quantizer is not None and np.array_equal(table.item_quantizer.encode(twins), codes[:, :3])
    first = table.items.spell(0)
    assert first == tuple(Token(f"<t{level}_{codes[0, level]}>") for level in range(4)) and all(isinstance(p, Token) for p in first)
    assert [book.size for book in table.items.books] == [4, 4, 4, codes[:, 3].max() + 1]


@BOTH
def test_same_seed_same_table(scheme: Tiger, twins: np.ndarray) -> None:
    assert np.array_equal(fit(scheme, twins).items.codes, fit(scheme, twins).items.codes)


def test_the_last_token_counts_those_before_that_are_the_same() -> None:
    assert told_apart(np.array([[1, 2], [3, 4], [1, 2], [1, 3], [1, 2]])).tolist() == [0, 0, 1, 0, 2]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_it_always_tells_apart(codes: list[tuple[int, int]]) -> None:
    last = told_apart(np.array(codes))
    assert last.tolist() == [codes[:i].count(c) for i, c in enumerate(codes)]


def test_users_are_hashed_by_their_key_and_may_share(twins: np.ndarray) -> None:
    keys = tuple(f"user {i}" for i in range(50))
    table = fit(Tiger(quantizer="rqkmeans", n_codes=4, user_tokens=7), twins, keys)
    assert table.users is not None and table.user_quantizer is None
    assert table.users.codes[:, 0].tolist() == [zlib.crc32(k.encode()) % 7 for k in keys]
    assert table.users.spell(3) == (Token(f"<h{zlib.crc32(b'user 3') % 7}>"),)
    assert hashed(["123456789"], 2000).tolist() == [[0xCBF43926 % 2000]]  # the check value of CRC-32
    assert fit(Tiger(quantizer="rqkmeans", n_codes=4, user_tokens=0), twins).users is None
    assert fit(QUICK, twins).books[-1].size == 2000


def test_sizes_follow_the_catalogue() -> None:
    assert [scaled_codes(n) for n in (1, 30, 1682, 12_101, 1_000_000)] == [2, 13, 95, 256, 256]
    assert [
        b.size for b in fit(Tiger(quantizer="rqkmeans"), np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)).books[:3]
    ] == [13] * 3


def test_an_item_known_by_its_text_alone_is_named() -> None:
    """Text in, codes out, by the frozen table: the same film's text finds the same codes."""
    from llmrec.embed.text import Text

    titles = [f"Title: {word} {i}." for word in ("Alien", "Casablanca", "The Wizard of Oz") for i in range(8)]
    reader = Text(model="tiny")
    table = fit(QUICK, reader.read(titles))
    assert table.item_quantizer is not None
    assert np.array_equal(table.item_quantizer.encode(reader.read(titles[5:6])), table.items.codes[5:6, :3])
    assert table.item_quantizer.encode(reader.read(["Title: Casablanca 99."])).shape == (1, 3)


def test_bad_settings_and_missing_vectors_are_refused(twins: np.ndarray) -> None:
    for wrong, said in (
        ({"n_codes": 1}, "n_codes is 1"),
        ({"user_tokens": -1}, "at least 0"),
        ({"quantizer": "pq"}, "'rqvae' or 'rqkmeans'"),
    ):
        with pytest.raises(ValueError, match=said):
            Tiger(**wrong)  # type: ignore[arg-type]
    catalog = Catalog(pd.DataFrame({"key": ["u"]}), pd.DataFrame({"key": ["i"], "title": ["t"]}))
    none = Interactions(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), 1, 1)
    with pytest.raises(ValueError, match="tiger names by vectors and got none"):
        QUICK.fit(none, catalog, None, np.random.default_rng(0))
    assert "valid" not in inspect.signature(Tiger.fit).parameters
