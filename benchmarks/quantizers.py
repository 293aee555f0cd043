"""What the masked quantizer keeps of real LightGCN vectors, beside quantizers of equal budget and along the mask ratio.

    python -m benchmarks.quantizers ml-100k lastfm=user_sequence.txt     # NAME=PATH: lines `user item item ...`

Where it stands: outside the package. Items' vectors are fitted on train alone (leave-one-out) and brought to length 1, as the quantizer
sees them. Reconstruction error is |q - r|^2 / |q - mean|^2, summed over items: 1 says no more than the mean does. Four fifths of the items
are fitted ("fitted"), one fifth is not ("held_out"). Nothing is masked where errors are measured, but for "held_out_holes", where a
fifth of the numbers are hidden from the encoders. "neighbours": the share of a held-out item's 10 nearest fitted items (by cosine) that
are still among the 10 nearest of what its codes decode to. Results go to benchmarks/measured/quantizers.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmrec.artifacts import write_json
from llmrec.contracts import Dataset, Floats
from llmrec.ids.tokenrec import TokenRec, scaled_codes
from llmrec.ids.vq.masked import Masked, MaskedVq, standardise
from llmrec.rng import stream
from llmrec.runs import machine

OUT = Path(__file__).resolve().parent / "measured" / "quantizers.json"
RATIOS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
HOLES = 0.2


def named(given: Sequence[str]) -> dict[str, str]:
    """Arguments `ml-100k` or `NAME=PATH` as name to path, "" for ml-100k; a name twice, or a file without a name, is an error."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if bool(equals and path) == (name == "ml-100k") or not name:
            raise ValueError(f"{text!r} is neither ml-100k nor NAME=PATH: give each file of sequences a name, such as lastfm=FILE")
        if name in found:
            raise ValueError(f"two data sets are called {name!r}, and one would overwrite the other: give each its own name")
        found[name] = path
    return found


def load(path: str) -> Dataset:
    """A file of sequences, or ml-100k where there is none."""
    from llmrec.data.movielens import MovieLens100K
    from llmrec.data.sequences import SequenceFile

    return SequenceFile(path).load() if path else MovieLens100K().load()


def vectors(data: Dataset) -> Floats:
    """LightGCN's items, those that somebody took in train, as directions: (m, d)."""
    from llmrec.data.split import LeaveOneOut
    from llmrec.embed.lightgcn import LightGcn

    train = LeaveOneOut().split(data.interactions, stream(0, "split")).train
    rows = LightGcn().fit(train, data.catalog, stream(0, "embed")).items
    rows = rows[rows.any(axis=1)]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows, dtype=np.float32)


def relative(rows: Floats, told: Floats, mean: Floats) -> float:
    """|q - r|^2 over |q - mean|^2."""
    return float(((rows - told) ** 2).sum() / ((rows - mean) ** 2).sum())


def neighbours(rows: Floats, told: Floats, pool: Floats, k: int = 10) -> float:
    """How many of the k nearest in `pool` are the same for a row and for what its codes say."""
    nearest = []
    for side in (rows, told):
        unit = side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
        nearest.append(np.argsort(-(unit @ pool.T), axis=1, kind="stable")[:, :k])
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(*nearest, strict=True)]))


def measure(settings: MaskedVq, fitted: Floats, held: Floats, frozen: bool = False) -> dict[str, Any]:
    """Fit one masked quantizer and say what it keeps."""
    begin = time.perf_counter()
    quantizer = settings.fit(fitted, stream(0, "quantizer"), frozen=frozen)
    seconds = time.perf_counter() - begin
    codes, mean = quantizer.encode(fitted), quantizer.mean
    hidden = stream(0, "holes").random(held.shape) < HOLES
    told = quantizer.decode(quantizer.encode(held))
    return {
        "fitted": relative(fitted, quantizer.decode(codes), mean),
        "held_out": relative(held, told, mean),
        "held_out_holes": relative(held, quantizer.decode(_encode_with_holes(quantizer, held, hidden)), mean),
        "neighbours": neighbours(held, told, fitted),
        "used": [len(np.unique(column)) / size for column, size in zip(codes.T, quantizer.sizes, strict=True)],
        "distinct": len(np.unique(codes, axis=0)) / len(codes),
        "seconds": round(seconds, 1),
    }


