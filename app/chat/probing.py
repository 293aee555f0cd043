"""The room behind the probes: who is asked by whom, what is known of it, and what is still to be asked.

Where it stands: behind `seam.probes.ProbesLike`, over `llmrec.report.probes`; models are asked in processes of their own (`questioning`).
What it does not know: Streamlit, Gradio. `probe` is what the panel's API offers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from app.chat import questioning
from app.library import Library, told
from app.seam.probes import Ask, Board, Failure, Going, ProbesLike, Sheet
from app.seam.values import Trouble

ERRAND = "app.chat.questioning"
MOST, PEOPLE = 8, 10  # models in one table, people who ask
SEEDS = 2**31


@dataclass(frozen=True)
class _Asked:
    """One model and what it was asked. stored: user -> the name that their turns are kept under; turns: of those who are done."""

    key: str
    run: str
    baseline: str
    stored: dict[str, str]
    turns: dict[str, list[dict[str, Any]]]

    @property
    def missing(self) -> dict[str, str]:
        return {user: name for user, name in self.stored.items() if user not in self.turns}


class Probing:
    """See `seam.probes.ProbesLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def skills(self) -> tuple[tuple[str, str], ...]:
        """What probes ask for, each with how many turns of the shipped set do."""
        from llmrec.report.probes import book

        turns = Counter(step.column for probe in book.probes() for step in probe.steps)
        return tuple((name, f"{name} · {turns[name]}") for name in book.GROUPS)

    def board(self, ask: Ask, start: bool = False) -> Board:
        """What is known; start: have asked what is not."""
        with told():
            asked = self._asked(ask)
            going = self._going(ask, asked, start)
            if start and not going.waiting and not going.trouble and any(one.missing for one in asked):
                asked = self._asked(ask)  # it ended between the look and the question
            heard = tuple((one.key, *(name for user, name in one.stored.items() if user in one.turns)) for one in asked)
            board = self._library.kept(("probe board", ask, heard), lambda: _board(self._result(ask, asked), asked))
            return replace(board, going=going)

    def result(self, ask: Ask) -> dict[str, Any]:
        """Every turn that is known and what it comes to."""
        with told():
            return self._result(ask, self._asked(ask))

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""

    def _asked(self, ask: Ask) -> list[_Asked]:
        from llmrec.report.probes import book

        _possible(ask)
        book.probes(ask.only)
        parts = [_parts(key) for key in dict.fromkeys(ask.models)]
        runs = [self._run(run) for run, _ in parts]
        self._alike(runs)
        people = self._people(runs[0].name, ask.users, ask.seed)
        out = []
        for (run, baseline), key in zip(parts, dict.fromkeys(ask.models), strict=True):
            made = (*self._library.made(run, model=not baseline), baseline)
            stored = {user: questioning.name(made, user, ask.seed, ask.only) for user in people}
            turns = {user: found for user, name in stored.items() if (found := self._kept(name)) is not None}
            out.append(_Asked(key, run, baseline, stored, turns))
        return out

    def _kept(self, name: str) -> list[dict[str, Any]] | None:
        from llmrec.runs import cache

        if not cache.holds(questioning.STAGE, name):
            return None
        found: list[dict[str, Any]] | None = self._library.kept((questioning.STAGE, name), lambda: questioning.kept(name))
        return found

    def _run(self, name: str) -> Any:
        run = next((r for r in self._library.runs() if r.name == name), None)
        if run is None or run.broken or not (run.path / "model").exists():
            raise Trouble(f"No trained run is called {name!r:.100}: choose another above.")
        return run

    def _alike(self, runs: Sequence[Any]) -> None:
        from llmrec.report.probes import asking

        asking.alike(list({run.name: run for run in runs}.values()))

    def _people(self, run: str, n: int, seed: int) -> tuple[str, ...]:
        """Keys of those who ask."""
        from llmrec.report.probes.people import people

        def draw() -> tuple[str, ...]:
            world = self._library.world(run)
            return tuple(p.key for p in people(world.split, world.dataset.catalog, n, seed))

        return self._library.kept(("probe people", self._library.made(run), n, seed), draw)

    def _going(self, ask: Ask, asked: Sequence[_Asked], start: bool) -> Going:
        """Have asked what is missing, model by model; one that failed leaves the others."""
        if not start:
            return Going()
        waiting: list[str] = []
        running = trouble = None
        for one in asked:
            if not one.missing:
                continue
            errand = self._errand(ask, one)
            if errand.state == "failed":
                trouble = f"{one.key} could not be asked: {errand.reason}"
            elif errand.state != "done":
                waiting.append(one.key)
                running = running or (errand if errand.state == "running" else None)
        stage, share = ("", None) if running is None else (running.stage, running.share)
        return Going(tuple(waiting), stage, share, trouble or "")

    def _errand(self, ask: Ask, one: _Asked) -> Any:
        given = {
            "run": one.run,
            "baseline": one.baseline,
            "users": one.missing,
            "drawn": ask.users,
            "seed": ask.seed,
            "only": list(ask.only),
        }
        return self._library.errands.ask((questioning.STAGE, *one.stored.values()), ERRAND, text=json.dumps(given))

    def _result(self, ask: Ask, asked: Sequence[_Asked]) -> dict[str, Any]:
        from llmrec.recommend.chat import opening
        from llmrec.report.probes import asking, book

        tuned = {one.key: not one.baseline and opening.learned(self._run(one.run)) for one in asked}
        models = [{"name": one.key, "tuned": tuned[one.key]} for one in asked if one.turns]
        turns = [{"model": one.key, **turn} for one in asked for user in one.stored if user in one.turns for turn in one.turns[user]]
        users = [user for user in asked[0].stored if any(user in one.turns for one in asked)]
        data = str(self._run(asked[0].run).info.get("data"))
        return asking.result(models, users, data, book.probes(ask.only), turns, ask.seed)


def probe(probes: ProbesLike, models: Sequence[str], users: int = 1, only: str = "", seed: int = 0) -> dict[str, Any]:
    """Ask models all probes, for programs: call it again and again until "waiting" is empty. only: skills, set apart by commas.

    {"said", "waiting", "share", "trouble", "asked": {model: users done}, "tables": {name: [{column: text}]}, "failures": [..]}.
    """
    wanted = tuple(word.strip() for word in only.split(",") if word.strip())
    board = probes.board(Ask(tuple(models), users, wanted, seed), start=True)
    return {
        "said": board.said,
        "waiting": list(board.going.waiting),
        "share": board.going.share,
        "trouble": board.going.trouble,
        "asked": dict(board.asked),
        "tables": {sheet.name: sheet.table.to_dict("records") for sheet in board.sheets},
        "failures": [
            {"model": f.model, "probe": f.probe, "message": f.message, "answer": f.answer, "faults": list(f.faults)} for f in board.failures
        ],
    }


def _board(result: dict[str, Any], asked: Sequence[_Asked]) -> Board:
    from llmrec.report.probes import tally, written

    known = tuple((one.key, len(one.turns)) for one in asked)
    if not result["turns"]:
        return Board("Nobody has asked yet.", asked=known)
    sheets = [Sheet(name, t.title, t.about, pd.DataFrame(list(t.lines), columns=list(t.head))) for name, t in _tables(result).items()]
    failures = [
        Failure(one.model, t["skill"], t["wording"], t["probe"], t["user"], t["message"], t["answer"], tuple(t["faults"]))
        for one in tally.tallies(result)
        for t in one.failures()
    ]
    return Board(written.said(result), tuple(sheets), tuple(failures), asked=known)


def _tables(result: dict[str, Any]) -> dict[str, Any]:
    from llmrec.report.probes import written

    names = {"Skills": "skills", "What holds": "holds", "What was held out": "found", "Speed": "speed"}
    return {names[t.title]: t for t in written.tables(result)}


def _possible(ask: Ask) -> None:
    """`Trouble` for what is not asked here."""
    if not ask.models:
        raise Trouble("Nobody is to be asked: choose a model.")
    if len(set(ask.models)) > MOST:
        raise Trouble(f"{MOST} models stand in one table at most: leave some out.")
    if not 1 <= ask.users <= PEOPLE:
        raise Trouble(f"1 to {PEOPLE} people can ask here; `llmrec probe --users` asks by more.")
    if not 0 <= ask.seed < SEEDS:
        raise Trouble("A seed is a whole number from 0.")


def _parts(key: str) -> tuple[str, str]:
    """A model's run, and its baseline: "itemknn@run"."""
    from llmrec import registry

    baseline, at, run = key.partition("@")
    if not at:
        return key, ""
    if baseline not in registry.names("baseline"):
        raise Trouble(f"No baseline is called {baseline!r:.100}: choose another above.")
    return run, baseline
