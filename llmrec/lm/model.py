"""A language model with Tokens: a backbone, its vocabulary and its new rows as one trainable, savable thing.

Where it stands: the middle of stage 4; heads ask it for hidden states and for the softmax's columns, `finetune` trains it.
What it does not know: users, items, names, heads.

Saved, it is what any Hugging Face program reads: a standard PEFT adapter (or, trained in full, a standard checkpoint) beside a standard
tokenizer; the augmentation of META ID is folded into the rows. What a head trains of its own lies in a file beside them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llmrec import artifacts, rng
from llmrec.contracts import Catalog, IdTable
from llmrec.lm import projection, prompts
from llmrec.lm.backbone import Backbone
from llmrec.lm.projection import Projection
from llmrec.lm.trained import Trained
from llmrec.lm.vocab import Rows, Vocab, start_rows
from llmrec.recipe import build, settings

if TYPE_CHECKING:
    from llmrec.lm.shared import SharedBase

ADAPTER = "adapter_model.safetensors"


class LanguageModel(Trained):
    """A causal language model whose vocabulary was grown by Tokens. Make one with `create` or `load`."""

    def __init__(self, backbone: Backbone, causal: Any, vocab: Vocab, rows: Rows) -> None:
        super().__init__()
        self.backbone, self.causal, self.vocab, self.rows = backbone, causal, vocab, rows
        self.projections = nn.ModuleDict()  # by the head that trains it
        for part in self.decoder.modules() if backbone.dropout else ():
            if type(part).__name__.endswith(("Attention", "MLP")):  # what Hugging Face calls the two halves of a layer
                part.register_forward_hook(_dropout(backbone.dropout))

    @classmethod
    def create(cls, backbone: Backbone, table: IdTable, catalog: Catalog, seed: int) -> LanguageModel:
        """A fresh model for a table's names: backbone built, vocabulary grown, LoRA added where the backbone's tuning says so."""
        if backbone.tuned == "rows" and not table.books:
            raise ValueError(
                f'tuning = "rows" trains new rows alone, and {table.scheme} names by text, which brings none: use tuning = "lora"'
            )
        causal, subwords = backbone.build([*catalog.titles, *prompts.corpus()], seed)
        vocab = Vocab.of_table(subwords, table)
        base = causal.get_input_embeddings().weight.detach()
        start = start_rows(base[: vocab.first], len(vocab.tokens), rng.torch_stream(seed, "rows"), 1.0 if backbone.scratch else 0.2)
        features = None if table.features is None else torch.from_numpy(table.features)
        return cls._assemble(backbone, causal, vocab, start, features)

    @classmethod
    def load(cls, folder: Path, base: SharedBase | None = None) -> LanguageModel:
        """Read what `save` wrote, ready to recommend. Raises `BadArtifact` naming the file when something is missing or damaged.

        base: takes the frozen weights from there, for answering alone; one that was trained in full has none, and comes as it is.
        """
        _quiet()
        card = artifacts.check(folder, "LanguageModel")["card"]
        backbone = build(Backbone, card["backbone"], "lm")
        vocab = Vocab.load(folder, card["n_tokens"])
        if backbone.tuned == "full":
            from transformers import AutoModelForCausalLM

            causal: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
            start = causal.get_input_embeddings().weight[vocab.first : vocab.size].detach().float()
            model = cls._assemble(backbone, causal, vocab, start, None)
            if model.rows.new_out is not None:
                model.rows.new_out.data.copy_(causal.get_output_embeddings().weight[vocab.first : vocab.size].float())
        elif base is not None:
            model = base.adapted(backbone, vocab, folder)
        else:
            causal, _ = backbone.build([], 0)
            model = cls._assemble(backbone, causal, vocab, torch.zeros(len(vocab.tokens), causal.config.hidden_size), None)
            model._load_adapter(folder)
        model.projections = projection.load(card.get("projections", {}), folder)
        return model.eval()

    @torch.no_grad()
    def adopt(self, folder: Path) -> None:
        """Go on from the LoRA of another model over the same backbone; the new rows stay as they are. ValueError where it does not fit."""
        from safetensors.torch import load_file

        theirs = build(Backbone, artifacts.check(folder, "LanguageModel")["card"]["backbone"], "lm")
        if self.backbone.tuned != "lora" or replace(theirs, augment=self.backbone.augment) != self.backbone:
            raise ValueError(f"{folder} holds the adapter of {theirs}, and this model is {self.backbone}: one cannot go on from the other")
        state = load_file(folder / ADAPTER)
        for name, weight in self.causal.named_parameters():
            if "lora_" in name:
                weight.copy_(state[name.replace(".default", "")])

    @classmethod
    def _assemble(cls, backbone: Backbone, causal: Any, vocab: Vocab, start: Tensor, features: Tensor | None) -> LanguageModel:
        if causal.get_input_embeddings().num_embeddings < vocab.size:
            causal.resize_token_embeddings(vocab.size, mean_resizing=False)
        base, out = causal.get_input_embeddings(), causal.get_output_embeddings()
        head = None if out.weight is base.weight else out
        rows = Rows(base, head, vocab.first, start, features, backbone.augment)
        if backbone.tuned != "full":
            causal = _with_adapter(backbone, causal, vocab, head is not None)
        return cls(backbone, causal, vocab, rows)

    @property
    def decoder(self) -> Any:
        """The stack of layers under the vocabulary."""
        causal = self.causal.get_base_model() if hasattr(self.causal, "get_base_model") else self.causal
        return causal.get_decoder()

    @property
    def device(self) -> torch.device:
        return self.rows.new.device

    def forward(self, ids: Tensor, mask: Tensor | None = None, positions: Tensor | None = None, cache: Any = None) -> Tensor:
        """Hidden states. ids: (b, t) row numbers; mask: (b, t) 1 where real, or (b, 1, t, s) additive; returns (b, t, d)."""
        read = nn.functional.dropout(self.rows(ids), self.backbone.dropout, self.training)
        out = self.decoder(
            inputs_embeds=read, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=cache is not None
        )
        state: Tensor = out.last_hidden_state
        return state

    def add_projection(self, name: str, hidden: int, out: int, seed: int) -> None:
        """Give the model a projection of its states to `out` numbers, which trains with it; a fresh one of these sizes each time."""
        sizes = (self.rows.new.shape[1], hidden, out)
        self.projections[name] = Projection(sizes, rng.torch_stream(seed, f"projection {name}")).to(self.device)

    def save(self, folder: Path) -> None:
        """Write adapter or checkpoint, tokenizer and card into `folder`, in one step. Plain `transformers` and `peft` read it."""
        _quiet()
        card = {"backbone": settings(self.backbone), "n_tokens": len(self.vocab.tokens)}
        card["projections"] = projection.sizes(self.projections)
        with artifacts.writing(folder, "LanguageModel", card) as fresh:
            self._write(fresh)

    @torch.no_grad()
    def _write(self, folder: Path) -> None:
        span = slice(self.vocab.first, self.vocab.size)
        self.vocab.save(folder)
        projection.save(self.projections, folder)
        if self.backbone.tuned == "full":
            state = self.causal.state_dict()
            sides = {self.rows.base.weight.data_ptr(): self.rows.rows()}
            if self.rows.head is not None:
                sides[self.rows.head.weight.data_ptr()] = self.rows.rows(out=True)
            for name, tensor in state.items():
                if tensor.data_ptr() in sides:
                    state[name] = tensor.clone()  # saving changes nothing that trains
                    state[name][span] = sides[tensor.data_ptr()]
            self.causal.save_pretrained(folder, state_dict=state)
            return
        for delta, out in self._deltas():
            delta.copy_(self.rows.rows(out))
        self.causal.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # peft's empty model card

    @torch.no_grad()
    def _load_adapter(self, folder: Path) -> None:
        from peft import set_peft_model_state_dict
        from safetensors.torch import load_file

        set_peft_model_state_dict(self.causal, load_file(folder / ADAPTER))
        for delta, out in self._deltas():
            target = self.rows.new_out if out and self.rows.new_out is not None else self.rows.new
            target.copy_(delta)

    def _deltas(self) -> list[tuple[Tensor, bool]]:
        """PEFT's own copies of the new rows, each with whether it is the output side; frozen here, filled when saved."""
        _, out = _names(self.causal)
        return [(p, f".{out}." in name) for name, p in self.causal.named_parameters() if "trainable_tokens_delta" in name]


