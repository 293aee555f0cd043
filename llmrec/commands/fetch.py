"""Fetch data and weights into the cache: once, checked by hash; an interrupted download goes on where it stopped.

Example: llmrec fetch ml-100k
"""

from __future__ import annotations

import argparse
from typing import Any

from llmrec.commands import layout


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to fetch (default: everything)")
    parser.add_argument("--list", action="store_true", help="only say what there is and what is here")


def run(args: argparse.Namespace) -> dict[str, Any]:
    from llmrec import fetch

    names = args.names or list(fetch.SOURCES)
    for name in names:
        if name not in fetch.SOURCES:
            raise ValueError(f"nothing called {name!r} can be fetched: there are {', '.join(fetch.SOURCES)}")
    if not args.list:
        for name in names:
            fetch.fetch(name, fetch.text_progress(name))
    return {"sources": [_entry(fetch.SOURCES[name], fetch.is_fetched(name)) for name in names]}


def text(result: dict[str, Any]) -> str:
    rows = [(s["name"], "here" if s["here"] else "not yet", s["path"] or "", s["what"]) for s in result["sources"]]
    return layout.table("Sources", ("name", "state", "path", "what"), rows)


def _entry(source: Any, here: bool) -> dict[str, Any]:
    return {"name": source.name, "what": source.what, "here": here, "path": str(source.path) if here else None}
