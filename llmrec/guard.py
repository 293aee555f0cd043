"""A recipe that comes from a browser, checked before anything works on it.

Where it stands: between a page and `recipe`; the command line and Python, whose files are a person's own, pass it by.
What it does not know: pages. What it says is one sentence with key, value and remedy.

From a page a recipe may name registered data sets, files inside the folder of data sets (`llmrec.home.data`), data sets imported on this
machine (by name, or by full path inside `llmrec.home.uploads`) and the language models that ship with this program. Any other path or
model would let a stranger read the disk, or make this machine fetch and run what they like.
A text setting that nobody classified here is refused, so that a new stage with a path cannot slip through.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from llmrec import home, limits, recipe, registry
from llmrec.recipe import BadRecipe, Recipe

LONGEST, LONGEST_LINE, MOST_BRACKETS, MOST_LINKS = 64 * 1024, 4_000, 200, 10_000
_CHAIN = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++\s*\.\s*){8}""")  # a.a.a.a...: tables in tables, quadratic to read
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Kind = Literal["path", "model", "encoding", "word"]
# settings that are texts: `section.setting` means the same in every stage of the section, `section.stage.setting` in one
TEXTS: dict[str, Kind] = {
    "data.path": "path",
    "data.items_path": "path",
    "data.titles_path": "path",
    "data.encoding": "encoding",
    "data.recbole.user": "word",
    "data.recbole.item": "word",
    "data.recbole.time": "word",
    "data.recbole.rating": "word",
    "data.recbole.title": "word",
    "data.upload.set": "word",
    "data.table.user": "word",
    "data.table.item": "word",
    "data.table.time": "word",
    "data.table.rating": "word",
    "data.table.title": "word",
    "data.table.text": "word",
    "embed.model": "model",
    "embed.text.fields": "word",
    "scheme.items": "path",
    "scheme.users": "path",
    "lm.name": "model",
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "iso-8859-1", "iso-8859-15", "cp1252", "shift_jis", "euc-kr", "gb18030", "big5")


