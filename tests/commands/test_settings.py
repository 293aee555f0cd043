"""`--set` and the names of recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmrec.commands import settings


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("a.b=3", 3),
        ("a.b=0.5", 0.5),
        ("a.b=true", True),
        ("a.b=[1, 2]", [1, 2]),
        ('a.b="3"', "3"),
        ("a.b=apart", "apart"),
        ("a.b=org/name", "org/name"),
        ("a.b=", ""),
        ("a.b=x=y", "x=y"),
        ("a.b=1\nc = 2", "1\nc = 2"),
    ],
)
def test_a_value_is_toml_or_text(pair: str, value: Any) -> None:
    assert settings.changes([pair]) == {"a.b": value}


def test_later_changes_win_and_nonsense_is_refused() -> None:
    assert settings.changes(["a=1", "a=2"]) == {"a": 2}
    for nonsense in ("a", "=1", ""):
        with pytest.raises(ValueError, match=r"section\.key=value"):
            settings.changes([nonsense])


def test_recipes_by_path_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "benchmarks" / "recipes"
    shipped.mkdir(parents=True)
    (shipped / "rid-x-demo.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert settings.recipe_path("rid-x-demo").resolve() == shipped / "rid-x-demo.toml"
    assert settings.recipe_path("rid-x-demo.toml").resolve() == shipped / "rid-x-demo.toml"
    assert settings.recipe_path(str(shipped / "rid-x-demo.toml")) == shipped / "rid-x-demo.toml"
    with pytest.raises(ValueError, match="did you mean .*rid-x-demo"):
        settings.recipe_path("rid-x-dmo")
    with pytest.raises(ValueError, match="there is no recipe"):
        settings.recipe_path("../recipes/rid-x-demo")
