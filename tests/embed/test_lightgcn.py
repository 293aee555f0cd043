"""Propagation against dense matrices, learning on worlds whose answer is known, bits that repeat whatever the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from llmrec.contracts import Interactions
from llmrec.data.synthetic import Checkerboard
from llmrec.embed import pairwise
from llmrec.embed.lightgcn import Graph, LightGcn


def graph(pairs: list[tuple[int, int]], n_users: int, n_items: int) -> Interactions:
    user, item = np.array(pairs).T
    return Interactions.from_unsorted(user, item, np.arange(len(user), dtype=np.int64), n_users, n_items)


SMALL = graph([(0, 0), (0, 1), (1, 1), (1, 1), (2, 2), (2, 0), (2, 3)], 4, 5)  # user 3 and item 4 have nothing, user 1 took item 1 twice


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_propagation_is_the_papers(layers: int) -> None:
    """Equation 7 sum by sum: e_u of the next layer = sum over i of e_i / sqrt(|N_u| |N_i|); final = the mean over layers."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((9, 3)).astype(np.float32)
    edges = {(u, i) for u, i in zip(SMALL.user.tolist(), SMALL.item.tolist(), strict=True)}
    degree_u, degree_i = ({n: sum(e[side] == n for e in edges) for n in range(5)} for side in (0, 1))
    layer, total = rows.astype(np.float64), rows.astype(np.float64)
    for _ in range(layers):
        following = np.zeros_like(layer)
        for u, i in edges:
            norm = np.sqrt(degree_u[u] * degree_i[i])
            following[u] += layer[4 + i] / norm
            following[4 + i] += layer[u] / norm
        layer, total = following, total + following
    spread = Graph.of(SMALL, layers).spread(rows)
    assert spread.dtype == np.float32
    np.testing.assert_allclose(spread, total / (layers + 1), atol=1e-6)


def test_propagation_is_its_own_transpose() -> None:
    """What the gradient rests on: <x, P y> = <P x, y>."""
    x, y = np.random.default_rng(0).standard_normal((2, 9, 3)).astype(np.float32)
    spread = Graph.of(SMALL, 3).spread
    assert float((x * spread(y)).sum()) == pytest.approx(float((spread(x) * y).sum()), abs=1e-5)


def test_one_epoch_is_one_step_by_the_book() -> None:
    """All of it in dense matrices: the loss through the propagation, one Adam step, the final vectors."""
    import torch

    model = LightGcn(d=3, layers=2, epochs=1, lr=0.1, l2=0.01, batch=100, scale=0.5)
    rng = np.random.default_rng(4)
    start = pairwise.start("lightgcn", SMALL, 3, 0.5, rng)
    (user, good, bad), *rest = pairwise.Pairs.of(SMALL).batches(100, rng)
    assert not rest
    spread = torch.tensor(Graph.of(SMALL, 2).spread(np.eye(9, dtype=np.float32)))
    rows = torch.tensor(start, requires_grad=True)
    final = spread @ rows
    margin = (final[user] * (final[good + 4] - final[bad + 4])).sum(1)
    squares = sum((rows[part] ** 2).sum() for part in (user, good + 4, bad + 4))
    (-torch.log(torch.sigmoid(margin)).mean() + 0.01 / 2 * squares / len(user)).backward()
    torch.optim.Adam([rows], lr=0.1).step()
    found = model.fit(SMALL, None, np.random.default_rng(4))
    np.testing.assert_allclose(np.concatenate([found.users, found.items]), (spread @ rows).detach().numpy(), atol=1e-4)


def test_the_checkerboard_is_learned() -> None:
    train = Checkerboard(n_users=60, n_items=40).load().interactions
    vectors = LightGcn(d=16).fit(train, None, np.random.default_rng(0))
    assert vectors.joint
    score = vectors.users @ vectors.items.T
    assert ((score > 0) == (np.arange(60)[:, None] % 2 == np.arange(40)[None] % 2)).mean() > 0.95


def test_who_has_no_interactions_has_the_zero_vector() -> None:
    vectors = LightGcn(d=4, epochs=3).fit(SMALL, None, np.random.default_rng(0))
    assert not vectors.users[3].any() and not vectors.items[4].any()
    assert vectors.users[:3].any(axis=1).all() and vectors.items[:4].any(axis=1).all()


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    program = (
        "import numpy as np; from llmrec.data.synthetic import Checkerboard; from llmrec.embed.lightgcn import LightGcn; "
        "t = Checkerboard(n_users=80, n_items=70).load().interactions; "
        "print(LightGcn(d=64, epochs=3, batch=200).fit(t, None, np.random.default_rng(3)).items.tobytes().hex())"
    )
    prints = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert prints[0] == prints[1] and len(prints[0]) > 1000


def test_everybody_took_everything_and_nothing_can_be_learned_but_nothing_fails() -> None:
    train = graph([(u, i) for u in range(3) for i in range(4)], 3, 4)
    vectors = LightGcn(d=4, epochs=2).fit(train, None, np.random.default_rng(0))
    assert np.isfinite(vectors.items).all() and vectors.items.any()


@pytest.mark.parametrize(
    ("setting", "value"), [("d", 0), ("layers", 0), ("epochs", 0), ("batch", 0), ("lr", 0.0), ("l2", -1.0), ("scale", float("nan"))]
)
def test_a_setting_out_of_range_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"lightgcn: {setting} is"):
        LightGcn(**{setting: value})  # type: ignore[arg-type]


def test_no_interactions_are_refused_in_a_sentence() -> None:
    none = SMALL.take(np.zeros(len(SMALL), dtype=bool))
    with pytest.raises(ValueError, match="lightgcn: there are no training interactions"):
        LightGcn().fit(none, None, np.random.default_rng(0))
