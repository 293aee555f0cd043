"""The tables of docs/schemes.md, from benchmarks/measured/naming.json.

Where it stands: after `python -m benchmarks.naming`. What it does not know: language models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.report.means import seconds
from benchmarks.report.tables import DATA, SCHEMES

NAMING = Path(__file__).resolve().parents[1] / "measured/naming.json"


def naming() -> str:
    """Per data set and scheme: seconds, memory, health."""
    blocks = []
    measured = _measured()
    for data, found in ((name, measured[name]) for name in DATA if name in measured):
        some, called = next(iter(found.values())), DATA[data]
        blocks.append(f"**{called}**: {some['n_users']:,} users, {some['n_items']:,} items, {some['n_train']:,} interactions in train\n")
        blocks.append(
            "| scheme | vectors | naming | peak memory | encodes a second | new rows | longest name | distinct items "
            "| codes in use, level by level | memorization |\n|---|---|---|---|---|---|---|---|---|---|"
        )
        blocks += [_named(title, found[name]) for name, title in SCHEMES.items() if name in found]
        blocks.append("")
    return "\n".join(blocks).rstrip()


def example() -> str:
    """The most popular film under each scheme."""
    found = _measured()["ml-100k"]
    lines = [f"| {title} | `{found[name]['example']['name']}` |" for name, title in SCHEMES.items() if name in found]
    title = next(iter(found.values()))["example"]["title"]
    return "\n".join([f"| scheme | what *{title}* is called |", "|---|---|", *lines])


def _named(title: str, found: dict[str, Any]) -> str:
    tokens = [f"{level['used']}/{level['size']}" for level in found["health"]["items"]]
    vectors = "" if found["embed"] is None else f"{found['embed']}, {seconds([found['embed_seconds']])}"
    rate = f"{found['encode_per_second']:,}" if found.get("encode_per_second") else ""
    health = found["health"]
    memorized = "" if health.get("memorization") is None else f"{health['memorization']:.3f}"
    cells = (
        *(title, vectors, seconds([found["name_seconds"]]), f"{found['peak_gib']:.1f} GiB", rate, f"{health['new_rows']:,}"),
        *(str(health["depth"]), f"{health['distinct_items']:,}", ", ".join(tokens), memorized),
    )
    return f"| {' | '.join(cells)} |"


def _measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(NAMING.read_text(encoding="utf-8"))
    return dict(found["data"])
