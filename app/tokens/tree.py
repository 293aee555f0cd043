"""The names of a run as a tree, and who stands below a branch of it.

Where it stands: under `names`, over `llmrec.view.tree`. What it does not know: Streamlit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from app.exhibits import dressed
from app.seam.names import Shape, Tree
from app.seam.values import Exhibit, Side, Trouble
from app.tokens.inspecting import popularity
from app.tokens.reading import Reading
from app.world import World
from llmrec.contracts import Token
from llmrec.view import tree as drawing

SIZES = {"bearers": "how many bear it", "interactions": "how often they were taken"}
HEIGHT, BRANCHES = 640, 18


def plant(world: World, reading: Reading, side: Side, shape: Shape, by: str, depth: int, dark: bool) -> Tree:
    """The figure, its table, and what was cut. by: a key of SIZES; depth: how many pieces from the left."""
    if shape not in ("sunburst", "treemap") or by not in SIZES:
        raise Trouble(f"A tree is a sunburst or a treemap, sized by {' or '.join(SIZES)}: choose among these.")
    paths = reading.side(side)
    longest = int((paths.ids >= 0).sum(axis=1).max(initial=1))
    deep = max(1, min(depth, longest))
    weights = None if by == "bearers" else popularity(world)[0 if side == "item" else 1].astype(np.int64)
    found = drawing.tree_table(paths, weights, deep)
    tokens = any(isinstance(piece, Token) for piece in paths.pieces.values())
    figure = dressed(drawing.tree(found, tokens, shape, f"{side}s", dark), HEIGHT)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 26 if shape == "treemap" else 4, "b": 4})
    hidden = int(found["hidden"].sum())
    said = [f"{len(paths.ids):,} {side}s by the first {deep} of up to {longest} {'subwords' if _read(paths) else 'pieces'}."]
    if hidden:
        said.append(
            f"{hidden:,} smaller branches are drawn together as others; the lists of their branch and the part Codes have all of them."
        )
    if _read(paths):
        said.append("These names are text: a branch is a subword as the model reads it, grey because no scheme gave it a meaning.")
    if longest == 1:
        said.append("Each name is one piece, so the tree is a fan: nobody shares a beginning.")
    table = found.assign(name=[_spelled(paths, node) for node in found["node"]])[["name", "piece", "level", "bearers", "weight", "hidden"]]
    caption = f"A branch is a piece, its size {SIZES[by]}. Click one to see who is below."
    exhibit = Exhibit("tree", "Names as a tree", caption, _headed(table, by), figure)
    first = found[(found["level"] == 1) & (found["hidden"] == 0)].head(BRANCHES)
    written = [f"{str(piece).strip()}  {n:,}" for piece, n in zip(first["piece"], first["bearers"], strict=True)]
    return Tree(exhibit, " ".join(said), longest, tuple(zip(first["node"], written, strict=True)))


def _read(paths: drawing.Paths) -> bool:
    return not any(isinstance(piece, Token) for piece in paths.pieces.values())


def _spelled(paths: drawing.Paths, node: str) -> str:
    if node.endswith(drawing.OTHER):
        return f"{_spelled(paths, node[: -len(drawing.OTHER)].rstrip('/') or drawing.ROOT)} …".strip()
    return "".join(str(piece) for piece in paths.spell(node)).strip()


def _headed(table: pd.DataFrame, by: str) -> pd.DataFrame:
    named = table.rename(columns={"weight": "interactions", "hidden": "branches drawn together"})
    return named if by == "interactions" else named.drop(columns="interactions")
