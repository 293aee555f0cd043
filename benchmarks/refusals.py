"""What the product says of each pair of names and head that makes no sense, taken from its own mouth.

    python -m benchmarks.refusals

Where it stands: outside the package. It trains the sketch of a scheme behind another head, as a person would type it, and keeps the line
with which the command refuses, in benchmarks/measured/refusals.json; the matrix in docs/results.md shows it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report.chapters import MEASURED, pair
from benchmarks.report.tables import HEADS, SCHEMES
from llmrec.artifacts import write_json
from llmrec.runs import machine


def refusal(scheme: str, head: str) -> str:
    """The one line with which a pair is refused. SystemExit where it is not."""
    with tempfile.TemporaryDirectory(prefix="llmrec-bench-") as room:
        words = [
            "train",
            f"{scheme}-ml-100k-sketch",
            "--set",
            f"head.name={head}",
            "--set",
            "train.epochs=1",
            "--out",
            str(Path(room) / "run"),
        ]
        done = subprocess.run([sys.executable, "-m", "llmrec", *words], capture_output=True, text=True, check=False)
    if done.returncode != 2:
        raise SystemExit(f"{scheme} behind {head} ended with code {done.returncode} and is not refused: give it a recipe in recipes/heads")
    return done.stderr.strip().splitlines()[-1].removeprefix("llmrec: ")


def main() -> None:
    said = {f"{scheme} {head}": refusal(scheme, head) for scheme in SCHEMES for head in HEADS if pair(scheme, head) is None}
    write_json({"said": said, "versions": machine.versions()}, MEASURED / "refusals.json")
    for which, line in said.items():
        print(f"{which}: {line}")


if __name__ == "__main__":
    main()
