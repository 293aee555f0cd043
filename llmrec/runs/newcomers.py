"""New people of a run: whether they are named as they come, or written as "a person", and why.

Where it stands: beside `store`, which gives its recommender what is decided here. What it does not know: how newcomers are named.

People are held out of all training under the split `unseen-users` alone: there they are named where the scheme can. Anywhere else a new
person is somebody who types three titles, and stays "a person" unless named people are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from llmrec.contracts import Recommender
    from llmrec.ids.newcomers.namer import Namer
    from llmrec.runs.store import Run

Newcomers = Literal["named", "anonymous"]


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


def told(run: Run, recommender: Recommender) -> dict[str, Any]:
    """For a report: what new people were called, and why where they could not be named. recommender: one of this run."""
    from llmrec.ids.newcomers.naming import CannotName

    if getattr(recommender, "namer", None) is not None:
        return {"newcomers": "named"}
    try:
        _made(run)
    except CannotName as why:
        return {"newcomers": "anonymous", "newcomers_why": str(why)}
    return {"newcomers": "anonymous"}


def _made(run: Run) -> Namer:
    from llmrec.ids.newcomers.namer import Namer

    table = run.table()
    return Namer.of(table, run.recipe.embed, run.vectors() if table.user_quantizer is not None else None, run.split().train)
