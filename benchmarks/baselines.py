"""Every baseline by itself: fitted on train, read on validation and test, with its seconds.

    python -m benchmarks.baselines                                   # all baselines on ml-100k
    python -m benchmarks.baselines --data lastfm=sequences:FILE --baselines itemknn lightgcn

Where it stands: outside the package. The numbers go to benchmarks/measured/baselines.json, which `benchmarks.table` puts into the README.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.naming import RESULT as NAMING
from benchmarks.naming import reader
from llmrec import recipe, registry, rng
from llmrec.artifacts import write_json
from llmrec.contracts import Split
from llmrec.report.compare import interval
from llmrec.report.evaluate import evaluate
from llmrec.runs import machine

RESULT = NAMING.parent / "baselines.json"


def measure(name: str, split: Split) -> dict[str, Any]:
    """One baseline: seconds of fitting, and its numbers on both parts under both policies for seen items, with 95 % intervals."""
    begin = time.perf_counter()
    fitted = registry.load("baseline", name)().fit(split.train, rng.stream(0, "baseline", name))
    out: dict[str, Any] = {"fit_seconds": round(time.perf_counter() - begin, 1)}
    for part in ("valid", "test"):
        for masked in (True, False):
            found = evaluate(fitted, split, part, masked)  # type: ignore[arg-type]
            draws = {metric: interval(values, rng.stream(0, "bootstrap")) for metric, values in found.per_user.items()}
            spans = {metric: [round(span.low, 6), round(span.high, 6)] for metric, span in draws.items()}
            out.setdefault(part, {})[found.seen] = {"metrics": found.metrics, "intervals": spans, "n_users": found.n_users}
    return out


def main() -> None:
    known = registry.names("baseline")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description="Every baseline by itself.")
    parser.add_argument("--data", action="append", metavar="NAME[=READER:PATH,KEY=VALUE]", help="a data set (default: ml-100k)")
    parser.add_argument("--baselines", nargs="*", choices=known, default=known)
    args = parser.parse_args()
    for text in args.data or ["ml-100k"]:
        data, _, source = text.partition("=")
        stages = recipe.read({"data": reader(source or data), "scheme": {"name": "rid"}})
        split = stages.split.split(stages.data.load().interactions, rng.stream(0, "split"))
        for name in args.baselines:
            found = measure(name, split)
            kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {"data": {}}
            kept |= {"versions": machine.versions(), "machine": machine.describe(), "seed": 0, "split": "loo"}
            kept["data"].setdefault(data, {})[name] = found
            write_json(kept, RESULT)
            said = found["test"]["masked"]["metrics"]
            print(f"{data} {name}: {said['hit@10']:.4f}/{said['ndcg@10']:.4f} in {found['fit_seconds']} s", file=sys.stderr)


if __name__ == "__main__":
    main()
