"""What the studio is measured on: MovieLens-100K, and made-up markets of 10,000 and 100,000 things, each with real runs of its own.

Where it stands: under `benchmarks.studio`. What it does not know: pages. A run that lacks is trained by the command that a person would
type, into a folder of its own, and kept there for the next time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from llmrec.artifacts import read_json

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "benchmarks" / "recipes"
MARKET = Path(__file__).with_name("bazaar.toml")


@dataclass(frozen=True)
class Ground:
    """One data set to measure on. recipes: of the runs, the one that pages open last; changes: of their settings, as `--set` takes them."""

    name: str
    title: str
    recipes: tuple[Path, ...]
    changes: tuple[str, ...] = ()


GROUNDS = (
    Ground("ml-100k", "MovieLens-100K", (RECIPES / "tokenrec-ml-100k-sketch.toml", RECIPES / "metaid-ml-100k-sketch.toml")),
    Ground("bazaar-10k", "market of 10,000", (MARKET,), ("data.items=10000", "data.users=2000", "split.min_history=40")),
    Ground("bazaar", "market of 100,000", (MARKET,)),
)


def named(name: str) -> Ground:
    """A ground by its name. ValueError with those there are."""
    known = {ground.name: ground for ground in GROUNDS}
    if name not in known:
        raise ValueError(f"nothing to measure on is called {name!r}: there are {', '.join(known)}")
    return known[name]


def ready(ground: Ground, runs: Path) -> str:
    """The name of the run to open; what lacks is trained first, and the map of it is laid out. CalledProcessError where that fails."""
    runs.mkdir(parents=True, exist_ok=True)
    there = _runs(runs)
    for recipe in ground.recipes:
        if recipe.stem not in there.values():
            words = [word for change in ground.changes for word in ("--set", change)]
            _do(runs, "llmrec", "train", str(recipe), *words)
    there = _runs(runs)
    name = next((run for run in there if run.startswith("metaid-")), next(iter(there)))
    _do(runs, "app.tokens.projecting", name)
    return name


def _runs(runs: Path) -> dict[str, str]:
    """Runs of a folder that are trained and measured, the newest first: name -> the stem of its recipe."""
    done = [path.parent for path in runs.glob("*/metrics.json") if (path.parent / "model" / "manifest.json").exists()]
    newest = sorted(done, key=lambda path: -(path / "run.json").stat().st_mtime)
    return {path.name: str(read_json(path / "run.json").get("recipe")) for path in newest}


def _do(runs: Path, module: str, *words: str) -> None:
    environment = {**os.environ, "LLMREC_RUNS": str(runs), "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
