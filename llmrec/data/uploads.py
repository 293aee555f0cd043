"""Data sets imported on this machine: a folder each, with the files as they were given, how to read them, and what a recipe says.

Where it stands: a reader of stage 1 over the other readers, and the keeper of their folders; `importing` fills them. What it does not
know: runs, pages.

    uploads/my-films/ratings.csv    the files, checked when they came
    uploads/my-films/source.toml    which reader reads them, and which column is what
    uploads/my-films/recipe.toml    [data] [filter] [split]: a recipe but for the names and the model
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmrec import home, registry
from llmrec.contracts import Dataset
from llmrec.data.admit import BadData
from llmrec.data.files import usable
from llmrec.data.titles import printable

SOURCE, RECIPE = "source.toml", "recipe.toml"
READERS = ("table", "recbole", "movielens", "amazon", "sequences")
LONGEST = 40
WORDS = ("import", "list", "delete")  # of `llmrec data`
ENDINGS = tuple(f".{end}" for end in "toml csv tsv tab txt parquet gz zip json jsonl ndjson inter item user".split())
STALE = 86_400.0  # seconds after which what a kill left half-written is swept up
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST - 1}}}")
_RULE = f"1 to {LONGEST} of the letters a to z, digits, '-', '_' and '.', beginning with a letter or a digit"


@dataclass(frozen=True)
class Upload:
    """A data set that was imported on this machine, by its name.

    set: the name it was given when it came.
    """

    set: str

    def __post_init__(self) -> None:
        if not is_name(self.set):
            raise ValueError(f"{printable(self.set)[:100]!r} is no name of an imported data set: {_RULE}")

    def files(self) -> tuple[Path, ...]:
        """What is read, so that a set that was deleted and imported anew is read again. Raises `BadData` where it is not there."""
        place = folder(self.set)
        return tuple(sorted(p for p in place.iterdir() if p.is_file() and p.name != RECIPE))

    def load(self) -> Dataset:
        """The data set, whole or not at all. Raises `BadData`."""
        place = folder(self.set)
        return named(reader(place, _toml(place / SOURCE).get("data", {})).load(), self.set)


def names() -> list[str]:
    """Every set of this machine, by name."""
    root = home.uploads()
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if is_name(p.name) and not p.is_symlink() and (p / SOURCE).is_file())


def folder(name: str) -> Path:
    """Where a set lies. Raises `BadData` with the near names where there is none."""
    if not is_name(name) or name not in (there := names()):
        near = difflib.get_close_matches(str(name), names(), n=2, cutoff=0.5)
        said = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(there)}" if names() else "none was imported yet"
        raise BadData(
            f"no data set called {printable(str(name))[:100]!r} was imported on this machine ({said}); "
            "import it on the Data page or with `llmrec data import`"
        )
    return home.uploads() / name


def fragment(name: str) -> dict[str, dict[str, Any]]:
    """What a recipe says to be about this set as it was imported: sections data, filter and split."""
    plain = _toml(folder(name) / RECIPE)
    return {section: dict(plain.get(section, {})) for section in ("data", "filter", "split")}


def is_name(name: object) -> bool:
    """Whether a set may be called so at all."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def free_name(name: str) -> str:
    """The name, if a new set can have it. Raises `BadData` with the rule, or with a name that is free."""
    if not is_name(name):
        other = proposed(name)
        raise BadData(f"{printable(str(name))[:100]!r} cannot be the name of a data set: use {_RULE}, such as {other!r}")
    if _misread(name):
        raise BadData(f"{name!r} would be read as a word of a command or as a file: take another name, such as {proposed(name)!r}")
    if (other := _numbered(name)) != name:
        raise BadData(f"a data set called {name!r} is there already: take another name, such as {other!r}")
    return name


def _misread(name: str) -> bool:
    """Whether the command line would take the name for something else."""
    return name.casefold() in WORDS or name.lower().endswith(ENDINGS)


