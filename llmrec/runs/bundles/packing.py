"""A trained run into one file: what may travel as it is, what is left out, and hashes of what the other side makes anew.

Where it stands: after a run is trained and measured; `llmrec bundle pack` and `bundle train` call it. What it does not know: opening.

Packing makes names and tokenizer anew itself and compares: what it can't make again here, nobody could make there, so it is refused.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec import artifacts, guard
from llmrec.recipe import settings
from llmrec.runs.bundles import anew, checked, container, coordinates, weights

if TYPE_CHECKING:
    from llmrec.contracts import Dataset, IdTable, Split
    from llmrec.recipe import Recipe
    from llmrec.runs.store import Run

CURVES = {  # events that hold numbers and words of ours, and what is kept of each
    "start": ("resumed",),
    "stage": ("stage", "state", "seconds", "cached"),
    "step": ("step", "steps", "loss", "phase", "progress", "items_per_s", "tokens_per_s", "memory_bytes"),
    "validation": ("step", "steps", "metrics", "best"),
    "trained": ("steps", "steps_planned", "kept_step", "seconds", "stopped", "reason", "trained_weights", "validation_ndcg@10"),
    "evaluation": ("part", "seen", "metrics"),
}


class CannotPack(ValueError):
    """A run that cannot travel without its data, or that is not finished. The message says why, with the remedy."""


def pack(run: Run, folder: Path, half: bool = False, by: str = "") -> Path:
    """Write a run's bundle into a folder, as `<run>.bundle.zip`; returns the file. The same run gives the same bytes.

    half: store weights in half precision, which `agreement.share` measures. by: who trained it, told to whoever opens it.
    Raises `CannotPack`; what the run lies on is the store's to say.
    """
    recipe = _portable(run)
    data, split, table = run.dataset(), run.split(), run.table()
    facts = {name: value for name, value in run.info.items() if name in checked.FACTS}
    if by:
        facts["bundled_by"] = by[: checked.LONGEST]
    parts = {"recipe.toml": recipe.to_toml().encode(), "facts.json": container.as_json(facts), "events.jsonl": _curves(run)}
    if _sha(parts["recipe.toml"]) != facts["recipe_sha256"]:
        parts["recipe.toml"] = (run.path / "recipe.toml").read_bytes()
    parts |= {name: container.as_json(artifacts.read_json(run.path / name)) for name in ("metrics.json", "training.json")}
    names, travelling = _names(parts, recipe, table, data, split)
    vectors = _vectors(parts, run, recipe, split)
    tokenizer, card = _model(parts, run, table, data, half)
    _map(parts, run)
    manifest = {
        "name": run.name,
        "llmrec": str(facts.get("versions", {}).get("llmrec", "")),
        "data_fingerprint": facts["data_fingerprint"],
        "names": names,
        "names_sha": anew.told(travelling),
        "vectors": vectors,
        "tokenizer_sha": tokenizer,
        "projections": card["projections"],
        "base": anew.base(recipe),
        "precision": weights.HALF if half else weights.AS_TRAINED,
    }
    _no_paths(run, parts)
    path = folder / f"{run.name}{container.SUFFIX}"
    container.write(path, manifest, parts)
    return path


def _portable(run: Run) -> Recipe:
    """The run's recipe, if the run is finished and asks for nothing that lies on this machine alone."""
    from llmrec.recipe import BadRecipe
    from llmrec.registry import UnknownName

    if run.broken:
        raise CannotPack(f"{run.broken}")
    if run.status.state != "done" or not (run.path / "model").exists() or run.metrics is None:
        raise CannotPack(f"run {run.name} is {run.status.state}, and a bundle holds a trained and measured run: finish it first")
    try:
        return dataclasses.replace(guard.allowed(run.recipe), name=run.recipe.name)
    except (BadRecipe, UnknownName) as error:
        raise CannotPack(f"run {run.name} cannot travel: {error}") from None


