"""Tiny pairs for the tests of mutual training: CLLM4Rec's names in the walking world, on a base trained in full or on a frozen one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from llmrec.contracts import Catalog, Split
from llmrec.ids.cllm4rec import Cllm4Rec
from llmrec.lm.backbone import Backbone
from llmrec.lm.documents import Writer
from llmrec.lm.heads.items import Items
from llmrec.lm.loop import Emit
from llmrec.lm.model import LanguageModel
from llmrec.lm.mutual.course import Alternating
from llmrec.lm.mutual.documents import Collaborative, Content
from llmrec.lm.mutual.pair import Pair
from llmrec.lm.mutual.plan import Mutual
from llmrec.recommend.language import LanguageRecommender
from tests.lm import world

SPLIT = world.split()
GENRES = ("Drama", "Comedy", "Western")


def catalog() -> Catalog:
    """40 people with a profile, 24 films whose words tell their parity."""
    users = pd.DataFrame({"key": [f"u{i}" for i in range(40)], "age": [20 + i for i in range(40)], "occupation": ["writer", "artist"] * 20})
    items = pd.DataFrame(
        {
            "key": [f"i{i}" for i in range(24)],
            "title": [f"{'Even' if i % 2 == 0 else 'Odd'} film {i}" for i in range(24)],
            "year": pd.array([1990 + i if i else pd.NA for i in range(24)], dtype="Int64"),
            "genres": [[GENRES[i % 3]] for i in range(24)],
        }
    )
    return Catalog(users, items)


CATALOG = catalog()
TABLE = Cllm4Rec().fit(SPLIT.train, CATALOG, None, np.random.default_rng(0))


def small_base(folder: Path) -> Path:
    """A stand-in for pretrained weights: a tiny Llama with its tokenizer in a folder, as a hub would give it."""
    causal, subwords = Backbone(name="tiny").build(CATALOG.titles, 7)
    causal.save_pretrained(folder)
    subwords.save_pretrained(folder)
    return folder


def model(base: Path | None = None, dropout: float = 0.0) -> LanguageModel:
    """A fresh model: rows alone on a frozen base where one is given, else everything."""
    backbone = Backbone("tiny", dropout=dropout) if base is None else Backbone(str(base), tuning="rows", dropout=dropout)
    return LanguageModel.create(backbone, TABLE, CATALOG, 0)


def course(plan: Mutual, lm: LanguageModel, split: Split = SPLIT, seed: int = 0) -> Alternating:
    """What `Mutual.fit` gives the loop."""
    pair = Pair(lm, content=plan.content > 0)
    compiled = Items().compile(lm, TABLE)
    ranking = LanguageRecommender(lm, TABLE, Items(), compiled, max_items=plan.max_items, task=plan.ranks_by)
    writer = Writer(lm.vocab, compiled.names, TABLE, plan.max_items, anonymous=0.0)
    content = Content.of(writer, CATALOG, split.train) if plan.content else None
    return Alternating(plan, pair, ranking, split, Collaborative(writer, plan.reorder, plan.mask), content, seed)


def fit(
    plan: Mutual,
    lm: LanguageModel,
    folder: Path,
    emit: Emit = lambda event: None,
    stop: Callable[[], bool] = lambda: False,
    split: Split = SPLIT,
) -> dict[str, Any]:
    """Train on the walking world."""
    return plan.fit(lm, TABLE, split, folder, emit, stop, 0, Items(), CATALOG)
