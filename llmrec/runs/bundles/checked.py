"""What a bundle says of its run, looked at before anything is done with it: a file may come from anybody, and pages read these values.

Where it stands: between the container and opening. What it does not know: names, weights.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from llmrec.contracts import Book, IdTable, Names
from llmrec.runs.bundles.container import BadBundle, Bundle

FACTS = (  # of run.json: all but the folder that it was asked for in
    *("kind", "format", "id", "created", "recipe", "recipe_sha256", "data", "scheme", "head", "lm", "seed", "versions", "platform"),
    *("data_fingerprint", "cost", "bundled_by"),
)
TEXTS = ("id", "created", "recipe", "recipe_sha256", "data", "scheme", "head", "lm", "platform", "data_fingerprint")
COSTS = ("seconds", "cpu_seconds", "sessions")
LONGEST = 200


def facts(bundle: Bundle) -> dict[str, Any]:
    """Who, when, with what: the facts that a run.json holds, each of its kind; BadBundle otherwise. What else is there is dropped."""
    found = bundle.json("facts.json")
    if not isinstance(found, dict):
        raise BadBundle(f"{bundle.path}: facts.json holds no facts: it is damaged")
    told = {name: found[name] for name in FACTS if name in found}
    versions, cost = told.get("versions"), told.get("cost", {})
    right = {
        **{name: _text(told.get(name)) for name in TEXTS},
        "kind": told.get("kind") == "llmrec-run",
        "format": told.get("format") == 1,
        "seed": type(told.get("seed")) is int,
        "versions": isinstance(versions, dict) and all(_text(k) and _text(v) for k, v in versions.items()),
        "cost": isinstance(cost, dict) and (not cost or (all(_number(cost.get(k)) for k in COSTS) and _text(cost.get("machine")))),
        "bundled_by": _text(told.get("bundled_by", "")),
    }
    wrong = next((name for name, good in right.items() if not good), None)
    if wrong is not None:
        raise BadBundle(f"{bundle.path}: facts.json does not say {wrong!r} as a run does: it is damaged, or of another llmrec")
    if hashlib.sha256(bundle.parts.get("recipe.toml", b"")).hexdigest() != told["recipe_sha256"]:
        raise BadBundle(f"{bundle.path}: recipe.toml is not the one that its facts tell of: it is damaged")
    return told


def metrics(bundle: Bundle) -> dict[str, Any]:
    """Numbers by part and policy, {"test": {"masked": {"metrics": {name: number}, ..}}}; BadBundle otherwise."""
    found = bundle.json("metrics.json")
    reports = [r for p in found.values() for r in (p.values() if isinstance(p, dict) else [None])] if isinstance(found, dict) else [None]
    for report in reports:
        numbers = report.get("metrics") if isinstance(report, dict) else None
        if not isinstance(numbers, dict) or not all(_number(value) for value in numbers.values()):
            raise BadBundle(f"{bundle.path}: metrics.json holds no numbers as `evaluate` gives them: it is damaged")
    told: dict[str, Any] = found
    return told


def training(bundle: Bundle) -> dict[str, Any]:
    """How the training ended: words and numbers; BadBundle otherwise."""
    found = bundle.json("training.json")
    if not isinstance(found, dict) or not all(v is None or isinstance(v, bool) or _text(v) or _number(v) for v in found.values()):
        raise BadBundle(f"{bundle.path}: training.json does not say how a training ended: it is damaged")
    return found


def names(bundle: Bundle, value: Any, scheme: str, sizes: tuple[int, int]) -> IdTable:
    """A shipped table, if it is one of this scheme for so many items and users, whose codes lie in its books; BadBundle otherwise."""
    from llmrec.ids.exchange.checked import check_prefixes

    where = f"{bundle.path}: names.json"
    if not isinstance(value, IdTable) or not isinstance(value.items, Names) or value.scheme != scheme:
        raise BadBundle(f"{where} holds no names of the scheme {scheme}: it is damaged")
    for side, n in ((value.items, sizes[0]), (value.users, sizes[1])):
        if side is not None and not (isinstance(side, Names) and len(side) == n and all(isinstance(book, Book) for book in side.books)):
            raise BadBundle(f"{where} does not name {n:,} of a side, as the data has them: it is damaged")
        for column, book in enumerate(side.books if side is not None else ()):
            codes = side.codes[:, column] if side is not None else np.zeros(0, dtype=np.int32)
            if codes.dtype.kind != "i" or codes.min(initial=0) < -1 or codes.max(initial=0) >= book.size or book.texts is not None:
                raise BadBundle(f"{where}: codes are outside of book {book.prefix!r:.60}: it is damaged")
    try:
        check_prefixes([book for side in (value.items, value.users) if side is not None for book in side.books], bundle.path)
    except ValueError as error:
        raise BadBundle(f"{bundle.path}: {error}") from None
    if value.features is not None and not (value.features.shape[:1] == (len(value.tokens),) and np.isfinite(value.features).all()):
        raise BadBundle(f"{where}: features are not one row of numbers per Token: it is damaged")
    return value


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