def _names(parts: dict[str, bytes], recipe: Recipe, table: IdTable, data: Dataset, split: Split) -> tuple[str, IdTable]:
    """Add the names, or prove that they can be made anew; returns which, and the table as it will be once opened."""
    if table.scheme in anew.SCHEMES:
        if anew.told(anew.named(recipe, data, split)) != anew.told(table):
            raise CannotPack(
                f"the names of {table.scheme} come out otherwise today than when the run was made: train it anew with this llmrec"
            )
        return "anew", table
    shipped = anew.portable(table)
    whole = anew.with_keys(recipe, shipped, data)
    if anew.told(whole) != anew.told(dataclasses.replace(shipped, users=table.users)):
        raise CannotPack(f"the users' names of {table.scheme} come out otherwise today than when the run was made: train it anew")
    for side in (shipped.items, shipped.users):
        if side is not None and any(book.texts is not None for book in side.books):
            raise CannotPack(f"names of the scheme {table.scheme} are texts out of the data, which no bundle may hold")
    plain, arrays = artifacts.take_apart(shipped, "names")
    parts["names.json"], parts["names.safetensors"] = container.as_json(plain), _arrays(arrays)
    return "shipped", whole


def _vectors(parts: dict[str, bytes], run: Run, recipe: Recipe, split: Split) -> str:
    """Add the items' vectors where the head ranks by them; returns what becomes of a run's vectors."""
    if recipe.embed is None:
        return "none"
    if not anew.ships_vectors(recipe):
        return "anew"
    vectors = run.vectors()
    assert vectors is not None
    parts["vectors.safetensors"] = _arrays({"items": vectors.items, "users_through": anew.fold(vectors, split)})
    return "items"


def _model(parts: dict[str, bytes], run: Run, table: IdTable, data: Dataset, half: bool) -> tuple[str, dict[str, Any]]:
    """Add the model, and prove that its tokenizer can be made anew; returns the tokenizer's hash and the model's card."""
    folder = run.path / "model"
    manifest = artifacts.check(folder, "LanguageModel")
    card, recipe = manifest["card"], run.recipe
    vocab = anew.vocab(recipe, table, data)
    ours = anew.told_tokenizer(vocab.tokenizer().backend_tokenizer.to_str())
    if ours != anew.told_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8")) or card["n_tokens"] != len(vocab.tokens):
        raise CannotPack(f"the tokenizer of run {run.name} comes out otherwise today than when the run was made: train it anew")
    if card["backbone"] != json.loads(json.dumps(settings(recipe.lm))):
        raise CannotPack(f"the model of run {run.name} is not the one that its recipe names: train it anew")
    parts.update(weights.parts(folder, sorted(manifest["files"]), half))
    return ours, card


def _map(parts: dict[str, bytes], run: Run) -> None:
    kept = coordinates.laid(coordinates.space(run))
    if kept is not None:
        plain, arrays = artifacts.take_apart(kept, "map")
        parts["map.json"], parts["map.safetensors"] = container.as_json(plain), _arrays(arrays)


def _curves(run: Run) -> bytes:
    """The events that the Train page draws, without warnings and whatever else quotes files."""
    lines = []
    for event in run.events():
        kept = CURVES.get(str(event.get("event")))
        if kept is not None:
            lines.append(json.dumps({k: event[k] for k in ("time", "event", *kept) if k in event}, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def _no_paths(run: Run, parts: dict[str, bytes]) -> None:
    """Refuse what tells of this machine's folders: a name of a user is none of the reader's business."""
    from llmrec import home

    own = {str(place.absolute()).encode() for place in (Path.home(), home.home(), run.path.parent)} - {b"/"}
    for name, data in parts.items():
        if not name.endswith(".safetensors") and any(place in data for place in own):
            raise CannotPack(f"{name} of run {run.name} names a folder of this machine: take it out before packing")


def _arrays(arrays: dict[str, Any]) -> bytes:
    import numpy as np
    from safetensors.numpy import save

    done: bytes = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return done


def _sha(text: bytes) -> str:
    import hashlib

    return hashlib.sha256(text).hexdigest()
