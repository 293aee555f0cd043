"""Speech without names: what is read, what is learned, and that it goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from llmrec.lm.backbone import Backbone
from llmrec.lm.dialogue import speech
from llmrec.lm.finetune import FineTune
from llmrec.lm.model import LanguageModel
from tests.lm import world
from tests.lm.dialogue import films
from tests.lm.world import small_base  # noqa: F401

PLAN = FineTune(batch=8, lr=2e-2, validations=2, average=0.0)


def _learn(base: Path, folder: Path, share: float = 0.4, stop_at: int | None = None, told: list[Any] | None = None) -> dict[str, Any]:
    steps = iter(range(10**6))
    backbone = Backbone(str(base), tuning="lora", dropout=0.0)
    heard: list[Any] = [] if told is None else told
    return speech.learn(
        backbone, films.split(), films.catalog(), PLAN, share, folder, heard.append, lambda: next(steps) + 1 == stop_at, seed=1
    )


def test_what_is_read_holds_words_alone(small_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    read: list[str] = []
    loss = speech.words.loss

    def seen(lm: LanguageModel, batch: Any) -> Any:
        assert not lm.vocab.tokens and int(batch.ids.max()) < lm.vocab.first
        read.extend(lm.vocab.subwords.decode(row[mask.bool()].tolist()) for row, mask in zip(batch.ids, batch.mask, strict=True))
        return loss(lm, batch)

    monkeypatch.setattr(speech.words, "loss", seen)
    _learn(small_base, tmp_path / "speech", share=0.05)
    assert any("[: " in text for text in read) and any(" * " in text or " *," in text for text in read)
    assert not any(f"user {u}" in text or f"u{u} " in text for text in read for u in range(films.N_USERS))


@pytest.mark.slow
def test_what_was_never_trained_on_is_foreseen_better(small_base: Path, tmp_path: Path) -> None:  # noqa: F811
    told: list[Any] = []
    facts = _learn(small_base, tmp_path / "speech", share=0.8, told=told)
    first, last = (e["metrics"]["speech"] for e in told if e["event"] == "validation")
    assert last > 1.01 * first > 0 and facts["validation_speech"] == last  # frozen random weights hold little to learn from


@pytest.mark.slow
def test_it_resumes_to_the_same_weights(small_base: Path, tmp_path: Path) -> None:  # noqa: F811
    whole = _learn(small_base, tmp_path / "whole", share=0.1)
    assert _learn(small_base, tmp_path / "part", share=0.1, stop_at=3)["stopped"]
    assert _learn(small_base, tmp_path / "part", share=0.1)["steps"] == whole["steps"] > 3
    one, two = (LanguageModel.load(tmp_path / n / "model").trained() for n in ("whole", "part"))
    assert all((one[name] == two[name]).all() for name in one)


def test_a_model_with_names_goes_on_from_it(small_base: Path, tmp_path: Path) -> None:  # noqa: F811
    _learn(small_base, tmp_path / "speech", share=0.05)
    backbone = Backbone(str(small_base), tuning="lora", dropout=0.0)
    lm = world.model(world.table(films.N_USERS, films.N_ITEMS), backbone)
    before = {name: p.detach().clone() for name, p in lm.trained().items()}
    lm.adopt(tmp_path / "speech" / "model")
    learned = LanguageModel.load(tmp_path / "speech" / "model").trained()
    after = lm.trained()
    adapters = [name for name in before if "lora_" in name]
    assert adapters and all(torch.equal(after[name], learned[name]) for name in adapters)
    assert any(not torch.equal(after[name], before[name]) for name in adapters)
    assert all(torch.equal(after[name], before[name]) for name in before if name not in adapters)


def test_another_backbone_is_refused(small_base: Path, tmp_path: Path) -> None:  # noqa: F811
    _learn(small_base, tmp_path / "speech", share=0.05)
    other = world.model(world.table(), Backbone(str(small_base), tuning="lora", dropout=0.0, rank=4))
    with pytest.raises(ValueError, match="cannot go on"):
        other.adopt(tmp_path / "speech" / "model")


def test_weights_that_have_no_adapter_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='tuning = "lora"'):
        speech.learn(world.TINY, films.split(), films.catalog(), PLAN, 0.1, tmp_path, lambda e: None, lambda: False, 0)
