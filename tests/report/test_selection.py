"""A model is chosen on validation alone, by the metric of the split's protocol, and test is not read before it is chosen."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec.contracts import Interactions, Split
from llmrec.data.split import LeaveOneOut, RandomHoldout, UnseenUsers
from llmrec.lm import finetune
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.items import Items
from llmrec.report.protocols import PROTOCOLS
from tests.lm import world

WHOLE = Interactions.from_unsorted(
    np.repeat(np.arange(20), 12),
    np.concatenate([np.random.default_rng(u).permutation(24)[:12] for u in range(20)]),
    np.tile(np.arange(12), 20),
    20,
    24,
)
TABLE = world.table(n_users=20)
SPLITS = {"loo": LeaveOneOut(), "holdout": RandomHoldout(), "unseen-users": UnseenUsers(0.2)}
PLAN = FineTune(epochs=2, batch=8, max_items=6, validations=2)


class Sealed:
    """A test part that nobody may look into."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"test was read ({name}) before the model was chosen")

    def __len__(self) -> int:
        raise AssertionError("test was counted before the model was chosen")


def fit(split: Split, folder: Path) -> dict[str, Any]:
    return PLAN.fit(world.model(TABLE), TABLE, split, folder, lambda _: None, lambda: False, 0, Items())


@pytest.mark.parametrize("name", list(SPLITS))
def test_training_never_reads_test(name: str, tmp_path: Path) -> None:
    """With a sealed test part it trains, validates and chooses all the same."""
    split = SPLITS[name].split(WHOLE, np.random.default_rng(0))
    sealed = dataclasses.replace(split, test=Sealed())  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="test was read"):
        sealed.queries("test")
    facts = fit(sealed, tmp_path)
    assert facts["kept_step"] > 0 and facts[f"validation_{PROTOCOLS[name].select}"] >= 0


@pytest.mark.parametrize("name", list(SPLITS))
def test_validation_chooses_by_the_protocols_metric(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation, seen items masked, as deep as the metric needs; the first of two measurements is made the better, and is kept."""
    split, select = SPLITS[name].split(WHOLE, np.random.default_rng(0)), PROTOCOLS[name].select
    asked: list[tuple[Any, ...]] = []
    real = finetune.evaluate

    def spy(recommender: Any, of: Split, part: Any, **given: Any) -> Any:
        asked.append((part, given["masked"], tuple(given["k"])))
        found = real(recommender, of, part, **given)
        assert np.array_equal(found.users, np.unique(split.valid.user)) and select in found.metrics
        worth = 1.0 if len(asked) == 1 else 0.5
        return dataclasses.replace(found, per_user={select: np.full(found.n_users, worth)})

    monkeypatch.setattr(finetune, "evaluate", spy)
    facts = fit(split, tmp_path)
    assert asked == [("valid", True, ({"ndcg@10": 10, "ndcg@100": 100}[select],))] * 2
    assert facts[f"validation_{select}"] == 1.0 and facts["kept_step"] < facts["steps"]
