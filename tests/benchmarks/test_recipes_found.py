"""Every row of the book can be trained by the name that the book gives it."""

from __future__ import annotations

import pytest

from benchmarks.rows import RECIPES, rows
from llmrec.commands import settings


@pytest.mark.parametrize("name", [row.name for row in rows().values() if row.baseline is None])
def test_a_row_is_found_by_its_name(name: str) -> None:
    assert settings.recipe_path(name).resolve() == RECIPES / f"{name}.toml"
    assert name in settings.recipe_names()


def test_the_last_part_of_a_name_will_do_where_no_other_ends_with_it() -> None:
    assert settings.recipe_path("kmeans-ml-100k-sketch").resolve() == RECIPES / "codes/kmeans-ml-100k-sketch.toml"
    assert settings.recipe_path("tokenrec-ml-100k-sketch").resolve() == RECIPES / "tokenrec-ml-100k-sketch.toml"
    with pytest.raises(ValueError, match="beauty/sid or lastfm/sid or ml-1m/sid"):
        settings.recipe_path("sid")


@pytest.mark.parametrize("text", ["kmean-ml-100k-sketch", "codes/kmean-ml-100k-sketch"])
def test_near_names_of_chapters_are_told(text: str) -> None:
    with pytest.raises(ValueError, match="did you mean codes/kmeans-ml-100k-sketch"):
        settings.recipe_path(text)


@pytest.mark.parametrize("text", ["../recipes/rid-ml-100k-sketch", "codes/../rid-ml-100k-sketch", "/rid-ml-100k-sketch"])
def test_a_name_never_leaves_the_folder(text: str) -> None:
    with pytest.raises(ValueError, match="there is no recipe"):
        settings.recipe_path(text)
