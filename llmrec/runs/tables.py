"""Tables of names on the disk, fitted without training a model; and one way to open a table, whatever holds it.

Where it stands: beside `store`, over the stages; `llmrec ids` calls it. What it does not know: schemes, language models, forms of files.

    recipe.toml  table.json     what was asked, when, on which data, how long it took
    ids/  vectors/  catalog/    the names, the vectors they came from, and whom they name
"""

from __future__ import annotations

import difflib
import re
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec import artifacts, home
from llmrec.artifacts import BadArtifact
from llmrec.recipe import Recipe
from llmrec.runs import store
from llmrec.runs.store import Run

if TYPE_CHECKING:
    from llmrec.contracts import Catalog, Dataset, IdTable, Split, Vectors
    from llmrec.ids.exchange.keyed import KeyedTable
    from llmrec.runs.stages import Prepared

KIND, FORMAT = "llmrec-table", 1
CARD = "table.json"
PARTS = {CARD, "recipe.toml", "ids", "vectors", "catalog"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class UnknownTable(ValueError):
    """Nothing that holds names is called so. The message names the near ones."""


@dataclass(frozen=True)
class Fitted:
    """One fitted table. Read from its folder when asked."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def info(self) -> dict[str, Any]:
        """The card: created, seconds, versions, names of the stages, seed, data fingerprint."""
        info = artifacts.read_json(self.path / CARD)
        if info.get("kind") != KIND or info.get("format") != FORMAT:
            raise BadArtifact(f"{self.path / CARD} is not the card of a table of this version: fit the names again")
        return info

    @property
    def recipe(self) -> Recipe:
        from llmrec import recipe

        try:
            return recipe.read(tomllib.loads((self.path / "recipe.toml").read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadArtifact(f"{self.path / 'recipe.toml'} cannot be read ({error}): fit the names again") from None

    def table(self) -> IdTable:
        from llmrec.contracts import IdTable

        return artifacts.load(IdTable, self.path / "ids")

    def catalog(self) -> Catalog:
        from llmrec.contracts import Catalog

        return artifacts.load(Catalog, self.path / "catalog")

    def vectors(self) -> Vectors | None:
        """The vectors behind the names; None where the scheme needs none."""
        from llmrec.contracts import Vectors

        return artifacts.load(Vectors, self.path / "vectors") if (self.path / "vectors").exists() else None

    def dataset(self) -> Dataset:
        """The data the names were fitted on; refused when it has changed since."""
        from llmrec.runs import stages

        data = stages.dataset(self.recipe)
        made_on, now = self.info["data_fingerprint"], artifacts.fingerprint(data)
        if made_on != now:
            raise ValueError(f"the data of {self.name} changed since its names were fitted ({made_on}, now {now}): fit them again")
        return data

    def split(self) -> Split:
        from llmrec.runs import stages

        return stages.split(self.recipe, self.dataset())


@dataclass(frozen=True)
class Opened:
    """Names from wherever they lie. behind: the run or the fit they belong to, None for a file or somebody else's folder."""

    name: str
    keyed: KeyedTable
    behind: Run | Fitted | None = None

    @property
    def table(self) -> IdTable:
        return self.keyed.table

    @cached_property
    def catalog(self) -> Catalog:
        """Whom the table names; with genres and years where a run or a fit is behind it."""
        if isinstance(self.behind, Fitted):
            return self.behind.catalog()
        return self.keyed.catalog() if self.behind is None else self.behind.dataset().catalog


def fit(recipe: Recipe, emit: Callable[[dict[str, Any]], None], folder: Path | None = None) -> Fitted:
    """Work a recipe off as far as the names, and keep them in `folder` or among the tables, where the same recipe has the same name.

    A folder that holds anything but such a table is refused, before the fit and again before it would give way.
    """
    from llmrec.data.files import usable
    from llmrec.runs import machine, pipeline, stages

    begin = time.perf_counter()
    place = home.tables() if folder is None else folder.expanduser().absolute()
    if folder is not None:
        with usable(place, "choose another folder"):
            _refuse_foreign(place)
    prepared = pipeline.prepare(recipe, emit)
    named = store.stage_names(recipe)
    if folder is None:
        place = place / f"{named['scheme']}-{named['data']}-{stages.keys(recipe)['scheme'][:6]}"
    card = {
        "kind": KIND,
        "format": FORMAT,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(time.perf_counter() - begin, 3),
        "scheme": named["scheme"],
        "data": prepared.dataset.name,
        "seed": recipe.seed,
        "versions": machine.versions(),
        "data_fingerprint": artifacts.fingerprint(prepared.dataset),
    }
    with usable(place, "choose another folder"):
        _keep(recipe, prepared, card, place)
    return Fitted(place)


def _keep(recipe: Recipe, prepared: Prepared, card: dict[str, Any], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".table-", dir=place.parent))
    try:
        fresh.chmod(0o755)
        artifacts.write_text(recipe.to_toml(), fresh / "recipe.toml")
        artifacts.save(prepared.table, fresh / "ids")
        artifacts.save(prepared.dataset.catalog, fresh / "catalog")
        if prepared.vectors is not None:
            artifacts.save(prepared.vectors, fresh / "vectors")
        artifacts.write_json(card, fresh / CARD)
        _refuse_foreign(place)
        artifacts.swap(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _refuse_foreign(place: Path) -> None:
    """Raise ValueError unless `place` is free, an empty folder, or a table of ours and nothing else: what is there will be deleted."""
    if not place.exists() and not place.is_symlink():
        return
    if place.is_symlink() or not place.is_dir():
        raise ValueError(f"{place} is not a folder, or only a link to one: choose another")
    inside = sorted(path.name for path in place.iterdir())
    if not inside:
        return
    try:
        ours = CARD in inside and artifacts.read_json(place / CARD).get("kind") == KIND
    except BadArtifact:
        ours = False
    if not ours:
        raise ValueError(f"{place} is not an empty folder, nor a table of `llmrec ids fit`: choose another")
    if foreign := [name for name in inside if name not in PARTS]:
        raise ValueError(f"{place} holds {foreign[0]!r}, which is no part of a table and would be lost: move it or choose another folder")


def open_table(text: str) -> Opened:
    """A fitted table or a run by name or folder, or names from a file or folder of any form that `llmrec.ids.exchange.official` reads.

    META ID's two files, of items and of users, are set apart by a comma.
    """
    from llmrec.data.files import usable

    with usable(text, "give the name of a table or a run, or another file"):
        return _open(text)


def _open(text: str) -> Opened:
    from llmrec.ids.exchange import official
    from llmrec.ids.exchange.keyed import KeyedTable

    named = bool(_NAME.fullmatch(text))
    path = Path(text).expanduser()
    for folder in ([home.tables() / text] if named else []) + [path]:
        if (folder / CARD).is_file():
            fitted = Fitted(folder.absolute())
            return Opened(fitted.name, KeyedTable.of(fitted.table(), fitted.catalog()), fitted)
    if (named and (home.runs() / text).is_dir()) or (path / "run.json").is_file():
        run = store.open_run(text)
        return Opened(run.name, KeyedTable.of(run.table(), run.dataset().catalog), run)
    if path.exists():
        return Opened(path.name, official.read(path))
    if "," in text:
        both = [part.strip() for part in text.split(",")]
        return Opened(Path(both[0]).name, official.read(both))
    raise UnknownTable(f"there is no table, run or file {text!r}{_near(text)}")


def _near(text: str) -> str:
    names = [p.name for root in (home.tables(), home.runs()) if root.is_dir() for p in root.iterdir() if not p.name.startswith(".")]
    close = difflib.get_close_matches(Path(text).name, names, n=3, cutoff=0.5)
    if close:
        return f": did you mean {' or '.join(close)}?"
    return ": `llmrec ids fit` makes one" if not names else f": there are {', '.join(sorted(names)[:5])}"
