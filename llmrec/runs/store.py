"""Runs on the disk: one folder each, with the recipe, names, model, numbers and events in open formats.

Where it stands: after every stage; the worker fills a run, the pages and the command line read it. What it does not know: how to train.

    recipe.toml   run.json       what was asked, when, with which versions, on which data
    ids/          vectors/       the names, and the vectors they came from
    model/        checkpoint/    what `llmrec.lm` saved
    metrics.json  places/        numbers, and where each held-out item stood in the rankings behind them
    events.jsonl  status.json    lock
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import re
import shutil
import tempfile
import time
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec import artifacts, home
from llmrec.artifacts import BadArtifact
from llmrec.recipe import Recipe
from llmrec.runs import contents, events, machine, places, status
from llmrec.runs import newcomers as naming
from llmrec.runs.status import Status

if TYPE_CHECKING:
    from llmrec.contracts import Dataset, IdTable, Recommender, Split, Vectors
    from llmrec.lm.shared import SharedBase
    from llmrec.runs.newcomers import Newcomers

KIND, FORMAT = "llmrec-run", 1


class UnknownRun(ValueError):
    """No run has this name. The message names the near ones."""


@dataclass(frozen=True)
class Run:
    """One run. Everything is read from its folder when asked, so that a page sees what a worker wrote a moment ago.

    broken: why the folder is no whole run, or None.
    """

    path: Path
    broken: str | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def info(self) -> dict[str, Any]:
        """What run.json tells: id, created, versions, platform, seed, stages' names, data fingerprint."""
        try:
            info = artifacts.read_json(self.path / "run.json")
        except BadArtifact as error:
            raise BadArtifact(f"{error}; {_remedy(self.path)}") from None
        if info.get("kind") != KIND:
            raise BadArtifact(f"{self.path} is not a run: its run.json does not say {KIND!r}; {_remedy(self.path)}")
        if info.get("format") != FORMAT:
            newer = f": it was made by a newer llmrec{_version(info)}, update this one to use it" if is_newer(self.path) else ""
            raise BadArtifact(f"{self.path / 'run.json'} has format {info.get('format')!r}, this version reads {FORMAT}{newer}")
        return info

    @property
    def recipe(self) -> Recipe:
        """The recipe as it was when the run was made, its relative paths made absolute from the folder it was asked for in.

        Where that folder is gone, as on another machine, they stay relative; the data's fingerprint keeps another file out, so a run
        that has none yet looks in the old place alone.
        """
        from llmrec import recipe, registry

        info = self.info
        plain = tomllib.loads(_recipe_text(self.path, info))
        try:
            found = recipe.read(_upgraded(plain))
        except (recipe.BadRecipe, registry.UnknownName) as error:
            raise BadArtifact(_unread(self.path, info, error)) from None
        base = info.get("cwd")
        if isinstance(base, str) and (os.path.isdir(base) or info.get("data_fingerprint") is None):
            found = places.located(found, base)
        return dataclasses.replace(found, name=str(info.get("recipe", "run")))

    @property
    def status(self) -> Status:
        return Status("broken", self.broken) if self.broken else status.read(self.path)

    @property
    def metrics(self) -> dict[str, Any] | None:
        """{"test": {"masked": report, "unmasked": report}, "valid": {..}} in the form of `evaluate --json`; None before the first."""
        return artifacts.read_json(self.path / "metrics.json") if (self.path / "metrics.json").exists() else None

    def events(self, after: int = 0) -> list[events.Event]:
        """What happened, oldest first, without the first `after`."""
        return events.read(self.path / "events.jsonl", after)

    def dataset(self) -> Dataset:
        """The data the run was made on; refused when it has changed since."""
        from llmrec.runs import stages

        data = stages.dataset(self.recipe)
        made_on, now = self.info.get("data_fingerprint"), artifacts.fingerprint(data)
        if made_on is not None and made_on != now:
            raise ValueError(f"the data of run {self.name} changed since it was made ({made_on}, now {now}): restore it, or train anew")
        return data

    def split(self) -> Split:
        from llmrec.runs import stages

        return stages.split(self.recipe, self.dataset())

    def vectors(self) -> Vectors | None:
        """The vectors behind the names; None where the scheme needs none."""
        from llmrec.contracts import Vectors
        from llmrec.runs import stages

        if (self.path / "vectors").exists():
            return artifacts.load(Vectors, self.path / "vectors")
        return stages.vectors(self.recipe, self.dataset(), self.split())

    def table(self) -> IdTable:
        """The names. Those saved in the run are the truth; a run that has none yet gets them from the cache."""
        from llmrec.contracts import IdTable
        from llmrec.runs import stages

        if (self.path / "ids").exists():
            return artifacts.load(IdTable, self.path / "ids")
        return stages.table(self.recipe, self.dataset(), self.split(), self.vectors())

    def recommender(self, head: Any = None, newcomers: Newcomers | None = None, base: SharedBase | None = None) -> Recommender:
        """The trained model behind the run's own head, or another. newcomers: what new people are called; base: its frozen weights."""
        from llmrec.lm.model import LanguageModel
        from llmrec.lm.precision import best_device
        from llmrec.recommend.language import LanguageRecommender

        if not (self.path / "model").exists():
            raise FileNotFoundError(f"run {self.name} has no model yet ({self.status.state}): train it with --resume")
        recipe = self.recipe
        model = LanguageModel.load(self.path / "model", base).to(best_device())
        head = head or recipe.head
        table, vectors = naming.pool(self, self.table(), self.vectors() if head.needs_vectors else None)
        compiled = head.compile(model, table, vectors=vectors)
        plan, namer = recipe.train, naming.namer(self, newcomers)
        return LanguageRecommender(model, table, head, compiled, plan.max_items, task=plan.ranks_by, namer=namer)

    def note(self, **facts: Any) -> None:
        """Add facts to run.json, in one step."""
        artifacts.write_json({**self.info, **facts}, self.path / "run.json")

    def delete(self) -> None:
        """Remove the run: out of sight by one rename, then deleted. Refused while it is worked on, and for what is no run.

        Of a link the link alone goes, and nothing behind it is touched.
        """
        if self.path.is_symlink():
            self.path.unlink()
            return
        if not contents.like_a_run(self.path):
            raise BadArtifact(f"{self.path} does not look like a run: delete it by hand if you mean it")
        if (self.path / status.LOCK).is_symlink():  # no lock of ours, so nobody holds it
            (self.path / status.LOCK).unlink()
        with status.held(self.path):
            grave = Path(tempfile.mkdtemp(prefix=".deleted-", dir=self.path.parent))
            os.rename(self.path, grave / "run")
        shutil.rmtree(grave, ignore_errors=True)