def recipe_from_text(text: str) -> Recipe:
    """The recipe that a TOML text from a page asks for, its paths made absolute. Raises `BadRecipe`, whatever the text holds."""
    if not isinstance(text, str):
        raise BadRecipe("a recipe is a text in TOML, with sections such as [scheme]")
    _check_text(text)
    try:
        plain = tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise BadRecipe(f"this is not TOML: {error!s:.300}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets in brackets
        raise BadRecipe("this recipe holds a number of thousands of digits or too many brackets in brackets: take them out") from None
    return checked(plain)


def checked(plain: dict[str, Any]) -> Recipe:
    """The same for a recipe that a page gives as nested dictionaries, as a form does."""
    if not isinstance(plain, dict):
        raise BadRecipe(f"a recipe is a table of sections such as [scheme], not {type(plain).__name__}: give it sections with settings")
    limits.check_plain(plain)
    try:
        return allowed(recipe.read(plain))
    except (BadRecipe, registry.UnknownName) as error:
        raise BadRecipe(f"{error!s:.1000}") from None


def allowed(wanted: Recipe) -> Recipe:
    """The recipe with its paths made absolute, if a page may ask for it. Raises `BadRecipe` with section, key, value and remedy."""
    limits.check_numbers("recipe", {"seed": wanted.seed})
    changes: dict[str, Any] = {}
    for section, kind in recipe.SECTIONS.items():
        stage = getattr(wanted, section)
        if stage is None:
            continue
        limits.check_plain({section: recipe.settings(stage)})
        limits.check_numbers(section, recipe.settings(stage))
        name = registry.name_of(kind, stage) if kind else ""
        mended = {}
        for key in text_settings(type(stage)):
            value = getattr(stage, key)
            for one in _texts(value):
                mended[key] = _allowed_text(section, name, key, one, value)
        changes[section] = dataclasses.replace(stage, **{k: v for k, v in mended.items() if v != getattr(stage, k)})
    return dataclasses.replace(wanted, **changes)


def text_settings(cls: type) -> list[str]:
    """The settings of a stage that can hold a text of one's own or a path, by their types; a choice of given words is none."""
    hints = typing.get_type_hints(cls)
    return [f.name for f in dataclasses.fields(cls) if f.init and _holds_text(hints[f.name])]


def kind_of(section: str, name: str, key: str, hint: Any = None) -> Kind | None:
    """What a text setting means, or None where nobody said. hint: its type; a `Path` needs no saying."""
    if hint is not None and Path in _parts(hint):
        return "path"
    return TEXTS.get(f"{section}.{name}.{key}") or TEXTS.get(f"{section}.{key}")


def data_path(text: str) -> Path:
    """A file or folder of the data folder, by its name there or in full, or of the imported sets, in full; nothing may lead out of it.

    Raises `BadRecipe`.
    """
    root = _root_of(text)
    said = f"{text!r:.200}"
    remedy = f"put the file into the folder of data sets ({root}) and name it as it is called there"
    if not text or _CONTROL.search(text) or text.startswith("~") or ".." in Path(text).parts:
        raise BadRecipe(f"{said} is no name of a file in the folder of data sets: {remedy}")
    try:
        real, place = root.resolve(), (root / text).resolve()
        if not place.is_relative_to(real):
            raise BadRecipe(f"{said} lies outside the folder of data sets, and a page may not read it: {remedy}")
        if not place.exists():
            raise BadRecipe(f"there is no {said} in the folder of data sets: {remedy}")
        for link in _links(place):
            if not link.resolve().is_relative_to(real):
                raise BadRecipe(f"{said} holds {link.name!r}, a link that leads out of the folder of data sets: put the file itself there")
    except (OSError, RuntimeError, ValueError) as error:  # links in a ring, a name too long for the disk
        if isinstance(error, BadRecipe):
            raise
        raise BadRecipe(f"{said} cannot be looked up: {remedy}") from None
    return place


def _root_of(text: str) -> Path:
    """The folder that a path must lie in: that of the imported sets where it begins there, else the folder of data sets."""
    try:
        inside = Path(text).is_absolute() and Path(text).is_relative_to(home.uploads().absolute()) and home.uploads().is_dir()
    except ValueError:
        inside = False
    return home.uploads() if inside else home.data()


def _check_text(text: str) -> None:
    if len(text) > LONGEST or len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise BadRecipe(f"this recipe is larger than {LONGEST // 1024} KiB: a recipe is a page of text at most")
    found = _CONTROL.search(text)
    if found or any("\ud800" <= c <= "\udfff" for c in text):
        where = f" in line {text.count(chr(10), 0, found.start()) + 1}" if found else ""
        raise BadRecipe(f"this recipe holds a character that is not seen or that turns the writing{where}: type it anew")
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE or _CHAIN.search(line):
            raise BadRecipe(
                f"line {number} of this recipe is longer than {LONGEST_LINE:,} characters or is tables within tables: shorten it"
            )
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise BadRecipe(f"this recipe opens more than {MOST_BRACKETS} brackets: a recipe has eight sections")


def _allowed_text(section: str, name: str, key: str, text: str, value: Any) -> Any:
    """The value, with a path made absolute."""
    stage_hints = typing.get_type_hints(registry.load(section, name)) if name else {}
    kind = kind_of(section, name, key, stage_hints.get(key))
    where = f"[{section}] {key} = {text!r}"
    if kind is None or (kind == "path" and not isinstance(value, (str, Path))):
        raise BadRecipe(f"{where} cannot be set from a page, which might make it a path: set it in a file")
    if kind == "path":
        try:
            place = data_path(text)
        except BadRecipe as error:
            raise BadRecipe(f"[{section}] {key}: {error}") from None
        return place if isinstance(value, Path) else str(place)
    if kind == "model" and text not in shipped_models():
        raise BadRecipe(
            f"{where} is not a model that ships with llmrec, and a page may name no other: choose {' or '.join(shipped_models())}, "
            "or train from the command line"
        )
    if kind == "encoding" and text.lower().replace("_", "-") not in [e.replace("_", "-") for e in ENCODINGS]:
        raise BadRecipe(f"{where} must be one of {', '.join(ENCODINGS)}")
    return value


def shipped_models() -> tuple[str, ...]:
    """The language models that a page may name."""
    from llmrec.lm.backbone import SCRATCH, SMOLLM2

    return (*SCRATCH, SMOLLM2)


def _links(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        return
    for number, path in enumerate(place.rglob("*")):
        if number >= MOST_LINKS:
            raise BadRecipe(f"{place.name!r} holds more than {MOST_LINKS:,} files: name the one that is meant")
        if path.is_symlink():
            yield path


def _texts(value: Any) -> list[str]:
    """Every text in a setting; of a table its words alone, since its keys are the stage's own."""
    if isinstance(value, (str, Path)):
        return [str(value)]
    inside = value.values() if hasattr(value, "values") else value if isinstance(value, (list, tuple)) else ()
    return [text for inner in inside for text in _texts(inner)]


def _holds_text(hint: Any) -> bool:
    return any(part in (str, Path, Any) for part in _parts(hint))


def _parts(hint: Any) -> list[Any]:
    """The plain types that a type is made of. The keys of a mapping are the stage's own words and no part."""
    if typing.get_origin(hint) is Literal:
        return []
    inside = typing.get_args(hint)
    if not inside:
        return [hint]
    mapping = hasattr(typing.get_origin(hint), "items")
    return [part for inner in (inside[1:] if mapping else inside) for part in _parts(inner)]
