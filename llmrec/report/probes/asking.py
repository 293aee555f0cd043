"""Probes asked of several models: one result that holds every turn, and from which every table can be made anew.

Where it stands: outermost in this room, over runs and baselines. What it does not know: terminals, pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llmrec.report.probes.book import Probe, probes
from llmrec.report.probes.filling import Filler
from llmrec.report.probes.people import Person, people
from llmrec.report.probes.tally import tallies
from llmrec.report.probes.walk import Turn, walk

if TYPE_CHECKING:
    from llmrec.recommend.chat.opening import Opened
    from llmrec.runs.store import Run

FORMAT = 1
USERS = 3


def ask(
    opened: Sequence[Opened],
    who: Sequence[Person],
    data: str,
    seed: int = 0,
    only: Collection[str] = (),
    tell: Callable[[str, str, float], None] = lambda _, __, ___: None,
) -> dict[str, Any]:
    """Ask every model every probe by everybody. All models speak of one data set. tell: model, user, share of this model that is done."""
    shipped, filler, turns = probes(only), Filler(opened[0].knowledge, seed), list[Turn]()
    for one in opened:
        name = one.model
        said = walk(one.speaker, filler, who, shipped, lambda key, share, name=name: tell(name, key, share))  # type: ignore[misc]
        turns += [{"model": name, **turn} for turn in said]
    models = [{"name": one.model, "tuned": one.speaker.tuned} for one in opened]
    return result(models, [p.key for p in who], data, shipped, turns, seed)


def result(
    models: Sequence[Mapping[str, Any]], users: Sequence[str], data: str, shipped: Sequence[Probe], turns: Sequence[Turn], seed: int
) -> dict[str, Any]:
    """What was asked and answered, with what it comes to: {"format", "data", "seed", "users", "models", "n_probes", "left_out",
    "turns", "tallies"}."""
    whole: dict[str, Any] = {
        "format": FORMAT,
        "data": data,
        "seed": seed,
        "users": list(users),
        "models": [dict(m) for m in models],
        "n_probes": len(shipped),
        "left_out": sorted({t["why"] for t in turns if t["state"] == "skipped"}),
        "turns": list(turns),
    }
    return {**whole, "tallies": {t.model: t.plain() for t in tallies(whole)}}


def summary(whole: Mapping[str, Any]) -> dict[str, Any]:
    """A result without its turns: all tables can be made of it, and no title or message of the data is in it."""
    return {key: value for key, value in whole.items() if key != "turns"}


def alike(runs: Sequence[Run]) -> None:
    """ValueError where runs are not of one data set and split: they would be asked different things."""
    marks = {run.name: (run.info.get("data_fingerprint"), repr(run.recipe.split)) for run in runs}
    first = next(iter(marks))
    other = next((name for name, mark in marks.items() if mark != marks[first]), None)
    if other is not None:
        raise ValueError(f"{first} and {other} are of different data or splits: probe them one by one")


def drawn(run: Run, n: int, seed: int = 0) -> tuple[Person, ...]:
    """The users that ask, out of the test part of a run."""
    return people(run.split(), run.dataset().catalog, n, seed)


def read(whole: Any) -> dict[str, Any]:
    """A result that was written to a file. ValueError where it is none."""
    if not isinstance(whole, dict) or whole.get("format") != FORMAT or not isinstance(whole.get("tallies"), dict):
        raise ValueError("this file holds no result of `llmrec probe`: write one with --out FILE")
    return whole
