"""A selection of names as a file: a table, or the project's own forms that other programs and `llmrec ids` read.

Where it stands: under `names`, over `llmrec.ids.exchange.files`. What it does not know: Streamlit.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from app.seam.names import Form
from app.seam.values import Trouble
from app.world import World
from llmrec.contracts import Ints, Names
from llmrec.ids.exchange import files
from llmrec.ids.exchange.keyed import KeyedTable
from llmrec.report import spreadsheet


def export(world: World, table: pd.DataFrame, form: Form) -> bytes:
    """The rows of a table as CSV, or the names of whom it lists as JSON or Parquet. Codebooks are left out: a file here stands alone."""
    if form == "csv":
        return spreadsheet.to_csv(table.drop(columns="node"))
    if form not in ("json", "parquet"):
        raise Trouble("Names are exported as csv, json or parquet: choose one of these.")
    keyed = chosen(world, table["node"].tolist())
    with tempfile.TemporaryDirectory() as folder:
        return files.save(keyed, Path(folder) / f"names.{form}").read_bytes()


def chosen(world: World, nodes: Sequence[str]) -> KeyedTable:
    """The names of these items and users with their keys and titles, without features and quantizers."""
    table, catalog = world.table, world.dataset.catalog
    assert table is not None
    items, users = (_numbers(world, nodes, side) for side in ("item", "user"))
    if not len(items):
        raise Trouble("Files of names hold items, and none is selected: select some, or take the CSV file.")
    named = Names(table.items.codes[items], table.items.books)
    people = None if table.users is None or not len(users) else Names(table.users.codes[users], table.users.books)
    bare = dataclasses.replace(table, items=named, users=people, features=None, item_quantizer=None, user_quantizer=None)
    keys = tuple(catalog.item_keys[i] for i in items), () if people is None else tuple(catalog.user_keys[u] for u in users)
    return KeyedTable(bare, *keys, tuple(catalog.titles[i] for i in items))


def _numbers(world: World, nodes: Sequence[str], side: str) -> Ints:
    """Row numbers of the nodes of one side, ascending; a node that is not there is left out."""
    catalog = world.dataset.catalog
    of_key = catalog.item_of_key if side == "item" else catalog.user_of_key
    keys = [node.partition(":")[2] for node in nodes if node.startswith(f"{side}:")]
    return np.unique(np.asarray([of_key[key] for key in keys if key in of_key], dtype=np.int64))
