"""Who can answer: the runs that have a model, and the quick baselines over each data set that they were trained on.

Where it stands: under `talks`, over the library's list of runs. What it does not know: speakers.

A baseline is fitted on a run's train, so it is called after one, "itemknn@<run>"; runs over equal data and split have one train between
them, and each baseline is listed once for all of them, after the newest.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from app.library import Library, told
from app.seam.chat import Model
from app.seam.values import Trouble

READY, BUSY = "done", ("running", "stopping")
OWN = "Tuned on dialogues: its words are its own."
FIXED = "Not tuned on dialogues: the model chooses the items, and its sentences are fixed."
CLASSICAL = "A classical recommender without a language model: its sentences are fixed."


@dataclass(frozen=True)
class Known:
    """A run that can answer, as it stood when it was read. ground: equal for runs whose items, users and train are the same."""

    name: str
    data: str
    scheme: str
    tuned: bool
    ground: str


def split(key: str) -> tuple[str, str]:
    """(baseline or "", run) of a model's key."""
    baseline, at, run = key.partition("@")
    return (baseline, run) if at else ("", key)


def runs(library: Library) -> list[Known]:
    """The runs that have a model, newest first; broken ones are left to the command line."""
    found = []
    for run in library.runs():
        if not run.broken:
            with told(quiet=True):
                if _answers(run):
                    found.append(
                        library.kept(("talks", library.made(run.name), library.made(run.name, model=True)), lambda run=run: _read(run))
                    )
    return found


def models(known: list[Known]) -> tuple[Model, ...]:
    """All that can answer: tuned runs, then other runs, both as they come, then baselines."""
    from llmrec import registry

    called = _called(known)
    own = [Model(r.name, r.name, called[r.ground], r.scheme, r.tuned, OWN if r.tuned else FIXED) for r in known]
    newest = {r.ground: r.name for r in reversed(known)}
    classical = [
        Model(f"{b}@{newest[ground]}", b if len(called) == 1 else f"{b} ({data})", data, "", False, CLASSICAL)
        for ground, data in called.items()
        for b in registry.QUICK_BASELINES
    ]
    return (*(m for m in own if m.tuned), *(m for m in own if not m.tuned), *classical)


def find(known: list[Known], key: str) -> tuple[Known, Model]:
    """A model by its key, also a baseline after a run that is not the newest. `Trouble` where there is none."""
    from llmrec import registry

    baseline, name = split(key)
    run = next((r for r in known if r.name == name), None)
    if run is None or (baseline and baseline not in registry.QUICK_BASELINES) or (not baseline and "@" in key):
        others = ", ".join(r.name for r in known[:3])
        remedy = (
            f"There are {others}{' and others' if len(known) > 3 else ''}."
            if known
            else "Train a run first; it can talk once it has a model."
        )
        raise Trouble(f"There is no model “{key[:80]}” to talk to. {remedy}")
    data = _called(known)[run.ground]
    if baseline:
        return run, Model(key, baseline, data, "", False, CLASSICAL)
    return run, Model(run.name, run.name, data, run.scheme, run.tuned, OWN if run.tuned else FIXED)


def _answers(run: Any) -> bool:
    """Whether a run can be asked: it has a model that nobody writes now."""
    return (run.path / "model" / "manifest.json").exists() and run.status.state not in BUSY


def _read(run: Any) -> Known:
    from llmrec.data.split import RandomHoldout
    from llmrec.recommend.chat import opening

    recipe, info = run.recipe, run.info
    drawn = recipe.seed if isinstance(recipe.split, RandomHoldout) else None  # the other splits draw nothing
    told_apart = (repr(recipe.data), repr(recipe.filter), info.get("data_fingerprint"), repr(recipe.split), drawn)
    ground = hashlib.sha256(repr(told_apart).encode()).hexdigest()[:6]
    return Known(run.name, str(info["data"]), str(info["scheme"]), opening.learned(run), ground)


def _called(known: list[Known]) -> dict[str, str]:
    """What each ground is called: the data's name, with a sign behind it where two of a name are not the same."""
    names = {r.ground: r.data for r in known}
    called = list(names.values())
    return {ground: name if called.count(name) == 1 else f"{name} {ground}" for ground, name in names.items()}
