"""The masked quantizer against plain NumPy: loss, one step of learning, masks, purity, codes that live; the faults of the release."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import quantizers
from llmrec import artifacts
from llmrec.contracts import Book, Dataset, IdTable, Names, Quantizer
from llmrec.ids.vq import blocks
from llmrec.ids.vq.masked import Masked, MaskedVq, Net, draw_mask, masked_loss, revive, standardise

K, L, D, H, B = 2, 5, 3, 4, 6
BETA = 0.25


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small_net(seed: int = 0) -> Net:
    g = generator(seed)
    net = Net.drawn(D, H, K, g)
    for bias in (net.encoders[1], net.encoders[3], net.decoder[1], net.decoder[3]):
        bias.add_(0.3 * torch.randn(bias.shape, generator=g))
    net.books = torch.randn(K, L, D, generator=g)
    return net


def tensors(net: Net) -> list[torch.Tensor]:
    assert net.books is not None
    return [*net.encoders, *net.decoder, net.books]


def plain(weights: list[np.ndarray], rows: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the encoders say, (K, b, d), and the nearest codes, (K, b), row by row and code by code."""
    w1, b1, w2, b2, *_, books = weights
    said = np.zeros((K, len(rows), D))
    codes = np.zeros((K, len(rows)), dtype=int)
    for k in range(K):
        for i in range(len(rows)):
            said[k, i] = np.maximum((rows[i] * seen[i]) @ w1[k] + b1[k, 0], 0) @ w2[k] + b2[k, 0]
            codes[k, i] = min(range(L), key=lambda j: float(((said[k, i] - books[k, j]) ** 2).sum()))
    return said, codes


def plain_loss(weights: list[np.ndarray], rows: np.ndarray, seen: np.ndarray, stopped: tuple[np.ndarray, ...] | None = None) -> float:
    """The loss. `stopped` (said, words, codes of before the step): what sg[] holds fast, so that differences of this are the gradient."""
    said, codes = plain(weights, rows, seen)
    *_, v1, u1, v2, u2, books = weights
    words = np.stack([books[k][codes[k]] for k in range(K)])
    old_said, old_words = said, words
    if stopped is not None:
        old_said, old_words, codes = stopped
        words = np.stack([books[k][codes[k]] for k in range(K)])
    total = 0.0
    for i in range(len(rows)):
        mean = sum(said[k, i] + (old_words[k, i] - old_said[k, i]) for k in range(K)) / K  # mean, not sum; straight through
        told = np.maximum(mean @ v1 + u1, 0) @ v2 + u2
        total += ((rows[i] - told) ** 2).sum()  # the whole row
        for k in range(K):
            total += ((old_said[k, i] - words[k, i]) ** 2).sum() + BETA * ((said[k, i] - old_words[k, i]) ** 2).sum()
    return total / len(rows)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(B, D, generator=generator(7)), draw_mask((B, D), 0.4, generator(8))


