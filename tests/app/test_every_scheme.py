"""The pages over a run of every scheme: names of text, users without names and runs without vectors must open too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import shared
from app.backend import Backend
from app.errands import Errand, Errands
from app.tokens import projecting
from llmrec.runs import pipeline, store
from tests.contracts.test_pairs import SCHEMES, pair

HEAD = {"tokenrec": "retrieve", "cllm4rec": "items"}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


QUICK = ("metaid", "title", "tokenrec")  # one of each kind: Tokens for both sides, text alone, codes behind another head
ALL = sorted(set(SCHEMES) - {"imported"})  # names from a file are a table like any other


@pytest.mark.parametrize("scheme", [s if s in QUICK else pytest.param(s, marks=pytest.mark.slow) for s in ALL])
def test_the_pages_open(scheme: str, stages: Path, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(stages))
    monkeypatch.setattr(Errands, "ask", lambda *_, **__: Errand("failed", reason="not tried here"))
    run = store.create(pair(scheme, HEAD.get(scheme, "trie")))
    assert pipeline.train(run).state == "done"
    projecting.space(run)  # what its process does for a run without vectors
    table, backend = run.table(), Backend()
    shared.use(backend)
    try:
        for view, address in (
            ("views/tokens.py", {"item": "i3"}),
            ("views/tokens.py", {"user": "u3"}),
            ("views/recommend.py", {"item": "i3"}),
        ):
            at = page(view, **address)
            assert not at.error
        card = backend.card(run.name, "item", 3)
        assert card.pieces == table.items.spell(3)
        person = backend.card(run.name, "user", 3)
        assert person.pieces == (() if table.users is None else table.users.spell(3))
        atlas = backend.maps().atlas(run.name)
        assert len(atlas.table) > 20 and ("names without vectors" in atlas.note) == (run.recipe.embed is None)
        answer = backend.recommend(run.name, None, backend.person(run.name, 3), 5)
        assert len(answer.picks) == 5
    finally:
        shared.use(None)
        backend.close()
