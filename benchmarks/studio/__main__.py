"""Measure the budgets of the studio in a real browser, on real runs.

    make bench-ui                                                # everything, ten times: about half an hour on two idle cores
    python -m benchmarks.studio --only switch search --repeats 3
    python -m benchmarks.studio --data ml-100k --runs FOLDER     # runs that are there already

Where it stands: outside the package. A server of its own, runs in a folder of their own (trained first where they lack), a fresh browser.
Every sample goes into benchmarks/measured/studio.json beside machine and versions; `python -m benchmarks.report` makes the tables of
docs/studio.md from it. Timings mean something only where the machine does nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.studio import acts, serving
from benchmarks.studio.grounds import GROUNDS, Ground, named, ready
from llmrec import home
from llmrec.artifacts import read_json, write_json

RESULT = Path(__file__).resolve().parents[1] / "measured" / "studio.json"
SMALL = ("recluster",)  # all that is measured on the market of 10,000
Sample = tuple[str, float]


def measure(ground: Ground, runs: Path, wanted: Sequence[str], repeats: int) -> dict[str, list[Sample]]:
    """The samples of every wanted act on one data set. An act that fails is told and keeps what it had."""
    run = ready(ground, runs)
    found: dict[str, list[Sample]] = {}
    with serving.browser() as window:
        if "first" in wanted:
            found["first"] = [("first page", round(first(window, runs), 3)) for _ in range(repeats)]
            print(f"  first: {told(found['first'])}", flush=True)
        if "bare" in wanted and ground is GROUNDS[0]:
            with serving.bare() as server, serving.tab(window) as tab:
                found["bare"] = [(what, round(took, 3)) for what, took in acts.bare_switches(tab, server.address, repeats)]
            print(f"  bare: {told(found['bare'])}", flush=True)
        with serving.served(runs) as server:
            world = look(server.address, runs, run)
            for key in acts.ACTS:
                if key in wanted and (ground.name != "bazaar-10k" or key in SMALL):
                    found[key] = sampled(window, world, key, repeats)
    return found


def first(window: Any, runs: Path) -> float:
    """One server's start to the first page."""
    with serving.tab(window) as tab, serving.served(runs) as server:
        return acts.first_page(tab, server.address, server.began)


def sampled(window: Any, world: acts.World, key: str, repeats: int) -> list[Sample]:
    """The samples of one act, by a fresh visitor."""
    found: list[Sample] = []
    with serving.tab(window) as tab:
        try:
            for what, took in acts.ACTS[key].work(tab, world, repeats):
                found.append((what, round(took, 3)))
        except Exception as error:  # whatever one act meets, the others are measured
            seen = Path(tempfile.gettempdir()) / f"llmrec-bench-ui-{key.replace(' ', '-')}.png"
            tab.screenshot(path=seen)
            print(f"{key}: {type(error).__name__}: {str(error)[:300]}\nwhat stood there: {seen}", file=sys.stderr, flush=True)
    print(f"  {key}: {told(found)}", flush=True)
    return found


def told(found: Sequence[Sample]) -> str:
    """Median and worst in one line."""
    took = [seconds for _, seconds in found]
    return f"median {statistics.median(took):.3f} s, worst {max(took):.3f} s of {len(took)}" if took else "nothing measured"


def look(address: str, runs: Path, run: str) -> acts.World:
    """What to search for and whom to ask about: ten titles spread over the catalogue, and a user with a long history."""
    import numpy as np

    from llmrec.runs import store

    data = store.open_run(runs / run).dataset()
    titles = data.catalog.titles
    spread = np.linspace(len(titles) // 20, len(titles) - 1, 10).astype(int)
    user = int(np.argsort(np.diff(data.interactions.offsets))[-2])
    words = tuple(titles[int(i)].split()[-1] for i in data.interactions.history(user)[:10])
    return acts.World(address, run, tuple(titles[int(i)] for i in spread), data.catalog.user_keys[user], words)


def keep(ground: Ground, found: dict[str, list[Sample]], repeats: int) -> None:
    """Put the samples beside those that are there."""
    from benchmarks.measure import tree
    from llmrec.runs import machine

    kept = read_json(RESULT) if RESULT.exists() else {"data": {}}
    mine = kept["data"].setdefault(ground.name, {})
    for key, samples in found.items():
        if samples:
            mine[key] = {"repeats": repeats, "when": time.strftime("%Y-%m-%d"), **tree(), "samples": [list(s) for s in samples]}
    kept |= {"settings": {"window": serving.SIZE}, "versions": machine.versions(), "machine": machine.describe()}
    write_json(kept, RESULT)


def main() -> int:
    known = ["first", "bare", *acts.ACTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studio", description="Measure the budgets of the studio in a real browser.")
    parser.add_argument("--data", nargs="+", default=[g.name for g in GROUNDS], metavar="NAME", help="what to measure on (default: all)")
    parser.add_argument("--only", nargs="+", choices=known, default=known, help="some acts alone")
    parser.add_argument("--repeats", type=int, default=10, metavar="N", help="how often each is done (default: 10)")
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="a folder of trained runs, for one data set")
    parser.add_argument("--try", dest="trying", action="store_true", help="keep nothing: see whether it works")
    args = parser.parse_args()
    try:
        grounds = [named(name) for name in args.data]
    except ValueError as error:
        parser.error(str(error))
    if args.runs is not None and len(grounds) != 1:
        parser.error("--runs goes with one data set: say which by --data")
    for ground in grounds:
        print(f"{ground.title}:", flush=True)
        runs = args.runs or home.home() / "bench-ui" / ground.name
        found = measure(ground, runs.resolve(), args.only, args.repeats)
        if not args.trying:
            keep(ground, found, args.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