def create(recipe: Recipe, folder: Path | str | None = None, executor: str | None = None, cwd: Path | str | None = None) -> Run:
    """A new run of this recipe, named `<scheme>-<data>-<preset>-<n>` in the runs' folder, or in `folder`, which must be empty or new.

    executor: what is to work it off; such a run is born "queued", so that no kill can come between. cwd: the folder that the recipe's
    relative paths start from; None: the current one.
    """
    text = recipe.to_toml()
    info: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "id": uuid.uuid4().hex[:12],
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "recipe": recipe.name,
        "recipe_sha256": _sha(text),
        **stage_names(recipe),
        "seed": recipe.seed,
        "versions": machine.versions(),
        "platform": machine.system(),
        "data_fingerprint": None,
    }
    parent = Path(folder).expanduser().absolute().parent if folder is not None else home.runs()
    try:
        parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    except OSError as error:
        raise _unwritable(parent, error) from None
    try:
        fresh.chmod(0o755)
        artifacts.write_text(text, fresh / "recipe.toml")
        status.write(fresh, "queued" if executor else "new", executor=executor)
        base = os.path.abspath(cwd or os.getcwd())
        if places.located(recipe, base) != recipe:
            info["cwd"] = base
        artifacts.write_json(info, fresh / "run.json")
        return Run(_place(fresh, Path(folder).expanduser().absolute()) if folder is not None else _place_numbered(fresh, _stem(recipe)))
    except OSError as error:
        raise _unwritable(parent, error) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def is_newer(folder: Path) -> bool:
    """Whether a run was made by a version whose form of runs is newer than this one's; such a run is left as it is."""
    try:
        made = artifacts.read_json(folder / "run.json").get("format")
    except (BadArtifact, OSError):
        return False
    return isinstance(made, int) and made > FORMAT


