"""Dialogues among histories: a share of train, a course that resumes, and nothing at all without a share."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec import recipe
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from llmrec.lm.tasks import measure, mixed
from tests.lm import world
from tests.lm.dialogue import films
from tests.lm.tasks import six

TABLE = world.table(films.N_USERS, films.N_ITEMS)
PLAIN = {"data": {"name": "checkerboard"}, "scheme": {"name": "rid"}}


def test_a_recipe_without_dialogues_is_the_recipe_that_it_was() -> None:
    """Neither its settings nor its fingerprint know the task; with a share they do."""
    plain, zero, some = (recipe.read({**PLAIN, "train": t}) for t in ({}, {"tasks": {"dialogue": 0.0}}, {"tasks": {"dialogue": 0.1}}))
    assert plain == zero and "dialogue" not in plain.to_toml()
    assert plain.fingerprint("train") == zero.fingerprint("train") != some.fingerprint("train")
    assert FineTune().shares["dialogue"] == 0 and recipe.settings(FineTune())["tasks"] == {}
    assert recipe.with_settings(plain, {"train.tasks.dialogue": 0.1}) == some


def test_dialogues_are_probed_and_not_measured_as_a_task() -> None:
    with pytest.raises(ValueError, match="no task in words"):
        measure.trained(FineTune(tasks={"dialogue": 0.2}))
    assert measure.trained(FineTune(tasks={"dialogue": 0.2, "rating": 0.1})) == ["rating"]


def test_dialogues_need_the_catalogue() -> None:
    speaker = six.speaker(world.model(TABLE), TABLE)
    with pytest.raises(ValueError, match="the dialogue task says what the catalogue knows"):
        mixed.tasks(speaker, {"dialogue": 0.1}, films.split().train, None)


def test_training_with_dialogues_resumes_to_the_same_weights(tmp_path: Path) -> None:
    plan = FineTune(epochs=1, batch=8, validations=1, tasks={"dialogue": 0.15})

    def fit(folder: Path, stop_at: int | None = None) -> dict[str, Any]:
        steps = iter(range(10**6))
        lm = world.model(TABLE, dataclasses.replace(world.TINY, dropout=0.1))
        return plan.fit(lm, TABLE, films.split(), folder, lambda e: None, lambda: next(steps) + 1 == stop_at, 0, Trie(), films.catalog())

    whole = fit(tmp_path / "whole")
    assert fit(tmp_path / "part", stop_at=7)["stopped"]
    assert fit(tmp_path / "part")["steps"] == whole["steps"] > 9
    one, two = (LanguageModel.load(tmp_path / n / "model").trained() for n in ("whole", "part"))
    assert all((one[name] == two[name]).all() for name in one)


@pytest.mark.slow
def test_dialogues_can_be_learned(tmp_path: Path) -> None:
    """A small model that reads dialogues foresees the answers of others better than chance, and better than before."""
    import torch

    from llmrec.lm.tasks import words

    split, lm = films.split(), world.model(TABLE)
    (task,) = mixed.tasks(six.speaker(lm, TABLE), {"dialogue": 1.0}, split.train, films.catalog())
    rng = np.random.default_rng(99)
    fresh = words.speech([task.document(row, rng) for row in films.rows(30, seed=5)])
    with torch.no_grad():
        before = float(words.loss(lm.eval(), fresh))
    optimiser = torch.optim.Adam([p for p in lm.parameters() if p.requires_grad], lr=3e-3)
    for _ in range(60):
        batch = words.speech([task.document(row, rng) for row in rng.integers(len(split.train), size=16).tolist()])
        optimiser.zero_grad()
        words.loss(lm.train(), batch).backward()
        optimiser.step()
    with torch.no_grad():
        assert float(words.loss(lm.eval(), fresh)) < 0.5 * before
