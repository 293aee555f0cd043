"""What naming costs and how healthy the names are: every scheme on every data set given, each in a process of its own.

    python -m benchmarks.naming                                        # all schemes on ml-100k
    python -m benchmarks.naming --data lastfm=sequences:FILE --data "beauty=table:FILE,items_path=FILE"
    python -m benchmarks.naming --data million --schemes rid cllm4rec metaid tokenrec tiger

Where it stands: outside the package. Seconds, peak memory and health go to benchmarks/measured/naming.json, which `benchmarks.report` puts
into docs/schemes.md. `million` is a made-up catalogue of one million items, whose vectors are drawn and not fitted.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from llmrec import recipe, registry, rng
from llmrec.artifacts import write_json
from llmrec.contracts import Catalog, Dataset, Interactions, Vectors

RESULT = Path(__file__).resolve().parent / "measured" / "naming.json"
MILLION = "million"


def million(m: int = 1_000_000, n: int = 100_000, taken: int = 20, d: int = 64, kinds: int = 500) -> tuple[Dataset, Vectors]:
    """A catalogue of m items of `kinds` kinds, n users who like one kind, and vectors that know the kinds."""
    import pandas as pd

    draw = np.random.default_rng(0)
    kind, liked = draw.integers(kinds, size=m), draw.integers(kinds, size=n)
    of_kind = np.argsort(kind, kind="stable")
    first = np.searchsorted(kind[of_kind], np.arange(kinds + 1))
    user = np.repeat(np.arange(n, dtype=np.int32), taken)
    spread = (draw.random(n * taken) * np.diff(first)[liked[user]]).astype(np.int64)
    item = of_kind[first[liked[user]] + spread].astype(np.int32)
    train = Interactions.from_unsorted(user, item, np.arange(n * taken), n, m)
    centre = draw.standard_normal((kinds, d), dtype=np.float32)
    items, users = (centre[k] + 0.3 * draw.standard_normal((len(k), d), dtype=np.float32) for k in (kind, liked))
    names = pd.DataFrame({"key": [str(i) for i in range(m)], "title": [f"Thing {i} of kind {k}" for i, k in enumerate(kind)]})
    catalog = Catalog(pd.DataFrame({"key": [str(u) for u in range(n)]}), names)
    return Dataset(MILLION, train, catalog), Vectors(users, items)


def measure(scheme: str, source: str) -> dict[str, Any]:
    """Name one data set by one scheme, here and now: seconds of each stage, peak memory of this process, health."""
    from llmrec.ids.health.report import health
    from llmrec.ids.health.semantics import memorization
    from llmrec.ids.lookup import written

    stages = recipe.read({"data": {"name": "ml-100k"}, "scheme": {"name": scheme}})
    if source == MILLION:
        data, vectors = million()
        train, embedded = data.interactions, None
    else:
        data = recipe.stage("data", reader(source)).load()
        if stages.scheme.names_by == "content" and data.catalog.titles == data.catalog.item_keys:
            raise SystemExit(f"{source} tells nothing of its items but their keys: {scheme} has nothing to read")
        train = stages.split.split(data.interactions, rng.stream(0, "split")).train
        begin = time.perf_counter()
        vectors = stages.embed.fit(train, data.catalog, rng.stream(0, "embed")) if stages.embed is not None else None
        embedded = time.perf_counter() - begin
    begin = time.perf_counter()
    table = stages.scheme.fit(train, data.catalog, vectors, rng.stream(0, "scheme"))
    named = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    out = {
        "n_users": train.n_users,
        "n_items": train.n_items,
        "n_train": len(train),
        "embed": None if stages.embed is None or source == MILLION else registry.name_of("embed", stages.embed),
        "embed_seconds": None if embedded is None or stages.embed is None else round(embedded, 1),
        "name_seconds": round(named, 1),
        "peak_gib": round(peak / 2**30, 2),
        "encode_per_second": None
        if table.item_quantizer is None or vectors is None
        else encoding_rate(table.item_quantizer, vectors.items),
    }
    levels = health(table)
    out["health"] = {
        "new_rows": levels.new_rows,
        "depth": levels.depth,
        "distinct_items": levels.distinct_items,
        "collisions": levels.collisions,
        "items": [
            {"book": book.prefix, "size": book.size, "used": len(seen), "perplexity": round(float(2 ** -(p * np.log2(p)).sum()), 1)}
            for book, column in zip(table.items.books, table.items.codes.T, strict=True)
            for seen, count in [np.unique(column[column >= 0], return_counts=True)]
            for p in [count / count.sum()]
        ],
    }
    if source != MILLION:
        found = memorization(table, train, rng=rng.stream(0, "pairs")).pearson  # None where no two names share a piece
        out["health"]["memorization"] = None if found is None else round(found, 4)
        popular = int(np.bincount(train.item, minlength=train.n_items).argmax())
        out["example"] = {"title": data.catalog.titles[popular], "name": written(table.items.spell(popular))}
    return out


def encoding_rate(quantizer: Any, rows: Any) -> int:
    """Vectors a second: the median of five, over at least 200,000 rows at once."""
    many = np.ascontiguousarray(np.tile(rows, (max(1, -(-200_000 // len(rows))), 1))[:1_000_000])
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        quantizer.encode(many)
        seconds.append(time.perf_counter() - begin)
    return round(len(many) / float(np.median(seconds)))


def reader(source: str) -> dict[str, Any]:
    """The [data] section of `ml-100k` or of `reader:path[,key=value]`."""
    name, colon, rest = source.partition(":")
    if not colon:
        return {"name": name}
    path, *pairs = rest.split(",")
    return {"name": name, "path": path, **dict(pair.split("=", 1) for pair in pairs)}


def main() -> None:
    known = [s for s in registry.names("scheme") if s != "imported"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.naming", description="Seconds, memory and health of every scheme.")
    parser.add_argument("--data", action="append", metavar="NAME[=READER:PATH,KEY=VALUE]", help="a data set (default: ml-100k)")
    parser.add_argument("--schemes", nargs="*", choices=known, default=known)
    parser.add_argument("--one", nargs=2, metavar=("SCHEME", "SOURCE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*args.one)))
        return
    for text in args.data or ["ml-100k"]:
        name, _, source = text.partition("=")
        for scheme in args.schemes:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.naming", "--one", scheme, source or name], stdout=subprocess.PIPE, text=True, check=False
            )
            if done.returncode:
                print(f"{name} {scheme}: failed with code {done.returncode}", file=sys.stderr)
                continue
            keep(name, scheme, json.loads(done.stdout.splitlines()[-1]))


def keep(data: str, scheme: str, found: dict[str, Any]) -> None:
    """Put one measurement beside those that are there."""
    from llmrec.runs import machine

    kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {"data": {}}
    kept |= {"versions": machine.versions(), "machine": machine.describe()}
    kept["data"].setdefault(data, {})[scheme] = found
    write_json(kept, RESULT)
    print(f"{data} {scheme}: {found['embed_seconds']} + {found['name_seconds']} s, {found['peak_gib']} GiB", file=sys.stderr)


if __name__ == "__main__":
    main()
