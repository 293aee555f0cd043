"""Newcomers of a run: whether new people are named as they come or written as "a person", and where new items stand; and why.

Where it stands: beside `store`, which gives its recommender what is decided here. What it does not know: how newcomers are named.

People are held out of all training under the split `unseen-users` alone: there they are named where the scheme can. Anywhere else a new
person is somebody who types three titles, and stays "a person" unless named people are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from llmrec.contracts import IdTable, Part, Recommender, Split, Vectors
    from llmrec.ids.newcomers.namer import Namer
    from llmrec.runs.store import Run

Newcomers = Literal["named", "anonymous"]
BESIDES = "on validation they only stand among the others; training chose its model without them"


def namer(run: Run, newcomers: Newcomers | None = None) -> Namer | None:
    """What names new people of this run, or None where they are "a person". Raises `CannotName` where "named" is asked for in vain.

    newcomers: None takes what the split asks for, as far as the scheme can.
    """
    from llmrec import registry
    from llmrec.ids.newcomers.naming import CannotName

    if newcomers == "anonymous" or (newcomers is None and registry.name_of("split", run.recipe.split) != "unseen-users"):
        return None
    try:
        return _made(run)
    except CannotName:
        if newcomers == "named":
            raise
        return None


def pool(run: Run, table: IdTable, vectors: Vectors | None) -> tuple[IdTable, Vectors | None]:
    """The run's names and vectors with the items that its split kept for later (`unseen-items`), where there are some and the scheme can.

    Where it cannot they stay as they were, with names that nothing was learned of, and `told` says so.
    """
    from llmrec import registry
    from llmrec.ids.newcomers.naming import CannotName

    if registry.name_of("split", run.recipe.split) != "unseen-items":
        return table, vectors
    try:
        return _widened(run, table)
    except CannotName:
        return table, vectors


def told(run: Run, recommender: Recommender, split: Split, part: Part) -> dict[str, Any]:
    """For a report: what people or items held out of training are called, and why where they could not be named. None asked for: nothing.

    New items stand in the pool of either part. On validation, where nobody asks for one, that is said: training chose without them.
    recommender, split: those of this run.
    """
    from llmrec.ids.newcomers.naming import CannotName

    if split.known is None and not np.isin(split.asked(part), split.held_out).any():
        return {}
    what = "newcomers" if split.known is None else "new_items"
    try:
        if split.known is not None:
            _widened(run, run.table())
            return {what: "named"} | ({f"{what}_why": BESIDES} if part == "valid" else {})
        _made(run)
        return {what: "named" if getattr(recommender, "namer", None) is not None else "anonymous"}
    except CannotName as why:
        return {what: "anonymous" if split.known is None else "as in training", f"{what}_why": str(why)}


def _widened(run: Run, table: IdTable) -> tuple[IdTable, Vectors]:
    from llmrec.ids.newcomers.wider import widened

    split = run.split()
    assert split.known is not None
    items = np.unique(split.known.item).astype(np.int64)
    took = [split.known.user[split.known.item == item] for item in items]
    return widened(table, run.vectors() if table.item_quantizer is not None else None, run.recipe.embed, split.train, took, items)


def _made(run: Run) -> Namer:
    from llmrec.ids.newcomers.namer import Namer

    table = run.table()
    return Namer.of(table, run.recipe.embed, run.vectors() if table.user_quantizer is not None else None, run.split().train)
