"""A bundle into a run of the runs' folder: made whole out of the file and the data on this machine, checked, put in place by one rename.

Where it stands: before the store; `llmrec bundle open` and the first start of the studio call it. What it does not know: packing, pages.

The names a model learned and the ones made here must be the same to the last code, and the tokenizer too: a model that reads other rows
than it was trained on would answer nonsense with a straight face.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec import artifacts, guard, home, registry
from llmrec.recipe import settings
from llmrec.runs.bundles import anew, checked, container, coordinates, weights
from llmrec.runs.bundles.container import BadBundle, Bundle

if TYPE_CHECKING:
    from llmrec.contracts import Dataset, IdTable, Split
    from llmrec.recipe import Recipe
    from llmrec.runs.store import Run

LOCK = ".bundles.lock"
FRESH = ".bundle-new-"


@dataclass(frozen=True)
class Opened:
    """A run that came out of a bundle. fresh: False where the same bundle had been opened before and its run is still there."""

    run: Run
    fresh: bool


def unpack(path: Path, folder: Path | None = None, subwords: dict[Any, Any] | None = None) -> Opened:
    """Open a bundle as a run of the runs' folder, under its own name or with the next free number; or as `folder`, which must be new.

    subwords: tokenizers that bundles opened before have made, for whoever opens many. Raises `BadBundle`; ValueError where the data
    cannot be had here.
    """
    from llmrec.runs.store import Run

    bundle = container.read(path)
    if folder is not None:
        if folder.exists():
            raise ValueError(f"{folder} exists: name a new folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _made(bundle, (folder.parent, ".bundle-"), lambda fresh: os.rename(fresh, folder), subwords)
        return Opened(Run(folder), True)
    home.runs().mkdir(parents=True, exist_ok=True)
    with alone(home.runs()):
        for rest in home.runs().glob(f"{FRESH}*"):  # of one that was killed: nobody else opens any while we hold the lock
            shutil.rmtree(rest, ignore_errors=True)
        known = opened(bundle.sha256)
        if known is not None:
            return Opened(known, False)
        name = _free(bundle.manifest["name"])
        _made(bundle, (home.runs(), FRESH), lambda fresh: os.rename(fresh, home.runs() / name), subwords)
    return Opened(Run(home.runs() / name), True)


def opened(sha256: str) -> Run | None:
    """The run of the runs' folder that came out of this very bundle."""
    from llmrec.runs import store

    whole = (run for run in store.list_runs() if not run.broken)
    return next((run for run in whole if isinstance(o := origin(run), dict) and o.get("sha256") == sha256), None)


