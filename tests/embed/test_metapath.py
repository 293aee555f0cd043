"""The walks step on the graph and nowhere else; the vectors repeat to the bit and put together who walks together."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec.contracts import Interactions
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.metapath import MetaPath, walks

SMALL = MetaPath(d=16, walk_length=10, walks_per_node=5, epochs=2, subsample=0.0)


def graph(pairs: list[tuple[int, int]], n_users: int, n_items: int) -> Interactions:
    user, item = (np.asarray(side, dtype=np.int64) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
    return Interactions.from_unsorted(user, item, np.arange(len(user), dtype=np.int64), n_users, n_items)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=40), st.integers(2, 9), st.integers(1, 3))
def test_every_step_is_an_interaction_and_sides_alternate(pairs: list[tuple[int, int]], length: int, per_node: int) -> None:
    train = graph(pairs, 6, 8)
    paths = walks(train, length, per_node, np.random.default_rng(0))
    edges = set(pairs)
    for path in paths.tolist():
        for a, b in pairwise(path):
            assert ((a, b - 6) if a < 6 else (b, a - 6)) in edges
    active = sorted({u for u, _ in pairs} | {i + 6 for _, i in pairs})
    assert paths[:, 0].tolist() == active * per_node  # nobody without interactions starts a walk
    assert paths.shape == (len(active) * per_node, length)


def test_a_step_goes_to_each_interaction_with_equal_chance() -> None:
    train = graph([(0, 0), (0, 1), (0, 1), (0, 2)], 1, 3)  # item 1 twice
    seconds = walks(train, 2, 20_000, np.random.default_rng(0))
    from_user = seconds[seconds[:, 0] == 0][:, 1] - 1
    assert np.bincount(from_user, minlength=3) / len(from_user) == pytest.approx([0.25, 0.5, 0.25], abs=0.015)


def test_the_two_halves_of_a_checkerboard_lie_apart() -> None:
    train = Checkerboard(n_users=60, n_items=40).load().interactions
    items = SMALL.fit(train, None, np.random.default_rng(0)).items
    unit = items / np.linalg.norm(items, axis=1, keepdims=True)
    cosine = unit @ unit.T
    parity = np.arange(len(unit)) % 2
    same = parity[:, None] == parity[None]
    np.fill_diagonal(same, False)
    assert cosine[same].mean() > 0.5 > 0 > cosine[parity[:, None] != parity[None]].mean()


def test_users_lie_near_items_of_their_own_half() -> None:
    """One space: the paper's reason for walking over both sides at once."""
    train = Checkerboard(n_users=60, n_items=40).load().interactions
    vectors = SMALL.fit(train, None, np.random.default_rng(0))
    score = vectors.users @ vectors.items.T
    nearest = score.argmax(axis=1)
    assert (nearest % 2 == np.arange(60) % 2).all()
    assert vectors.joint


def test_centring_takes_off_the_mean_of_each_side_and_nothing_else() -> None:
    train = graph([(0, 0), (0, 1), (1, 1), (2, 2), (2, 0)], 4, 4)  # user 3 and item 3 have nothing
    plain = MetaPath(d=4, epochs=1, walks_per_node=2, subsample=0.0, centred=False).fit(train, None, np.random.default_rng(0))
    centred = MetaPath(d=4, epochs=1, walks_per_node=2, subsample=0.0).fit(train, None, np.random.default_rng(0))
    for before, after in ((plain.users, centred.users), (plain.items, centred.items)):
        np.testing.assert_allclose(after[:3], before[:3] - before[:3].mean(axis=0), atol=1e-7)
        assert not after[3].any() and not before[3].any()  # no interactions: the zero vector, as documented


def test_vectors_do_not_depend_on_the_hash_seed_of_python() -> None:
    """gensim falls back on Python's hash, which changes from process to process."""
    program = (
        "import numpy as np; from llmrec.data.synthetic import Checkerboard; from llmrec.embed.metapath import MetaPath; "
        "t = Checkerboard(n_users=12, n_items=12).load().interactions; "
        "print(MetaPath(d=8, epochs=1, walks_per_node=1).fit(t, None, np.random.default_rng(3)).items.tobytes().hex())"
    )
    prints = [
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert prints[0] == prints[1] and len(prints[0]) > 100


def test_fit_can_be_given_nothing_but_train() -> None:
    """The release trained its vectors on the validation item too; here there is no way to hand it over."""
    assert list(inspect.signature(MetaPath.fit).parameters) == ["self", "train", "catalog", "rng"]


@pytest.mark.parametrize(("setting", "value"), [("d", 0), ("walk_length", 1), ("epochs", 0), ("subsample", -1.0)])
def test_a_setting_out_of_range_is_refused_by_name(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"metapath: {setting} is"):
        MetaPath(**{setting: value})  # type: ignore[arg-type]


def test_no_interactions_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no training interactions"):
        MetaPath().fit(graph([], 2, 2), None, np.random.default_rng(0))