def test_the_loss_is_the_papers(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    rows, hidden = batch
    net = small_net()
    loss, said, codes = masked_loss(net, rows, hidden, BETA)
    weights = [t.double().numpy() for t in tensors(net)]
    expected, nearest = plain(weights, rows.double().numpy(), ~hidden.numpy())
    np.testing.assert_allclose(said.numpy(), expected, atol=1e-5)
    np.testing.assert_array_equal(codes.numpy(), nearest)
    assert float(loss) == pytest.approx(plain_loss(weights, rows.double().numpy(), ~hidden.numpy()), rel=1e-5)


def test_one_step_is_the_one_computed_by_hand(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Gradients from differences of the loss with sg[] held fast; Adam's first step is lr * g / (|g| + 1e-8). Every encoder moves."""
    rows, hidden = batch
    net = small_net()
    weights = [t.double().numpy().copy() for t in tensors(net)]
    x, seen = rows.double().numpy(), ~hidden.numpy()
    said, codes = plain(weights, x, seen)
    stopped = (said, np.stack([weights[-1][k][codes[k]] for k in range(K)]), codes)
    optimizer = torch.optim.AdamW([t.requires_grad_() for t in tensors(net)], lr=0.01, weight_decay=0)
    masked_loss(net, rows, hidden, BETA)[0].backward()
    optimizer.step()
    for w, tensor in zip(weights, tensors(net), strict=True):
        gradient = np.zeros_like(w)
        for place in np.ndindex(w.shape):
            kept, ends = w[place], []
            for nudge in (1e-6, -1e-6):
                w[place] = kept + nudge
                ends.append(plain_loss(weights, x, seen, stopped))
            w[place] = kept
            gradient[place] = (ends[0] - ends[1]) / 2e-6
        assert tensor.grad is not None
        np.testing.assert_allclose(tensor.grad.numpy(), gradient, atol=2e-4)
        clear = np.abs(gradient) > 1e-3
        np.testing.assert_allclose(tensor.detach().numpy()[clear], (w - 0.01 * gradient / (np.abs(gradient) + 1e-8))[clear], atol=1e-5)
    for weight in (net.encoders[0], net.encoders[2]):
        assert weight.grad is not None and (weight.grad.abs().amax((1, 2)) > 1e-3).all()  # the release's encoders get none


def test_every_row_has_a_mask_of_its_own_and_keeps_its_numbers(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    """The release draws one mask for the batch, into its row 0."""
    hidden = draw_mask((4000, 64), 0.2, generator())
    assert len(torch.unique(hidden, dim=0)) == 4000
    assert float(hidden.float().mean()) == pytest.approx(0.2, abs=0.005)
    assert (hidden.float().mean(0) - 0.2).abs().max() < 0.03
    rows, few = batch
    before = rows.clone()
    masked_loss(small_net(), rows, few, BETA)
    assert torch.equal(rows, before)
    assert not draw_mask((5, 5), 0.0, generator()).any()


def test_codes_that_nobody_used_move_to_what_the_encoders_say() -> None:
    net = small_net()
    assert net.books is not None
    before = net.books.clone()
    used = torch.tensor([[1, 0, 3, 0, 2], [1, 1, 1, 1, 1]])
    said = torch.randn(K, B, D, generator=generator(3))
    revive(net.books, used, said, generator())
    moved = (net.books != before).any(2)
    assert moved.tolist() == [[False, True, False, True, False], [False] * L]
    for code in (1, 3):
        assert any(torch.equal(net.books[0, code], row) for row in said[0])


def clusters(n: int = 400, seed: int = 0) -> np.ndarray:
    """Rows that a product of two choices of 12 each explains, and a little noise."""
    rng = np.random.default_rng(seed)
    one, two = rng.standard_normal((2, 12, 16))
    x = one[rng.integers(12, size=n)] + two[rng.integers(12, size=n)] + 0.1 * rng.standard_normal((n, 16))
    return x.astype(np.float32)


QUICK = MaskedVq(n_books=2, n_codes=16, hidden=48, steps=500, batch=128)


def error(quantizer: Masked, rows: np.ndarray) -> float:
    truth, told = (
        (x - quantizer.mean) / quantizer.scale
        for x in (rows / np.linalg.norm(rows, axis=1, keepdims=True), quantizer.decode(quantizer.encode(rows)))
    )
    return float(((truth - told) ** 2).sum() / ((truth - truth.mean(0)) ** 2).sum())


@pytest.fixture(scope="module")
def learned() -> Masked:
    return QUICK.fit(clusters(), np.random.default_rng(0))


def test_it_learns_and_its_books_are_used(learned: Masked) -> None:
    rows = clusters()
    frozen = QUICK.fit(rows, np.random.default_rng(0), frozen=True)
    assert error(learned, rows) < 0.8 * error(frozen, rows)
    assert error(learned, rows) < 0.35
    codes = learned.encode(rows)
    assert all(len(np.unique(codes[:, k])) > 0.8 * 16 for k in range(2))


def test_frozen_encoders_stay_as_drawn() -> None:
    seed = int(np.random.default_rng(0).integers(2**62))
    drawn = Net.drawn(16, 48, 2, generator(seed))
    frozen = QUICK.fit(clusters(), np.random.default_rng(0), frozen=True)
    np.testing.assert_array_equal(frozen.encoders[0], drawn.encoders[0].numpy())
    assert not np.array_equal(frozen.decoder[0], drawn.decoder[0].numpy())


def test_encoding_is_pure_and_a_row_does_not_hang_on_its_company(learned: Masked) -> None:
    """Bit for bit, also on rows drawn to the border of two codes. The release's `encode` changes its input."""
    rows = np.concatenate([clusters(1200, seed=5), np.zeros((1, 16), np.float32)])
    before = rows.copy()
    whole = learned.encode(rows)
    assert whole.dtype == np.int32 and whole.shape == (1201, 2) and whole.min() >= 0 and whole.max() < 16
    np.testing.assert_array_equal(rows, before)
    np.testing.assert_array_equal(learned.encode(rows), whole)
    for size in (1, 7, 512, 700):
        parts = [learned.encode(rows[i : i + size]) for i in range(0, 140 if size == 1 else len(rows), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole[: sum(map(len, parts))])
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_array_equal(learned.encode(rows[order]), whole[order])
    np.testing.assert_array_equal(learned.encode(rows * np.float32(4)), whole)  # direction alone counts; times 4 is exact
    assert learned.encode(rows[:0]).shape == (0, 2)


def test_threads_may_encode_at_once(learned: Masked) -> None:
    rows = clusters(1500, seed=6)
    whole, found = learned.encode(rows), []
    threads = [threading.Thread(target=lambda: found.append(learned.encode(rows))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(np.array_equal(codes, whole) for codes in found)


def test_decoding_reads_the_mean_of_the_codewords(learned: Masked) -> None:
    v1, u1, v2, u2 = learned.decoder
    mean = (learned.books[0][3] + learned.books[1][7]) / 2
    expected = (np.maximum(mean @ v1 + u1, 0) @ v2 + u2) * learned.scale + learned.mean
    np.testing.assert_allclose(learned.decode(np.array([[3, 7]], dtype=np.int32))[0], expected, atol=1e-5)


def test_encoding_in_numpy_is_the_nets(learned: Masked) -> None:
    w1, b1, w2, b2 = (torch.from_numpy(w) for w in learned.encoders)
    net = Net([w1, b1[:, None], w2, b2[:, None]], [torch.from_numpy(w) for w in learned.decoder], torch.from_numpy(learned.books))
    rows = clusters(300, seed=2)
    codes = net.codes(net.says(torch.from_numpy(standardise(rows, learned.mean, learned.scale)))).numpy().T
    assert (codes == learned.encode(rows)).mean() > 0.995  # other shapes round otherwise


def test_the_same_rng_gives_the_same_arrays_which_survive_saving(learned: Masked, tmp_path: Path) -> None:
    state = torch.random.get_rng_state()
    again = QUICK.fit(clusters(), np.random.default_rng(0))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert artifacts.fingerprint(again) == artifacts.fingerprint(learned)
    assert artifacts.fingerprint(QUICK.fit(clusters(), np.random.default_rng(1))) != artifacts.fingerprint(learned)
    rows = clusters(50, seed=3)
    table = IdTable("t", Names(learned.encode(rows), (Book("a", 16), Book("b", 16))), item_quantizer=learned)
    back = artifacts.load(IdTable, artifacts.save(table, tmp_path / "ids")).item_quantizer
    assert isinstance(back, Masked) and isinstance(back, Quantizer) and back.sizes == (16, 16)
    np.testing.assert_array_equal(back.encode(rows), table.items.codes)
    np.testing.assert_array_equal(back.decode(table.items.codes), learned.decode(table.items.codes))


def test_wrong_rows_are_refused(learned: Masked) -> None:
    with pytest.raises(ValueError, match="rows of 16 numbers"):
        learned.encode(np.zeros((2, 5), np.float32))
    with pytest.raises(ValueError, match="not finite"):
        QUICK.fit(np.full((4, 3), np.nan, np.float32), np.random.default_rng(0))


def test_zeros_teach_nothing() -> None:
    rows = clusters(60)
    short = MaskedVq(n_books=2, n_codes=4, hidden=8, steps=30, batch=16)
    with_zeros = np.concatenate([rows, np.zeros((40, 16), np.float32)])
    a, b = short.fit(rows, np.random.default_rng(0)), short.fit(with_zeros, np.random.default_rng(0))
    assert artifacts.fingerprint(a) == artifacts.fingerprint(b)
    assert blocks.BLOCK > 100  # the one block of this file's small cases is filled up


RESIDUAL = "K books on what is left (residual)"


def test_what_was_measured_is_what_the_pages_say() -> None:
    """Of all that was compared, on every data set: residual k-means keeps most, the masked quantizer comes next on held-out items."""
    for data, found in json.loads(quantizers.OUT.read_text(encoding="utf-8"))["results"].items():
        masked, others = found["masked"], {**found["k-means"], "frozen": found["frozen encoders"]}
        residual = others.pop(RESIDUAL)
        for what in ("fitted", "held_out"):
            assert residual[what] < masked[what] < min(other[what] for other in others.values()), (data, what)
        assert residual["neighbours"] > masked["neighbours"] > max(other["neighbours"] for other in others.values()), data


def test_every_data_set_of_the_benchmark_has_its_own_name() -> None:
    assert quantizers.named(["ml-100k", "lastfm=a/b.txt", "beauty=c=d.txt"]) == {"ml-100k": "", "lastfm": "a/b.txt", "beauty": "c=d.txt"}
    with pytest.raises(ValueError, match="two data sets are called 'lastfm'"):
        quantizers.named(["lastfm=a", "lastfm=b"])
    for nameless in ("user_sequence.txt", "=a", "lastfm=", "ml-100k=a"):
        with pytest.raises(ValueError, match="neither ml-100k nor NAME=PATH"):
            quantizers.named([nameless])


@pytest.mark.slow
def test_on_real_vectors_it_beats_frozen_encoders_and_k_means_but_residual_k_means(ml100k: Dataset) -> None:
    """LightGCN's items of MovieLens-100K, half of the default steps; the figures of all of them are in benchmarks/measured."""
    rows = quantizers.vectors(ml100k)
    held, fitted = rows[::5], np.concatenate([rows[i::5] for i in range(1, 5)])
    settings = MaskedVq(n_codes=128, steps=750)
    learned, frozen = (quantizers.measure(settings, fitted, held, frozen=f) for f in (False, True))
    beaten = quantizers.baselines(fitted, held, 3, 128)
    assert learned["fitted"] < frozen["fitted"] and learned["held_out"] < frozen["held_out"]
    for name in ("K books on parts (product)", "K books averaged"):
        assert learned["fitted"] < beaten[name]["fitted"], name
    assert learned["held_out"] < beaten["one book of K * L codes"]["held_out"]
    residual = beaten[RESIDUAL]
    assert residual["fitted"] < learned["fitted"] and residual["held_out"] < learned["held_out"]  # the pages say so: it keeps more
    assert min(learned["used"]) > 0.8
