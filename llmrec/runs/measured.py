"""What was measured of a run or a baseline, user by user: kept in the run, else in the cache, else measured now and kept there.

Where it stands: over `store` and the cache; `pipeline` writes a run's own, `llmrec compare` and the Compare page read them.
What it does not know: how two of them are compared (`report.paired`).

A run that was made before places were kept, or under a name that is read alone, gets its places into the cache and is not touched.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llmrec import artifacts, registry
from llmrec.report.comparison import Ground
from llmrec.report.places import Places
from llmrec.runs import cache, machine, stages

if TYPE_CHECKING:
    from llmrec.contracts import Part, Split
    from llmrec.report.evaluate import Evaluation
    from llmrec.runs.store import Run

FOLDER = "places"
STAGE, COSTS = "places", "costs"  # of the cache
CALLS = 25  # whose median is the latency
SEED = 0  # of baselines: they stand beside runs of every seed


@dataclass(frozen=True)
class Costs:
    """What a recommender takes, measured on this machine. latency: median seconds of `CALLS` calls for one person and ten items.

    fit: seconds a baseline took to fit, of a run None; parameters: weights that it holds, None where there are none to count; pieces:
    how many rows of the vocabulary the model reads for an item's name, on average, None of a baseline; where: processor and cores.
    """

    latency: float
    fit: float | None = None
    parameters: int | None = None
    pieces: float | None = None
    where: str = ""


def ground(run: Run) -> Ground:
    """What a run was trained and measured on, told by content: another seed, file or setting with the same outcome is the same ground."""
    from llmrec.report import protocols

    split = run.split()
    return Ground(
        _called(run.recipe.data),
        protocols.of(split).name,
        artifacts.fingerprint(split),
        len(split.asked("test")),
        split.train.n_items,
        len(split.train),
    )


def _called(data: Any) -> str:
    """A data set by its own name: a set that was imported by that, files of one's own by theirs, any other as it is registered."""
    from llmrec.data import assemble, uploads

    name = registry.name_of("data", data)
    if name == "upload":
        return str(data.set)
    return assemble.name_of(Path(data.path)) if name in uploads.READERS else name


def asked(part: Part, masked: bool) -> str:
    """A question as one word: "test-masked"."""
    return f"{part}-{'masked' if masked else 'unmasked'}"


def keep(run: Run, found: Evaluation) -> Path:
    """Write the places of an evaluation into the run's folder."""
    return artifacts.save(Places.of(found), run.path / FOLDER / asked(found.part, found.masked))


def of_run(run: Run, part: Part = "test", masked: bool = True, measure: bool = True) -> Places | None:
    """A run's places: its own, or those in the cache. measure: whether to make them where there are none, which loads the model."""
    own = run.path / FOLDER / asked(part, masked)
    if own.exists():
        try:
            return artifacts.load(Places, own)
        except artifacts.BadArtifact:  # damaged: measured anew into the cache, and the run is left as it is
            pass
    name = _key(run, part, masked)
    if not measure and not cache.holds(STAGE, name):
        return None
    return cache.remember(STAGE, name, Places, lambda: _ranked(run.recommender(), run.split(), part, masked))


def of_baseline(run: Run, name: str, part: Part = "test", masked: bool = True, measure: bool = True) -> Places | None:
    """A baseline's places on the ground of a run, with its default settings, fitted on train alone."""
    key = _baseline_key(run, name, asked(part, masked))
    if not measure and not cache.holds(STAGE, key):
        return None

    def made() -> Places:
        split = run.split()
        return _ranked(_fitted(name, split), split, part, masked)

    return cache.remember(STAGE, key, Places, made)


def costs_of_run(run: Run, measure: bool = True) -> Costs | None:
    """What a run takes for one person, and how large it is. Measured once on each kind of machine."""
    name = cache.key("costs", machine.here(), *_identity(run))
    if not measure and not cache.holds(COSTS, name):
        return None

    def made() -> Costs:
        recommender: Any = run.recommender()
        weights = sum(int(p.numel()) for p in recommender.lm.parameters())
        vocab = recommender.lm.vocab
        pieces = float(np.diff(vocab.names(run.table().items).offsets).mean()) - vocab.ends  # the end mark is no part of a name
        return Costs(latency(recommender, run.split()), None, weights, pieces, machine.here())

    return cache.remember(COSTS, name, Costs, made)


def costs_of_baseline(run: Run, name: str, measure: bool = True) -> Costs | None:
    """What a baseline takes to fit on the ground of a run, and for one person."""
    key = _baseline_key(run, name, "costs", machine.here())
    if not measure and not cache.holds(COSTS, key):
        return None

    def made() -> Costs:
        split = run.split()
        began = time.perf_counter()
        fitted = _fitted(name, split)
        seconds = time.perf_counter() - began
        return Costs(latency(fitted, split), seconds, None, None, machine.here())

    return cache.remember(COSTS, key, Costs, made)


def latency(recommender: Any, split: Split, calls: int = CALLS) -> float:
    """The median of real calls, one person each and ten items, after one that warms up. Seconds."""
    queries = split.queries("test")
    chosen = np.unique(np.linspace(0, len(queries) - 1, min(calls, len(queries))).astype(int)).tolist()
    recommender.recommend(queries[chosen[0] : chosen[0] + 1], min(10, split.train.n_items))
    spent = []
    for at in chosen:
        began = time.perf_counter()
        recommender.recommend(queries[at : at + 1], min(10, split.train.n_items))
        spent.append(time.perf_counter() - began)
    return float(statistics.median(spent))


def cached_keys(run: Run) -> set[tuple[str, str]]:
    """What the cache may keep of this run and of no other: (stage, key)."""
    parts: tuple[tuple[Part, bool], ...] = (("valid", True), ("valid", False), ("test", True), ("test", False))
    keys = {(STAGE, _key(run, part, masked)) for part, masked in parts}
    return keys | {(COSTS, cache.key("costs", machine.here(), *_identity(run)))}


def _ranked(recommender: Any, split: Split, part: Part, masked: bool) -> Places:
    from llmrec.report.evaluate import evaluate

    return Places.of(evaluate(recommender, split, part, masked))


def _key(run: Run, part: Part, masked: bool) -> str:
    return cache.key("places", asked(part, masked), *_identity(run))


def _identity(run: Run) -> list[str]:
    """A trained run and no other: its id, and the model as it is now."""
    manifest = run.path / "model" / artifacts.MANIFEST
    return [str(run.info.get("id")), artifacts.sha256(manifest) if manifest.is_file() else ""]


def _baseline_key(run: Run, name: str, *what: str) -> str:
    made_by = registry.load("baseline", name)
    return cache.key("baseline", stages.keys(run.recipe)["split"], name, SEED, cache.code(made_by.__module__), *what)


def _fitted(name: str, split: Split) -> Any:
    from llmrec import rng  # imports torch

    return registry.load("baseline", name)().fit(split.train, rng.stream(SEED, "baseline", name))
