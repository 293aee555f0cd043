"""What the stories' sentences claim is that of the recipe and of the data, not what it mostly is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.tour import mutual, pulling_room, quantizing, scenes
from llmrec.embed.metapath import MetaPath


def origin(items: Any = None) -> Any:
    source: Any = SimpleNamespace(recipe=SimpleNamespace(embed=MetaPath()))
    none: Any = None
    vectors: Any = SimpleNamespace(items=items)
    return scenes.Origin(source, none, vectors, none, none)


def test_the_vector_is_called_by_what_made_it() -> None:
    look: Any = SimpleNamespace(row=np.asarray([3.0, 4.0]), hidden=np.asarray([False, True]))
    said = scenes.mask(origin(), look, look, 0.5, False).sentence
    assert "MetaPath vector" in said and "LightGCN" not in said and "64%" in said  # 16 of 25


def test_only_items_with_a_vector_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    items = np.asarray([[1, 0], [0, 0], [0, 2], [0, 0]])
    assert origin(items).sampled == 2
    monkeypatch.setattr(quantizing, "SAMPLE", 1)
    assert origin(items).sampled == 1


@pytest.mark.parametrize(("backbone", "told"), [("tiny", "2 layers, 32 wide"), ("nano", "4 layers, 192 wide")])
def test_the_size_of_the_model_that_pulls_is_that_of_its_backbone(monkeypatch: pytest.MonkeyPatch, backbone: str, told: str) -> None:
    monkeypatch.setattr(mutual, "BACKBONE", backbone)
    one = np.ones((2, 3))
    rows = SimpleNamespace(distances=lambda: one, cosines=lambda: one, collaborative=np.ones((2, 3, 4)), passes=("a", "b"))
    corner = pulling_room.Corner(np.arange(3), 5, 9, {})
    assert told in pulling_room._said(rows, 1.0, corner)
