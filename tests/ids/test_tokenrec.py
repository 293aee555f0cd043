"""TokenRec's names: Tokens of their own for each side, collisions that are kept, settings that are checked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmrec import artifacts, recipe
from llmrec.contracts import Catalog, IdTable, Interactions, Token, Vectors
from llmrec.ids.tokenrec import TokenRec, scaled_codes
from llmrec.ids.vq.directions import Directions
from llmrec.ids.vq.masked import Masked, MaskedVq
from llmrec.ids.vq.product import Product
from llmrec.ids.vq.residual import Residual

OTHERS = ("vq", "kmeans", "rqkmeans", "rqvae")
QUICK = TokenRec(n_books=2, n_codes=4, hidden=16, steps=60, batch=32)


def fit(scheme: TokenRec, vectors: Vectors, seed: int = 0) -> IdTable:
    n, m = len(vectors.users), len(vectors.items)
    train = Interactions(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), n, m)
    items = pd.DataFrame({"key": [f"i{i}" for i in range(m)], "title": [f"t{i}" for i in range(m)]})
    return scheme.fit(train, Catalog(pd.DataFrame({"key": [f"u{i}" for i in range(n)]}), items), vectors, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    rng = np.random.default_rng(0)
    items = rng.standard_normal((30, 6)).astype(np.float32)
    items[20] = items[3] * 5  # the same direction
    items[29] = 0  # nothing is known of it
    return Vectors(rng.standard_normal((24, 6)).astype(np.float32), items)


@pytest.fixture(scope="module")
def table(vectors: Vectors) -> IdTable:
    return fit(QUICK, vectors)


def test_each_side_has_books_and_a_quantizer_of_its_own(table: IdTable, vectors: Vectors) -> None:
    assert table.users is not None and isinstance(table.item_quantizer, Masked) and isinstance(table.user_quantizer, Masked)
    i, j = table.items.codes[5]
    assert table.items.spell(5) == (Token(f"<i0_{i}>"), Token(f"<i1_{j}>"))
    u, v = table.users.codes[5]
    assert table.users.spell(5) == (Token(f"<u0_{u}>"), Token(f"<u1_{v}>"))
    assert len(table.tokens) == 2 * 2 * 4 and table.features is None
    np.testing.assert_array_equal(table.items.codes, table.item_quantizer.encode(vectors.items))
    np.testing.assert_array_equal(table.users.codes, table.user_quantizer.encode(vectors.users))


def test_collisions_stay_and_nobody_goes_without_a_name(table: IdTable) -> None:
    np.testing.assert_array_equal(table.items.codes[3], table.items.codes[20])
    assert (table.items.codes >= 0).all()


def test_another_seed_names_otherwise(vectors: Vectors, table: IdTable) -> None:
    assert not np.array_equal(table.items.codes, fit(QUICK, vectors, seed=1).items.codes)


def test_fewer_rows_than_codes_make_smaller_books() -> None:
    rng = np.random.default_rng(1)
    few = fit(
        dataclasses.replace(QUICK, n_codes=64), Vectors(rng.standard_normal((3, 4), np.float32), rng.standard_normal((5, 4), np.float32))
    )
    assert [book.size for book in few.books] == [5, 5, 3, 3]
    nothing = fit(QUICK, Vectors(np.zeros((3, 4), np.float32), np.zeros((5, 4), np.float32)))
    assert len(np.unique(nothing.items.codes, axis=0)) == 1


def test_codes_scale_with_the_catalogue() -> None:
    assert [scaled_codes(n) for n in (1, 30, 943, 1682, 3646, 12_101, 22_363, 10**6)] == [4, 16, 128, 128, 256, 512, 512, 1024]


def test_settings_are_those_of_the_quantizer_and_checked() -> None:
    shared = {f.name: f.default for f in dataclasses.fields(MaskedVq)} | {"n_codes": None, "quantizer": "masked"}
    assert {f.name: f.default for f in dataclasses.fields(TokenRec)} == shared
    for wrong in ({"mask": 1.0}, {"n_books": 0}, {"n_codes": 0}, {"lr": 0.0}, {"beta": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            TokenRec(**wrong)  # type: ignore[arg-type]
    assert TokenRec(2, 4, 0.1) == TokenRec(n_books=2, n_codes=4, mask=0.1)  # by place as before there was a choice of quantizers
    with pytest.raises(ValueError, match="lightgcn"):
        TokenRec().fit(None, None, None, np.random.default_rng(0))  # type: ignore[arg-type]


@pytest.mark.parametrize("quantizer", OTHERS)
def test_what_is_wrong_is_told_in_the_recipe_s_words_whoever_quantizes(quantizer: Any) -> None:
    wrong = {"n_books": 0, "n_codes": 0} | ({"hidden": 0, "steps": 0, "lr": 0.0, "beta": -0.1} if quantizer in ("vq", "rqvae") else {})
    for name, value in wrong.items():
        with pytest.raises(ValueError, match=f"tokenrec: {name} is {value}, but must be"):
            TokenRec(quantizer=quantizer, **{name: value})  # type: ignore[arg-type]


def test_the_default_is_the_masked_quantizer_to_the_bit(vectors: Vectors) -> None:
    """Items are learned first, users after them, from one stream."""
    rng = np.random.default_rng(0)
    by_hand = [MaskedVq(2, 4, hidden=16, steps=60, batch=32).fit(rows, rng).encode(rows) for rows in (vectors.items, vectors.users)]
    table = fit(QUICK, vectors)
    assert table.users is not None
    np.testing.assert_array_equal(table.items.codes, by_hand[0])
    np.testing.assert_array_equal(table.users.codes, by_hand[1])


def quick(quantizer: Any) -> TokenRec:
    """The same size of names, by another quantizer; nets as small as `QUICK`'s where there are nets."""
    nets = {"hidden": 16, "steps": 60, "batch": 32} if quantizer in ("vq", "rqvae") else {}
    return TokenRec(2, 4, quantizer=quantizer, **nets)  # type: ignore[arg-type]


