"""Names as the Tokens page shows them: one point or one Token, with whom it shares what and who is near.

Where it stands: behind `seam.NamesLike`. What it does not know: Streamlit, maps.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import pandas as pd

from app.library import Library, told
from app.seam import Inspection, Neighbour, Shared, Trouble
from app.seam.values import Card
from app.world import World
from llmrec.contracts import IdTable, Token
from llmrec.ids import lookup
from llmrec.view import neighbours
from llmrec.view.levels import coloured

SHOWN = 60


class Names:
    """See `seam.NamesLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def nodes(self, run: str) -> dict[str, str]:
        """Everything on the map and every Token: node -> how it is written."""
        with told():
            world = self._library.world(run)
            return self._library.kept(("nodes", self._library.made(run)), lambda: _nodes(world))

    def inspect(self, run: str, node: str) -> Inspection:
        """One point or one Token, with whom it shares what and who is near."""
        with told():
            return _inspect(self._library.world(run), node, node in self.nodes(run))

    def close(self) -> None:
        """Nothing to end."""


def _nodes(world: World) -> dict[str, str]:
    catalog = world.dataset.catalog
    out: dict[str, str] = {}
    years = catalog.items["year"] if "year" in catalog.items else pd.Series([None] * len(catalog.items))
    for key, title, year in zip(catalog.item_keys, catalog.titles, years, strict=True):
        known = year is not None and not pd.isna(year) and str(year) not in title
        out[f"item:{key}"] = f"{title} ({year})  ·  item {key}" if known else f"{title}  ·  item {key}"
    out |= {f"user:{key}": f"user {key}" for key in catalog.user_keys}
    if world.table is not None:
        out |= {f"token:{token}": f"Token {token}" for token in _carried(world.table)}
    return out


def _carried(table: IdTable) -> list[str]:
    """Tokens that some name has, in the table's order."""
    used: set[str] = set()
    for names in (table.items, table.users):
        for column, book in enumerate(names.books if names is not None else ()):
            if names is not None and coloured(book):
                used |= {str(book.spell(int(c))) for c in np.unique(names.codes[:, column]) if c >= 0}
    return [str(t) for t in table.tokens if str(t) in used]


def _inspect(world: World, node: str, known: bool) -> Inspection:
    side, _, key = node.partition(":")
    if world.table is None or world.levels is None:
        raise Trouble("There are no names without a trained run.")
    if side == "token":
        if not known:
            raise Trouble(f"No name of this run has the Token {key}.")
        tone = world.levels.token(key)
        shared = _shared(world, Token(key), tone)
        genres = Counter(g for c in shared.items for g in c.genres)
        card = Card("token", 0, key, "Everyone who carries this Token", pieces=(Token(key),), tones=(tone,))
        return Inspection(card, (shared,), (), tuple(genres.most_common(4)))
    index = world.index(side, key)  # type: ignore[arg-type]
    if index is None:
        raise Trouble(f"There is no {side} with the key {key!r} here.")
    card = world.card(side, index)  # type: ignore[arg-type]
    tokens = tuple(_shared(world, p, card.tones[n]) for n, p in enumerate(card.pieces) if isinstance(p, Token))
    return Inspection(card, tokens, _near(world, side, index))  # type: ignore[arg-type]


def _shared(world: World, token: Token, tone: int | None) -> Shared:
    assert world.table is not None
    found = lookup.members(world.table, token)
    popular = np.bincount(world.dataset.interactions.item, minlength=world.dataset.interactions.n_items)
    items = sorted((int(i) for i in found.items), key=lambda i: -int(popular[i]))
    return Shared(
        str(token),
        tone,
        len(found.items),
        len(found.users),
        tuple(world.card("item", i) for i in items[:SHOWN]),
        tuple(world.card("user", int(u)) for u in found.users[:SHOWN]),
    )


def _near(world: World, side: Literal["item", "user"], index: int, k: int = 12) -> tuple[Neighbour, ...]:
    if world.vectors is None:
        return ()
    among: Literal["item", "user"] = "item" if side == "item" or world.vectors.joint else "user"
    found = neighbours.nearest(world.vectors, side, index, k, among)
    return tuple(Neighbour(world.card(found.side, int(i)), 1 - float(d)) for i, d in zip(found.indices, found.distances, strict=True))
