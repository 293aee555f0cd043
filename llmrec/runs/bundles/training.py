"""Many recipes trained, measured and packed by one command: what is finished is skipped, what was interrupted goes on.

Where it stands: over `pipeline` and `packing`; `llmrec bundle train` calls it. What it does not know: what the recipes hold.
The runs lie in a folder of their own, so that they fill nobody's list of runs; what each cost is noted in it, every session added.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmrec import artifacts, home
from llmrec.runs.bundles import checked, container, packing

if TYPE_CHECKING:
    from llmrec.recipe import Recipe
    from llmrec.runs.store import Run

RECIPES = "bundles"  # the folder of shipped recipes
COST = "cost.json"


@dataclass(frozen=True)
class Trained:
    """One recipe's end. state: "packed", "stopped" or "failed"; trained: whether it was worked on now; file: the bundle."""

    recipe: str
    run: Path | None
    state: str
    reason: str = ""
    trained: bool = False
    file: Path | None = None
    cost: dict[str, Any] | None = None


def work() -> Path:
    """Where the runs of bundles are trained."""
    return home.home() / "bundles"


def chosen(folder: Path, only: Sequence[str] = ()) -> list[Path]:
    """The recipes of a folder, by name. only: schemes, or recipes' names; ValueError for one that is not there."""
    found = sorted(folder.glob("*.toml"))
    if not found:
        raise ValueError(f"there are no recipes in {folder}: name a folder with one TOML file per run")
    named = {path: (path.stem, _scheme(path)) for path in found}
    for wanted in only:
        if not any(wanted in names for names in named.values()):
            known = ", ".join(sorted({scheme for _, scheme in named.values()}))
            raise ValueError(f"no recipe in {folder} is called {wanted!r}: there are {known}")
    return [path for path in found if not only or set(named[path]) & set(only)]


def train(
    recipes: Sequence[Path],
    out: Path,
    seeds: Sequence[int] = (),
    half: bool = False,
    by: str = "",
    emit: Callable[[dict[str, Any]], None] | None = None,
) -> Iterator[Trained]:
    """Take each recipe through to its bundle in `out`. seeds: train each with each of them instead of its own seed.

    A recipe that fails is told and hinders no other; one that was stopped ends the iteration.
    """
    import dataclasses

    from llmrec import recipe as reading
    from llmrec.registry import UnknownName

    for path in recipes:
        try:
            asked = reading.load(path)
        except (ValueError, UnknownName) as error:
            yield Trained(path.stem, None, "failed", str(error))
            continue
        for seed in seeds or (asked.seed,):
            done = _one(dataclasses.replace(asked, seed=seed), out, half, by, emit)
            yield done
            if done.state == "stopped":
                return


def _one(recipe: Recipe, out: Path, half: bool, by: str, emit: Callable[[dict[str, Any]], None] | None) -> Trained:
    from llmrec.runs import pipeline

    run = _run(recipe)
    before = run.status.state
    try:
        if before != "done" or run.metrics is None:
            with _Counted(run):
                ended = pipeline.train(run, emit, numbers=pipeline.TEST)  # validation was read while it trained
            if ended.state != "done":
                return Trained(recipe.name, run.path, "stopped", ended.reason, True, cost=_cost(run))
        if run.info.get("cost") != _cost(run):
            run.note(cost=_cost(run))
        return Trained(recipe.name, run.path, "packed", trained=before != "done", file=packing.pack(run, out, half, by), cost=_cost(run))
    except (ValueError, OSError) as error:
        return Trained(recipe.name, run.path, "failed", str(error), True, cost=_cost(run))


def _run(recipe: Recipe) -> Run:
    """The run of this recipe and seed, or a new one. One of an older wording of the recipe is set aside, not lost."""
    from llmrec.runs import store

    folder = work() / f"{recipe.name}-{recipe.seed + 1}"
    if not folder.exists():
        return store.create(recipe, folder)
    run = store.open_run(folder)
    if run.recipe.to_dict() == recipe.to_dict():
        return run
    aside = next(p for n in range(1, 10_000) if not (p := work() / f"{folder.name}.old-{n}").exists())
    folder.rename(aside)
    return store.create(recipe, folder)


class _Counted:
    """Adds what a session took to the run's costs, however it ends."""

    def __init__(self, run: Run) -> None:
        self._run, self._began, self._cpu = run, 0.0, 0.0

    def __enter__(self) -> None:
        self._began, self._cpu = time.monotonic(), _cpu()

    def __exit__(self, *_: object) -> None:
        from llmrec.runs import machine

        if not self._run.path.is_dir():
            return
        before = _cost(self._run)
        spent = {"seconds": time.monotonic() - self._began, "cpu_seconds": _cpu() - self._cpu}
        told: dict[str, Any] = {name: round(before.get(name, 0.0) + value, 1) for name, value in spent.items()}
        told |= {"sessions": before.get("sessions", 0) + 1, "machine": machine.here()}
        artifacts.write_json(told, self._run.path / COST)


def _cost(run: Run) -> dict[str, Any]:
    path = run.path / COST
    return artifacts.read_json(path) if path.exists() else {}


def _cpu() -> float:
    """Seconds of processor that this process and its children have taken."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _scheme(path: Path) -> str:
    import tomllib

    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("scheme", {}).get("name", ""))
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is no recipe: {error}") from None


def told(path: Path) -> dict[str, Any]:
    """What a bundle says of itself: the file's size and, out of its facts, who, when, with what, for what, and how well."""
    bundle = container.read(path)
    facts, metrics = checked.facts(bundle), checked.metrics(bundle)
    report = metrics.get("test", {}).get("masked", {})
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": bundle.sha256,
        **{k: bundle.manifest.get(k) for k in ("name", "llmrec", "data_fingerprint", "names", "vectors", "precision", "base")},
        **{k: facts.get(k) for k in ("scheme", "head", "lm", "data", "seed", "created", "platform", "versions", "cost", "bundled_by")},
        "recipe": bundle.parts.get("recipe.toml", b"").decode("utf-8", "replace"),
        "metrics": report.get("metrics", {}),
        "protocol": report.get("split"),
        "parts": {name: len(data) for name, data in sorted(bundle.parts.items())},
    }
