"""Rows and results small enough for tests: a recipe on the checkerboard, and results whose places are written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.places import Placed
from benchmarks.rows import Row

TINY = """
seed = 0
[data]
name = "checkerboard"
n_users = 24
n_items = 24
[scheme]
name = "cllm4rec"
[lm]
name = "tiny"
[head]
name = "items"
[train]
epochs = 1
validations = 1
"""


def row(folder: Path, text: str = TINY, name: str = "made/tiny") -> Row:
    """A row of a recipe in a folder of the test's own."""
    path = folder / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Row(name, path)


def placed(places: Sequence[int], k: int = 30, first: int = 0) -> dict[str, Any]:
    """A ranking with one target a user, as JSON keeps it; 0 for not found."""
    found = [[place] if place else [] for place in places]
    users = np.arange(first, first + len(places))
    return Placed(users, np.ones(len(places), dtype=np.int64), found, k, 1.0, 2.0).to_plain()


def said(name: str, seed: int, places: Sequence[int], **more: Any) -> dict[str, Any]:
    """A result with the same places in every ranking."""
    rankings = {ranking: placed(places) for ranking in ("valid masked", "test masked", "test unmasked")}
    plain = {"row": name, "seed": seed, "data": "checkerboard", "protocol": "loo", "recipe": {"seed": seed}, "settings": {"seed": seed}}
    spent = {"train_seconds": 1.0, "train_cpu_seconds": 2.0}
    return plain | spent | {"versions": {}, "machine": {}} | more | {"rankings": rankings}
