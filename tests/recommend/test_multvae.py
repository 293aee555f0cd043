"""Mult-VAE against closed forms and plain arithmetic."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from llmrec.contracts import Interactions, Queries
from llmrec.recommend.multvae import MultVae, Net, divergence, taken

SMALL = MultVae(hidden=6, latent=3, epochs=2)


def some() -> Interactions:
    user, item = np.array([(0, 4), (0, 1), (0, 4), (2, 3), (2, 0), (2, 2)], dtype=np.int32).T
    return Interactions.from_unsorted(user, item, np.arange(6), 3, 6)


def test_the_divergence_is_that_of_torch() -> None:
    rng = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(5, 4, generator=rng), torch.randn(5, 4, generator=rng)
    here, there = torch.distributions.Normal(mean, (log_variance / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    assert torch.allclose(divergence(mean, log_variance), torch.distributions.kl_divergence(here, there).sum(-1), atol=1e-5)


def test_the_divergence_by_hand() -> None:
    """N(0, 1) lies at 0 from itself; N(3, 4) at (9 + 4 - 1 - log 4) / 2."""
    found = divergence(torch.tensor([[0.0], [3.0]]), torch.tensor([[0.0], [math.log(4)]]))
    assert found.tolist() == pytest.approx([0.0, (9 + 4 - 1 - math.log(4)) / 2])


def test_rows_hold_each_item_once() -> None:
    assert taken(some(), np.array([2, 0, 1])).tolist() == [[1, 0, 1, 1, 0, 0], [0, 1, 0, 0, 1, 0], [0] * 6]


def quiet(net: Net) -> Net:
    """Without noise: log-variances of -200, so that the latent vector is its mean to the last bit."""
    with torch.no_grad():
        net.guess.weight[:, net.latent :] = 0
        net.guess.bias[net.latent :] = -200
    return net


@pytest.mark.parametrize("beta", [0.0, 0.2, 1.0])
def test_the_loss_in_plain_arithmetic(beta: float) -> None:
    net = quiet(Net(SMALL, 6, torch.Generator().manual_seed(1)))
    x = taken(some(), np.array([0, 2]))
    w = {name: parameter.detach().double().numpy() for name, parameter in net.named_parameters()}
    losses = []
    for row in x.double().numpy():
        h = np.tanh(row / math.sqrt(row.sum()) @ w["read.weight"] + w["read.bias"])
        mean = (h @ w["guess.weight"] + w["guess.bias"])[:3]
        logits = np.tanh(mean @ w["widen.weight"] + w["widen.bias"]) @ w["tell.weight"] + w["tell.bias"]
        chances = np.exp(logits) / np.exp(logits).sum()
        kl = sum(0.5 * (m * m + math.exp(-200) - 1 + 200) for m in mean)
        losses.append(-sum(math.log(chances[i]) for i in np.flatnonzero(row)) + beta * kl)
    assert net.loss(x, 0.0, beta, torch.Generator()).item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_dropout_hides_items_from_the_encoder_and_not_from_the_likelihood() -> None:
    """All but hidden, every history reads alike; what is asked for stays the whole one."""
    net = quiet(Net(SMALL, 6, torch.Generator().manual_seed(1)))
    x = taken(some(), np.array([0]))
    nothing = net.decode(net.encode(torch.zeros(1, 6))[0]).log_softmax(-1)
    assert net.loss(x, 1 - 1e-9, 0.0, torch.Generator().manual_seed(0)).item() == pytest.approx(
        -float((x * nothing).sum().detach()), rel=1e-5
    )


def test_the_noise_has_the_variance_that_the_encoder_says() -> None:
    """A likelihood that is linear in z shows z's mean: over many draws the loss comes near that of the mean."""
    net = Net(SMALL, 6, torch.Generator().manual_seed(1))
    x = taken(some(), np.array([0])).repeat(40_000, 1)
    drawn: list[torch.Tensor] = []
    net.decode = lambda z: drawn.append(z) or torch.zeros(len(z), 6)  # type: ignore[method-assign, assignment, func-returns-value]
    net.loss(x, 0.0, 0.0, torch.Generator().manual_seed(0))
    mean, log_variance = net.encode(torch.nn.functional.normalize(x[:1]))
    assert torch.allclose(drawn[0].mean(0), mean[0], atol=0.03)
    assert torch.allclose(drawn[0].var(0), log_variance[0].exp(), rtol=0.05)


def test_one_step_of_learning_is_adam_s() -> None:
    """One epoch over one batch with beta still at 0: each weight moves against its slope by lr, as Adam's first step does."""
    train, settings = some(), MultVae(hidden=6, latent=3, epochs=1, dropout=0.0, lr=0.01)
    rng = np.random.default_rng(4)
    fitted = settings.fit(train, rng)
    again = np.random.default_rng(4)
    again.permutation(train.n_items)  # the order of ties
    generator = torch.Generator().manual_seed(int(again.integers(2**62)))
    net = Net(settings, train.n_items, generator)
    before = copy.deepcopy(net)
    net.loss(taken(train, again.permutation(np.array([0, 2]))), 0.0, 0.0, generator).backward()
    for old, now, new in zip(before.parameters(), net.parameters(), fitted.net.parameters(), strict=True):
        assert now.grad is not None
        step = 0.01 * now.grad / (now.grad.abs() + 1e-8)
        assert torch.allclose(new, old - step, atol=1e-6)


def test_scores_come_from_the_mean_and_ignore_order_and_repeats() -> None:
    fitted = SMALL.fit(some(), np.random.default_rng(0))
    x = torch.tensor([[0, 1, 0, 0, 1, 0]]) / math.sqrt(2)
    logits = fitted.net.decode(fitted.net.encode(x)[0])[0].numpy()
    scores = fitted.expected(np.array([4, 1, 4]))
    assert scores[:5].tolist() == pytest.approx(logits[:5].tolist(), abs=1e-6)
    assert scores[5] == 0  # nobody took it
    assert np.array_equal(scores, fitted.expected(np.array([1, 4])))


def test_learning_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    SMALL.fit(some(), np.random.default_rng(0))
    assert torch.equal(before, torch.random.get_rng_state())


def test_an_empty_train_recommends_nothing() -> None:
    nobody = some().take(np.zeros(6, dtype=bool))
    assert (SMALL.fit(nobody, np.random.default_rng(0)).recommend(Queries.of_history([1]), 2).items == -1).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": 0},
        {"latent": 0},
        {"epochs": 0},
        {"dropout": 1.0},
        {"beta": -0.1},
        {"beta": float("nan")},
        {"anneal": 1.1},
        {"lr": 0.0},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is .*(try|leave)"):
        MultVae(**wrong)  # type: ignore[arg-type]
