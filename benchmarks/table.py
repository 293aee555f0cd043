"""The results table of the README, from benchmarks/results/*.json.

    python -m benchmarks.table        # writes it between the README's two marks

Where it stands: after `python -m benchmarks`. Every number in the table is in a result file; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
ORDER = ("sketch", "demo", "full")
TITLES = {"popularity": "popularity", "itemknn": "ItemKNN", "ease": "EASE", "itemknn-last3": "ItemKNN on the last 3 items"}


def results() -> list[dict[str, Any]]:
    """Every result on ML-100K, the quick recipes first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (HERE / "results").glob("*-ml-100k-*.json")]
    return sorted(found, key=lambda r: ORDER.index(r["run"].rsplit("-", 1)[-1]))


def table() -> str:
    """The table as Markdown: the baselines, then each recipe, with 95 % bootstrap intervals over users."""
    found = results()
    lines = ["| | H@10 (95 %) | N@10 (95 %) | unmasked H@10 / N@10 | training | beam of 943 users |", "|---|---|---|---|---|---|"]
    for name, title in TITLES.items():
        masked, unmasked = (r["baselines"][name] for r in (found[0], found[0]["unmasked"]))
        lines.append(f"| {title} | {masked['hit@10']:.4f} | {masked['ndcg@10']:.4f} | {_pair(unmasked)} | | |")
    for r in found:
        cells = [f"{r['metrics'][m]:.4f} ({low:.3f} to {high:.3f})" for m in ("hit@10", "ndcg@10") for low, high in [_interval(r, m)]]
        seconds = f"{r['train_seconds'] / 60:.0f} min" if r["train_seconds"] > 120 else f"{r['train_seconds']:.0f} s"
        lines.append(f"| `{r['run']}` | {' | '.join(cells)} | {_pair(r['unmasked']['metrics'])} | {seconds} | {r['seconds']:.1f} s |")
    return "\n".join(lines)


def rewritten(text: str) -> str:
    """The README's text with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"README.md lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _interval(report: dict[str, Any], metric: str) -> tuple[float, float]:
    low, high = report["intervals"][metric]
    return float(low), float(high)


def _pair(metrics: dict[str, float]) -> str:
    return f"{metrics['hit@10']:.4f} / {metrics['ndcg@10']:.4f}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
