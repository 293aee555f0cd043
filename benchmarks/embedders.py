"""LightGCN against RecBole's, on MovieLens-100K, in one run on one machine: seconds per epoch, seconds to the end, quality.

    python -m benchmarks.embedders --recbole /path/to/python     # a Python with RecBole 1.2.1 (it needs numpy < 2 and scipy < 1.12)

Where it stands: outside the package. Both get the same split, the same number of threads and turns: between RecBole's epochs ours is fitted
whole now and then, so that what else the machine does hits both. RecBole's training time counts up to the epoch that was best on
validation, without evaluations and without the epochs it needed to find out that it was done; ours is the whole fit. Settings were
chosen on validation; test is only reported. The result lies in benchmarks/measured/lightgcn-patience-N.json: with its own patience of 10
epochs RecBole stops on an early plateau, with 40 it goes on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from llmrec import rng
from llmrec.artifacts import write_json
from llmrec.contracts import Split
from llmrec.embed.lightgcn import LightGcn
from llmrec.recommend.dot import LightGcnDot
from llmrec.runs import machine

HERE = Path(__file__).resolve().parent
DRIVER = HERE / "recbole_lightgcn.py"
TURN = 8  # epochs of RecBole between two fits of ours


def movielens() -> Split:
    """ML-100K, leave-one-out, ties in file order: as everywhere."""
    from llmrec.data.movielens import MovieLens100K
    from llmrec.data.split import LeaveOneOut

    return LeaveOneOut().split(MovieLens100K().load().interactions, rng.stream(0, "split"))


def ours(split: Split, seed: int) -> dict[str, Any]:
    """One fit and its quality on both parts."""
    from llmrec.report.evaluate import evaluate

    begin = time.perf_counter()
    fitted = LightGcnDot().fit(split.train, rng.stream(seed, "baseline", "lightgcn"))
    seconds = time.perf_counter() - begin
    valid, test = (evaluate(fitted, split, part, True, (10,)).metrics for part in ("valid", "test"))
    return {"seed": seed, "seconds": seconds, "valid": valid["ndcg@10"], "test": {m: test[m] for m in ("hit@10", "ndcg@10")}}


def write_split(split: Split, folder: Path) -> None:
    """The three parts as RecBole reads a split that is made already."""
    where = folder / "movielens"  # RecBole would take the name ml-100k for the copy it ships
    where.mkdir()
    for name, part in (("train", split.train), ("valid", split.valid), ("test", split.test)):
        rows = "".join(f"{u}\t{i}\n" for u, i in zip(part.user.tolist(), part.item.tolist(), strict=True))
        (where / f"movielens.{name}.inter").write_text("user_id:token\titem_id:token\n" + rows, encoding="utf-8")


def alternate(python: str, split: Split, most: int, patience: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Our fits, RecBole's epochs and RecBole's end, in turns."""
    fits, epochs = [ours(split, 0)], []
    with tempfile.TemporaryDirectory(prefix="llmrec-recbole-") as folder:
        write_split(split, Path(folder))
        command = [python, "-W", "ignore", str(DRIVER), folder, str(most), str(patience)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as other:
            assert other.stdin is not None and other.stdout is not None
            for line in other.stdout:
                if not line.startswith("{"):
                    continue  # RecBole's own words
                said = json.loads(line)
                if said.get("end"):
                    return fits, epochs, said
                if "epoch" in said:
                    epochs.append(said)
                    print(f"RecBole epoch {said['epoch']}: {said['seconds']:.2f} s, valid {said['valid']:.4f}", file=sys.stderr, flush=True)
                    if said["epoch"] % TURN == 0:
                        fits.append(ours(split, len(fits)))
                        print(f"ours: {fits[-1]['seconds']:.2f} s, valid {fits[-1]['valid']:.4f}", file=sys.stderr, flush=True)
                try:
                    print(file=other.stdin, flush=True)
                except BrokenPipeError:
                    break
    raise SystemExit(f"RecBole ended without a result (code {other.returncode}): what it said stands above")


def summary(fits: list[dict[str, Any]], epochs: list[dict[str, Any]], end: dict[str, Any]) -> dict[str, Any]:
    """Medians and ratios. `share`: our time of training by RecBole's."""
    settings = LightGcn()
    best = max(epochs, key=lambda e: float(e["valid"]))["epoch"]
    per_epoch = statistics.median(e["seconds"] for e in epochs)
    whole = statistics.median(f["seconds"] for f in fits)
    return {
        "ours": {
            "settings": dataclasses.asdict(settings),
            "seconds_per_epoch": whole / settings.epochs,
            "seconds": whole,
            "valid_ndcg@10": float(np.mean([f["valid"] for f in fits])),
            "test": {m: float(np.mean([f["test"][m] for f in fits])) for m in ("hit@10", "ndcg@10")},
            "fits": fits,
        },
        "recbole": {
            "version": "1.2.1",
            "seconds_per_epoch": per_epoch,
            "epochs_to_best": best,
            "seconds": per_epoch * best,
            "valid_ndcg@10": end["valid"],
            "test": end["test"],
            "epochs": epochs,
        },
        "share": {"of_an_epoch": whole / settings.epochs / per_epoch, "of_training": whole / (per_epoch * best)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedders", description="LightGCN, ours against RecBole's.")
    parser.add_argument("--recbole", metavar="PYTHON", help="a Python that has RecBole 1.2.1; without it only ours is measured, and shown")
    parser.add_argument(
        "--epochs", type=int, default=300, metavar="N", help="the most epochs RecBole may take (default: 300, as it has it)"
    )
    parser.add_argument("--patience", type=int, default=10, metavar="N", help="epochs without gain until it stops (default: 10, its own)")
    args = parser.parse_args()
    split = movielens()
    if args.recbole is None:
        print(json.dumps(ours(split, 0), indent=1))
        return
    result = summary(*alternate(args.recbole, split, args.epochs, args.patience))
    threads = os.environ.get("OMP_NUM_THREADS", "all cores")
    about = {
        "data": "ml-100k",
        "split": "loo",
        "seen": "masked",
        "threads": threads,
        "patience": args.patience,
        "versions": machine.versions(),
    }
    write_json(about | result | {"machine": machine.describe()}, HERE / "measured" / f"lightgcn-patience-{args.patience}.json")
    one, two = result["ours"], result["recbole"]
    print(f"an epoch: {one['seconds_per_epoch']:.3f} s against {two['seconds_per_epoch']:.2f} s")
    print(f"training: {one['seconds']:.1f} s against {two['seconds']:.0f} s ({two['epochs_to_best']} epochs)")
    print(f"test ndcg@10: {one['test']['ndcg@10']:.4f} against {two['test']['ndcg@10']:.4f}")


if __name__ == "__main__":
    main()
