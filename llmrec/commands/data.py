"""Describe a data set: counts, histories, long tail, times, notes on what was repaired.

NAME is a data set by name (ml-100k), PATH a folder of RecBole or MovieLens files, or a CSV, TSV or Parquet table.
Example: llmrec data interactions.csv --set data.user=customer --set filter.user=5
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from llmrec.commands import layout

DELIMITED = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".gz")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", default="ml-100k", metavar="NAME|PATH", help="what to describe (default: ml-100k)")
    parser.add_argument("--set", action="append", default=[], metavar="data.KEY=VALUE", help="a setting of the reader or the filter")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec import recipe
    from llmrec.commands import settings
    from llmrec.data.describe import describe

    sections: dict[str, dict[str, Any]] = {"data": source(args.source), "filter": {}}
    for dotted, value in settings.changes(args.set).items():
        section, _, key = dotted.partition(".")
        if section not in sections or not key:
            raise ValueError(f"--set {dotted}: only data.KEY and filter.KEY can be set here")
        sections[section][key] = value
    reader, chosen = (recipe.stage(section, body) for section, body in sections.items())
    return describe(chosen.apply(reader.load()))


def text(result: dict[str, Any]) -> str:
    plain = [(name, value) for name, value in result.items() if isinstance(value, (int, float, str))]
    blocks = [layout.table(f"Data set {result['name']}", ("measure", "value"), [(k, layout.cell(v)) for k, v in plain if k != "name"])]
    for name, value in result.items():
        if isinstance(value, dict) and value and not any(isinstance(v, dict) for v in value.values()):
            shown = list(value.items())[:12]
            blocks.append(layout.table(name, ("", "value"), shown))
    blocks += [f"note: {note}" for note in result.get("notes", [])]
    return "\n\n".join(blocks)


def source(text: str) -> dict[str, Any]:
    """The [data] section for a name or a path."""
    from llmrec import registry
    from llmrec.data.files import usable

    if text in registry.names("data"):
        return {"name": text}
    with usable(text, "choose another file or folder"):
        return _of_path(text)


def _of_path(text: str) -> dict[str, Any]:
    from llmrec import registry

    path = Path(text).expanduser()
    if path.is_dir():
        return {"name": "recbole" if any(path.glob("*.inter*")) else "movielens", "path": str(path)}
    if path.is_file():
        if path.suffix == ".inter":
            return {"name": "recbole", "path": str(path.parent)}
        return {"name": "table", "path": str(path)}
    if path.suffix in DELIMITED or path.name != text:
        raise FileNotFoundError(f"there is no file or folder {text}: check the path")
    raise ValueError(f"{text!r} is neither a data set nor a path: data sets are {', '.join(registry.names('data'))}")
