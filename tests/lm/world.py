"""A tiny trained-from-nothing world for the language-model tests: a checkerboard, names from META ID's shape, the tiny backbone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmrec.contracts import Book, Catalog, IdTable, Interactions, Names, Split
from llmrec.lm.backbone import Backbone
from llmrec.lm.model import LanguageModel

TINY = Backbone(name="tiny", dropout=0.0)


def catalog(n_users: int, titles: list[str]) -> Catalog:
    """Users u0.. and items i0.. with these titles."""
    return Catalog(
        pd.DataFrame({"key": [f"u{i}" for i in range(n_users)]}),
        pd.DataFrame({"key": [f"i{i}" for i in range(len(titles))], "title": titles}),
    )


def table(n_users: int = 4, n_items: int = 24, coarse: int = 5, features: bool = True) -> IdTable:
    """Two Tokens a name: a cluster and a rank inside it, users and items sharing both books."""
    n = n_items + n_users
    cluster = np.arange(n) % coarse
    rank = np.arange(n) // coarse
    books = (Book("c", coarse), Book("r", int(rank.max()) + 1))
    codes = np.stack([cluster, rank], 1).astype(np.int32)
    f = np.random.default_rng(5).standard_normal((coarse + books[1].size, 6)).astype(np.float32) if features else None
    return IdTable("test", Names(codes[:n_items], books), Names(codes[n_items:], books), features=f)


def text_table(titles: list[str]) -> IdTable:
    """One book of texts: each item is named by its title."""
    book = Book("title", len(titles), token=False, texts=tuple(titles))
    return IdTable("title", Names(np.arange(len(titles), dtype=np.int32)[:, None], (book,)))


def model(names: IdTable, backbone: Backbone = TINY, seed: int = 0) -> LanguageModel:
    """A fresh language model for a table, in evaluation mode."""
    n_users = 0 if names.users is None else len(names.users)
    titles = [f"Film {i}" for i in range(len(names.items))]
    return LanguageModel.create(backbone, names, catalog(n_users, titles), seed).eval()


def split(n_users: int = 40, n_items: int = 24, length: int = 12, seed: int = 3) -> Split:
    """Users who walk through the items of their own parity in order, from a random start: the next item is always the same function."""
    rng = np.random.default_rng(seed)
    rows = []
    for u in range(n_users):
        start = int(rng.integers(n_items // 2))
        rows += [(u, (u % 2) + 2 * ((start + t) % (n_items // 2)), t) for t in range(length)]
    user, item, time = (np.asarray(c) for c in zip(*rows, strict=True))
    whole = Interactions(user.astype(np.int32), item.astype(np.int32), time.astype(np.int64), n_users, n_items)
    last = time == length - 1
    second = time == length - 2
    return Split("loo", whole.take(~last & ~second), whole.take(second), whole.take(last))


@pytest.fixture(scope="module")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in for pretrained weights: a tiny Llama with its tokenizer in a folder, as a hub would give it."""
    folder = tmp_path_factory.mktemp("base") / "tiny-llama"
    causal, subwords = Backbone(name="tiny").build(["some words to learn"], 7)
    causal.save_pretrained(folder)
    subwords.save_pretrained(folder)
    return folder


def untied_base(folder: Path) -> Path:
    """The same with output rows of its own."""
    from transformers import LlamaConfig, LlamaForCausalLM

    _, subwords = Backbone(name="tiny").build(["words"], 0)
    shape = LlamaConfig(
        vocab_size=len(subwords),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    subwords.save_pretrained(folder)
    return folder
