"""Recipes as the command line names them: by file, by shipped name or by scheme and preset, with changes; and the way back.

Where it stands: under `train`, `estimate` and `data`, and under the Train page. What it does not know: which settings exist;
`llmrec.recipe` checks them.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import functools
import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llmrec

if TYPE_CHECKING:
    from llmrec.recipe import Recipe

SAID = 3  # shipped names that are told where none is near
MOST = 8  # changes beyond which a recipe is told by a file of its own
PRESET = {"data": "ml-100k", "preset": "sketch"}  # what --scheme takes where nothing else is said


def add(parser: argparse.ArgumentParser, also: str = "") -> None:
    """The arguments that name a recipe, for `asked`."""
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help=f"a TOML file, or the name of a shipped recipe{also}")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one setting of the recipe")
    parser.add_argument("--scheme", metavar="NAME", help="instead of RECIPE: how users and items are named, such as metaid")
    parser.add_argument("--data", metavar="NAME|PATH", help=f"with --scheme: which data (default: {PRESET['data']})")
    parser.add_argument("--head", metavar="NAME", help="with --scheme: trie, items or retrieve (default: the paper's)")
    parser.add_argument("--lm", metavar="NAME", help="with --scheme: nano, smollm2-135m, a hub name or a folder (default: nano)")
    parser.add_argument("--preset", metavar="NAME", help=f"with --scheme: sketch, demo or full (default: {PRESET['preset']})")


def asked(args: argparse.Namespace) -> Recipe:
    """The recipe that the arguments of `add` name, changes applied. ValueError or UnknownName with the remedy."""
    from llmrec import recipe

    wanted = changes(args.set)
    if args.scheme is not None:
        if args.recipe is not None:
            raise ValueError(f"both the recipe {args.recipe!r} and --scheme were given: leave one of them out")
        return recipe.with_settings(_of_preset(args, wanted), {**_as_imported(args.data), **wanted})
    for name in ("data", "head", "lm", "preset"):
        if getattr(args, name) is not None:
            raise ValueError(f"--{name} goes with --scheme; a setting of a recipe is changed by --set, such as --set train.epochs=2")
    if args.recipe is None:
        raise ValueError("no recipe was given: name one, such as metaid-ml-100k-sketch, or a scheme, such as --scheme metaid")
    return recipe.with_settings(recipe.load(recipe_path(args.recipe)), wanted)


def _of_preset(args: argparse.Namespace, wanted: dict[str, Any]) -> Recipe:
    from llmrec.commands.data import source
    from llmrec.runs import presets

    data = source(args.data or PRESET["data"])
    own = {key.partition(".")[2]: value for key, value in wanted.items() if key.startswith("data.")}  # needed to read it
    return presets.recipe(args.scheme, {**data, **own}, args.preset or PRESET["preset"], args.head, args.lm or "nano")


def _as_imported(data: str | None) -> dict[str, Any]:
    """The filter and the split that an imported data set was given."""
    from llmrec.commands.data import sections

    own = sections(data) if data else {}
    return {section: own[section] for section in ("filter", "split") if own.get(section)}


def typed(args: argparse.Namespace) -> str:
    """The command that trains what the arguments of `add` name, in the words that were typed."""
    named = ((f"--{name}", getattr(args, name)) for name in ("scheme", "data", "head", "lm", "preset"))
    words = [] if args.recipe is None else [args.recipe]
    words += [word for flag, value in named if value is not None for word in (flag, value)]
    return shlex.join(["llmrec", "train", *words, *(word for pair in args.set for word in ("--set", pair))])


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
    if _is_run(text):
        raise ValueError(f"{text!r} is a run: `llmrec train {text} --resume` goes on with it, `llmrec runs again {text}` starts a new one")
    path = "check the path" if text.endswith(".toml") else ""
    if close := _near(wanted, names):
        raise ValueError(f"there is no recipe {text!r}: {path}{', or ' if path else ''}did you mean {' or '.join(close)}?")
    if path:
        raise ValueError(f"there is no recipe {text!r}: {path}")
    more = f" and {len(names) - SAID} more" if len(names) > SAID else ""
    raise ValueError(f"there is no recipe {text!r}: give a path, or one of {', '.join(names[:SAID]) or 'none here'}{more}")


def _is_run(text: str) -> bool:
    from llmrec.runs import store

    try:
        return store.find(text) is not None
    except ValueError:  # nothing of that name, or a folder that holds something else
        return False


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


def command_line(recipe: Recipe) -> str:
    """The command that trains this recipe, quoted for a shell; what it names, read by `asked`, is this recipe again.

    A shipped recipe or a preset where it is one but for the seed, else a shipped recipe of the same data and scheme with the fewest
    changes, else a file, which is to hold `recipe.to_toml()`. A preset is what it is on this machine.
    """
    near = sorted(_shipped_near(recipe), key=lambda found: (len(found[1]), found[0] != recipe.name, found[0]))
    if near and set(near[0][1]) <= {"seed"}:
        return _spelled([near[0][0]], near[0][1])
    if (preset := _preset_of(recipe)) is not None:
        return _spelled(preset, {} if recipe.seed == 0 else {"seed": recipe.seed})
    if near and len(near[0][1]) <= MOST:
        return _spelled([near[0][0]], near[0][1])
    return _spelled([file_name(recipe)], {})


def file_name(recipe: Recipe) -> str:
    """What a file with this recipe is best called."""
    return (re.sub(r"[^A-Za-z0-9._-]+", "-", recipe.name).strip("-.") or "recipe") + ".toml"


def _spelled(words: Sequence[str], changed: dict[str, Any]) -> str:
    sets = [word for key, value in changed.items() for word in ("--set", f"{key}={_text(value)}")]
    return shlex.join(["llmrec", "train", *words, *sets])


def _text(value: Any) -> str:
    """A value that `changes` reads back: plain where that is possible, TOML where not."""
    from llmrec.recipe import toml_value

    plain = isinstance(value, str) and value.isprintable() and changes([f"x={value}"]) == {"x": value}
    return str(value) if plain else toml_value(value)


def _shipped_near(wanted: Recipe) -> Iterator[tuple[str, dict[str, Any]]]:
    """Shipped recipes of the same data and scheme by name, and what changes each of them into the wanted one."""
    from llmrec import recipe
    from llmrec.registry import UnknownName

    files = {p.relative_to(folder).with_suffix("").as_posix(): p for folder in reversed(recipe_folders()) for p in folder.rglob("*.toml")}
    for name, path in sorted(files.items()):
        try:
            base = _loaded(path, path.stat().st_mtime_ns)
            if (type(base.data), type(base.scheme)) != (type(wanted.data), type(wanted.scheme)):
                continue
            changed = _changes_between(base, wanted)
            told = changes([f"{key}={_text(value)}" for key, value in changed.items()])
            if recipe.with_settings(base, told) == wanted:
                yield name, changed
        except (ValueError, UnknownName, OSError):  # a file of somebody's own under the current folder; or not to be had by changes
            continue


@functools.lru_cache(maxsize=256)
def _loaded(path: Path, changed: int) -> Recipe:
    from llmrec import recipe

    return recipe.load(path)


def _changes_between(base: Recipe, wanted: Recipe) -> dict[str, Any]:
    """Dotted changes that make `wanted` of `base`, whole sections where a stage is another."""
    from llmrec import recipe

    out: dict[str, Any] = {} if base.seed == wanted.seed else {"seed": wanted.seed}
    for section in recipe.SECTIONS:
        old, new = getattr(base, section), getattr(wanted, section)
        if new is None or old == new:
            continue
        if type(old) is not type(new):
            out[section] = wanted.to_dict()[section]
            continue
        before = recipe.settings(old)
        for key, value in recipe.settings(new).items():
            if value != before[key]:
                out |= _entries(f"{section}.{key}", before[key], value)
    return out


def _entries(key: str, old: Any, new: Any) -> dict[str, Any]:
    from llmrec.recipe import NONE

    if isinstance(old, dict) and isinstance(new, dict) and set(old) <= set(new) and all(re.fullmatch(r"[\w-]+", name) for name in new):
        return {f"{key}.{name}": value for name, value in new.items() if name not in old or old[name] != value}
    return {key: NONE if new is None else new}


def _preset_of(wanted: Recipe) -> list[str] | None:
    """The words that name this recipe as a preset of data known by name, the seed aside; None where it is none."""
    from llmrec import registry
    from llmrec.runs import presets

    data, scheme, head = (registry.name_of(kind, getattr(wanted, kind)) for kind in ("data", "scheme", "head"))
    if data not in presets.KNOWN or wanted.data != registry.load("data", data)():
        return None
    on = presets.device()
    for preset in presets.PRESETS:
        for given in (None, head):  # the paper's head need not be said
            try:
                same = presets.recipe(scheme, data, preset, given, wanted.lm.name, on=on)
            except (ValueError, registry.UnknownName):
                continue
            if dataclasses.replace(same, seed=wanted.seed) == wanted:
                optional = (("data", data, PRESET["data"]), ("head", given, None), ("lm", wanted.lm.name, "nano"))
                said = [word for name, value, default in optional if value != default for word in (f"--{name}", str(value))]
                return ["--scheme", scheme, *said, "--preset", preset]
    return None
