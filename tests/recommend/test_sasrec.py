"""SASRec against plain arithmetic, and in worlds where what comes next is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from llmrec.contracts import Interactions, Queries
from llmrec.recommend.sasrec import BATCH, Net, SasRec, batches, dropper, never_taken, places, windows

SMALL = SasRec(d=8, layers=2, heads=2, window=6, dropout=0.0, epochs=1)


def of(histories: list[list[int]], n_items: int) -> Interactions:
    user = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    item = np.array([i for h in histories for i in h])
    return Interactions.from_unsorted(user, item, np.arange(len(item)), len(histories), n_items)


def net(settings: SasRec = SMALL, n_items: int = 9, seed: int = 0) -> Net:
    """Weights ten times as large as at the start of learning, so that all parts matter."""
    made = Net(settings, n_items, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(10)
    return made


def test_a_later_item_changes_no_earlier_state() -> None:
    one, other = torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[1, 2, 3, 8, 0]])
    model, length = net(), torch.tensor([5])
    a, b = model.states(one, length)[0], model.states(other, length)[0]
    assert torch.equal(a[:3], b[:3])
    assert not torch.allclose(a[3:], b[3:], atol=1e-3)


def test_an_earlier_item_changes_every_later_state() -> None:
    model, length = net(), torch.tensor([4])
    a, b = model.states(torch.tensor([[1, 2, 3, 4]]), length)[0], model.states(torch.tensor([[7, 2, 3, 4]]), length)[0]
    assert ((a - b).abs().max(dim=1).values > 1e-4).all()


def test_order_matters() -> None:
    model, length = net(), torch.tensor([3])
    a, b = model.states(torch.tensor([[1, 2, 3]]), length)[0, -1], model.states(torch.tensor([[2, 1, 3]]), length)[0, -1]
    assert not torch.allclose(a, b, atol=1e-3)


def test_padding_changes_nothing() -> None:
    """What pads stands after the history, and places count back from the newest item."""
    model = net()
    together = model.states(torch.tensor([[1, 2, 0, 0], [3, 4, 5, 6]]), torch.tensor([2, 4]))
    assert torch.allclose(together[0, :2], model.states(torch.tensor([[1, 2]]), torch.tensor([2]))[0], atol=1e-6)
    assert torch.allclose(together[1], model.states(torch.tensor([[3, 4, 5, 6]]), torch.tensor([4]))[0], atol=1e-6)


def test_one_layer_in_plain_arithmetic() -> None:
    """Normalise, attend, add; normalise, two linear maps, add; normalise."""
    model = net(SasRec(d=4, layers=1, heads=2, window=3), 5)
    w = {name: parameter.detach().double().numpy() for name, parameter in model.named_parameters()}

    def normal(x: np.ndarray, name: str) -> np.ndarray:
        y = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return y * w[f"{name}.weight"] + w[f"{name}.bias"]

    history = [3, 1]
    x = w["items"][history] * 2 + w["places"][1:]
    y = normal(x, "blocks.0.before") @ w["blocks.0.qkv"].T
    seen = np.zeros((2, 4))
    for h in (0, 1):
        q, k, v = (y[:, part * 4 + h * 2 : part * 4 + h * 2 + 2] for part in range(3))
        for t in range(2):
            weight = np.exp(q[t] @ k[: t + 1].T / math.sqrt(2))
            seen[t, h * 2 : h * 2 + 2] = weight / weight.sum() @ v[: t + 1]
    x = x + seen @ w["blocks.0.out"].T
    wide = np.maximum(0, normal(x, "blocks.0.between") @ w["blocks.0.wide"].T + w["blocks.0.wide_bias"])
    x = normal(x + wide @ w["blocks.0.narrow"].T + w["blocks.0.narrow_bias"], "norm")
    assert model.states(torch.tensor([history]), torch.tensor([2]))[0].detach().numpy() == pytest.approx(x, abs=1e-4)


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_the_loss_in_plain_python(loss: str) -> None:
    """Every place before a length counts once, padding never; a person who took everything has no negative."""
    model = net(SasRec(d=8, layers=1, heads=1, window=4, loss=loss))
    inputs, targets = torch.tensor([[1, 2, 3], [4, 0, 0]]), torch.tensor([[2, 3, 5], [6, 8, 8]])
    lengths, negatives = torch.tensor([3, 1]), torch.tensor([[7, 8, 0], [-1, -1, -1]])
    logits = (model.states(inputs, lengths) @ model.items.T).detach().double().numpy()
    parts = []
    for row, t in [(0, 0), (0, 1), (0, 2), (1, 0)]:
        s, want, other = logits[row, t], int(targets[row, t]), int(negatives[row, t])
        if loss == "softmax":
            parts.append(math.log(sum(math.exp(x) for x in s)) - s[want])
        else:
            parts.append(math.log(1 + math.exp(-s[want])) + (math.log(1 + math.exp(s[other])) if other >= 0 else 0))
    found = model.loss(inputs, targets, lengths, negatives, lambda x: x).item()
    assert found == pytest.approx(sum(parts) / 4, abs=1e-4)


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_each_item_but_the_first_is_a_target_once(seed: int | None) -> None:
    train = of([[0], [0, 1], list(range(7)), list(range(6)), list(range(23)), []], 23)
    rng = None if seed is None else np.random.default_rng(seed)
    spans = list(windows(train, 5, rng))
    assert all(train.user[a] == train.user[b] and 1 <= b - a <= 5 for a, b in spans)
    targets = sorted(row for a, b in spans for row in range(a + 1, b + 1))
    assert targets == [row for row in range(1, len(train)) if train.user[row] == train.user[row - 1]]


def test_batches_hold_every_pair_of_neighbours() -> None:
    rng = np.random.default_rng(0)
    train = of([rng.permutation(40)[: rng.integers(0, 30)].tolist() for _ in range(2 * BATCH)], 40)
    found = []
    for spans in batches(train, 6, rng):
        assert len(spans) <= BATCH
        inputs, targets, lengths, _ = places(train, spans, "softmax", rng)
        for a, b, n in zip(inputs.tolist(), targets.tolist(), lengths.tolist(), strict=True):
            found += list(zip(a[:n], b[:n], strict=True))
    expected = [(int(a), int(b)) for u in range(train.n_users) for a, b in zip(train.history(u), train.history(u)[1:], strict=False)]
    assert sorted(found) == sorted(expected)


def test_negatives_are_what_was_never_taken_and_each_equally_often() -> None:
    train = of([[3, 0, 3, 7], [1], list(range(9))], 9)
    rng = np.random.default_rng(0)
    counts = np.bincount(never_taken(train, 0, 6000, rng), minlength=9)
    assert np.flatnonzero(counts).tolist() == [1, 2, 4, 5, 6, 8]
    assert counts[[1, 2, 4, 5, 6, 8]].tolist() == pytest.approx([1000] * 6, abs=120)
    assert 1 not in never_taken(train, 1, 500, rng)
    assert never_taken(train, 2, 3, rng).tolist() == [-1, -1, -1]


def test_dropout_keeps_the_mean_and_takes_its_share() -> None:
    x = dropper(0.3, torch.Generator().manual_seed(0))(torch.ones(100_000))
    assert float((x == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(x.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(dropper(0.0, torch.Generator())(x), x)


def test_what_always_follows_is_learned() -> None:
    """A world of one rule: after item i comes i + 1, round a circle of 12, wherever people begin."""
    histories = [[(start + step) % 12 for step in range(6)] for start in range(12)] * 4
    settings = SasRec(d=16, layers=1, heads=1, window=8, dropout=0.0, lr=0.01, epochs=60)
    fitted = settings.fit(of(histories, 13), np.random.default_rng(0))
    for last in range(12):
        asked = Queries.of_history([(last - 2) % 12, (last - 1) % 12, last], exclude=[])
        assert fitted.recommend(asked, 1).items[0, 0] == (last + 1) % 12


def test_the_paper_s_loss_learns_it_too() -> None:
    """What a person took is never their negative: two items each, so that all others are."""
    settings = SasRec(d=16, layers=1, heads=1, window=8, dropout=0.0, lr=0.01, epochs=100, loss="bce")
    fitted = settings.fit(of([[i, (i + 1) % 12] for i in range(12)] * 4, 12), np.random.default_rng(0))
    for last in range(12):
        assert fitted.recommend(Queries.of_history([last]), 1).items[0, 0] == (last + 1) % 12


def test_only_the_newest_items_are_read() -> None:
    histories = [[(start + step) % 9 for step in range(5)] for start in range(9)]
    fitted = SMALL.fit(of(histories, 9), np.random.default_rng(0))
    short, long = ([3, 1, 4, 1, 5, 2], [8, 8, 7, 0, 3, 1, 4, 1, 5, 2])
    assert np.array_equal(fitted.expected(np.array(short)), fitted.expected(np.array(long)))


def test_learning_leaves_the_random_numbers_of_others_alone() -> None:
    train = of([[0, 1, 2], [2, 1, 0]], 3)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    SasRec(d=4, heads=1, epochs=2).fit(train, np.random.default_rng(0))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_train_without_neighbours_is_no_error() -> None:
    fitted = SMALL.fit(of([[0], [1], []], 3), np.random.default_rng(0))
    assert sorted(fitted.recommend(Queries.of_history([0], exclude=[]), 3).items[0].tolist()) == [-1, 0, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"d": 0},
        {"layers": 0},
        {"heads": 0},
        {"heads": 3},
        {"window": 0},
        {"epochs": 0},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"dropout": float("nan")},
        {"lr": 0.0},
        {"lr": float("inf")},
        {"loss": "hinge"},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))} is .*(try|leave|take|must be one of)"):
        SasRec(**wrong)  # type: ignore[arg-type]
