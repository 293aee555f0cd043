"""`llmrec ids export TABLE FILE`: names to a file that other programs open.

Where it stands: under the command line. What it does not know: the forms (`llmrec.ids.exchange.files`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from llmrec.commands import layout


def run(args: argparse.Namespace) -> layout.Told:
    """Write .json or .parquet, and the arrays beside where the table has any."""
    from llmrec.ids.exchange import files
    from llmrec.runs import tables

    opened = tables.open_table(args.rest[0])
    path = files.save(opened.keyed, args.rest[1])
    beside = Path(f"{path}.safetensors")
    written = [str(path), *([str(beside)] if beside.exists() else [])]
    n_users = 0 if opened.table.users is None else len(opened.table.users)
    plain = {"table": opened.name, "path": str(path), "files": written, "n_items": len(opened.table.items), "n_users": n_users}
    return layout.Told(plain, f"{plain['n_items']:,} items and {n_users:,} users of {layout.cell(opened.name)}\n" + "\n".join(written))
