"""A recipe as a form: every setting of every stage, out of the stages' own dataclasses, so that a new scheme needs no line here.

Where it stands: under `workshop`. What it does not know: which stages exist, pages, runs. It works on nested dictionaries, as TOML gives
them, so that a form can also show what the library refuses.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

from app.seam import Choice, Setting
from llmrec import recipe, registry
from llmrec.recipe import NONE, SECTIONS, toml_value

Plain = dict[str, Any]
Kind = Literal["whole", "number", "switch", "choice", "text", "toml"]
KINDS: dict[Any, Kind] = {int: "whole", float: "number", bool: "switch", str: "text"}
ABOUT = {
    "scheme.name": ("Scheme", "How users and items are named."),
    "head.name": ("Head", "How the model chooses an item: by spelling its name, among all items at once, or by nearness."),
    "lm.name": ("Language model", "What is tuned; any other name or folder can be written in the recipe."),
    "data.name": ("Data", "What is learned from."),
}
NAMED = {
    "split": "How a part is held out to measure on.",
    "embed": "Where the vectors behind the names come from; nothing: the scheme brings none.",
    "train": "How the language model is trained.",
}
LENT = {"name": "lightgcn"}
SEED = Setting("seed", "whole", 0, 0, help="Where all randomness begins: the same seed gives the same run.")


def choices() -> tuple[Choice, ...]:
    """Scheme, head, language model and data, each with one sentence per name."""
    found = []
    for where, (label, about) in ABOUT.items():
        section = where.partition(".")[0]
        kind = SECTIONS[section]
        names = _backbones() if kind is None else {n: sentence(registry.load(kind, n)) for n in registry.names(kind)}
        found.append(Choice(where, label, names, about))
    return tuple(found)


def settings(plain: Plain) -> tuple[Setting, ...]:
    """Every setting of this recipe, in the order of the flow. Sections whose stage cannot be found are left out."""
    found = [dataclasses.replace(SEED, value=plain.get("seed", 0))]
    for section in SECTIONS:
        found += _section(section, plain)
    return tuple(found)


def changed(plain: Plain, changes: Plain) -> Plain:
    """The recipe with dotted changes; None takes a value out of a setting that may be absent. Another stage starts from its defaults, and
    another scheme brings its own vectors where the old one's were not touched."""
    new = copy.deepcopy(plain)
    for where, value in changes.items():
        section, _, key = where.partition(".")
        if not key:
            new[section] = value
        elif key == "name" and SECTIONS[section] is not None:
            if section == "scheme" and _own_embed(new):
                new.pop("embed", None)
            new[section] = {"name": value}
            if value is None:
                new.pop(section)
        else:
            new.setdefault(section, {})[key] = NONE if value is None else value
        if where in ("scheme.name", "head.name"):
            _lend(new)
    return new


def written(plain: Plain) -> str:
    """Nested dictionaries as a recipe's text, also where no recipe can be made of them."""
    lines = [f"{key} = {toml_value(value)}" for key, value in plain.items() if not isinstance(value, dict)]
    for section, body in plain.items():
        if isinstance(body, dict):
            lines += ["", f"[{section}]", *(f"{key} = {toml_value(value)}" for key, value in body.items())]
    return "\n".join(lines) + "\n"


def sentence(cls: type) -> str:
    """The first sentence of a class, in one line."""
    first = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) ", first)[0]


def told(cls: type) -> dict[str, str]:
    """What a class's docstring says of each field: `epochs: passes over train; batch, lr: ...`. Fields it does not name are left out."""
    names = {f.name for f in dataclasses.fields(cls)}
    found: dict[str, str] = {}
    for paragraph in (inspect.getdoc(cls) or "").split("\n\n"):
        text = " ".join(paragraph.split()).partition(" Source:")[0]
        labels = [m for m in re.finditer(r"(?:(?<=^)|(?<=[.;:] ))((?:\w+, )*\w+): ", text) if set(m[1].split(", ")) <= names]
        ends = [*(m.start() for m in labels[1:]), len(text)]
        for mark, end in zip(labels, ends[: len(labels)], strict=True):
            said = text[mark.end() : end].strip(" ;.")
            found.update(dict.fromkeys(mark[1].split(", "), f"{said[:1].upper()}{said[1:]}."))
    return found


