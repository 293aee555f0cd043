"""`llmrec ids diff A B`: how far two tables agree, place by place, and which items and users moved most.

Where it stands: under the command line. What it does not know: how agreement is measured (`llmrec.ids.health.diff`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.runs.tables import Opened


def run(args: argparse.Namespace) -> layout.Told:
    """Compare two tables over the users and items that both name."""
    from llmrec.ids.health import diff
    from llmrec.runs import tables

    a, b = (tables.open_table(word) for word in args.rest)
    limits = {name: value for name in ("depth", "most") if (value := getattr(args, name)) is not None}
    found = diff.diff(a.table, b.table, (_keys(a), _keys(b)), **limits)
    plain = {"a": a.name, "b": b.name, **found.to_dict()}
    for side, keys, titles in (("items", a.keyed.item_keys, a.catalog.titles), ("users", a.keyed.user_keys, None)):
        if plain[side] is not None:
            plain[side]["moved"] = [_named(moved, keys, titles) for moved in plain[side]["moved"]]
    return layout.Told(plain, diff.text(found, a.catalog.titles))


def _keys(opened: Opened) -> Any:
    from llmrec.ids.health.diff import Keys

    return Keys(opened.keyed.item_keys, opened.keyed.user_keys)


def _named(moved: dict[str, Any], keys: Sequence[str], titles: Sequence[str] | None) -> dict[str, Any]:
    """Keys and titles in the place of A's row numbers, which mean nothing outside."""
    index = moved.pop("index")
    title = {} if titles is None else {"title": titles[index]}
    return {"key": keys[index], **title, **moved, **{way: [keys[i] for i in moved[way]] for way in ("left", "joined")}}
