"""`llmrec ids TABLE --item|--user|--token`: a name, who shares its pieces, who carries a Token.

Where it stands: under the command line. What it does not know: how names are made.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.contracts import Catalog, IdTable


def run(args: argparse.Namespace) -> layout.Told:
    """One name, or the bearers of one Token."""
    from llmrec.runs import tables

    found = tables.open_table(args.what)
    if args.item is not None:
        plain = _item(args.item, found.catalog, found.table)
    elif args.user is not None:
        plain = _user(args.user, found.catalog, found.table)
    else:
        plain = _token(args.token, found.catalog, found.table)
    return layout.Told(plain, _text(plain))


def _text(result: dict[str, Any]) -> str:
    from llmrec.ids.lookup import written

    if "token" in result:
        head = f"{layout.cell(result['token'])}: {len(result['items'])} items, {len(result['users'])} users"
        blocks = [head, layout.table("Items", ("key", "title"), [(i["key"], i["title"]) for i in result["items"][:40]])]
        return "\n\n".join([*blocks, "users: " + (", ".join(map(layout.cell, result["users"][:40])) or "(none)")])
    shown = result.get("title") or f"user {result['key']}"
    rows = [(piece, len(others), "; ".join(others[:5])) for piece, others in result["shared_with"].items()]
    return layout.table(layout.cell(f"{shown} is named {written(result['pieces'])}"), ("piece", "shared with", "such as"), rows)


def _item(text: str, catalog: Catalog, table: IdTable) -> dict[str, Any]:
    from llmrec.ids import lookup
    from llmrec.recommend import titles

    index = catalog.item_of_key[text] if text in catalog.item_of_key else titles.item(text, catalog)
    return {
        "title": catalog.titles[index],
        "key": catalog.item_keys[index],
        "pieces": table.items.spell(index),
        "shared_with": {str(p): [catalog.titles[i] for i in others] for p, others in lookup.shared_with(table, index).items()},
    }


def _user(key: str, catalog: Catalog, table: IdTable) -> dict[str, Any]:
    from llmrec.commands.recommend import user_index
    from llmrec.ids import lookup

    if table.users is None:
        raise ValueError(f"{table.scheme} names items only: ask with --item or --token")
    index = user_index(key, catalog)
    pieces = table.users.spell(index)
    sharing = {str(p): [catalog.user_keys[u] for u in lookup.members(table, p).users if u != index] for p in pieces}
    return {"key": key, "pieces": pieces, "shared_with": sharing}


def _token(text: str, catalog: Catalog, table: IdTable) -> dict[str, Any]:
    from llmrec.ids import lookup

    carriers = lookup.members(table, text)
    items = [{"key": catalog.item_keys[i], "title": catalog.titles[i]} for i in carriers.items]
    return {"token": text, "items": items, "users": [catalog.user_keys[u] for u in carriers.users]}
