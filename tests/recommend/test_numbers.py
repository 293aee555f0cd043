"""The numbers of methods section 4: leave-one-out, full ranking, ties in file order, H@10/N@10.

The table there was measured with train AND validation fitted on, which this file found out: fitted so, it comes back to the last digit.
The product fits on train alone, as the issue's numbers for ML-100K do; its numbers lie up to a sixth lower on the sparse sets.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec import registry
from llmrec.contracts import Dataset, Interactions, Split
from llmrec.report.evaluate import evaluate, evaluate_baselines


def loo(interactions: Interactions) -> Split:
    from llmrec.data.split import LeaveOneOut

    return LeaveOneOut(min_history=1).split(interactions, np.random.default_rng(0))


def test_movielens_100k(ml100k: Dataset) -> None:
    """Exactly as the issue has them; popularity's NDCG is .0449 (methods says .0439, its hit rate and ours are the same)."""
    expected = {"popularity": (81, 0.0449), "itemknn": (102, 0.0558), "itemknn-last3": (183, 0.1099), "ease": (133, 0.0735)}
    found = evaluate_baselines(loo(ml100k.interactions), "test", True, list(expected), k=(10,))
    for name, (hits, ndcg) in expected.items():
        assert found[name].n_users == 943
        assert found[name].per_user["hit@10"].sum() == pytest.approx(hits, abs=1), name
        assert found[name].metrics["ndcg@10"] == pytest.approx(ndcg, abs=0.0005), name


@pytest.mark.slow
def test_movielens_100k_fitted_on_validation_too(ml100k: Dataset) -> None:
    _check(loo(ml100k.interactions), True, {"itemknn": (0.1092, 0.0563), "itemknn-last3": (0.1930, 0.1077)})


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_movielens_100k_of_those_that_learn_step_by_step(ml100k: Dataset) -> None:
    """Sums differ in their last bits from machine to machine, and steps carry that on: about as many, not just as many."""
    found = evaluate_baselines(loo(ml100k.interactions), "test", True, ["sasrec", "multvae"], k=(10,))
    assert found["sasrec"].metrics["hit@10"] == pytest.approx(0.1856, abs=0.015)
    assert found["sasrec"].metrics["ndcg@10"] == pytest.approx(0.0988, abs=0.008)
    assert found["multvae"].metrics["hit@10"] == pytest.approx(0.1389, abs=0.015)
    assert found["multvae"].metrics["ndcg@10"] == pytest.approx(0.0702, abs=0.008)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "masked", "expected"),
    [
        ("movielens-1m", True, {"popularity": (0.0363, 0.0178), "itemknn": (0.0704, 0.0365), "itemknn-last3": (0.1808, 0.1006)}),
        ("amazon-beauty", True, {"popularity": (0.0130, 0.0059), "itemknn": (0.0642, 0.0375), "itemknn-last3": (0.0736, 0.0462)}),
        ("amazon-beauty", False, {"itemknn": (0.0488, 0.0251), "itemknn-last3": (0.0653, 0.0375)}),
    ],
)
def test_larger_data(shared_data: Callable[[str], Path], folder: str, masked: bool, expected: dict[str, tuple[float, float]]) -> None:
    frame = pd.read_csv(shared_data(folder) / "interactions.csv.gz")
    user, item = frame["user"].to_numpy(), frame["item"].to_numpy()
    x = Interactions.from_unsorted(user, item, frame["timestamp"].to_numpy(), int(user.max()) + 1, int(item.max()) + 1)
    _check(loo(x), masked, expected)


@pytest.mark.slow
def test_lastfm(shared_data: Callable[[str], Path]) -> None:
    lines = (shared_data("tokenrec-lastfm") / "test.txt").read_text().split("\n")
    sequences = [[int(n) for n in line.split()[1:]] for line in lines if line.strip()]
    user = np.repeat(np.arange(len(sequences)), [len(s) for s in sequences])
    item = np.concatenate([np.array(s) for s in sequences])
    x = Interactions.from_unsorted(user, item, np.arange(len(item)), len(sequences), int(item.max()) + 1)
    _check(loo(x), True, {"popularity": (0.0440, 0.0201), "itemknn": (0.0798, 0.0416), "itemknn-last3": (0.0752, 0.0394)})


def _check(split: Split, masked: bool, expected: dict[str, tuple[float, float]]) -> None:
    both = [split.train, split.valid]
    user, item, time = (np.concatenate([getattr(x, name) for x in both]) for name in ("user", "item", "time"))
    known = Interactions.from_unsorted(user, item, time, split.train.n_users, split.train.n_items)
    for name, (hit, ndcg) in expected.items():
        fitted = registry.load("baseline", name)().fit(known, np.random.default_rng(0))
        found = evaluate(fitted, split, "test", masked, (10,)).metrics
        assert found["hit@10"] == pytest.approx(hit, abs=0.001), name
        assert found["ndcg@10"] == pytest.approx(ndcg, abs=0.001), name
