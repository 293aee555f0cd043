"""Measure the shipped recipes: train each, evaluate it on test under both policies for seen items, keep the numbers.

    python -m benchmarks metaid-ml-100k-sketch metaid-ml-100k-demo     # default: every recipe, the quick ones first

Where it stands: outside the package; it does what a person would type. Each result lies in benchmarks/results/<recipe>.json in the form of
`llmrec evaluate --json`, with the recipe, the commands, versions, seconds and the machine beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from llmrec.artifacts import write_json
from llmrec.recipe import load
from llmrec.runs import events, machine

HERE = Path(__file__).resolve().parent
ORDER = ("sketch", "demo", "full")


def llmrec(*words: str) -> dict[str, Any]:
    """One command, as the README writes it; its progress goes to the terminal, its JSON comes back."""
    print("llmrec", *words, file=sys.stderr)
    done = subprocess.run([sys.executable, "-m", "llmrec", *words, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`llmrec {' '.join(words)}` ended with code {done.returncode}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def measure(recipe: Path, folder: Path) -> dict[str, Any]:
    """Train one recipe into `folder` and evaluate it. The seconds of training include data, vectors and names."""
    commands = [["train", str(recipe), "--out", str(folder)]]
    begin = time.perf_counter()
    llmrec(*commands[0])
    trained = time.perf_counter() - begin
    reports = []
    for seen in ("masked", "unmasked"):
        commands.append(["evaluate", str(folder), "--seen", seen])
        reports.append(llmrec(*commands[-1]))
    said = [
        " ".join(["llmrec", *(word.replace(str(folder), "RUN").replace(f"{HERE.parent}/", "") for word in words)]) for words in commands
    ]
    return reports[0] | {
        "run": recipe.stem,
        "unmasked": {key: reports[1][key] for key in ("seen", "seconds", "metrics", "baselines")},
        "recipe": load(recipe).to_dict(),
        "commands": said,
        "train_seconds": round(trained, 1),
        "stage_seconds": {e["stage"]: e["seconds"] for e in events.read(folder / "events.jsonl") if e.get("state") == "end"},
        "trained": next(e for e in events.read(folder / "events.jsonl") if e["event"] == "trained"),
        "versions": machine.versions(),
        "machine": machine.describe(),
    }


def main() -> None:
    recipes = {path.stem: path for path in (HERE / "recipes").glob("*.toml")}
    quick_first = sorted(recipes, key=lambda name: (ORDER.index(name.rsplit("-", 1)[-1]), name))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the shipped recipes.")
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"of {', '.join(quick_first)} (default: all)")
    for name in parser.parse_args().recipes or quick_first:
        if name not in recipes:
            parser.error(f"no recipe is called {name!r}: there are {', '.join(quick_first)}")
        with tempfile.TemporaryDirectory(prefix="llmrec-bench-") as folder:
            result = measure(recipes[name], Path(folder) / name)
        write_json(result, HERE / "results" / f"{name}.json")
        print(f"{name}: hit@10 {result['metrics']['hit@10']:.4f}, ndcg@10 {result['metrics']['ndcg@10']:.4f}, {result['train_seconds']} s")


if __name__ == "__main__":
    main()