def _encode_with_holes(quantizer: Masked, rows: Floats, hidden: np.ndarray) -> np.ndarray:
    """Codes of rows of which some numbers stand at the mean. By hand: `encode` would stretch what is left."""
    seen = np.where(hidden, np.float32(0), standardise(rows, quantizer.mean, quantizer.scale))
    w1, b1, w2, b2 = quantizer.encoders
    said = np.einsum("nkh,khc->knc", np.maximum(np.einsum("nd,kdh->nkh", seen, w1, optimize=True) + b1, 0), w2, optimize=True) + b2[:, None]
    near = [((book**2).sum(1) - 2 * s @ book.T).argmin(1) for s, book in zip(said, quantizer.books, strict=True)]
    return np.stack(near, axis=1).astype(np.int32)


def kmeans(rows: Floats, k: int, seed: int = 0) -> Floats:
    """Centres (k, d)."""
    import faiss

    means = faiss.Kmeans(
        rows.shape[1], min(k, len(rows)), niter=25, nredo=2, seed=seed, min_points_per_centroid=1, max_points_per_centroid=len(rows)
    )
    means.train(np.ascontiguousarray(rows))
    return np.array(means.centroids)


def nearest(rows: Floats, centres: Floats) -> Floats:
    return np.asarray(centres[((centres**2).sum(1) - 2 * rows @ centres.T).argmin(1)])


def baselines(fitted: Floats, held: Floats, n_books: int, n_codes: int) -> dict[str, Any]:
    """k-means codes of equal budget: as many Tokens in one book; K books on K parts of a random rotation; K books that are averaged; and
    K books one after the other on what is left over, the strongest of them."""
    mean, d = fitted.mean(0), fitted.shape[1]
    both = np.concatenate([fitted, held])
    told = {"one book of K * L codes": nearest(both, kmeans(fitted, n_books * n_codes))}
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0].astype(np.float32)
    parts = [nearest(both @ turn[:, p], kmeans(fitted @ turn[:, p], n_codes)) for p in np.array_split(np.arange(d), n_books)]
    told["K books on parts (product)"] = np.concatenate(parts, axis=1) @ turn.T
    told["K books averaged"] = np.mean([nearest(both, kmeans(fitted, n_codes, seed)) for seed in range(n_books)], axis=0)
    rest, total = both.copy(), np.zeros_like(both)
    for _ in range(n_books):
        step = nearest(rest, kmeans(rest[: len(fitted)], n_codes))
        rest, total = rest - step, total + step
    told["K books on what is left (residual)"] = total
    n = len(fitted)
    return {
        name: {
            "fitted": relative(fitted, r[:n], mean),
            "held_out": relative(held, r[n:], mean),
            "neighbours": neighbours(held, r[n:], fitted),
        }
        for name, r in told.items()
    }


def report(data: Dataset) -> dict[str, Any]:
    """All figures of one data set."""
    rows = vectors(data)
    order = stream(0, "held-out").permutation(len(rows))
    held, fitted = rows[order[: len(rows) // 5]], rows[order[len(rows) // 5 :]]
    base = TokenRec()
    settings = MaskedVq(base.n_books, scaled_codes(len(rows)), base.mask, base.beta, base.hidden, base.steps, base.batch, base.lr)
    curve = {str(ratio): measure(dataclasses.replace(settings, mask=ratio), fitted, held) for ratio in RATIOS}
    return {
        "items": len(rows),
        "n_books": settings.n_books,
        "n_codes": settings.n_codes,
        "masked": curve[str(settings.mask)],
        "frozen encoders": measure(settings, fitted, held, frozen=True),
        "k-means": baselines(fitted, held, settings.n_books, settings.n_codes),
        "mask ratio": curve,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quantizers", description="What quantizers keep of LightGCN vectors.")
    parser.add_argument("data", nargs="*", default=["ml-100k"], help="ml-100k, or NAME=PATH of a file of sequences (default: ml-100k)")
    parser.add_argument("--out", type=Path, default=OUT, help="JSON to write")
    given = parser.parse_args()
    try:
        data = named(given.data)
    except ValueError as error:
        parser.error(str(error))
    command = " ".join(["python -m benchmarks.quantizers", *(f"{n}={Path(p).name}" if p else n for n, p in data.items())])
    results: dict[str, Any] = {}
    for name, path in data.items():
        results[name] = report(load(path))
        for what in ("masked", "frozen encoders"):
            print(name, what, results[name][what])
        print(name, results[name]["k-means"], *results[name]["mask ratio"].items(), sep="\n  ")
        write_json({"command": command, "results": results, "machine": machine.describe()}, given.out)


if __name__ == "__main__":
    main()
