"""Saved models are plain Hugging Face: transformers and peft alone read them and give the same logits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from llmrec.artifacts import BadArtifact
from llmrec.lm.backbone import Backbone
from llmrec.lm.model import LanguageModel
from tests.lm import world
from tests.lm.world import small_base

__all__ = ["small_base"]


def _same(lm: LanguageModel, standard: torch.nn.Module) -> None:
    ids = torch.tensor([[5, 9, lm.vocab.first, lm.vocab.first + 6, lm.vocab.size - 1]])
    with torch.no_grad():
        h = lm(ids)
        ours = h @ lm.rows.outputs(torch.arange(lm.vocab.size)).T
        theirs = standard(ids).logits[..., : lm.vocab.size]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def _shake(lm: LanguageModel) -> None:
    """Away from the start, so that nothing is equal by being zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in lm.trained().values():
            p.add_(0.05 * torch.randn(p.shape, generator=generator))


def test_full_checkpoint_loads_with_transformers_alone(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    lm = world.model(world.table())
    _shake(lm)
    lm.save(tmp_path / "model")
    standard = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    _same(lm, standard)
    assert AutoTokenizer.from_pretrained(tmp_path / "model").convert_tokens_to_ids("<c2>") == lm.vocab.first + 2
    _same(LanguageModel.load(tmp_path / "model").eval(), standard)


@pytest.mark.parametrize("tuning", ["lora", "rows"])
def test_adapter_loads_with_peft_alone(tmp_path: Path, small_base: Path, tuning: str) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    lm = world.model(world.table(), Backbone(name=str(small_base), tuning=tuning, rank=2))  # type: ignore[arg-type]
    _shake(lm)
    lm.save(tmp_path / "model")
    assert (tmp_path / "model" / "adapter_config.json").is_file()
    assert (tmp_path / "model" / "adapter_model.safetensors").stat().st_size < 100_000  # the rows, not the matrix
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    base = AutoModelForCausalLM.from_pretrained(small_base)
    base.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    standard = PeftModel.from_pretrained(base, tmp_path / "model")
    _same(lm, standard)
    _same(LanguageModel.load(tmp_path / "model").eval(), standard)


@pytest.mark.parametrize("tuning", ["lora", "rows", "full"])
@pytest.mark.parametrize("family", ["gpt2", "gpt_neox"])
def test_other_architectures_take_tokens_too(tmp_path: Path, family: str, tuning: str) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    _, subwords = Backbone(name="tiny").build(["words"], 0)
    size = (
        {"n_embd": 16, "n_layer": 1, "n_head": 2}
        if family == "gpt2"
        else {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(family, vocab_size=len(subwords), **size)).save_pretrained(tmp_path / "base")
    subwords.save_pretrained(tmp_path / "base")
    lm = world.model(world.table(), Backbone(name=str(tmp_path / "base"), tuning=tuning, rank=2, dropout=0.1))  # type: ignore[arg-type]
    _shake(lm)
    lm.save(tmp_path / "model")
    again = LanguageModel.load(tmp_path / "model")
    assert not again.training
    ids = torch.tensor([[5, 9, lm.vocab.first, lm.vocab.size - 1]])
    with torch.no_grad():
        torch.testing.assert_close(again(ids), lm(ids), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(again.rows.rows(out=True), lm.rows.rows(out=True), atol=1e-6, rtol=1e-5)


def test_only_rows_and_adapter_train(small_base: Path) -> None:
    lm = world.model(world.table(), Backbone(name=str(small_base), rank=2))
    names = set(lm.trained())
    assert {n for n in names if "lora" not in n} == {"rows.new", "rows.augment.weight", "rows.augment.bias"}
    assert any("lora_A" in n for n in names)


def test_untied_output_rows_train_and_travel(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    base = world.untied_base(tmp_path / "base")
    lm = world.model(world.table(), Backbone(name=str(base), tuning="full"))
    assert lm.rows.new_out is not None
    _shake(lm)
    lm.save(tmp_path / "model")
    _same(lm, AutoModelForCausalLM.from_pretrained(tmp_path / "model"))
    _same(LanguageModel.load(tmp_path / "model").eval(), AutoModelForCausalLM.from_pretrained(tmp_path / "model"))


def test_damage_is_refused_by_name(tmp_path: Path) -> None:
    lm = world.model(world.table())
    lm.save(tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(BadArtifact, match="model.safetensors"):
        LanguageModel.load(tmp_path / "model")


def test_same_seed_same_model() -> None:
    one, two, other = (world.model(world.table(), seed=s).trained() for s in (0, 0, 1))
    assert all(torch.equal(one[n], two[n]) for n in one)
    assert not all(torch.equal(one[n], other[n]) for n in one)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"layers": 0}, "at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"name": "nano", "tuning": "lora"}, 'tuning = "full"'),
        ({"rank": 0}, "rank"),
    ],
)
def test_senseless_settings_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Backbone(**settings)  # type: ignore[arg-type]


def test_unknown_backbone_names_the_remedy() -> None:
    with pytest.raises(ValueError, match="no backbone is called 'nanoo'"):
        Backbone(name="nanoo").build([], 0)


@pytest.mark.slow
def test_smollm2_from_the_wheel_writes_english_and_takes_tokens() -> None:
    lm = world.model(world.table(), Backbone(name="smollm2-135m"))
    ids = lm.vocab.encode(["The capital of France is"])
    with torch.no_grad():
        last = lm(torch.tensor([ids]))[0, -1]
        best = int((last @ lm.rows.outputs(torch.arange(lm.vocab.first)).T).argmax())
    assert lm.vocab.decode([best]) == [" Paris"]
    assert lm.vocab.subwords.tokenize("user_4332")[-4:] == ["4", "3", "3", "2"]