@pytest.mark.parametrize("quantizer", OTHERS)
def test_other_quantizers_give_names_of_the_same_size_by_direction_alone(quantizer: str, vectors: Vectors, tmp_path: Path) -> None:
    table = fit(quick(quantizer), vectors)
    assert table.users is not None and table.user_quantizer is not None and table.item_quantizer is not None
    assert table.books == fit(QUICK, vectors).books  # as many Tokens, spelled alike
    np.testing.assert_array_equal(table.items.codes[3], table.items.codes[20])  # the same direction
    np.testing.assert_array_equal(table.users.codes, table.user_quantizer.encode(vectors.users * 7))
    again = artifacts.load(IdTable, artifacts.save(table, tmp_path / "ids"))
    assert again.user_quantizer is not None
    np.testing.assert_array_equal(again.user_quantizer.encode(vectors.users), table.users.codes)
    np.testing.assert_array_equal(again.user_quantizer.decode(table.users.codes), table.user_quantizer.decode(table.users.codes))


def test_vq_is_the_masked_quantizer_without_a_mask(vectors: Vectors) -> None:
    np.testing.assert_array_equal(fit(quick("vq"), vectors).items.codes, fit(dataclasses.replace(QUICK, mask=0.0), vectors).items.codes)


def test_kmeans_names_each_part_by_its_nearest_centre(vectors: Vectors) -> None:
    """By hand: directions, cut into two halves, each to the nearest of its book."""
    table = fit(quick("kmeans"), vectors)
    assert isinstance(table.item_quantizer, Directions) and isinstance(table.item_quantizer.inner, Product)
    one, two = table.item_quantizer.inner.books
    for row, codes in zip(vectors.items, table.items.codes, strict=True):
        unit = row / np.linalg.norm(row) if row.any() else row
        for part, book, code in ((unit[:3], one, codes[0]), (unit[3:], two, codes[1])):
            far = ((book - part) ** 2).sum(axis=1)
            assert far[code] <= far.min() + 1e-6


@pytest.mark.parametrize("quantizer", ["rqkmeans", "rqvae"])
def test_residual_codes_see_all_coordinates_in_one_measure_as_the_masked_ones_do(quantizer: str, vectors: Vectors) -> None:
    """Directions of which one coordinate hardly varies: it counts for as little as it says, and is not blown up to the others."""
    uneven = Vectors(vectors.users, vectors.items * np.array([1, 1, 1, 1, 1, 0.01], np.float32))
    residual = fit(quick(quantizer), uneven).item_quantizer
    masked = fit(QUICK, uneven).item_quantizer
    assert isinstance(residual, Directions) and isinstance(residual.inner, Residual) and isinstance(masked, Masked)
    assert len(np.unique(residual.inner.scale)) == 1 and residual.inner.scale.shape == (6,)
    np.testing.assert_allclose(residual.inner.scale[:1], masked.scale, rtol=1e-5)
    np.testing.assert_allclose(residual.inner.mean, masked.mean, atol=1e-6)


def test_a_setting_that_the_quantizer_does_not_have_is_refused() -> None:
    for quantizer, name in (("vq", "mask"), ("kmeans", "steps"), ("rqkmeans", "beta"), ("rqvae", "mask")):
        with pytest.raises(ValueError, match=f"'{quantizer}' has no such setting: leave {name} out"):
            TokenRec(quantizer=quantizer, **{name: 0.5 if name != "steps" else 7})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="quantizer is 'pq'"):
        TokenRec(quantizer="pq")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="take fewer books"):
        TokenRec(7, 4, quantizer="kmeans").fit(
            None, None, Vectors(np.ones((3, 4), np.float32), np.ones((5, 4), np.float32)), np.random.default_rng(0)
        )  # type: ignore[arg-type]


@pytest.mark.parametrize("quantizer", OTHERS)
def test_shipped_recipes_differ_from_the_sketch_in_the_quantizer_alone(quantizer: str) -> None:
    recipes = Path(__file__).parents[2] / "benchmarks" / "recipes"
    sketch, other = (recipe.load(recipes / name) for name in ("tokenrec-ml-100k-sketch.toml", f"codes/{quantizer}-ml-100k-sketch.toml"))
    assert other.scheme.quantizer == quantizer
    assert dataclasses.replace(other.scheme, quantizer="masked", lr=sketch.scheme.lr) == sketch.scheme
    assert dataclasses.replace(other, scheme=sketch.scheme, name=sketch.name) == sketch
