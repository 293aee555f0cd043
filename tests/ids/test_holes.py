"""A vector with holes: what the masked quantizer makes of it agrees with `encode`, and kept codes are counted right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from llmrec.contracts import Floats, Ints
from llmrec.ids.vq import holes
from llmrec.ids.vq.directions import Directions, directions
from llmrec.ids.vq.kmeans import Centroids
from llmrec.ids.vq.masked import Masked


def drawn(d: int = 6, k: int = 2, codes: int = 5, hidden: int = 4) -> Masked:
    """A quantizer that learned nothing."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Floats:
        return rng.standard_normal(shape).astype(np.float32)

    encoders = normal(k, d, hidden), normal(k, hidden), normal(k, hidden, d), normal(k, d)
    return Masked(
        normal(d) / 5, np.ones(1, np.float32) / 3, encoders, normal(k, codes, d), (normal(d, 4), normal(4), normal(4, d), normal(d))
    )


ROWS = np.random.default_rng(1).standard_normal((40, 6)).astype(np.float32)


def test_without_holes_codes_and_words_are_those_of_the_quantizer() -> None:
    q = drawn()
    codes = q.encode(ROWS)
    for row, own in zip(ROWS, codes, strict=True):
        look = holes.look(q, row, np.zeros(6, dtype=bool))
        assert look.codes.tolist() == own.tolist()
        back = look.told * q.scale + q.mean
        assert np.allclose(back, q.decode(own[None])[0], atol=1e-5)


def test_a_look_by_hand() -> None:
    """One book, identity nets: the hidden number reads as the mean, and the nearest codeword is found on paper."""
    eye, zero = np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32)
    book = np.asarray([[[0.0, 0.0], [0.0, 0.8]]], dtype=np.float32)
    q = Masked(zero, np.ones(1, np.float32), (eye[None], zero[None], eye[None], zero[None]), book, (eye, zero, eye, zero))
    row = np.asarray([6.0, 8.0], dtype=np.float32)  # of length 10, so (0.6, 0.8)
    look = holes.look(q, row, np.asarray([True, False]))
    assert look.row.tolist() == pytest.approx([0.6, 0.8])
    assert look.said[0].tolist() == pytest.approx([0.0, 0.8])
    assert look.codes.tolist() == [1] and look.far[0].tolist() == pytest.approx([0.8, 0.0])
    assert look.told.tolist() == pytest.approx([0.0, 0.8])


def test_what_is_hidden_changes_nothing_that_is_said() -> None:
    q, hidden = drawn(), np.asarray([True, False, True, False, False, False])
    other = directions(ROWS[:1])[0]
    one = holes.look(q, ROWS[0], hidden)
    said = holes.kept(q, q.mean, ROWS[:1], np.broadcast_to(hidden, (1, 3, 6)))
    whole = q.encode(ROWS[:1])[0]
    assert (said == (one.codes == whole)).all() and np.isclose(np.linalg.norm(other), 1)


@dataclass(frozen=True)
class Signs:
    """Codes by the sign of the first two numbers: an oracle that needs no arithmetic."""

    sizes: tuple[int, ...] = (2, 2)

    def encode(self, rows: Floats) -> Ints:
        return (rows[:, :2] > 0).astype(np.int32)

    def decode(self, codes: Ints) -> Floats:
        raise AssertionError("nobody asks for it")


@pytest.mark.parametrize("wrapped", [False, True])
def test_kept_codes_are_counted_one_by_one(wrapped: bool) -> None:
    rows = np.asarray([[3.0, -4.0], [5.0, 12.0]], dtype=np.float32)
    mean = np.asarray([1.0, -1.0], dtype=np.float32)  # a hole makes the first number positive and the second negative
    hidden = np.zeros((2, 2, 2), dtype=bool)
    hidden[0, 0, 0] = hidden[1, 1] = True
    signs = Signs()
    got = holes.kept(Directions(signs) if wrapped else signs, mean, rows, hidden)
    assert got.tolist() == [[[True, True], [True, True]], [[True, True], [True, False]]]


def test_nothing_hidden_keeps_everything_and_rows_stay_as_they_are() -> None:
    before = ROWS.copy()
    for quantizer in (drawn(), Directions(Centroids(ROWS[:4]))):
        assert holes.kept(quantizer, np.zeros(6, np.float32), ROWS, np.zeros((40, 2, 6), dtype=bool)).all()
    assert (before == ROWS).all()


def test_a_share_of_numbers_is_hidden() -> None:
    rng = np.random.default_rng(0)
    assert not holes.drawn((5, 7), 0.0, rng).any()
    assert abs(holes.drawn((200, 100), 0.3, rng).mean() - 0.3) < 0.02
