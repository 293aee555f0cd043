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
    """The names of the shipped recipes: paths below their folder without .toml, "codes/kmeans-ml-100k-sketch"."""
    return sorted({p.relative_to(folder).with_suffix("").as_posix() for folder in recipe_folders() for p in folder.rglob("*.toml")})


def recipe_path(text: str) -> Path:
    """The file of a recipe, named by path, by its shipped name, or by the last part of a name that no other ends with.

    ValueError with the near names, or with those that are meant alike.
    """
    if Path(text).is_file():
        return Path(text)
    wanted, names = text.removesuffix(".toml"), recipe_names()
    meant = [wanted] if wanted in names else [name for name in names if name.rpartition("/")[2] == wanted]
    if len(meant) > 1:
        raise ValueError(f"several recipes are called {text!r}: say which, {' or '.join(meant)}")
    if meant:
        paths = (folder / f"{meant[0]}.toml" for folder in recipe_folders())
        return next(path for path in paths if path.is_file())
    remedy = (
        f"did you mean {' or '.join(close)}?"
        if (close := _near(wanted, names))
        else f"give a path, or one of {', '.join(names) or 'none here'}"
    )
    raise ValueError(f"there is no recipe {text!r}: {remedy}")


def _near(wanted: str, names: Sequence[str]) -> list[str]:
    """Up to three shipped names that look alike, as a whole or by their last part."""
    last = {name.rpartition("/")[2]: name for name in reversed(names)}
    whole = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
    parts = [last[name] for name in difflib.get_close_matches(Path(wanted).stem, list(last), n=3, cutoff=0.4)]
    return list(dict.fromkeys([*whole, *parts] if "/" in wanted else [*parts, *whole]))[:3]


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
