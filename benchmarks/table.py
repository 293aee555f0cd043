"""The tables of the README and of docs/schemes.md, from benchmarks/results/*.json and benchmarks/measured/*.json.

    python -m benchmarks.table        # writes them between the pages' marks

Where it stands: after `python -m benchmarks`, `benchmarks.baselines` and `benchmarks.naming`. Every number in a table is in a file; a test
compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
README, SCHEMES = HERE.parent / "README.md", HERE.parent / "docs/schemes.md"
ORDER = ("sketch", "demo", "full")
BASELINES = {
    "popularity": "popularity",
    "itemknn": "ItemKNN",
    "bprmf": "BPR-MF",
    "lightgcn": "LightGCN",
    "multvae": "Mult-VAE",
    "ease": "EASE",
    "itemknn-last3": "ItemKNN on the last 3 items",
    "sasrec": "SASRec",
}
NAMES = {
    "rid": "RID",
    "sid": "SID",
    "cid": "CID",
    "title": "title",
    "metaid": "META ID",
    "tiger": "TIGER",
    "tokenrec": "TokenRec",
    "cllm4rec": "CLLM4Rec",
}
DATA = {"ml-100k": "MovieLens-100K", "lastfm": "LastFM", "beauty": "Beauty", "million": "made up, one million items"}


def results() -> list[dict[str, Any]]:
    """Every result on ML-100K: the quick recipes first, schemes in the order of `NAMES`."""
    found = [_json(path) for path in (HERE / "results").glob("*-ml-100k-*.json")]
    return sorted(found, key=lambda r: (ORDER.index(r["run"].rsplit("-", 1)[-1]), [*NAMES].index(r["recipe"]["scheme"]["name"])))


def accuracy() -> str:
    """Baselines, then each recipe, with 95 % bootstrap intervals over users."""
    lines = [
        "| | head | H@10 (95 %) | N@10 (95 %) | unmasked H@10 / N@10 | training | ranking all users |",
        "|---|---|---|---|---|---|---|",
    ]
    measured = _json(HERE / "measured/baselines.json")["data"]["ml-100k"]
    for name, title in BASELINES.items():
        masked, unmasked = (measured[name]["test"][seen] for seen in ("masked", "unmasked"))
        spent = _seconds(measured[name]["fit_seconds"])
        lines.append(f"| {title} | | {_spans(masked)} | {_pair(unmasked['metrics'])} | {spent} | |")
    for r in results():
        head = r["recipe"].get("head", {}).get("name", "trie")
        times = f"{_seconds(r['train_seconds'])} | {r['seconds']:.1f} s"
        lines.append(f"| `{r['run']}` | {head} | {_spans(r)} | {_pair(r['unmasked']['metrics'])} | {times} |")
    return "\n".join(lines)


def naming() -> str:
    """Per data set and scheme: seconds, memory, health."""
    blocks = []
    measured = _json(HERE / "measured/naming.json")["data"]
    for data, found in ((name, measured[name]) for name in DATA if name in measured):
        some, called = next(iter(found.values())), DATA[data]
        blocks.append(f"**{called}**: {some['n_users']:,} users, {some['n_items']:,} items, {some['n_train']:,} interactions in train\n")
        blocks.append(
            "| scheme | vectors | naming | peak memory | encodes a second | new rows | longest name | distinct items "
            "| codes in use, level by level | memorization |\n|---|---|---|---|---|---|---|---|---|---|"
        )
        blocks += [_named(title, found[name]) for name, title in NAMES.items() if name in found]
        blocks.append("")
    return "\n".join(blocks).rstrip()


def example() -> str:
    """The most popular film under each scheme."""
    found = _json(HERE / "measured/naming.json")["data"]["ml-100k"]
    rows = [f"| {title} | `{found[name]['example']['name']}` |" for name, title in NAMES.items() if name in found]
    title = next(iter(found.values()))["example"]["title"]
    return "\n".join([f"| scheme | what *{title}* is called |", "|---|---|", *rows])


PAGES: dict[Path, dict[str, Callable[[], str]]] = {README: {"results": accuracy}, SCHEMES: {"example": example, "naming": naming}}


def rewritten(page: Path) -> str:
    """A page's text with its tables in their places."""
    text = page.read_text(encoding="utf-8")
    for mark, make in PAGES[page].items():
        begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{page.name} lacks the marks {begin} and {end}")
        text = f"{before}{begin}\n\n{make()}\n\n{end}{after}"
    return text


def _named(title: str, found: dict[str, Any]) -> str:
    tokens = [f"{level['used']}/{level['size']}" for level in found["health"]["items"]]
    vectors = "" if found["embed"] is None else f"{found['embed']}, {_seconds(found['embed_seconds'])}"
    rate = f"{found['encode_per_second']:,}" if found.get("encode_per_second") else ""
    health = found["health"]
    memorized = "" if health.get("memorization") is None else f"{health['memorization']:.3f}"
    cells = (
        *(title, vectors, _seconds(found["name_seconds"]), f"{found['peak_gib']:.1f} GiB", rate, f"{health['new_rows']:,}"),
        *(str(health["depth"]), f"{health['distinct_items']:,}", ", ".join(tokens), memorized),
    )
    return f"| {' | '.join(cells)} |"


def _spans(report: dict[str, Any]) -> str:
    pairs = [(report["metrics"][m], report["intervals"][m]) for m in ("hit@10", "ndcg@10")]
    return " | ".join(f"{value:.4f} ({low:.3f} to {high:.3f})" for value, (low, high) in pairs)


def _pair(metrics: dict[str, float]) -> str:
    return f"{metrics['hit@10']:.4f} / {metrics['ndcg@10']:.4f}"


def _seconds(value: float) -> str:
    return f"{value / 60:.0f} min" if value > 120 else f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(rewritten(page), encoding="utf-8")