def open_run(name_or_path: str | Path) -> Run:
    """A run by its name in the runs' folder, or by its path. Refuses by name what is unknown, foreign or truncated."""
    text = str(name_or_path)
    if contents.NAME.fullmatch(text) and (home.runs() / text).is_dir():
        return by_name(text)
    path = Path(text).expanduser()
    if path.is_dir() and not (contents.NAME.fullmatch(text) and not (path / "run.json").exists()):
        return _whole(path.absolute())
    raise UnknownRun(f"no run is called {text!r}{_near(text)}")


def find(name_or_path: str | Path) -> Run:
    """Like `open_run`, but a broken run of the runs' folder is found too, so that it can be deleted."""
    try:
        return open_run(name_or_path)
    except BadArtifact as error:
        text = str(name_or_path)
        if contents.NAME.fullmatch(text) and (home.runs() / text).is_dir():
            return Run(home.runs() / text, broken=str(error))
        raise


def by_name(name: str) -> Run:
    """A run by its name alone, for texts that come from a page: never leaves the runs' folder."""
    if not isinstance(name, str) or not contents.NAME.fullmatch(name) or not (home.runs() / name).is_dir():
        raise UnknownRun(f"no run is called {name!r:.200}{_near(str(name)[:200])}")
    return _ours(name)


def list_runs() -> list[Run]:
    """Every run of the runs' folder, newest first. A broken one is listed with its reason and hides no other."""
    found = []
    for folder in _folders():
        try:
            found.append((_ours(folder.name), str(Run(folder).info.get("created", ""))))
        except (BadArtifact, OSError) as error:
            found.append((Run(folder, broken=str(error)), ""))
    return [run for run, _ in sorted(found, key=lambda pair: (pair[1], pair[0].name), reverse=True)]


def _folders() -> list[Path]:
    """What lies in the runs' folder; none where it was not made yet, ValueError where it never can be."""
    root = home.runs()
    if root.is_dir():
        return [p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]
    there = next((p for p in (root, *root.absolute().parents) if p.exists()), root.absolute().anchor)
    if not Path(there).is_dir():
        raise ValueError(f"runs belong into the folder {root}, and {there} is a file: let LLMREC_RUNS or LLMREC_HOME name a folder")
    return []


def stage_names(recipe: Recipe) -> dict[str, str]:
    """The registered names of a recipe's stages, as run.json and the lists of runs show them."""
    from llmrec import registry

    kinds = ("data", "scheme", "head")
    named = {kind: registry.name_of(kind, getattr(recipe, kind)) for kind in kinds}
    named["data"] = getattr(recipe.data, "set", named["data"])  # a set that was imported is called by its own name
    return {**named, "lm": str(getattr(recipe.lm, "name", "lm"))}


def _ours(name: str) -> Run:
    folder = home.runs() / name
    if folder.is_symlink():
        raise BadArtifact(f"{folder} is a link, and a run of this folder lies in it: give the path of the run itself, or delete the link")
    return _whole(folder)


def _whole(folder: Path) -> Run:
    run = Run(folder)
    contents.check(folder)
    _recipe_text(folder, run.info)
    return run


