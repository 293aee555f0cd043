"""One row of the book at one seed: trained by the command that a person would type, ranked, and the places of all held-out items kept.

Where it stands: under `python -m benchmarks`. What it does not know: which rows are wanted, and what their numbers mean.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.places import Placed, ranges
from benchmarks.rows import Row, complete
from llmrec.contracts import Interactions, Part, Recommender, Split
from llmrec.runs import machine

ROOT = Path(__file__).resolve().parents[1]
RANKINGS: tuple[tuple[Part, bool], ...] = (("valid", True), ("test", True), ("test", False))


class Failed(RuntimeError):
    """A command of the measurement ended with another code than 0."""


def measure(row: Row, seed: int, folder: Path) -> dict[str, Any]:
    """The result of one row at one seed, as `benchmarks.places.write` takes it. folder: an empty one for the run."""
    said = {"row": row.name, "seed": seed, "data": row.data, "protocol": row.protocol, "recipe": row.settings(seed)}
    said["settings"], before = row.complete(seed), tree()
    said |= fitted(row, seed) if row.baseline is not None else trained(row, seed, folder)
    if before and tree() != before:
        before["dirty"] = True
    return said | before | {"versions": machine.versions(), "machine": machine.describe(), "rankings": said.pop("rankings")}


def tree(root: Path = ROOT) -> dict[str, Any]:
    """The commit that the code stands at, and whether anything that measures differs from it; nothing where there is no git."""
    try:
        commit = _git(root, "rev-parse", "--short", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", "llmrec", "benchmarks", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit, "dirty": bool(changed)}


def parts(split: Split) -> dict[str, str]:
    """12 hex digits each for train and test: who took what, in order."""
    return {name: _pairs(part) for name, part in (("train", split.train), ("test", split.test))}


def trained(row: Row, seed: int, folder: Path) -> dict[str, Any]:
    """A recipe. The seconds of training are the whole command's: data, vectors and names unless they are kept, training, validations.

    `Failed` where the run says other settings than the row: the recipe's file was changed meanwhile.
    """
    from llmrec.runs import store

    words = ["train", str(row.source), "--out", str(folder), "--set", f"seed={seed}", "--no-numbers"]
    wall, cpu = time.perf_counter(), _children()
    commands = [llmrec(*words)[0]]
    wall, cpu = time.perf_counter() - wall, _children() - cpu
    run = store.open_run(folder)
    if run.recipe != row.seeded(seed):
        raise Failed(f"the run was trained with other settings than {row.name} has: its recipe was changed meanwhile, measure it again")
    recommender, split, events = run.recommender(), run.split(), run.events()
    rankings = ranked(recommender, split)
    if row.under_unseen_template:
        other: Any = dataclasses.replace(recommender, unseen=True)  # type: ignore[type-var]
        rankings["test masked unseen template"] = ranking(other, split, "test", True)
    if len(split.held_out):
        rankings["test masked anonymous"] = ranking(run.recommender(newcomers="anonymous"), split, "test", True)
    said: dict[str, Any] = {"train_seconds": round(wall, 1), "train_cpu_seconds": round(cpu, 1)}
    ends = [e for e in events if e.get("state") == "end" and "stage" in e]
    said |= {"stage_seconds": {e["stage"]: e["seconds"] for e in ends}, "cached": [e["stage"] for e in ends if e.get("cached")]}
    said["trained"] = {k: v for k, v in next(e for e in reversed(events) if e["event"] == "trained").items() if k not in ("event", "time")}
    if row.chapter == "tasks":
        command, said["tasks"] = llmrec("tasks", str(folder))
        commands.append(command)
    shown = [command.replace(str(folder), "RUN").replace(f"{ROOT}/", "") for command in commands]
    made = {"recipe": run.recipe.to_dict(), "settings": complete(run.recipe), "split": parts(split)}
    return {**made, "commands": shown, **said, **_held_out(split), "rankings": rankings}


def fitted(row: Row, seed: int) -> dict[str, Any]:
    """A baseline with its default settings, fitted on train."""
    from llmrec import registry, rng
    from llmrec.runs import stages

    seeded = row.seeded(seed)
    split = stages.split(seeded, stages.dataset(seeded))
    wall, cpu = time.perf_counter(), time.process_time()
    recommender = registry.load("baseline", str(row.baseline))().fit(split.train, rng.stream(seed, "baseline", str(row.baseline)))
    said = {"train_seconds": round(time.perf_counter() - wall, 1), "train_cpu_seconds": round(time.process_time() - cpu, 1)}
    return {"split": parts(split), **said, **_held_out(split), "rankings": ranked(recommender, split)}


def ranked(recommender: Recommender, split: Split) -> dict[str, Any]:
    """Every ranking that a row has: validation and test, and test once more with seen items allowed. Nobody in a part: none."""
    return {
        f"{part} {'masked' if masked else 'unmasked'}": ranking(recommender, split, part, masked)
        for part, masked in RANKINGS
        if len(split.asked(part))
    }


def ranking(recommender: Recommender, split: Split, part: Part, masked: bool) -> dict[str, Any]:
    """One ranking of everybody, as deep as the split's protocol asks."""
    from llmrec.report.evaluate import evaluate

    cpu = time.process_time()
    measured = evaluate(recommender, split, part, masked)
    return Placed.of(measured, time.process_time() - cpu).to_plain()


def llmrec(*words: str) -> tuple[str, dict[str, Any]]:
    """One command, as it would be typed, and the JSON that it prints; its progress goes to the terminal."""
    command = " ".join(["llmrec", *words])
    print(command, file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "llmrec", *words, "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"`{command}` ended with code {done.returncode}")
    said: dict[str, Any] = json.loads(done.stdout)
    return command, said


def _held_out(split: Split) -> dict[str, Any]:
    return {"held_out": ranges(split.held_out)} if len(split.held_out) else {}  # type: ignore[arg-type]


def _pairs(part: Interactions) -> str:
    return hashlib.sha256(np.stack([part.user, part.item]).astype("<i8").tobytes()).hexdigest()[:12]


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
