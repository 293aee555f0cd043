"""Recipes and changes as the command line names them.

Where it stands: under `train` and `data`. What it does not know: which settings exist; `llmrec.recipe` checks them.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llmrec


def recipe_folders() -> list[Path]:
    """Where recipes ship: beside the code in a clone, or under the current folder."""
    return [Path("benchmarks/recipes"), Path(llmrec.__file__).resolve().parent.parent / "benchmarks" / "recipes"]


def recipe_names() -> list[str]:
    """The names of the shipped recipes."""
    return sorted({path.stem for folder in recipe_folders() for path in folder.glob("*.toml")})


def recipe_path(text: str) -> Path:
    """The file of a recipe, named by path or by its shipped name. ValueError with the near names."""
    if Path(text).is_file():
        return Path(text)
    for folder in recipe_folders():
        shipped = folder / f"{text.removesuffix('.toml')}.toml"
        if Path(text).name == text and shipped.is_file():
            return shipped
    names = recipe_names()
    close = difflib.get_close_matches(Path(text).stem, names, n=3, cutoff=0.4)
    remedy = f"did you mean {' or '.join(close)}?" if close else f"give a path, or one of {', '.join(names) or 'none here'}"
    raise ValueError(f"there is no recipe {text!r}: {remedy}")


def changes(pairs: Sequence[str]) -> dict[str, Any]:
    """`--set` arguments: {"train.epochs": 2}. A value is read as TOML, and as plain text where it is none."""
    out: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"--set {pair!r} must look like section.key=value, for example --set train.epochs=2")
        out[key.strip()] = _value(value.strip())
    return out


def _value(text: str) -> Any:
    try:
        plain = tomllib.loads(f"x = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return plain["x"] if set(plain) == {"x"} else text
