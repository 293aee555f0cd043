"""A run that was trained and not yet measured, and whose model is damaged since: it is made again, the same, and measured."""

from __future__ import annotations

from pathlib import Path

import torch

from llmrec.lm.model import LanguageModel
from llmrec.runs import pipeline, store
from tests.runs.worlds import board


def test_a_damaged_model_is_made_again_before_it_is_measured(tmp_path: Path) -> None:
    run = store.create(board(), tmp_path / "run")
    assert pipeline.train(run, numbers=False).state == "done" and pipeline.is_trained(run)
    expected = {name: p.detach().clone() for name, p in LanguageModel.load(run.path / "model").trained().items()}
    weights = run.path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    assert not pipeline.is_trained(run)
    assert pipeline.train(run).state == "done"
    told = [e["text"] for e in run.events() if e["event"] == "warning"]
    assert told == ["the trained model is missing or damaged; it is made again, to the same end"]
    found = LanguageModel.load(run.path / "model").trained()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert (run.path / "model-damaged").is_dir() and run.metrics is not None and set(run.metrics) == {"valid", "test"}
