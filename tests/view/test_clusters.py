"""Clusters on a map: who shares the item's first Token stands in front, colours are the Tokens' own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llmrec.contracts import Book, Catalog, IdTable, Names
from llmrec.view.clusters import clusters, drawn
from llmrec.view.levels import Levels
from llmrec.view.project import Projection


def small(n: int = 6) -> tuple[Projection, Catalog, IdTable]:
    plane = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    plane[n - 1] = np.nan
    codes = np.stack([np.arange(n) % 2, np.arange(n)], axis=1).astype(np.int32)
    catalog = Catalog(
        pd.DataFrame({"key": ["u"]}), pd.DataFrame({"key": [str(i) for i in range(n)], "title": [f"<i>{i}</i>" for i in range(n)]})
    )
    table = IdTable("metaid", Names(codes, (Book("c", 2), Book("r", n))))
    return Projection("PCA", np.zeros((0, 2), dtype=np.float32), plane, 1.0, 1.0, n), catalog, table


def test_the_items_own_cluster_stands_in_front() -> None:
    projection, catalog, table = small()
    others, mine, ring = clusters(projection, catalog, table, 2).data
    assert [i for _, i in mine.customdata] == [0, 2, 4] and [i for _, i in others.customdata] == [1, 3]  # 5 is not on the map
    assert list(mine.marker.color) == Levels(table).column(table.items, 0)[[0, 2, 4]].tolist()
    assert (ring.x[0], ring.y[0]) == (4.0, 5.0)
    assert all("<i>" not in text for text in mine.text)


def test_an_item_that_is_not_on_the_map_has_no_ring() -> None:
    projection, catalog, table = small()
    figure = clusters(projection, catalog, table, 5)
    assert [t.name for t in figure.data] == ["other clusters", "its cluster"]


def test_tokens_stand_amid_their_members() -> None:
    projection, catalog, table = small()
    said = {note.text: (note.x, note.y) for note in clusters(projection, catalog, table, 0).layout.annotations}
    assert said == {"<b>&lt;c0&gt;</b>": (4.0, 5.0), "<b>&lt;c1&gt;</b>": (4.0, 5.0)}


def test_many_are_sampled_and_the_item_is_among_them() -> None:
    projection, _, _ = small(400)
    for item in (0, 123, 398):
        rows = drawn(projection, item, limit=10)
        assert item in rows and 10 <= len(rows) <= 11 and (np.diff(rows) > 0).all()
