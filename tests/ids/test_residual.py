"""Residual quantizers: codes by hand, purity, the loss and its gradients against plain arithmetic, learning."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from llmrec import artifacts
from llmrec.contracts import Book, IdTable, Names, Quantizer
from llmrec.ids.vq.residual import Residual, RqKMeans, standard
from llmrec.ids.vq.rqvae import Net, RqVae, layers

SMALL = RqVae(n_levels=2, n_codes=6, hidden=(32,), latent=4, steps=200, batch=64, rate=1e-2)


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    """300 rows around 3 far places, each with 4 near ones, in 8 coordinates of very different spread around a large mean."""
    rng = np.random.default_rng(3)
    far, near = rng.standard_normal((3, 8)) * 10, rng.standard_normal((4, 8)) * 2
    i = np.arange(300)
    rows = far[i % 3] + near[(i // 3) % 4] + 0.1 * rng.standard_normal((300, 8))
    return (rows * np.logspace(-2, 2, 8) + 500).astype(np.float32)


@pytest.fixture(scope="module")
def made(blobs: np.ndarray) -> dict[str, Residual]:
    return {"kmeans": RqKMeans(2, 6).fit(blobs, np.random.default_rng(0)), "vae": SMALL.fit(blobs, np.random.default_rng(0))}


def error(quantizer: Residual, rows: np.ndarray) -> float:
    """Share of the scaled rows' squares that the codes do not tell."""
    lost = (quantizer.decode(quantizer.encode(rows)) - rows) / quantizer.scale
    return float((lost**2).sum() / (((rows - quantizer.mean) / quantizer.scale) ** 2).sum())


def test_codes_by_hand() -> None:
    """mean (1, 2), scale (1, 2): the row (4.2, 8) is (3.2, 3); nearest to (3, 3), which leaves (.2, 0); nearest to (0, 0)."""
    f = np.float32
    books = (np.array([[0, 0], [3, 3]], f), np.array([[0, 0], [1, 0], [0, -1]], f))
    quantizer = Residual(np.array([1, 2], f), np.array([1, 2], f), books)
    rows = np.array([[4.2, 8], [1, 2], [2.1, 2], [4, 6]], f)
    codes = quantizer.encode(rows)
    assert codes.tolist() == [[1, 0], [0, 0], [0, 1], [1, 2]] and codes.dtype == np.int32
    np.testing.assert_allclose(quantizer.decode(codes), [[4, 8], [1, 2], [2, 2], [4, 6]])
    assert quantizer.sizes == (2, 3) and isinstance(quantizer, Quantizer)


def test_codes_through_an_encoder_by_hand() -> None:
    """One hidden ReLU that keeps what is positive, then a sum; the decoder doubles."""
    f = np.float32
    encoder = (np.eye(2, dtype=f), np.array([0, -1], f), np.array([[1], [1]], f), np.array([0], f))
    decoder = (np.array([[2, 2]], f), np.array([0, 1], f))
    quantizer = Residual(np.zeros(2, f), np.ones(2, f), (np.array([[0], [4]], f),), encoder, decoder)
    codes = quantizer.encode(np.array([[3, 3], [-5, 2], [0, 4]], f))  # relu(3) + relu(2) = 5; 0 + 1 = 1; 0 + 3 = 3
    assert codes.tolist() == [[1], [0], [1]]
    np.testing.assert_allclose(quantizer.decode(codes), [[8, 9], [0, 1], [8, 9]])


@pytest.mark.parametrize("kind", ["kmeans", "vae"])
def test_encoding_is_pure_and_the_same_in_any_batch(kind: str, made: dict[str, Residual], blobs: np.ndarray) -> None:
    quantizer, before = made[kind], blobs.copy()
    codes = quantizer.encode(blobs)
    assert np.array_equal(codes, quantizer.encode(blobs)) and np.array_equal(blobs, before)
    assert np.array_equal(codes, np.concatenate([quantizer.encode(blobs[i : i + 1]) for i in range(300)]))
    assert np.array_equal(codes[::-1], quantizer.encode(blobs[::-1]))
    assert quantizer.encode(blobs[:0]).shape == (0, 2) and quantizer.decode(codes[:0]).shape == (0, 8)
    with pytest.raises(ValueError, match="rows of 8 numbers"):
        quantizer.encode(blobs[:, :5])


@pytest.mark.parametrize("kind", ["kmeans", "vae"])
def test_codes_tell_the_rows_and_the_first_tells_the_far_places(kind: str, made: dict[str, Residual], blobs: np.ndarray) -> None:
    codes = made[kind].encode(blobs)
    assert error(made[kind], blobs) < 0.1
    for code in np.unique(codes[:, 0]):
        assert len(set((np.flatnonzero(codes[:, 0] == code) % 3).tolist())) == 1
    assert all(len(np.unique(codes[:, level])) >= 4 for level in range(2))


@pytest.mark.parametrize("maker", [RqKMeans(2, 6), SMALL], ids=["kmeans", "vae"])
def test_the_same_generator_makes_the_same_and_input_stays(maker: RqKMeans | RqVae, blobs: np.ndarray, tmp_path: Path) -> None:
    before = blobs.copy()
    a, b, c = (maker.fit(blobs, np.random.default_rng(seed)) for seed in (1, 1, 2))
    parts = lambda q: [q.mean, q.scale, *q.books, *q.encoder, *q.decoder]  # noqa: E731
    assert all(np.array_equal(x, y) for x, y in zip(parts(a), parts(b), strict=True)) and np.array_equal(blobs, before)
    assert not np.array_equal(a.books[0], c.books[0])
    table = IdTable("x", Names(a.encode(blobs), (Book("a", 6), Book("b", 6))), item_quantizer=a)
    again = artifacts.load(IdTable, artifacts.save(table, tmp_path / "ids")).item_quantizer
    assert isinstance(again, Residual)
    assert np.array_equal(again.encode(blobs), a.encode(blobs)) and np.array_equal(
        again.decode(table.items.codes), a.decode(table.items.codes)
    )