def _section(section: str, plain: Plain) -> Iterator[Setting]:
    body, kind = plain.get(section, {}), SECTIONS[section]
    if not isinstance(body, dict):
        return
    name = body.get("name") or _default_name(section, plain)
    if kind is not None and section in NAMED:
        yield Setting(
            f"{section}.name",
            "choice",
            name,
            _default_name(section, plain),
            tuple(registry.names(kind)),
            section == "embed",
            help=NAMED[section],
        )
    if name is None and kind is not None:
        return
    try:
        cls = _class(section, str(name))
    except registry.UnknownName:
        return
    hints, said = typing.get_type_hints(cls), told(cls)
    for f in dataclasses.fields(cls):
        if f.init and f"{section}.{f.name}" not in ABOUT:
            yield _setting(
                f"{section}.{f.name}", f, hints[f.name], body, said.get(f.name) or f"A setting of {name or section}. {sentence(cls)}"
            )


def _setting(where: str, f: dataclasses.Field[Any], hint: Any, body: Plain, said: str) -> Setting:
    kind, choices, optional = _kind(hint)
    needed = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    default = f.default_factory() if callable(f.default_factory) else None if needed else f.default
    value = body.get(f.name, default)
    value = None if optional and value == NONE else value
    if kind == "toml":
        value, default = (None if v is None else toml_value(v) for v in (value, default))
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return Setting(where, kind, value, default, choices, optional, needed, said)


def _kind(hint: Any) -> tuple[Kind, tuple[Any, ...], bool]:
    """Which control, its choices, and whether the setting may be absent."""
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    inner = [o for o in options if o is not type(None)]
    optional = len(inner) < len(options)
    if len(inner) == 1 and typing.get_origin(inner[0]) is typing.Literal:
        return "choice", typing.get_args(inner[0]), optional
    return (KINDS.get(inner[0], "toml") if len(inner) == 1 else "toml"), (), optional


def _default_name(section: str, plain: Plain) -> Any:
    if section == "embed":
        return _embedder(plain)
    kind = SECTIONS[section]
    return None if kind is None or section == "scheme" else registry.name_of(kind, recipe.stage(section, {}))


def _embedder(plain: Plain) -> str | None:
    """The vectors that the scheme takes by itself."""
    try:
        found: str | None = registry.load("scheme", str(plain["scheme"]["name"])).embedder
    except (registry.UnknownName, KeyError, TypeError):
        return None
    return found


def _own_embed(plain: Plain) -> bool:
    return plain.get("embed") in (None, {"name": _embedder(plain)})


def _lend(plain: Plain) -> None:
    """A head that compares with vectors, behind a scheme that brings none, is lent some; they go when nobody asks for them."""
    body = plain.get("head")
    try:
        asks = registry.load("head", str(body.get("name") if isinstance(body, dict) else "trie")).needs_vectors
    except registry.UnknownName:
        return
    if asks and _embedder(plain) is None:
        plain.setdefault("embed", dict(LENT))
    elif plain.get("embed") == LENT and _embedder(plain) is None:
        plain.pop("embed")


def _class(section: str, name: str) -> Any:
    kind = SECTIONS[section]
    return type(recipe.stage(section, {})) if kind is None else registry.load(kind, name)


def _backbones() -> dict[str, str]:
    """The language models that the module of backbones lists, in its own words."""
    from llmrec.lm import backbone

    lines = re.findall(r"^    (\S+)\s{2,}(.+)$", inspect.getdoc(backbone) or "", re.MULTILINE)
    return {name: said[:1].upper() + said[1:] + "." for name, said in lines}
