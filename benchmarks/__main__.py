"""Measure the rows of the results book: each recipe trained, each baseline fitted, at several seeds.

    python -m benchmarks                                             # every row at seeds 0 1 2 that has no result yet
    python -m benchmarks metaid-ml-100k-sketch 'heads/*' --seeds 0   # some rows
    python -m benchmarks --list                                      # what there is, and what is missing

Where it stands: outside the package; it does what a person would type. Results go to benchmarks/results/<row>/<seed>.json and from there
into the pages by `python -m benchmarks.report`. Interrupt it at any moment: what is measured is kept, and the same command goes on.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import places
from benchmarks.measure import measure
from benchmarks.rows import LEFT_OUT, Row, rows
from llmrec.registry import UnknownName


def chosen(patterns: Sequence[str], known: dict[str, Row]) -> list[Row]:
    """The rows that these names and patterns mean, in the order of the book; all where none is given. ValueError for an unknown name."""
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise ValueError(f"no row is called {pattern!r}: `python -m benchmarks --list` names them")
    named = [row for name, row in known.items() if any(fnmatch.fnmatchcase(name, p) for p in patterns)]
    return named if patterns else [row for name, row in known.items() if name not in LEFT_OUT]


def missing(row: Row, seeds: Sequence[int], folder: Path) -> list[int]:
    """The seeds at which a row has no result, or one that was made with other settings. ValueError for a damaged file."""
    there = {r.seed for r in places.of_row(row.name, folder) if row.made(r.said)}
    return [seed for seed in seeds if seed not in there]


def lacks(row: Row, seeds: Sequence[int], folder: Path) -> str:
    """What --list says beside a row: its missing seeds, why they cannot be told, or ""."""
    try:
        todo = missing(row, seeds, folder)
    except (ValueError, UnknownName) as error:
        return f"({error})"
    return f"(missing: {', '.join(map(str, todo))})" if todo else ""


def absent(row: Row) -> str:
    """Why a row's data are not here, or ""."""
    from llmrec.data.admit import BadData

    files = getattr(row.recipe.data, "files", None)
    try:
        if files is not None:
            files()
    except BadData as error:
        return str(error)
    return ""


def work(wanted: Sequence[Row], seeds: Sequence[int], again: bool = False, folder: Path = places.FOLDER) -> tuple[list[str], list[str]]:
    """Measure what is missing (`again`: all of it). Returns what failed and what was skipped, each with its reason."""
    failed, skipped = [], []
    for row in wanted:
        try:
            todo = list(seeds) if again else missing(row, seeds, folder)
            reason = absent(row) if todo else ""
        except (ValueError, UnknownName) as error:
            failed.append(_lost(row.name, error))
            continue
        if reason:
            skipped.append(f"{row.name}: {reason}")
            continue
        for seed in todo:
            try:
                with tempfile.TemporaryDirectory(prefix="llmrec-bench-") as room:
                    said = measure(row, seed, Path(room) / "run")
                places.write(said, folder)
            except Exception as error:  # whatever happened to one row, the others are measured
                failed.append(_lost(f"{row.name} at seed {seed}", error))
                continue
            print(_told(places.Result(said)), flush=True)
    return failed, skipped


def _lost(what: str, error: Exception) -> str:
    line = f"{what}: {type(error).__name__}: {error}"
    print(line, file=sys.stderr, flush=True)
    return line


def _told(result: places.Result) -> str:
    placed = result.placed("test masked")
    assert placed is not None
    shown = ("recall@20", "ndcg@100") if result.said["protocol"] == "holdout" else ("hit@10", "ndcg@10")
    numbers = ", ".join(f"{metric} {placed.per_user(metric).mean():.4f}" for metric in shown)
    return f"{result.row} at seed {result.seed}: {numbers}, {result.said['train_cpu_seconds']} CPU s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the rows of the results book.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a row or a pattern such as 'heads/*' (default: all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N", help="seeds to measure at (default: 0 1 2)")
    parser.add_argument("--again", action="store_true", help="measure anew what has a result already")
    parser.add_argument("--list", action="store_true", help="name the rows and the seeds that are missing, and measure nothing")
    args = parser.parse_args()
    try:
        wanted = chosen(args.rows, rows())
    except ValueError as error:
        parser.error(str(error))
    if args.list:
        for row in wanted:
            print(row.name, lacks(row, args.seeds, places.FOLDER))
        return 0
    failed, skipped = work(wanted, args.seeds, args.again)
    for line in skipped:
        print(f"skipped {line}", file=sys.stderr)
    for line in failed:
        print(f"failed {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
