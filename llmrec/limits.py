"""How large a setting may be that comes from a page: one bound per kind of number, far above what any recipe asks for.

Where it stands: under `guard`. What it does not know: where a recipe comes from, and what the settings do. Whoever sits at the machine
itself, with a file or in Python, is not held to these: the stages' own rules are enough there.

A number without a bound is refused, so that a new setting gets one before a page can set it (a test walks the registry).
"""

from __future__ import annotations

import math
from typing import Any

from llmrec.recipe import BadRecipe

MOST_TEXT, MOST_ENTRIES, DEEPEST = 200, 1_000, 4  # characters in a text, entries in a list or table, tables within tables
WHOLE = 2**63  # no whole number of a recipe reaches it
MILLION = 1_000_000

# a setting, or `section.setting` where the same word means another size: (least, most)
BOUNDS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    # data, filter, split
    "n_users": (2, 100_000),
    "n_items": (2, 100_000),
    "users": (1, 200_000),
    "items": (1, MILLION),
    "kinds": (2, 400),
    "mean_history": (8, 1_000),
    "noise": (0, 1),
    "tail": (0, 3),
    "user": (0, MILLION),
    "item": (0, MILLION),
    "min_history": (0, MILLION),
    "least": (0, MILLION),
    "share": (0, 1),
    "valid": (0, 1),
    "test": (0, 1),
    "positive_above": (-MILLION, MILLION),
    # vectors
    "d": (1, 1_024),
    "walk_length": (1, 500),
    "walks_per_node": (1, 500),
    "window": (1, 100),
    "negatives": (0, 200),
    "subsample": (0, 1_000),
    "scale": (0, 1_000),
    "l2": (0, 1_000),
    "layer": (1, 200),
    "max_subwords": (1, 4_096),
    # names
    "first": (0, 1_000_000_000),
    "n_clusters": (1, 10_000),
    "leaf": (1, MILLION),
    "restarts": (1, 100),
    "n_books": (1, 16),
    "n_codes": (1, 65_536),
    "n_levels": (1, 16),
    "user_tokens": (1, 100_000),
    "latent": (1, 1_024),
    "mask": (0, 1),
    "beta": (0, 1_000),
    # model and head
    "layers": (1, 200),
    "rank": (1, 1_024),
    "augment": (0, 100),
    "dropout": (0, 1),
    "hidden": (1, 4_096),
    "beams": (1, 1_000),
    "n_negatives": (1, MILLION),
    "temperature": (0, 1_000),
    "margin": (-1_000, 1_000),
    "index_above": (0, 1_000_000_000),
    # training
    "epochs": (0, 1_000),
    "steps": (1, 1_000_000),
    "batch": (1, 65_536),
    "train.batch": (1, 4_096),
    "lr": (0, 10),
    "max_items": (1, 1_000),
    "tasks": (0, 1),
    "average": (0, 1),
    "validations": (1, 1_000),
    "patience": (1, 1_000),
    "regularise": (0, MILLION),
    "content": (0, 1),
}
# settings that multiply each other's cost: at most this much together
TOGETHER: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("data", ("n_users", "n_items"), 20_000_000),
    ("data", ("users", "mean_history"), 5_000_000),
    ("embed", ("walk_length", "walks_per_node"), 20_000),
    ("scheme", ("n_books", "n_codes"), 200_000),
    ("scheme", ("n_levels", "n_codes"), 200_000),
)


def bound(section: str, key: str) -> tuple[float, float] | None:
    """The least and the most that a number may be, or None where nobody said."""
    return BOUNDS.get(f"{section}.{key}") or BOUNDS.get(key)


def check_plain(plain: Any) -> None:
    """Refuse what is too deep, too long or no number, before anything looks at it or repeats it in a message. Raises `BadRecipe`."""
    waiting: list[tuple[str, Any, int]] = [("", plain, 0)]
    while waiting:
        where, value, depth = waiting.pop()
        if depth > DEEPEST:
            raise BadRecipe(f"{where[:80]} is nested deeper than {DEEPEST} tables: a recipe has sections, and settings in them")
        if isinstance(value, (dict, list)):
            if len(value) > MOST_ENTRIES:
                raise BadRecipe(f"{where[:80] or 'the recipe'} has {len(value):,} entries: {MOST_ENTRIES:,} at most, take some out")
            inside = value.items() if isinstance(value, dict) else ((where, v) for v in value)
            for key, inner in inside:
                if isinstance(value, dict) and not isinstance(key, str):
                    raise BadRecipe(
                        f"{where[:80] or 'the recipe'} has a setting whose name is {type(key).__name__}, no text: name it in words"
                    )
                _check_text("the name of a setting", key) if isinstance(value, dict) else None
                waiting.append((f"{where}.{key}".strip(".") if isinstance(value, dict) else where, inner, depth + 1))
        elif isinstance(value, str):
            _check_text(where, value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise BadRecipe(f"{where} = {value} is no number to work with: give a finite one")
        elif isinstance(value, int) and abs(value) >= WHOLE:
            raise BadRecipe(f"{where} is a whole number of {value.bit_length()} bits: give one below 2^63")


def check_numbers(section: str, settings: dict[str, Any]) -> None:
    """Refuse a number outside its bound. settings: all of one stage, plain. Raises `BadRecipe` with key, value and bound."""
    for key, value in settings.items():
        for one in _numbers(value):
            allowed = bound(section, key)
            if allowed is None:
                raise BadRecipe(f"[{section}] {key} cannot be set from a page: it has no bound yet, so set it in a file")
            if not allowed[0] <= one <= allowed[1]:
                raise BadRecipe(
                    f"[{section}] {key} = {one:,} must lie in {allowed[0]:,} to {allowed[1]:,} here: correct it; "
                    "what needs more is trained from the command line"
                )
    for of, keys, most in TOGETHER:
        factors = [settings[key] for key in keys if of == section and settings.get(key) is not None]
        if len(factors) == len(keys) and math.prod(factors) > most:
            said = " times ".join(f"{key} = {value:,}" for key, value in zip(keys, factors, strict=True))
            raise BadRecipe(f"[{section}] {said} is {math.prod(factors):,}, and {most:,} is the most here: lower one of them")


def _check_text(where: str, text: str) -> None:
    from llmrec.data.titles import has_control

    if len(text) > MOST_TEXT:
        raise BadRecipe(f"{where[:80]} is a text of {len(text):,} characters: {MOST_TEXT} at most, shorten it")
    if has_control(text):
        raise BadRecipe(f"{where[:80]} holds a character that is not seen or that turns the writing: take it out of {text!r}")


def _numbers(value: Any) -> list[float]:
    """Every number in a plain value."""
    if isinstance(value, bool):
        return []
    if isinstance(value, (int, float)):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [number for inner in inside for number in _numbers(inner)]
