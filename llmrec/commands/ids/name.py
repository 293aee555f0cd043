"""`llmrec ids name TABLE`: a name for someone the table does not know, with nothing fitted anew.

Where it stands: under the command line. What it does not know: which schemes can (`llmrec.ids.newcomers.naming` says so).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.contracts import Catalog
    from llmrec.ids.newcomers.naming import Newcomer


def run(args: argparse.Namespace) -> layout.Told:
    """Name a user by a history, or an item by who took it or by its text."""
    from llmrec.ids.newcomers import naming
    from llmrec.recommend import titles
    from llmrec.runs import tables

    opened = tables.open_table(args.rest[0])
    if opened.behind is None:
        raise ValueError(f"{opened.name} holds names alone, without the vectors behind them: give a run, or a table of `llmrec ids fit`")
    catalog, table, embedder = opened.catalog, opened.table, opened.behind.recipe.embed
    vectors, train = opened.behind.vectors(), opened.behind.split().train
    if args.history is not None:
        found = naming.name_user(table, embedder, vectors, train, titles.history(args.history, catalog))
    elif args.item_users is not None:
        found = naming.name_item(table, embedder, vectors, train, users=_users(args.item_users, catalog))
    else:
        found = naming.name_item(table, embedder, vectors, train, text=_as_read(args.text, embedder))
    plain = {"table": opened.name, **_named(found, catalog)}
    return layout.Told(plain, _text(plain, found))


def _users(text: str, catalog: Catalog) -> list[int]:
    from llmrec.commands.recommend import user_index

    return [user_index(part.strip(), catalog) for part in text.split(",") if part.strip()]


def _as_read(text: str, embedder: Any) -> str:
    """A bare title as the embedder read those of the catalogue; what begins with `Title:` is told so already."""
    from llmrec.contracts import ReadsText

    if not isinstance(embedder, ReadsText) or not text.strip() or text.strip().lower().startswith("title:"):
        return text
    from llmrec.embed.text import item_text

    return item_text({"title": text})


def _named(found: Newcomer, catalog: Catalog) -> dict[str, Any]:
    """Plain values, with keys and titles in the place of row numbers."""
    items = [{"key": catalog.item_keys[n.index], "title": catalog.titles[n.index], "shared": n.shared} for n in found.items]
    users = [{"key": catalog.user_keys[n.index], "shared": n.shared} for n in found.users]
    return {**found.to_dict(), "items": items, "users": users}


def _text(plain: dict[str, Any], found: Newcomer) -> str:
    from llmrec.ids.lookup import written

    rows = [(item["shared"], item["key"], item["title"]) for item in plain["items"]]
    users = ", ".join(f"{layout.cell(user['key'])} ({user['shared']})" for user in plain["users"])
    return "\n\n".join(
        part
        for part in (
            layout.cell(f"The new {found.side} is named {written(found.pieces)}"),
            f"note: {layout.cell(found.note)}" if found.note else "",
            layout.table("Known items whose names begin alike", ("pieces shared", "key", "title"), rows) if rows else "",
            f"known users whose names begin alike (pieces shared): {users}" if users else "",
        )
        if part
    )