def _with_adapter(backbone: Backbone, causal: Any, vocab: Vocab, untied: bool) -> Any:
    """The standard PEFT form of "new rows (+ LoRA)". PEFT's copies of the rows stay frozen: `Rows` holds the ones that train."""
    from peft import LoraConfig, TrainableTokensConfig, get_peft_model

    new = list(range(vocab.first, vocab.size))
    names = _names(causal)
    sides = list(names if untied else names[:1])
    if backbone.tuned == "lora":
        where = {name: new for name in sides}
        config: Any = LoraConfig(r=backbone.rank, lora_alpha=2 * backbone.rank, target_modules="all-linear", trainable_token_indices=where)
    else:
        config = TrainableTokensConfig(token_indices=new, target_modules=sides)
    causal.config.name_or_path = causal.name_or_path = backbone.public_name()
    model = get_peft_model(causal, config)
    model.peft_config["default"].base_model_name_or_path = backbone.public_name()
    for name, parameter in model.named_parameters():
        if "trainable_tokens" in name:
            parameter.requires_grad_(False)
    return model


def _names(causal: Any) -> tuple[str, str]:
    """What this architecture calls its input embedding and its output matrix: `embed_tokens` and `lm_head`, `wte` and `lm_head`, ..."""
    plain = causal.get_base_model() if hasattr(causal, "get_base_model") else causal
    wanted = (plain.get_input_embeddings(), plain.get_output_embeddings())
    found = [next(name for name, module in plain.named_modules() if module is side) for side in wanted]
    return found[0].rsplit(".", 1)[-1], found[1].rsplit(".", 1)[-1]


def _quiet() -> None:
    """No bars for files that take milliseconds: a training's own line stays readable."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def _dropout(p: float) -> Any:
    def hook(module: nn.Module, _: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (nn.functional.dropout(output[0], p, module.training), *output[1:])
        return nn.functional.dropout(output, p, module.training)

    return hook
