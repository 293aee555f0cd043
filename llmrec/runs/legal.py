"""Whether a recipe's head can rank its scheme's names, found out in a second or two, before a training is begun.

Where it stands: before a run; the Train page asks. What it does not know: which pairs are legal. It puts the names that are at hand
before the head, on the smallest language model, and lets the head say.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from llmrec.recipe import Recipe
from llmrec.runs import stages


def check(recipe: Recipe, read: bool = True) -> None:
    """ValueError in the head's own words where it refuses the names; silent where fitting them first would take long.

    read: whether data that nobody read yet may be read for it (and kept).
    """
    from llmrec.lm.model import LanguageModel

    kept = set(stages.cached(recipe))
    known = "scheme" in kept or recipe.scheme.embedder is None  # names are kept already, or are made without vectors
    if recipe.head.needs_vectors or not known or not (read or "data" in kept):
        return  # a head that compares with vectors takes any names
    data = stages.dataset(recipe)
    table = stages.table(recipe, data, stages.split(recipe, data), None) if recipe.scheme.embedder is None else _kept(recipe)
    smallest = dataclasses.replace(recipe.lm, name="tiny", layers=1, pretrained=True, tuning="full")
    recipe.head.compile(LanguageModel.create(smallest, table, data.catalog, recipe.seed), table, data.catalog)


def _kept(recipe: Recipe) -> Any:
    from llmrec.contracts import IdTable
    from llmrec.runs import cache

    def refuse() -> Any:
        raise ValueError("the names were kept a moment ago and are gone: ask again")

    return cache.remember("scheme", stages.keys(recipe)["scheme"], IdTable, refuse)
