"""What is kept: made once, the least used dropped, and nothing left of what could not be made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from app.library import VALUES, Kept, Library
from app.seam.maps import Atlas
from app.seam.names import Found
from app.tokens import codes, maps, projecting
from app.tokens.maps import Maps
from app.tokens.names import TABLES, Names


def _raise() -> None:
    raise ValueError("no")


def test_nothing_is_kept_of_what_could_not_be_made() -> None:
    kept = Kept(2)
    for key in range(50):
        with pytest.raises(ValueError, match="no"):
            kept.get(key, _raise)
    assert not kept._making and not kept._values
    assert [kept.get(key, lambda key=key: -key) for key in (1, 2, 3)] == [-1, -2, -3]
    assert set(kept._values) == set(kept._making) == {2, 3}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library of one run that is there in name only."""
    made = Library()
    world = SimpleNamespace(table=object(), run=SimpleNamespace(recipe=SimpleNamespace(embed=object())), vectors=object())
    monkeypatch.setattr(made, "world", lambda run: world)
    monkeypatch.setattr(made, "made", lambda run, model=False: (run, 0))
    return made


def test_clicks_on_the_map_push_nothing_out_of_the_library(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Atlas("PCA", None, pd.DataFrame(), 0)
    monkeypatch.setattr(maps, "_atlas", lambda *_: drawn)
    monkeypatch.setattr(Maps, "_laid", lambda *_: SimpleNamespace(trustworthiness=1.0, knn_overlap=1.0, scored=1))
    monkeypatch.setattr(projecting, "fingerprint", lambda _: "mark")
    monkeypatch.setattr(projecting, "held", lambda *_: False)
    reading: Any = object()
    library.kept("reading", lambda: reading)
    room = Maps(library)
    for n in range(VALUES + 5):
        room.atlas("run", f"item:{n}", False, maps.PCA)
    assert library.kept("reading", object) is reading


def test_few_tables_of_everybody_are_kept(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Names, "_reading", lambda *_: None)
    monkeypatch.setattr(codes, "carrying", lambda _, __, token: Found((token,), "", 0, 0, pd.DataFrame()))
    room = Names(library)
    for n in range(TABLES + 5):
        assert room.bearers("run", f"<c{n}>").pieces == (f"<c{n}>",)
    assert len(room._tables._values) == TABLES and not room._small._values
