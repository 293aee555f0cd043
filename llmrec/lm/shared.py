"""One frozen backbone in memory for many adapters: each model has a tree of modules of its own, and all trees hold the same tensors.

Where it stands: beside `model`, whose `load` takes a `SharedBase`; the chat opens runs through it. What it does not know: runs, names.

Why trees and not adapters switched inside one tree: nothing is switched, so several models answer at the same time without a lock, and
none can be asked under another's adapter. A tree without its tensors is small (SmolLM2: about 1 MB). New rows lie in each model's `Rows`
and not in the embedding, which therefore never grows and is never copied.

What is shared is frozen and half as precise where autocast computes in bf16 anyway: weights of linear layers, whose products come out the
same to the last bit; embedding and norms stay fp32. A model that shares is for answering: it can't be trained or saved.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from llmrec.lm.backbone import Backbone
from llmrec.lm.model import ADAPTER, LanguageModel
from llmrec.lm.precision import best_device, has_bf16
from llmrec.lm.vocab import Rows, Vocab

DELTA = "trainable_tokens_delta"
OUTER, A, B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"  # how PEFT calls what it saves
SCALE = 2  # alpha / r of every LoRA that `LanguageModel` makes


class SharedBase:
    """Pretrained backbones, each loaded when first asked for and then kept. `device`: where they lie; None takes the best.

    Load models one at a time; answering needs no lock.
    """

    def __init__(self, device: torch.device | str | None = None) -> None:
        self.device = torch.device(device) if device is not None else best_device()
        self._loaded: dict[Backbone, Any] = {}

    def tree(self, backbone: Backbone) -> Any:
        """A causal model of one's own over the weights that everybody shares."""
        kept = Backbone(backbone.name, backbone.layers)
        if kept not in self._loaded:
            causal, _ = kept.build([], 0)
            self._loaded[kept] = _frozen(causal.to(self.device))
        base = self._loaded[kept]
        return copy.deepcopy(base, {id(p): p for p in base.parameters()})

    def adapted(self, backbone: Backbone, vocab: Vocab, folder: Path) -> LanguageModel:
        """The model whose adapter `LanguageModel.save` wrote into a folder, over the shared weights. `LanguageModel.load` asks for it."""
        from safetensors.torch import load_file

        causal = self.tree(backbone)
        base, out = causal.get_input_embeddings(), causal.get_output_embeddings()
        head = None if out.weight is base.weight else out
        state = load_file(folder / ADAPTER)
        new, new_out = _rows(causal, {name: state.pop(name) for name in list(state) if DELTA in name})
        rows = Rows(base, head, vocab.first, new, None, backbone.augment)
        if rows.new_out is not None and new_out is not None:
            rows.new_out.data.copy_(new_out)
        _side(causal, state)
        return LanguageModel(backbone, causal, vocab, rows).requires_grad_(False).to(self.device)


def size(models: Iterable[nn.Module]) -> int:
    """The bytes of all weights and buffers of some models, what they share counted once."""
    storages = (t.untyped_storage() for model in models for t in (*model.parameters(), *model.buffers()))
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _frozen(causal: Any) -> Any:
    """A causal model for answering alone; its embedding and its output matrix stay as precise as they are."""
    head = causal.get_output_embeddings()
    for part in causal.modules():
        if isinstance(part, nn.Linear) and part is not head:
            for parameter in part.parameters():
                _halve(parameter)
    return causal.requires_grad_(False).eval()


def _halve(parameter: nn.Parameter) -> None:
    if has_bf16(parameter.device):
        parameter.data = parameter.data.to(torch.bfloat16)


def _rows(causal: Any, deltas: dict[str, Tensor]) -> tuple[Tensor, Tensor | None]:
    """The new rows out of a saved adapter, and those of the output side where it is not tied."""
    out = next(name for name, part in causal.named_modules() if part is causal.get_output_embeddings()).rsplit(".", 1)[-1]
    sides = {f".{out}." in name: rows.float() for name, rows in deltas.items()}
    return sides[False], sides.get(True)


class Sided(nn.Module):
    """A shared layer with a path of low rank beside it: base(x) + B A x, as PEFT computes it with a third of the steps.

    a: (r, d); b: (d', r), PEFT's scale of 2 in it, which is exact in any precision.
    """

    def __init__(self, base: nn.Module, a: Tensor, b: Tensor) -> None:
        super().__init__()
        self.base, self.a, self.b = base, nn.Parameter(a, requires_grad=False), nn.Parameter(SCALE * b, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.to(self.a.dtype)
        out: Tensor = self.base(x) + nn.functional.linear(nn.functional.linear(x, self.a), self.b)
        return out


def _side(causal: Any, state: dict[str, Tensor]) -> None:
    """Put a saved LoRA into a tree, half as precise where its products are computed so."""
    for name in [n for n in state if n.endswith(A)]:
        path = name.removeprefix(OUTER).removesuffix(A)
        parent, _, leaf = path.rpartition(".")
        owner = causal.get_submodule(parent)
        device = next(owner.parameters()).device
        sided = Sided(getattr(owner, leaf), *(state[name.replace(A, side)].float().to(device) for side in (A, B)))
        for parameter in (sided.a, sided.b):
            _halve(parameter)
        setattr(owner, leaf, sided)
