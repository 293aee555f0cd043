"""Several adapters over one backbone in memory: each answers as if it were loaded alone, and the frozen weights are there once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from llmrec.lm import shared
from llmrec.lm.backbone import Backbone
from llmrec.lm.model import LanguageModel
from llmrec.lm.shared import SharedBase
from tests.lm import world
from tests.lm.world import small_base

__all__ = ["small_base"]


def _saved(folder: Path, base: Path, tuning: str, seed: int) -> Path:
    lm = world.model(world.table(), Backbone(name=str(base), tuning=tuning, rank=2), seed)  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in lm.trained().values():
            p.add_(0.05 * torch.randn(p.shape, generator=generator))
    lm.save(folder)
    return folder


@torch.no_grad()
def _told(lm: LanguageModel) -> torch.Tensor:
    ids = torch.tensor([[5, 9, lm.vocab.first, lm.vocab.first + 6, lm.vocab.size - 1]])
    return lm(ids) @ lm.rows.outputs(torch.arange(lm.vocab.size)).T


@pytest.mark.parametrize("tuning", ["lora", "rows"])
def test_each_answers_as_if_it_were_alone(tmp_path: Path, small_base: Path, tuning: str) -> None:
    folders = [_saved(tmp_path / str(seed), small_base, tuning, seed) for seed in range(3)]
    base = SharedBase("cpu")
    together = [LanguageModel.load(folder, base) for folder in folders]
    alone = [LanguageModel.load(folder) for folder in folders]
    for ours, theirs in zip(together, alone, strict=True):
        torch.testing.assert_close(_told(ours), _told(theirs), atol=1e-6, rtol=1e-6)
    assert not torch.allclose(_told(together[0]), _told(together[1]), atol=1e-2)


def _own(name: str) -> bool:
    """Whether a weight is one model's alone."""
    return name == "rows.new" or name.endswith((".a", ".b"))


def test_frozen_weights_are_there_once(tmp_path: Path, small_base: Path) -> None:
    base = SharedBase("cpu")
    models = [LanguageModel.load(_saved(tmp_path / str(seed), small_base, "lora", seed), base) for seed in range(4)]
    first = {p.data_ptr() for n, p in models[0].named_parameters() if not _own(n)}
    for other in models[1:]:
        own = {n for n, p in other.named_parameters() if p.data_ptr() not in first}
        assert own and all(map(_own, own))
    one, four = shared.size(models[:1]), shared.size(models)
    of_one = sum(p.nbytes for n, p in models[0].named_parameters() if _own(n))
    buffers = sum(b.nbytes for b in models[0].buffers())
    assert of_one < one / 4
    assert four == one + 3 * (of_one + buffers)


def test_untied_output_rows_are_shared_too(tmp_path: Path) -> None:
    base = world.untied_base(tmp_path / "base")
    folder = _saved(tmp_path / "model", base, "lora", 0)
    torch.testing.assert_close(
        _told(LanguageModel.load(folder, SharedBase("cpu"))), _told(LanguageModel.load(folder)), atol=1e-6, rtol=1e-6
    )


def test_a_model_trained_in_full_comes_as_it_is(tmp_path: Path) -> None:
    lm = world.model(world.table())
    lm.save(tmp_path / "model")
    torch.testing.assert_close(_told(LanguageModel.load(tmp_path / "model", SharedBase("cpu"))), _told(lm), atol=1e-6, rtol=1e-6)


def test_models_that_share_answer_at_the_same_time(tmp_path: Path, small_base: Path) -> None:
    base = SharedBase("cpu")
    models = [LanguageModel.load(_saved(tmp_path / str(seed), small_base, "lora", seed), base) for seed in range(3)]
    right = [_told(lm) for lm in models]
    wrong: list[int] = []

    def ask(which: int) -> None:
        for _ in range(30):
            if not torch.equal(_told(models[which]), right[which]):
                wrong.append(which)

    threads = [threading.Thread(target=ask, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
