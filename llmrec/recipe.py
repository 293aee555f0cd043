"""A recipe: one run's settings, written as TOML differences from the defaults, read into the stages' own frozen dataclasses.

Where it stands: before the flow; a recipe holds one settings object per stage, ready to be asked for its verb.
What it does not know: what the stages do. An unknown key is refused by name, with the near ones; a wrong type by key, value and type.

    seed = 0
    [data]
    name = "ml-100k"
    [scheme]
    name = "metaid"
    n_clusters = 40
"""

from __future__ import annotations

import collections.abc
import copy
import dataclasses
import difflib
import hashlib
import json
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmrec import registry

FORMAT = 1
NONE = "none"  # TOML has no null: this text stands for it in a setting that may be absent
ABSENT = "absent"  # stands in a difference for a stage or a setting that one side lacks


class BadRecipe(ValueError):
    """A recipe that cannot be read; the message names the key and the remedy."""


@dataclass(frozen=True)
class Recipe:
    """One settings object per stage of the flow. `embed` is None for schemes that need no vectors."""

    data: Any
    filter: Any
    split: Any
    embed: Any
    scheme: Any
    lm: Any
    head: Any
    train: Any
    seed: int = 0
    name: str = field(default="run", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The differences from the defaults, as `read` takes them: recipe.read(r.to_dict()) == r."""
        out: dict[str, Any] = {"seed": self.seed}
        for section, kind in SECTIONS.items():
            stage = getattr(self, section)
            if stage is None:
                continue
            body = {} if kind is None else {"name": registry.name_of(kind, stage)}
            body.update(_differences(stage))
            if body:
                out[section] = body
        return out

    def to_toml(self) -> str:
        """The recipe as a TOML text."""
        plain = self.to_dict()
        lines = [f"seed = {plain.pop('seed')}"]
        for section, body in plain.items():
            lines += ["", f"[{section}]", *(f"{key} = {toml_value(value)}" for key, value in body.items())]
        return "\n".join(lines) + "\n"

    def fingerprint(self, *sections: str) -> str:
        """12 hex digits that name these sections' complete settings (all sections and the seed when none is given)."""
        chosen = sections or tuple(SECTIONS)
        whole: dict[str, Any] = {"format": FORMAT, "seed": self.seed}
        for section in chosen:
            stage = getattr(self, section)
            whole[section] = None if stage is None else [f"{type(stage).__module__}:{type(stage).__qualname__}", settings(stage)]
        return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()[:12]


# section of the TOML file -> kind in the registry; None: one class only, named here
SECTIONS: dict[str, str | None] = {
    "data": "data",
    "filter": None,
    "split": "split",
    "embed": "embed",
    "scheme": "scheme",
    "lm": None,
    "head": "head",
    "train": "train",
}
_ONLY = {"filter": "llmrec.data.filter:KCore", "lm": "llmrec.lm.backbone:Backbone"}
_DEFAULT_NAME = {"data": "ml-100k", "split": "loo", "embed": "metapath", "head": "trie", "train": "finetune"}


def load(path: Path | str) -> Recipe:
    """Read a recipe file. Raises `BadRecipe` with the file's name and the remedy."""
    path = Path(path)
    if not path.is_file():
        raise BadRecipe(f"there is no recipe {path}: recipes ship under benchmarks/recipes/")
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows write a mark in front
        return dataclasses.replace(read(tomllib.loads(text)), name=path.stem)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRecipe(f"{path.name} is not a TOML file: {error}") from None
    except (BadRecipe, registry.UnknownName) as error:
        raise BadRecipe(f"{path.name}: {error}") from None


def read(plain: dict[str, Any]) -> Recipe:
    """A recipe from nested dictionaries, as a TOML file gives them."""
    known = ["seed", *SECTIONS]
    for key in plain:
        if key not in known:
            raise BadRecipe(f"unknown section {key!r}{_near(key, known)}")
    seed = plain.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise BadRecipe(f"seed = {seed!r} must be a whole number from 0")
    stages: dict[str, Any] = {}
    for section in SECTIONS:
        body = plain.get(section, {})
        if not isinstance(body, dict):
            raise BadRecipe(f"[{section}] must be a table, not {body!r}")
        stages[section] = None if section == "embed" else stage(section, dict(body))
    if "embed" in plain:
        stages["embed"] = stage("embed", {"name": stages["scheme"].embedder or "metapath", **plain["embed"]})
    else:
        stages["embed"] = _own_embedder(stages["scheme"])
    if stages["embed"] is None and stages["head"].needs_vectors:
        head, scheme = (registry.name_of(kind, stages[kind]) for kind in ("head", "scheme"))
        raise BadRecipe(f'[head] {head} compares with vectors and {scheme} brings none: add [embed] with name = "lightgcn"')
    return Recipe(**stages, seed=seed)


def _own_embedder(scheme: Any) -> Any:
    """The embedder that a scheme takes where the recipe names none, with its defaults; None for schemes without vectors."""
    return None if scheme.embedder is None else stage("embed", {"name": scheme.embedder})


def build(cls: type, body: dict[str, Any], where: str) -> Any:
    """A frozen dataclass from plain values: unknown keys and wrong types are refused by name, the class checks the rest."""
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    given = {}
    for key, value in body.items():
        if key not in fields:
            raise BadRecipe(f"[{where}] has no setting {key!r}{_near(key, list(fields))}")
        given[key] = _coerce(value, hints[key], f"[{where}] {key}")
    missing = [
        f.name
        for f in fields.values()
        if f.name not in given and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise BadRecipe(f"[{where}] needs the setting {missing[0]!r}")
    try:
        return cls(**given)
    except (ValueError, TypeError) as error:
        raise BadRecipe(f"[{where}] {error}") from None


def settings(stage: Any) -> dict[str, Any]:
    """All settings of a stage as plain values."""
    return {f.name: _plain(getattr(stage, f.name)) for f in dataclasses.fields(stage) if f.init}


def with_settings(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """A recipe with dotted changes applied, such as {"train.epochs": 2, "seed": 1}; {"train.tasks.rating": 0.5} changes one entry alone."""
    plain = recipe.to_dict()
    if recipe.embed == _own_embedder(recipe.scheme):
        plain.pop("embed", None)  # another scheme brings its own
    for dotted, value in copy.deepcopy(changes).items():  # a later change may go into an earlier one
        section, _, key = dotted.partition(".")
        if not key:
            plain[section] = value
            continue
        *outer, last = dotted.split(".")
        inside = plain
        for depth, name in enumerate(outer, 1):
            inside = inside.setdefault(name, {})
            if not isinstance(inside, dict):
                one = ".".join(outer[:depth])
                raise BadRecipe(f"{dotted!r} is no setting: {one} is a single value, set {one} itself")
        inside[last] = value
    return dataclasses.replace(read(plain), name=recipe.name)


def differences(a: Recipe, b: Recipe) -> list[tuple[str, Any, Any]]:
    """Where two recipes differ: dotted key, left, right, over the complete settings, defaults included; empty exactly where a == b.

    What one side lacks is `ABSENT` there. A stage of another name tells the name first, then every setting that differs.
    """
    found: list[tuple[str, Any, Any]] = [] if a.seed == b.seed else [("seed", a.seed, b.seed)]
    for section, kind in SECTIONS.items():
        left, right = (_complete(section, kind, getattr(side, section)) for side in (a, b))
        both = [(key, left.get(key, ABSENT), right.get(key, ABSENT)) for key in dict.fromkeys((*left, *right))]
        found += [(key, old, new) for key, old, new in both if old != new]
    return found


def _complete(section: str, kind: str | None, stage: Any) -> dict[str, Any]:
    """All settings of a stage by dotted key, the entries of a table each for itself; nothing for a stage that is not there."""
    if stage is None:
        return {}
    out: dict[str, Any] = {} if kind is None else {f"{section}.name": registry.name_of(kind, stage)}
    for key, value in settings(stage).items():
        entries = {f"{section}.{key}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {f"{section}.{key}": value}
        out.update(entries)
    return out


def stage(section: str, body: dict[str, Any]) -> Any:
    """The settings object of one section, from its plain values; its defaults from an empty dictionary."""
    body = dict(body)
    kind = SECTIONS[section]
    if kind is None:
        module, _, name = _ONLY[section].partition(":")
        cls = getattr(__import__(module, fromlist=[name]), name)
    else:
        name = body.pop("name", _DEFAULT_NAME.get(section))
        if name is None:
            raise BadRecipe(f"[{section}] needs a name: one of {', '.join(registry.names(kind))}")
        cls = registry.load(kind, str(name))
    return build(cls, body, section)


def _differences(stage: Any) -> dict[str, Any]:
    out = {}
    for f in dataclasses.fields(stage):
        if not f.init:
            continue
        value = getattr(stage, f.name)
        default = f.default if f.default is not dataclasses.MISSING else f.default_factory() if callable(f.default_factory) else None
        if (f.default is dataclasses.MISSING and not callable(f.default_factory)) or value != default:
            out[f.name] = NONE if value is None else _plain(value)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return str(value) if isinstance(value, Path) else value


def _coerce(value: Any, hint: Any, where: str) -> Any:
    """The value as the hint asks, or `BadRecipe`. Whole numbers pass as floats; nothing else is converted silently."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [h for h in typing.get_args(hint) if h is not type(None)]
        if len(options) < len(typing.get_args(hint)) and (value is None or value == NONE):
            return None
        for option in options:
            try:
                return _coerce(value, option, where)
            except BadRecipe:
                continue
        raise BadRecipe(f"{where} = {value!r} must be {' or '.join(_say(o) for o in options)}")
    if origin is typing.Literal:
        choices = typing.get_args(hint)
        if not any(value == c and type(value) is type(c) for c in choices):  # True is not the choice 1
            raise BadRecipe(f"{where} = {value!r} must be one of {', '.join(map(repr, choices))}")
        return value
    if origin is tuple and isinstance(value, (list, tuple)):
        inner = typing.get_args(hint)
        if inner[-1] is Ellipsis:
            return tuple(_coerce(v, inner[0], where) for v in value)
        if len(value) != len(inner):
            raise BadRecipe(f"{where} = {value!r} must have {len(inner)} entries")
        return tuple(_coerce(v, h, where) for v, h in zip(value, inner, strict=True))
    if origin is list and isinstance(value, (list, tuple)):
        return [_coerce(v, typing.get_args(hint)[0], where) for v in value]
    if origin in (dict, collections.abc.Mapping) and isinstance(value, dict):
        return {str(k): _coerce(v, typing.get_args(hint)[1], f"{where}.{k}") for k, v in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is Any or (isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool))):
        return value
    raise BadRecipe(f"{where} = {value!r} must be {_say(hint)}")


def _say(hint: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
    return words.get(hint, getattr(hint, "__name__", str(hint)))


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f": did you mean {' or '.join(map(repr, close))}?" if close else f"; there are {', '.join(known)}"


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_value(str(k))} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON leaves DEL as it is, TOML forbids it
    return repr(value)
