"""The room behind the probes over a real small run: asked in a process of its own, kept user by user, and refused with a sentence."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from app.backend import Backend
from app.chat import questioning
from app.chat.probing import probe
from app.seam import Trouble
from app.seam.probes import Ask, Board
from tests.app.small_home import backend, home

__all__ = ["backend", "home"]


def _keys(backend: Backend) -> tuple[str, str]:
    run = backend.runs()[0].name
    return run, f"popularity@{run}"


def whole(backend: Backend, ask: Ask) -> Board:
    """What is known when all was asked."""
    deadline = time.monotonic() + 100
    while (board := backend.probes().board(ask, start=True)).going.waiting:
        assert time.monotonic() < deadline, board.going.stage
        time.sleep(0.2)
    return board


def _keep(ask: Ask, backend: Backend, turns: list[dict[str, Any]], of: int = 1) -> None:
    """As if some of the people had asked already."""
    from llmrec.runs import cache

    for one in backend.probes()._asked(ask):
        for name in list(one.stored.values())[:of]:
            cache.remember(questioning.STAGE, name, questioning.Heard, lambda: questioning.Heard(json.dumps(turns)))


def _turn(**more: Any) -> dict[str, Any]:
    return {
        "user": "u", "probe": "hello", "wording": "seen", "own": False, "turn": 1, "way": "talk-hello", "skill": "talk", "state": "asked",
        "message": "hi", "answer": "so?", "items": [], "understood": None, "checks": {"answered": False}, "faults": ["answered: no"],
        "measures": {}, "timing": {"first": 0.1, "total": 0.2, "tokens": 0}, "sure": None, **more,
    }  # fmt: skip


def test_a_run_is_asked_in_a_process_and_kept(backend: Backend) -> None:
    run, _ = _keys(backend)
    ask = Ask((run,), 1, ("talk",))
    assert backend.probes().board(ask).said == "Nobody has asked yet."
    assert backend.probes().board(ask).going.waiting == ()  # a look starts nothing
    board = whole(backend, ask)
    assert board.asked == ((run, 1),) and not board.going.trouble
    assert [sheet.name for sheet in board.sheets] == ["skills", "holds", "speed"] and board.sheets[0].table["model"].tolist() == [run]
    result = backend.probes().result(ask)
    assert {t["skill"] for t in result["turns"]} == {"talk", "recommend"} and len(result["turns"]) == 8
    second = Backend()
    assert second.probes().board(ask).sheets[0].table.equals(board.sheets[0].table)
    second.close()


def test_what_is_known_is_shown_while_more_is_asked(backend: Backend) -> None:
    keys = _keys(backend)
    ask = Ask(keys, 3, ("taste",))
    _keep(ask, backend, [_turn()], of=2)
    board = backend.probes().board(ask)
    assert board.asked == ((keys[0], 2), (keys[1], 2)) and "3 probes by 2 users of checkerboard" in board.said
    assert next((f.model, f.skill, f.message, f.faults) for f in board.failures) == (keys[0], "talk", "hi", ("answered: no",))
    assert len(board.failures) == 4


def test_programs_ask_the_same(backend: Backend) -> None:
    run, base = _keys(backend)
    _keep(Ask((run, base), 1, ("what",)), backend, [_turn(skill="what", checks={"fact": True}, faults=[])])
    told = probe(backend.probes(), [run, base], 1, "what")
    assert told["waiting"] == [] and told["asked"] == {run: 1, base: 1} and told["failures"] == []
    assert told["tables"]["skills"][0] == {"model": run, "what": "100 / –", "all": "100 / –"} and json.dumps(told)


@pytest.mark.slow
def test_a_model_that_breaks_is_told(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = _keys(backend)
    errands = backend._library.errands
    ask = errands.ask
    monkeypatch.setattr(errands, "ask", lambda key, module, *words, text="", again=False: ask(key, module, text="{}"))
    ask_ = Ask((run,), 1, ("which",))
    deadline = time.monotonic() + 60
    while not (board := backend.probes().board(ask_, start=True)).going.trouble:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert run in board.going.trouble and "could not be asked" in board.going.trouble


@pytest.mark.parametrize(
    ("models", "more", "said"),
    [
        ((), {}, "choose a model"),
        (("nobody",), {}, "No trained run is called 'nobody'"),
        (("magic@{run}",), {}, "No baseline is called 'magic'"),
        (("{run}",), {"users": 0}, "1 to 10 people"),
        (("{run}",), {"users": 11}, "1 to 10 people"),
        (("{run}",), {"only": ("sing",)}, "no probe asks for 'sing'"),
        (("{run}",), {"seed": -1}, "whole number"),
        (tuple(f"m{n}" for n in range(9)), {}, "8 models"),
    ],
)
def test_what_is_refused(backend: Backend, models: tuple[str, ...], more: dict[str, Any], said: str) -> None:
    run, _ = _keys(backend)
    with pytest.raises(Trouble, match=said):
        backend.probes().board(Ask(tuple(m.format(run=run) for m in models), **more))


def test_another_code_or_seed_is_another_question(home: Path, backend: Backend) -> None:
    names = {questioning.name(("run", 1, ""), user, seed, only) for user in ("a", "b") for seed in (0, 1) for only in ((), ("why",))}
    assert len(names) == 8 and questioning.name(("run", 2, ""), "a", 0, ()) not in names
    assert questioning.kept("0123456789abcdef") is None
