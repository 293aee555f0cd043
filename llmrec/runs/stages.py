"""The stages before the language model, each through the cache: recipe in, values out.

Where it stands: under `pipeline`, which announces them, and under `store`, which reads a run's values back. What it does not know: runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from llmrec.contracts import Dataset, IdTable, Split, Vectors
from llmrec.recipe import Recipe, settings
from llmrec.runs import cache, places

T = TypeVar("T")
LABELS = {"data": "data", "split": "split", "embed": "collaborative vectors", "scheme": "names"}


@dataclass(frozen=True)
class Prepared:
    """All that a recipe yields before the language model. vectors: None where the scheme needs none."""

    dataset: Dataset
    split: Split
    vectors: Vectors | None
    table: IdTable


def keys(recipe: Recipe) -> dict[str, str]:
    """Each stage's name in the cache. A key names the stage's settings, seed and code, and the keys of what it reads.

    Reading data draws nothing at random, so runs of every seed share it. Paths count in full: one text means another file elsewhere.
    """
    recipe = places.located(recipe)
    unseeded = dataclasses.replace(recipe, seed=0)
    data = cache.key("data", unseeded.fingerprint("data", "filter"), _code(recipe.data), cache.files_behind(_read(recipe.data)))
    split = cache.key("split", recipe.fingerprint("split"), _code(recipe.split), data)
    weights = [] if recipe.embed is None else cache.files_behind(settings(recipe.embed))  # of a model in a folder
    embed = cache.key("embed", recipe.fingerprint("embed"), _code(recipe.embed), split, weights)
    read = cache.files_behind(settings(recipe.scheme))  # names that are read from a file
    scheme = cache.key("scheme", recipe.fingerprint("scheme"), _code(recipe.scheme), embed, read)
    return {"data": data, "split": split, "embed": embed, "scheme": scheme}


def label(recipe: Recipe, stage: str) -> str:
    """What a stage is called towards people: its own `label` where it has one ("walks and skip-gram")."""
    return str(getattr(getattr(recipe, stage), "label", LABELS[stage]))


def dataset(recipe: Recipe) -> Dataset:
    """The filtered data set."""
    return _remember(recipe, "data", Dataset, lambda: recipe.filter.apply(recipe.data.load()))


def split(recipe: Recipe, data: Dataset) -> Split:
    """Train, validation and test of this data set."""
    return _remember(recipe, "split", Split, lambda: recipe.split.split(data.interactions, _rng(recipe, "split")))


def vectors(recipe: Recipe, data: Dataset, parts: Split) -> Vectors | None:
    """Vectors fitted on train (and catalogue) alone; None where the recipe has no embed stage."""
    if recipe.embed is None:
        return None
    return _remember(recipe, "embed", Vectors, lambda: recipe.embed.fit(parts.train, data.catalog, _rng(recipe, "embed")))


def table(recipe: Recipe, data: Dataset, parts: Split, points: Vectors | None) -> IdTable:
    """The names of users and items."""
    return _remember(recipe, "scheme", IdTable, lambda: recipe.scheme.fit(parts.train, data.catalog, points, _rng(recipe, "scheme")))


def prepare(recipe: Recipe, around: Callable[[str], Any]) -> Prepared:
    """All four stages in order. around: gives, for a stage's section, the context in which it is worked."""
    with around("data"):
        data = dataset(recipe)
    with around("split"):
        parts = split(recipe, data)
    points = None
    if recipe.embed is not None:
        with around("embed"):
            points = vectors(recipe, data, parts)
    with around("scheme"):
        names = table(recipe, data, parts, points)
    return Prepared(data, parts, points, names)


def cached(recipe: Recipe) -> Iterator[str]:
    """The sections whose results are kept already."""
    return (stage for stage, name in keys(recipe).items() if cache.holds(stage, name))


def _remember(recipe: Recipe, stage: str, kind: type[T], make: Callable[[], T]) -> T:
    return cache.remember(stage, keys(recipe)[stage], kind, make)


def _read(reader: Any) -> dict[str, Any]:
    """The paths behind a reader: those that it resolves itself, by its optional `files()`, else those in its settings."""
    if hasattr(reader, "files"):
        return {str(place): str(path) for place, path in enumerate(reader.files())}
    return settings(reader)


def _code(stage: Any) -> str:
    return "" if stage is None else cache.code(type(stage).__module__)


def _rng(recipe: Recipe, name: str) -> Any:
    from llmrec import rng  # imports torch

    return rng.stream(recipe.seed, name)
