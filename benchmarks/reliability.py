"""What runs survive: each fault tried many times, counted, and shown in docs/reliability.md.

    python -m benchmarks.reliability                              # every row of the table
    python -m benchmarks.reliability tests/faults/test_disk.py    # some; the figures of the others stay
    python -m benchmarks.reliability --render                     # the page alone, from the figures that there are

Where it stands: outside the package. The rows are tests: they run here with many tries, in `make test` with few. A test that tries a fault
many times notes how often it was survived; of every other test each of its cases is a try. What it does not know: the faults.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.faults import CHAPTERS, Row
from llmrec.artifacts import read_json, write_json
from llmrec.runs import machine

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "benchmarks" / "measured" / "reliability.json"
PAGE = ROOT / "docs" / "reliability.md"
Figures = dict[str, dict[str, int]]  # of each test and case: tries and how many were survived

HEAD = """# What runs survive

Each row is a test. `make test` runs it with few tries, `python -m benchmarks.reliability` with as many as stand here, and writes this page
from `benchmarks/measured/reliability.json`. A try is *survived* where the run came to the same end as one that nobody disturbed, or was
stopped or refused with the reason in a sentence; where no other run was touched; and where the list still showed all. Else it is *lost*.
"""
FOOT = """
How it is done:

- **The folder is the truth, the lock is life.** A worker inherits its run's lock before its first line; the system drops it when the
  process ends, however it ends. No clock and no process number is asked.
- **The queue's database can be lost.** It holds the order alone; folders that say *queued* or *running* come back into line.
- **One step of the disk at a time.** Files and folders appear by one rename; what a kill left half done is swept up or put back.
- **Training is a function of seed, epoch and step.** What was not kept is done again, to the same bits.
- **A death is explained** by the kernel's counts, the machine's start and the exit code; without memory the run is tried once more,
  and says which setting would fit.

What is not promised: a clock that goes backwards *and* a database that is lost bring the runs back, perhaps in another order. A worker that
hangs is not killed by anybody but you: `llmrec runs delete` names its process. A machine that is shut down in order ends its runs as
*stopped*; they wait for `llmrec runs resume`.
"""


def measure(nodes: Sequence[str]) -> tuple[Figures, int]:
    """Run these tests with many tries. Returns their figures and pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="llmrec-bench-") as room:
        noted, cases = Path(room) / "figures", Path(room) / "cases.xml"
        words = ["-q", "-m", "slow or not slow", "--timeout", "3600", f"--junitxml={cases}", *nodes]
        given = {"LLMREC_FAULTS": "full", "LLMREC_FIGURES": str(noted), "HF_HUB_OFFLINE": "1"}
        code = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, env={**os.environ, **given}, check=False).returncode
        found = counted(cases.read_text(encoding="utf-8")) if cases.exists() else {}
        for line in noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []:
            told = json.loads(line)
            failed = told["test"] in found and not found[told["test"]]["survived"]  # something beside the tries, when all were survived
            found[told["test"]] = {"tries": told["tries"], "survived": min(told["survived"], told["tries"] - failed)}
    return found, code


def counted(report: str) -> Figures:
    """A try for each case that pytest's report tells of; what was skipped was not tried."""
    found: Figures = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        if case.find("skipped") is None:
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            lost = case.find("failure") is not None or case.find("error") is not None
            found[name] = {"tries": 1, "survived": 0 if lost else 1}
    return found


def of(row: Row, figures: Figures) -> tuple[int, int]:
    """Tries and survived of a row: of its test with all its cases, or of a whole file."""
    mine = [f for name, f in figures.items() if name == row.test or name.startswith((f"{row.test}[", f"{row.test}::"))]
    return sum(f["tries"] for f in mine), sum(f["survived"] for f in mine)


def kept() -> Figures:
    """The figures measured so far."""
    return dict(read_json(MEASURED)["tests"]) if MEASURED.exists() else {}


def page(figures: Figures) -> str:
    """The page that these figures make."""
    parts = [HEAD]
    for title, rows in CHAPTERS.items():
        parts.append(f"## {title}\n\n| fault, and what must be true | test | tries | survived | lost |\n|---|---|--:|--:|--:|")
        for row in rows:
            tries, survived = of(row, figures)
            parts.append(f"| {row.asked} | `{row.test.removeprefix('tests/')}` | {tries} | {survived} | {tries - survived} |")
        parts.append("")
    rows = [row for rows in CHAPTERS.values() for row in rows]
    tries, survived = (sum(column) for column in zip(*(of(row, figures) for row in rows), strict=True))
    parts.append(f"All in all {tries:,} tries, {survived:,} survived, {tries - survived:,} lost.")
    return "\n".join(parts) + "\n" + FOOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description="Try each fault many times, and write the page.")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="a file or test (default: all of the table)")
    parser.add_argument("--render", action="store_true", help="write the page from the figures that there are, and try nothing")
    args = parser.parse_args()
    code = 0
    if not args.render:
        files = dict.fromkeys(row.test.partition("::")[0] for rows in CHAPTERS.values() for row in rows)
        fresh, code = measure(args.tests or list(files))
        again = {name.partition("[")[0] for name in fresh}
        figures = {name: f for name, f in kept().items() if name.partition("[")[0] not in again} | fresh
        write_json({"tests": dict(sorted(figures.items())), "versions": machine.versions(), "machine": machine.describe()}, MEASURED)
    PAGE.write_text(page(kept()), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
