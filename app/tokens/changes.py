"""Two runs' names on one layout: what agrees, what moved most, and where the largest Tokens' items went.

Where it stands: behind `seam.MapsLike.change`, over `llmrec.ids.health.diff` and `llmrec.view.moved`. What it does not know: Streamlit.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from app import exhibits
from app.seam.maps import Change
from app.seam.values import Exhibit, Trouble
from app.world import World
from llmrec.ids.health.diff import Agreement, diff
from llmrec.ids.lookup import written
from llmrec.view.palette import palette
from llmrec.view.project import Projection

MOST, NAMED = 300, 4


def change(here: World, there: World, runs: tuple[str, str], laid: Projection, focus: str | None, dark: bool) -> Change:
    """Compare two runs of one data set, on the coordinates of the first."""
    from app.tokens.maps import point
    from llmrec.view import moved as drawing

    one, two = here.table, there.table
    if one is None or two is None:
        raise Trouble("One of these runs has no names yet: choose another to compare with.")
    if runs[0] == runs[1]:
        raise Trouble("This is the same run twice: choose another to compare with.")
    mine, other = here.dataset.catalog, there.dataset.catalog
    if mine.item_keys != other.item_keys or mine.user_keys != other.user_keys:
        raise Trouble(
            f"{runs[0]} is about {here.dataset.name} ({len(mine.items):,} items) and {runs[1]} about {there.dataset.name} "
            f"({len(other.items):,} items): choose a run over the same items and users to compare with."
        )
    tables, called = (one, two), _called(runs, (one.scheme, two.scheme))
    found = diff(one, two, most=MOST, named=NAMED)
    figure = drawing.moved(laid, mine, tables, called, point(here, focus), dark)
    exhibits.dressed(figure, 560)
    bar = {"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": palette(dark).missing, "activecolor": palette(dark).ink}
    figure.update_layout(margin={"l": 4, "r": 4, "t": 92, "b": 4}, modebar=bar)
    titles = mine.titles
    rows = [_row(m, titles, tables, called) for m in found.items.moved]
    nodes = tuple(f"item:{mine.item_keys[m.index]}" for m in found.items.moved)
    agreement = pd.DataFrame([_agreement(a, tables, called) for a in found.items.agreement])
    mean = f"by their first piece, items changed {found.items.mean_moved:.0%} of their companions on average"
    notes = (mean, *found.items.notes)
    return Change(figure, agreement, pd.DataFrame(rows), nodes, _flow(tables, called, dark), notes)


def _called(runs: tuple[str, str], schemes: tuple[str, str]) -> tuple[str, str]:
    return schemes if schemes[0] != schemes[1] else runs


def _row(moved: Any, titles: list[str], tables: Any, called: tuple[str, str]) -> dict[str, Any]:
    def named(some: tuple[int, ...], n: int) -> str:
        return " · ".join(titles[i] for i in some) + (f" and {n - len(some):,} more" if n > len(some) else "")

    kept = round(((1 - moved.moved) * (moved.before + moved.after)) / (2 - moved.moved))
    return {
        "title": titles[moved.index],
        "moved": moved.moved,
        "kept": kept,
        "lost": moved.before - kept,
        "new": moved.after - kept,
        "companions lost": named(moved.left, moved.before - kept),
        "new companions": named(moved.joined, moved.after - kept),
        f"name in {called[0]}": written(tables[0].items.spell(moved.index)),
        f"name in {called[1]}": written(tables[1].items.spell(moved.index)),
    }


def _agreement(a: Agreement, tables: Any, called: tuple[str, str]) -> dict[str, Any]:
    def place(n: int) -> str:
        return f"piece {n + 1}" if a.of == "piece" else f"first {n + 1} pieces"

    return {f"of {called[0]}": place(a.place_a), f"of {called[1]}": place(a.place_b), "mutual information": a.nmi, "Rand index": a.ari}


def _flow(tables: Any, called: tuple[str, str], dark: bool) -> Exhibit | None:
    from llmrec.view import moved as drawing

    made = drawing.flow(tables, called, dark)
    if made is None:
        return None
    figure, table = made
    return Exhibit(
        "flow",
        "Where the largest Tokens go",
        f"Left the largest first Tokens of {called[0]}, right where their items are in {called[1]}; a band is as thick as it has items. "
        "Bands that stay whole mean that the schemes agree, a fan of thin ones that they cut the catalogue differently.",
        table,
        exhibits.dressed(figure, 460),
    )
