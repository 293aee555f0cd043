"""Measure the chat's promises on tuned runs: the first word, tokens a second, four sides at once, ten visitors, memory.

    python -m benchmarks.chat RUN...                     # names or folders of tuned runs over the same data; up to four sides are used
    python -m benchmarks.chat RUN... --try --repeats 1   # keep nothing: see whether it works

Where it stands: outside the package, over the chat's own room (`app.chat.talks`) without a browser or a server. Every sample goes into
benchmarks/measured/chat.json beside machine and versions. Timings mean something only where the machine does nothing else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.chat import crowd
from llmrec.artifacts import read_json, write_json

RESULT = Path(__file__).resolve().parents[1] / "measured" / "chat.json"
PROMISES = {"first word of one side": 1.0, "tokens a second of one side": 15.0, "memory of all against one": 1.3}


def measure(runs: list[str], repeats: int) -> dict[str, Any]:
    """Every measurement, as plain values."""
    with crowd.opened(runs) as (talks, models):
        found: dict[str, Any] = {"one side": crowd.alone(talks, models[0], repeats)}
        told("one side", found["one side"])
        sides = (models * 4)[:4]
        found["four sides"] = [crowd.together(talks, [("a", side) for side in sides]) for _ in range(repeats)]
        told("four sides", found["four sides"])
        beside = [*(("asks four", side) for side in sides), ("asks one", models[0])]
        found["four sides beside one"] = [crowd.together(talks, beside) for _ in range(repeats)]
        told("four sides beside one", found["four sides beside one"])
        ten = [(f"visitor {n}", models[n % len(models)]) for n in range(10)]
        found["ten visitors"] = [crowd.together(talks, ten) for _ in range(repeats)]
        told("ten visitors", found["ten visitors"])
        forty = [(f"visitor {n}", side) for n in range(10) for side in sides]
        found["ten visitors of four sides"] = [crowd.together(talks, forty)]
        told("ten visitors of four sides", found["ten visitors of four sides"])
    found["memory"] = {"one": weigh(runs[:1]), "all": weigh(runs)}
    one, all_ = (found["memory"][which]["weights"] for which in ("one", "all"))
    print(f"  memory of {len(runs)} against one: {all_ / one:.2f} times the weights", flush=True)
    return found


def weigh(runs: list[str]) -> dict[str, int]:
    """Bytes of some runs' weights, and of a process that has opened them: measured in one that does nothing else."""
    asked = subprocess.run([sys.executable, "-m", "benchmarks.chat.weighing", *runs], capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(asked.stdout.splitlines()[-1])
    return found


def told(name: str, rounds: list[dict[str, Any]]) -> None:
    """One line on the screen: medians over all answers."""
    answers = [answer for one in rounds for answer in one["answers"]]
    first, total = (statistics.median(a[what] for a in answers) for what in ("first", "total"))
    speed = statistics.median(a["tokens"] / max(1e-9, a["total"] - a["first"]) for a in answers)
    shares = [one["fairness"] for one in rounds if one.get("fairness")]
    fair = f", slowest visitor {statistics.median(shares):.2f} times the quickest" if shares else ""
    print(f"  {name}: first word {first:.2f} s, end {total:.2f} s, {speed:.1f} tokens/s{fair}", flush=True)


def keep(runs: list[str], repeats: int, found: dict[str, Any]) -> None:
    """Put the samples beside those of other models."""
    from benchmarks.measure import tree
    from llmrec.runs import machine

    kept = read_json(RESULT) if RESULT.exists() else {"measured": {}}
    names = " ".join(Path(run).name for run in runs)
    kept["measured"][names] = {"repeats": repeats, "when": time.strftime("%Y-%m-%d"), **tree(), **found}
    kept |= {"promises": PROMISES, "versions": machine.versions(), "machine": machine.describe()}
    write_json(kept, RESULT)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat", description="Measure the chat's promises on tuned runs.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="names of runs that were tuned on dialogues, over the same data")
    parser.add_argument("--repeats", type=int, default=10, metavar="N", help="how often each is done (default: 10)")
    parser.add_argument("--try", dest="trying", action="store_true", help="keep nothing: see whether it works")
    args = parser.parse_args()
    try:
        found = measure(args.runs, args.repeats)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    if not args.trying:
        keep(args.runs, args.repeats, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
