"""Runs and recipes of a newer version: refused with a sentence that says so, left as they are, and nobody else is troubled."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from llmrec import recipe
from llmrec.runs import queue, store
from llmrec.runs.queue import dispatch
from llmrec.runs.store import Run
from tests.faults.scene import campaign, digest, rows
from tests.runs.worlds import BOARD, board


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_start", lambda book, staying: None)
    monkeypatch.setattr(dispatch, "SCAN", 0.0)


CHANGES = {
    "a section": ("[future]\nx = 1\n", 1),
    "a key": (None, 1),
    "a scheme": ('name = "metaid"|name = "telepathy"', 1),
    "a form of run.json": ("", 2),
    "a form of run.json and a section": ("[future]\nx = 1\n", 7),
}


def newer(run: Run, text: str | None, form: int) -> None:
    """The run as a newer version would have written it."""
    old = (run.path / "recipe.toml").read_text()
    if text is None:
        new = old.replace("[train]\n", "[train]\nwarp = 9\n")
    elif "|" in text:
        one, other = text.split("|")
        new = old.replace(one, other)
    else:
        new = old + text
    (run.path / "recipe.toml").write_text(new)
    info = json.loads((run.path / "run.json").read_text())
    info |= {"format": form, "recipe_sha256": hashlib.sha256(new.encode()).hexdigest()}
    info["versions"]["llmrec"] = "9.1"
    (run.path / "run.json").write_text(json.dumps(info))


@pytest.mark.parametrize("executor", ["local", None])
def test_a_run_of_a_newer_version_is_refused_and_left_as_it_is(executor: str | None) -> None:
    with campaign(len(CHANGES), len(CHANGES)) as tally:
        for text, form in CHANGES.values():
            run, other = store.create(board(), executor=executor), store.create(board())
            newer(run, text, form)
            before, beside = digest(run.path), digest(other.path)
            with tally.once():
                dispatch.tick()
                found = store.find(run.name)
                assert run.name in rows()
                for act in (lambda found=found: found.recipe, lambda found=found: queue.resume(found)):
                    with pytest.raises(ValueError, match=r"9\.1"):
                        act()
                assert digest(run.path) == before
                assert digest(other.path) == beside
                assert (run.name in {p.run_name for p in queue.listing()}) == (executor is not None and form == 1)
            for one in (run, other):
                queue.delete(store.find(one.name))
        assert rows() == []


def test_a_recipe_of_a_newer_version_is_refused_by_its_first_unknown_word(tmp_path: Path) -> None:
    for line, word in (("[future]\nx = 1\n", "future"), ("[train]\nwarp = 9\n", "warp")):
        path = tmp_path / "r.toml"
        path.write_text(BOARD.replace("[train]\n", line) if word == "warp" else BOARD + line)
        before = path.read_bytes()
        with pytest.raises(recipe.BadRecipe, match=word):
            recipe.load(path)
        assert path.read_bytes() == before
    assert rows() == []