def proposed(text: str) -> str:
    """A free name made of any text, such as a file's."""
    bare = re.sub(r"[^A-Za-z0-9]+", "-", str(text)[:200].partition(".")[0]).strip("-").lower()[: LONGEST - 4].strip("-")
    return _numbered(bare or "my-data")


def _numbered(name: str) -> str:
    """The name, or, where it is taken, the name with the first number that makes it free."""
    taken = {n.casefold() for n in (*names(), *registry.names("data"), *WORDS)}
    if name.casefold() not in taken:
        return name
    return next(f"{name[: LONGEST - 4]}-{n}" for n in range(2, len(taken) + 3) if f"{name[: LONGEST - 4]}-{n}".casefold() not in taken)


def keep(name: str, files: Sequence[Path], sections: dict[str, dict[str, Any]]) -> Path:
    """Write a set that was checked: beside, then renamed, so that it is there whole or not at all. Returns its folder.

    sections: data (paths being names of `files`), filter and split, as a recipe has them. Raises `BadData` where the name is taken.
    """
    free_name(name)
    root = home.uploads()
    with usable(root, "make room on the disk, or set LLMREC_HOME to a folder that can be written"):
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        try:
            fresh.chmod(0o755)
            for path in files:
                shutil.copyfile(path, fresh / path.name, follow_symlinks=False)
            _write(fresh / SOURCE, {"data": sections["data"]})
            _write(fresh / RECIPE, {"data": {"name": "upload", "set": name}, **{s: sections[s] for s in ("filter", "split")}})
            with _unless_taken(name):
                os.rename(fresh, root / name)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return root / name


def delete(name: str) -> int:
    """Throw a set away; returns the bytes freed. Out of sight by one rename, so that nobody reads half of it."""
    place = folder(name)
    size = sum(p.stat().st_size for p in place.iterdir() if p.is_file())
    with usable(place, "look who may write there"):
        grave = Path(tempfile.mkdtemp(prefix=".old-", dir=place.parent))
        try:
            os.rename(place, grave / "set")
        finally:
            shutil.rmtree(grave, ignore_errors=True)
    return size


def reader(place: Path, section: dict[str, Any]) -> Any:
    """The reader that a [data] section names, its paths made paths of `place`. Raises `BadData` for any other reader, or a way out."""
    from llmrec import recipe

    body = dict(section)
    if body.get("name") not in READERS:
        raise BadData(f"{place.name}: {body.get('name')!r} is no reader of imported data ({', '.join(READERS)}); import the files anew")
    for key in ("path", "items_path", "titles_path"):
        if key in body:
            inside = place if body[key] == "." else place / Path(str(body[key])).name
            if inside.is_symlink() or not inside.exists():
                raise BadData(f"{place.name} has no file {inside.name!r}; import the files anew")
            body[key] = str(inside)
    return recipe.stage("data", body)


def named(dataset: Dataset, name: str) -> Dataset:
    """The data set under the name of its set."""
    return replace(dataset, name=name)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadData(f"{path.parent.name}/{path.name} cannot be read ({error!s:.200}); delete the data set and import it anew") from None


def _write(path: Path, sections: dict[str, dict[str, Any]]) -> None:
    from llmrec.recipe import toml_value

    blocks = ["\n".join([f"[{name}]", *(f"{k} = {toml_value(v)}" for k, v in body.items())]) for name, body in sections.items() if body]
    with path.open("x", encoding="utf-8") as file:
        file.write("\n\n".join(blocks) + "\n")
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _unless_taken(name: str) -> Iterator[None]:
    """Around the rename: somebody else may have taken the name a moment ago."""
    try:
        yield
    except OSError:
        if name in names():
            free_name(name)
        raise


def _sweep(root: Path) -> None:
    for rest in (*root.glob(".new-*"), *root.glob(".old-*")):
        with contextlib.suppress(OSError):
            if time.time() - rest.stat().st_mtime > STALE:
                shutil.rmtree(rest, ignore_errors=True)
