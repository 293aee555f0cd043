"""Where a recipe's relative paths start: the folder that somebody stood in when they asked for a run.

Where it stands: under `store`, which notes the folder and reads a run's recipe back from anywhere, and under `stages`, whose results are
kept by full paths. What it does not know: runs, and what is behind a path.

Without it "ratings.csv" would be another file in another folder, and a run that is done again, resumed or measured would take that one.
"""

from __future__ import annotations

import dataclasses
import os
import typing
from pathlib import Path
from typing import Any

from llmrec import guard, recipe, registry
from llmrec.recipe import Recipe


def located(wanted: Recipe, base: str | Path | None = None) -> Recipe:
    """The recipe with its relative paths made absolute. base: the folder they start from; None: the current one.

    A model's name counts as a path where a folder of that name lies there, as it does for whoever loads the model.
    """
    start = os.path.abspath(base) if base is not None else os.getcwd()
    changes = {}
    for section, kind in recipe.SECTIONS.items():
        stage = getattr(wanted, section)
        moved = {} if stage is None else _moved(section, registry.name_of(kind, stage) if kind else "", stage, start)
        if moved:
            changes[section] = dataclasses.replace(stage, **moved)
    return dataclasses.replace(wanted, **changes) if changes else wanted


def _moved(section: str, name: str, stage: Any, start: str) -> dict[str, Any]:
    """The settings of a stage that are relative paths, made absolute."""
    hints = typing.get_type_hints(type(stage))
    found: dict[str, Any] = {}
    for key in guard.text_settings(type(stage)):
        value = getattr(stage, key)
        if not isinstance(value, (str, Path)) or not str(value) or str(value).startswith("~") or os.path.isabs(value):
            continue
        kind, whole = guard.kind_of(section, name, key, hints[key]), os.path.join(start, value)
        if kind == "path" or (kind == "model" and value not in guard.shipped_models() and os.path.isdir(whole)):
            found[key] = type(value)(whole)
    return found
