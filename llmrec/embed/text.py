"""Content vectors: what a language model's hidden states say of an item's text.

Where it stands: stage 2, before a scheme that names by content. What it does not know: names, who took what (but for the users' profiles),
validation and test interactions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llmrec import progress
from llmrec.contracts import Catalog, Floats, Interactions, Vectors

BATCH = 8  # texts read at once: always so many, and always of one length
LAYER = {"smollm2-135m": 8}  # where kind of film is read best from titles alone on ML-100K; the last layers predict words and forget it


@dataclass(frozen=True)
class Text:
    """Items by their text, users by the mean of what they took; one space.

    model: smollm2-135m, a sentence encoder or any other model of transformers by hub name (org/name) or local folder, or a random one of
    `llmrec.lm.backbone` (tiny, nano: for tests). layer: read after this many layers, through the model's last normalisation; None: the
    measured one for smollm2-135m, all layers for others. fields: columns of the catalogue that make the text, in this order; empty: the
    title, then all others. max_subwords: longer texts are cut.

    An item's vector is the mean over all subwords of its text, of length 1. Hidden states share a large common part: whoever clusters
    them should take their mean off and scale each coordinate (`ids/vq/residual.py` does, and keeps both).
    A text is read beside others of its own length only, in batches of one fixed size: nothing is padded, and on one machine a text has
    the same bits whatever it is read with. An item without any text gets the zero vector, and so does a user who took nothing.
    Nothing is drawn: `rng` stays untouched, and every seed gives the same vectors.
    """

    model: str = "smollm2-135m"
    layer: int | None = None
    fields: tuple[str, ...] = ()
    max_subwords: int = 128

    label: ClassVar[str] = "reading the catalogue"

    def __post_init__(self) -> None:
        for name in ("layer", "max_subwords"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"text: {name} is {value}, but must be at least 1: raise it in the recipe, or leave it out")
        if "key" in self.fields:
            raise ValueError("text: fields names 'key', which says nothing of an item: take it out of the recipe")

    def fit(self, train: Interactions, catalog: Catalog | None, rng: np.random.Generator) -> Vectors:
        """Read every item of the catalogue; a user is the mean vector of the items in their train history."""
        if catalog is None:
            raise ValueError("text reads the catalogue and got none: give the data set titles, or use an embedder such as metapath")
        items = self.read(texts(catalog, self.fields))
        return Vectors(profiles(items, train), items)

    def read(self, texts: Sequence[str]) -> Floats:
        """(len(texts), d) float32 of length 1, or 0 for an empty text; the space of `fit`."""
        import torch

        from llmrec.lm.precision import best_device

        network, tokenizer = self._load()
        network = network.to(best_device()).eval()
        ids = [tokenizer(t, truncation=True, max_length=self.max_subwords)["input_ids"] if t.strip() else [] for t in texts]
        out = np.zeros((len(texts), network.config.hidden_size), dtype=np.float32)
        done, total = 0, sum(len(ids[rows[0]]) for rows in same_length(ids))
        for rows in same_length(ids):
            progress.say(self.label, done, total)
            done += len(ids[rows[0]])
            block = torch.tensor([ids[r] for r in rows], device=network.device)  # (BATCH, t)
            with torch.inference_mode():
                states = network(input_ids=block, attention_mask=torch.ones_like(block)).last_hidden_state  # (BATCH, t, d)
            mean = states.float().mean(1).cpu().numpy()
            length = np.linalg.norm(mean, axis=1, keepdims=True)
            out[rows] = mean / np.where(length > 0, length, 1)  # batch by batch: a million rows are held once
        progress.say(self.label, 1, 1)
        return out

    def _load(self) -> tuple[Any, Any]:
        """The network without its word head, cut after `layer`, and its tokenizer."""
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        from llmrec.lm.backbone import SCRATCH, Backbone
        from llmrec.lm.precision import best_device, has_bf16

        if self.model in SCRATCH:  # the alphabet alone makes its subwords, so that every catalogue is read alike
            with torch.random.fork_rng():
                causal, tokenizer = Backbone(self.model, layers=self.layer).build([], seed=0)
            return causal.base_model, tokenizer
        source = self._source()
        try:
            config, tokenizer = AutoConfig.from_pretrained(source), AutoTokenizer.from_pretrained(source)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"text: model {self.model!r} cannot be read ({error}): check the name, or the network, or give a folder"
            ) from None
        layer = LAYER.get(self.model) if self.layer is None else self.layer
        if layer is not None:
            if layer > config.num_hidden_layers:
                raise ValueError(f"text: layer is {layer}, but {self.model} has {config.num_hidden_layers}: lower it, or leave it out")
            config.num_hidden_layers = layer
        dtype = torch.bfloat16 if has_bf16(best_device()) else torch.float32
        with _quiet():
            network = AutoModel.from_pretrained(source, config=config, dtype=dtype)
        return (network.get_encoder() if config.is_encoder_decoder else network), tokenizer

    def _source(self) -> str:
        from llmrec.lm.backbone import SMOLLM2, smollm2_folder

        if self.model == SMOLLM2:
            return str(smollm2_folder())
        if not Path(self.model).is_dir() and self.model.count("/") != 1:
            raise ValueError(f"text: no model is called {self.model!r}: use {SMOLLM2}, a hub name such as org/name, or an existing folder")
        return self.model


def texts(catalog: Catalog, fields: Sequence[str] = ()) -> list[str]:
    """The text of every item of a catalogue; an unknown field is an error that lists the known ones."""
    known = [str(c) for c in catalog.items.columns if c != "key"]
    for name in fields:
        if name not in known:
            raise ValueError(f"text: the catalogue has no column {name!r}: fields may name {', '.join(known)}")
    return [item_text(row, fields) for row in catalog.items.to_dict("records")]


def item_text(row: Mapping[Any, Any], fields: Sequence[str] = ()) -> str:
    """One catalogue row as a text: `Title: Toy Story. Year: 1995. Genres: Animation, Comedy.`

    fields: the columns told, in this order; empty: the title, then every other column but the key. What is missing is left out.
    """
    named = fields or ["title", *(str(c) for c in row if c not in ("key", "title"))]
    told = [(name, _words(row.get(name))) for name in named]
    return " ".join(f"{name.replace('_', ' ').capitalize()}: {words.rstrip('.')}." for name, words in told if words)


def profiles(items: Floats, train: Interactions) -> Floats:
    """(n_users, d) float32: the mean vector of the items in each user's history; zero where there is none."""
    from scipy import sparse

    took = sparse.csr_matrix((np.ones(len(train), dtype=np.float32), (train.user, train.item)), (train.n_users, train.n_items))
    count = np.bincount(train.user, minlength=train.n_users)[:, None]
    total = np.asarray(took @ items, dtype=np.float32)
    total /= np.maximum(count, 1)
    return total


def same_length(ids: Sequence[Sequence[int]]) -> Iterator[NDArray[np.int64]]:
    """Batches of row numbers whose texts have one length, `BATCH` each, empty texts left out; a short batch repeats its last row."""
    lengths = np.array([len(i) for i in ids], dtype=np.int64)
    for length in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == length)
        for first in range(0, len(rows), BATCH):
            part = rows[first : first + BATCH]
            yield np.pad(part, (0, BATCH - len(part)), mode="edge")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No bar, and no list of the layers above the cut, which are left in the file on purpose."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _words(value: Any) -> str:
    """A cell as words: lists with commas, whole numbers without a point, nothing for what is missing."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(w for w in map(_words, value) if w)
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
