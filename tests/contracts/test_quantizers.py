"""What every quantizer that a table carries must keep, whoever wrote it. A new one is tested by being registered."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest

from llmrec import registry
from llmrec.contracts import Floats, Ints, Quantizer, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.ids.vq.blocks import BLOCK
from llmrec.ids.vq.directions import Directions
from llmrec.rng import stream

MADE: dict[str, tuple[str, dict[str, Any]]] = {  # a case: a scheme and its settings
    "metaid": ("metaid", {"n_clusters": 6}),
    "metaid apart": ("metaid", {"n_clusters": 6, "clustering": "apart"}),
    "tokenrec": ("tokenrec", {"n_codes": 8, "steps": 60}),
    "tokenrec vq": ("tokenrec", {"quantizer": "vq", "n_codes": 8, "steps": 60}),
    "tokenrec kmeans": ("tokenrec", {"quantizer": "kmeans", "n_codes": 8}),
    "tokenrec rqkmeans": ("tokenrec", {"quantizer": "rqkmeans", "n_codes": 8}),
    "tokenrec rqvae": ("tokenrec", {"quantizer": "rqvae", "n_codes": 8, "steps": 60}),
    "tiger rqvae": ("tiger", {"quantizer": "rqvae", "n_codes": 8, "steps": 60}),
    "tiger rqkmeans": ("tiger", {"quantizer": "rqkmeans", "n_codes": 8}),
}
WITHOUT_A_TABLE = "kmeans by distance"
D = 12
CASES = [(case, side) for case in MADE for side in ("items", "users") if side == "items" or not case.startswith("tiger")]

quantizers = pytest.mark.parametrize(("case", "side"), [*CASES, (WITHOUT_A_TABLE, "items")])


@functools.cache
def spaced() -> Vectors:
    """Six places far apart in D coordinates and noise around them: more rows than one block, and some rows of zeros."""
    rng = np.random.default_rng(7)
    places = rng.standard_normal((6, D)) * 3
    items, users = (places[np.arange(n) % 6] + 0.3 * rng.standard_normal((n, D)) for n in (600, 540))
    items[::97] = 0
    users[::89] = 0
    return Vectors(users.astype(np.float32), items.astype(np.float32))


@functools.cache
def carried(case: str, side: str) -> tuple[Quantizer, Floats, Ints | None]:
    """The quantizer, the vectors that it was fitted on, and the table's codes of them."""
    rows = getattr(spaced(), side)
    if case == WITHOUT_A_TABLE:
        return registry.load("quantizer", "kmeans")(rows[1:7].copy(), cosine=False), rows, None
    scheme, settings = MADE[case]
    world = Checkerboard(n_users=540, n_items=600).load()
    train = LeaveOneOut().split(world.interactions, stream(0, "split")).train
    table = registry.load("scheme", scheme)(**settings).fit(train, world.catalog, spaced(), stream(0, scheme))
    found, names = (table.item_quantizer, table.items) if side == "items" else (table.user_quantizer, table.users)
    assert isinstance(found, Quantizer) and names is not None
    return found, rows, names.codes[:, : len(found.sizes)]


@pytest.mark.slow
def test_every_registered_quantizer_is_here() -> None:
    carry = [carried(*case)[0] for case in CASES]
    inside = [found.inner for found in carry if isinstance(found, Directions)]
    assert {registry.name_of("quantizer", found) for found in (*carry, *inside)} == set(registry.names("quantizer"))


@quantizers
def test_codes_have_their_shape_and_repeat_and_the_input_stays(case: str, side: str) -> None:
    quantizer, rows, named = carried(case, side)
    before = rows.copy()
    codes = quantizer.encode(rows)
    assert codes.dtype == np.int32 and codes.shape == (len(rows), len(quantizer.sizes))
    assert (codes >= 0).all() and (codes < np.array(quantizer.sizes)).all() and len(np.unique(codes[:, 0])) > 3
    assert np.array_equal(codes, quantizer.encode(rows)) and np.array_equal(rows, before)
    assert quantizer.decode(codes).shape == rows.shape and quantizer.decode(codes).dtype == np.float32
    assert named is None or np.array_equal(codes, named)  # the table's first codes are the quantizer's
    assert quantizer.encode(rows[:0]).shape == (0, len(quantizer.sizes))


@quantizers
def test_a_row_has_its_codes_alone_in_any_batch_and_in_any_order(case: str, side: str) -> None:
    quantizer, rows, _ = carried(case, side)
    assert len(rows) > BLOCK
    rows = np.concatenate([rows, _borders(quantizer, rows)])
    codes = quantizer.encode(rows)
    for size in (7, BLOCK - 1, BLOCK, BLOCK + 1):
        parts = [quantizer.encode(rows[first : first + size]) for first in range(0, len(rows), size)]
        assert np.array_equal(np.concatenate(parts), codes), size
    alone = [*range(40), *range(len(rows) - 40, len(rows))]
    assert np.array_equal(np.concatenate([quantizer.encode(rows[i : i + 1]) for i in alone]), codes[alone])
    order = np.random.default_rng(0).permutation(len(rows))
    assert np.array_equal(quantizer.encode(rows[order]), codes[order])
    assert np.array_equal(quantizer.encode(np.asfortranarray(rows)), codes)
    assert np.array_equal(quantizer.encode(rows.astype(np.float64)), codes)


def _borders(quantizer: Quantizer, rows: Floats) -> Floats:
    """Rows halved towards one another until their first codes change at the last bit: where rounding would show."""
    left, right = rows[1:120].copy(), rows[3:122].copy()
    codes = quantizer.encode(left)[:, 0]
    for _ in range(30):
        middle = np.asarray((left + right) / 2, dtype=np.float32)
        same = (quantizer.encode(middle)[:, 0] == codes)[:, None]
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    return np.concatenate([left, right])


@quantizers
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_no_vectors_are_refused_by_number(case: str, side: str, bad: float) -> None:
    quantizer, rows, _ = carried(case, side)
    rows = rows.copy()
    rows[[BLOCK + 5, BLOCK + 9], 3] = bad
    with pytest.raises(ValueError, match=f"row {BLOCK + 5} of the vectors is not finite"):
        quantizer.encode(rows)
    with pytest.raises(ValueError, match=f"fitted on rows of {D} numbers"):
        quantizer.encode(rows[:, :5])


def test_quantizers_are_frozen() -> None:
    for case in CASES:
        with pytest.raises(dataclasses.FrozenInstanceError):
            carried(*case)[0].sizes = ()  # type: ignore[misc]