def test_the_loss_is_the_papers() -> None:
    """Against NumPy, level by level, on random weights."""
    draw = torch.Generator().manual_seed(0)
    rng = np.random.default_rng(0)
    books = [torch.from_numpy(rng.standard_normal((5, 3)).astype(np.float32)).requires_grad_() for _ in range(2)]
    net = Net(layers([4, 6, 3], draw), layers([3, 6, 4], draw), books)
    x = rng.standard_normal((7, 4))
    total, codes = net.loss(torch.from_numpy(x.astype(np.float32)), beta=0.25)

    def pass_through(rows: np.ndarray, stack: list[torch.Tensor]) -> np.ndarray:
        w1, b1, w2, b2 = (t.detach().double().numpy() for t in stack)
        return np.maximum(rows @ w1 + b1, 0) @ w2 + b2

    expected = 0.0
    for i, z in enumerate(pass_through(x, net.encoder)):
        left, chosen = z.copy(), np.zeros(3)
        for level, book in enumerate(b.detach().double().numpy() for b in books):
            code = min(range(5), key=lambda k: float(((left - book[k]) ** 2).sum()))
            assert int(codes[level][i]) == code
            expected += 1.25 * float(((left - book[code]) ** 2).sum()) / 7
            left, chosen = left - book[code], chosen + book[code]
        expected += float(((pass_through(chosen[None], net.decoder)[0] - x[i]) ** 2).sum()) / 7
    assert float(total.detach()) == pytest.approx(expected, rel=1e-5)


def test_encoder_decoder_and_every_book_receive_their_gradients() -> None:
    """One linear layer each way, one code at hand: straight through, the encoder gets the decoder's gradient and beta's."""
    eye = torch.eye(2)
    net = Net(
        [eye.clone().requires_grad_(), torch.zeros(2, requires_grad=True)],
        [eye.clone().requires_grad_(), torch.zeros(2, requires_grad=True)],
    )
    net.books = [torch.tensor([[1.0, 0.0]], requires_grad=True)]
    net.loss(torch.tensor([[2.0, 1.0]]), beta=0.5)[0].backward()
    # y - x = (-1, -1), z - e = (1, 1): d/dz = 2 (y - x) + 2 beta (z - e) = (-1, -1); d/de = 2 (e - z) = (-2, -2), nothing from y
    torch.testing.assert_close(net.encoder[1].grad, torch.tensor([-1.0, -1.0]))
    torch.testing.assert_close(net.books[0].grad, torch.tensor([[-2.0, -2.0]]))
    torch.testing.assert_close(net.decoder[1].grad, torch.tensor([-2.0, -2.0]))


def test_a_dead_code_moves_to_a_row() -> None:
    net = Net([], [], [torch.tensor([[0.0, 0.0], [90.0, 90.0]])])
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    net.revive(rows, [np.array([True, False])], np.random.default_rng(0))
    assert net.books[0][0].tolist() == [0, 0] and net.books[0][1].tolist() in rows.tolist()


def test_training_beats_frozen_random_weights(blobs: np.ndarray, made: dict[str, Residual]) -> None:
    untrained = RqVae(n_levels=2, n_codes=6, hidden=(32,), latent=4, steps=1).fit(blobs, np.random.default_rng(0))
    assert error(made["vae"], blobs) < 0.5 * error(untrained, blobs)


def test_few_and_equal_rows_make_what_they_can() -> None:
    rows = np.tile(np.array([[1, 2, 3]], np.float32), (4, 1))
    for maker in (RqKMeans(3, 8), RqVae(3, 8, hidden=(4,), latent=2, steps=12)):
        quantizer = maker.fit(rows, np.random.default_rng(0))
        assert quantizer.sizes == (4, 4, 4)
        np.testing.assert_allclose(quantizer.decode(quantizer.encode(rows)), rows, atol=0.5)


def test_many_wide_rows_are_not_held_twice() -> None:
    """A million text vectors are 2.3 GB: all is done part by part, and a sample makes the books."""
    rows = np.random.default_rng(0).standard_normal((40_000, 256), dtype=np.float32) + 3
    tracemalloc.start()
    quantizer = RqKMeans(2, 4, restarts=1).fit(rows, np.random.default_rng(0))
    quantizer.encode(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * rows.nbytes
    np.testing.assert_allclose(quantizer.mean, rows.mean(0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(quantizer.scale, rows.std(0, dtype=np.float64), rtol=1e-6)


def test_what_cannot_be_quantized_is_refused() -> None:
    with pytest.raises(ValueError, match="vector 1 is not finite"):
        standard(np.array([[0, 1], [np.nan, 0]], np.float32))
    with pytest.raises(ValueError, match="no vectors to quantize"):
        standard(np.zeros((0, 3), np.float32))
    with pytest.raises(ValueError, match="n_codes is 0"):
        RqVae(n_codes=0)
    with pytest.raises(ValueError, match=r"hidden is \(8, 0\)"):
        RqVae(hidden=(8, 0))
    with pytest.raises(ValueError, match="n_levels is 0"):
        RqKMeans(n_levels=0)
    with pytest.raises(ValueError, match="beta -1"):
        RqVae(beta=-1)