def _recipe_text(folder: Path, info: dict[str, Any]) -> str:
    path = folder / "recipe.toml"
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise BadArtifact(f"{path} is missing; {_remedy(folder)}") from None
    except OSError as error:
        raise BadArtifact(f"{path} cannot be read: {error.strerror}; {_remedy(folder)}") from None
    except UnicodeDecodeError:
        raise BadArtifact(f"{path} is not a text; {_remedy(folder)}") from None
    if _sha(text) != info.get("recipe_sha256"):
        raise BadArtifact(f"{path} is truncated or was changed after the run was made: put it back, or start a new run with it")
    return text


def _remedy(folder: Path) -> str:
    ours = contents.like_a_run(folder) and folder.parent.absolute() == home.runs().absolute()
    return f"it cannot be opened as a run: put the file back, or {f'`llmrec runs delete {folder.name}`' if ours else 'name another run'}"


def _unread(folder: Path, info: dict[str, Any], error: Exception) -> str:
    """Why a recipe that is whole cannot be read: it may be younger than this version."""
    made, ours = (info.get("versions") or {}).get("llmrec"), machine.versions()["llmrec"]
    other = f"; the run was made by llmrec {made} and this is {ours}: use that version, the run is left as it is" if made != ours else ""
    return f"{folder / 'recipe.toml'}: {error}{other}"


def _version(info: dict[str, Any]) -> str:
    made = info.get("versions")
    return f" ({made['llmrec']})" if isinstance(made, dict) and "llmrec" in made else ""


def _unwritable(folder: Path, error: OSError) -> ValueError:
    return ValueError(f"no run can be made in {folder}: {error.strerror}; make room or give rights there, or let LLMREC_RUNS name another")


def _upgraded(plain: dict[str, Any]) -> dict[str, Any]:
    """A recipe of an older version in today's words: the direct task was a setting of its own before there were more tasks."""
    train = dict(plain.get("train", {}))
    if "direct" in train:
        train["tasks"] = {"direct": train.pop("direct"), **train.get("tasks", {})}
        return {**plain, "train": train}
    return plain


def _stem(recipe: Recipe) -> str:
    named = stage_names(recipe)
    stem = f"{named['scheme']}-{named['data']}"
    preset = recipe.name.removeprefix(f"{stem}-")
    return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{stem}-{preset}").strip("-.")[:100]


def _place_numbered(fresh: Path, stem: str) -> Path:
    """No name is given twice: the worker of a run that was deleted under it may still be about to write into a folder of that name."""
    given = fresh.parent / ".numbers" / stem
    taken = [int(m[1]) for p in fresh.parent.iterdir() if (m := re.fullmatch(re.escape(stem) + r"-(\d{1,9})", p.name))]
    with contextlib.suppress(OSError, ValueError):
        taken.append(int(given.read_text(encoding="ascii")[:9]))
    number = 1 + max(taken, default=0)
    while True:
        try:
            placed = _place(fresh, fresh.parent / f"{stem}-{number}")
        except ValueError:  # another process took the number a moment ago
            number += 1
            continue
        with contextlib.suppress(OSError):
            artifacts.write_text(f"{number}", given)
        return placed


def _place(fresh: Path, folder: Path) -> Path:
    try:
        os.rename(fresh, folder)  # succeeds on a folder that is new or empty, and on no other
    except OSError:
        if (folder / "run.json").exists():
            raise ValueError(f"{folder} already holds a run: add --resume to go on with it, or choose another folder") from None
        if folder.exists():
            raise ValueError(f"{folder} is not an empty folder: choose another") from None
        raise
    return folder


def _near(name: str) -> str:
    if contents.NAME.fullmatch(name) and (home.runs() / name).is_file():
        return f": {home.runs() / name} is a file, and a run is a folder; `llmrec runs` lists the runs"
    names = [p.name for p in _folders()]
    close = difflib.get_close_matches(Path(name).name, names, n=3, cutoff=0.5)
    if close:
        return f": did you mean {' or '.join(close)}?"
    return ": `llmrec runs` lists them" if names else ": there are no runs yet, `llmrec train` makes one"


def _sha(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