def origin(run: Run) -> dict[str, Any] | None:
    """Where an opened run came from: file, sha256, when it was opened, at which precision; None for a run that was trained here."""
    found = run.info.get("bundle")
    return found if isinstance(found, dict) else None


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time opens bundles in a folder. The system drops the lock with its holder."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _made(bundle: Bundle, where: tuple[Path, str], place: Any, subwords: dict[Any, Any] | None) -> None:
    """Make the run in a hidden folder of its own, then `place` it. where: in which folder, and how hidden ones begin."""
    recipe = _recipe(bundle)
    data, split = _ground(bundle, recipe)
    table = _names(bundle, recipe, data, split)
    fresh = Path(tempfile.mkdtemp(prefix=where[1], dir=where[0]))
    try:
        fresh.chmod(0o755)
        _write(bundle, recipe, fresh)
        artifacts.save(table, fresh / "ids")
        _model(bundle, fresh / "model", anew.vocab(recipe, table, data, subwords), recipe)
        _vectors(bundle, split, fresh)
        if "map.json" in bundle.parts:
            artifacts.save(_value(bundle, "map"), fresh / coordinates.FOLDER)
        place(fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _recipe(bundle: Bundle) -> Recipe:
    """The bundle's recipe, if it asks for nothing that a stranger's recipe may not ask for: no paths, no models but those that ship."""
    from llmrec.recipe import BadRecipe

    try:
        recipe = guard.recipe_from_text(bundle.parts["recipe.toml"].decode())
    except KeyError:
        raise BadBundle(f"{bundle.path} lacks recipe.toml: it is damaged") from None
    except (BadRecipe, UnicodeDecodeError) as error:
        made = bundle.manifest.get("llmrec")
        raise BadBundle(f"{bundle.path} was made by llmrec {made!s:.20} with a recipe that cannot be opened here: {error}") from None
    base = anew.base(recipe)
    if base != bundle.manifest.get("base"):
        raise BadBundle(f"{bundle.path} stands on other frozen weights ({bundle.manifest.get('base')}) than are here ({base})")
    return recipe


def _ground(bundle: Bundle, recipe: Recipe) -> tuple[Dataset, Split]:
    """The data, which must be what the run was trained on, and its split."""
    from llmrec.runs import stages

    try:
        data = stages.dataset(recipe)
    except OSError as error:
        raise BadBundle(f"{bundle.path} needs data that is not here ({error}): `llmrec fetch` brings MovieLens-100K") from None
    here, there = artifacts.fingerprint(data), bundle.manifest.get("data_fingerprint")
    if here != there:
        raise BadBundle(f"{bundle.path} was trained on other data ({there}) than {data.name} is here ({here}): its names would mislead")
    return data, stages.split(recipe, data)


def _names(bundle: Bundle, recipe: Recipe, data: Dataset, split: Split) -> IdTable:
    if bundle.manifest["names"] == "anew":
        table = anew.named(recipe, data, split)
    else:
        sizes = len(data.catalog.items), len(data.catalog.users)
        value = checked.names(bundle, _value(bundle, "names"), registry.name_of("scheme", recipe.scheme), sizes)
        table = anew.with_keys(recipe, value, data)
    if anew.told(table) != bundle.manifest.get("names_sha"):
        made = bundle.manifest.get("llmrec")
        raise BadBundle(f"{bundle.path}: its names come out otherwise here than with llmrec {made!s:.20}, which made it: use that version")
    return table


def _model(bundle: Bundle, folder: Path, vocab: Any, recipe: Recipe) -> None:
    card = {"backbone": settings(recipe.lm), "n_tokens": len(vocab.tokens), "projections": bundle.manifest.get("projections", {})}
    with artifacts.writing(folder, "LanguageModel", card) as fresh:
        vocab.save(fresh)
        if anew.told_tokenizer((fresh / "tokenizer.json").read_text(encoding="utf-8")) != bundle.manifest.get("tokenizer_sha"):
            made = bundle.manifest.get("llmrec")
            raise BadBundle(f"{bundle.path}: its tokenizer comes out otherwise here than with llmrec {made!s:.20}, which made it")
        weights.write(bundle.parts, fresh)


def _vectors(bundle: Bundle, split: Split, fresh: Path) -> None:
    if bundle.manifest["vectors"] == "items":
        arrays = _arrays(bundle, "vectors.safetensors")
        artifacts.save(anew.folded(arrays["items"], arrays["users_through"], split), fresh / "vectors")


def _write(bundle: Bundle, recipe: Recipe, fresh: Path) -> None:
    """Recipe, facts, numbers and state of the new run."""
    facts, trained = checked.facts(bundle), checked.training(bundle)
    checked.metrics(bundle)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    told = {"file": bundle.path.name, "sha256": bundle.sha256, "opened": when, "precision": bundle.manifest.get("precision")}
    artifacts.write_json({**facts, "bundle": told}, fresh / "run.json")
    for name in ("recipe.toml", "metrics.json", "training.json", "events.jsonl"):
        (fresh / name).write_bytes(bundle.parts.get(name, b""))
    artifacts.write_json({"state": "done", "reason": said(facts, trained)}, fresh / "status.json")


def said(facts: dict[str, Any], trained: dict[str, Any]) -> str:
    """Where the run came from, in a sentence: who trained it, when, with what, and what that cost."""
    cost = facts.get("cost") or {}
    seconds = cost.get("seconds", trained.get("seconds"))
    parts = [f"from a bundle: trained {str(facts.get('created', ''))[:10]}"]
    parts += [f"by {facts['bundled_by']}"] if facts.get("bundled_by") else []
    parts += [f"with llmrec {(facts.get('versions') or {}).get('llmrec', '?')}"]
    parts += [f"in {float(seconds):,.0f} s"] if isinstance(seconds, (int, float)) else []
    return " ".join(parts)[:300] + (f" on {cost['machine']}"[:150] if cost.get("machine") else "")


def _value(bundle: Bundle, name: str) -> Any:
    from llmrec.view.project import Projection

    plain = bundle.json(f"{name}.json")
    if name == "map":
        arrays = _arrays(bundle, "map.safetensors")
        try:
            known = {f.name for f in dataclasses.fields(Projection)}
            given = {k: arrays[v["_array"]] if isinstance(v, dict) else v for k, v in plain.items() if k in known}
            return Projection(**given)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadBundle(f"{bundle.path}: map.json holds no map ({error}): it is damaged") from None
    try:
        return artifacts.put_together(plain, _arrays(bundle, f"{name}.safetensors"))
    except artifacts.BadArtifact as error:
        raise BadBundle(f"{bundle.path}: {name}: {error}") from None


def _arrays(bundle: Bundle, name: str) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found: dict[str, Any] = load(bundle.parts[name])
        return found
    except (KeyError, SafetensorError) as error:
        raise BadBundle(f"{bundle.path}: {name} is missing or damaged ({error})") from None


def _free(name: str) -> str:
    """The name, or where it is taken the same with the next free number behind it."""
    taken = {p.name for p in home.runs().iterdir()}
    if name not in taken:
        return name
    stem, dash, number = name.rpartition("-")
    stem, first = (stem, int(number)) if dash and number.isdigit() and len(number) < 6 else (name, 1)
    return next(f"{stem}-{n}" for n in range(first + 1, first + 2 + len(taken)) if f"{stem}-{n}" not in taken)
