"""`llmrec dialogues show`: as text and as lines of JSON, by a seed, of one skill, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec.__main__ import main

RECIPE = """
[data]
name = "table"
path = "{folder}/mine.csv"
items_path = "{folder}/films.csv"
[scheme]
name = "rid"
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    rows = [f"u{u},i{i},{t}" for u in range(12) for t, i in enumerate(rng.permutation(24)[:11].tolist())]
    (folder / "mine.csv").write_text("\n".join(["user,item,time", *rows]))
    genres = ["Comedy", "Horror|Comedy", "Sci-Fi", "Romance|Drama"]
    films = [f"i{i},\x1b[31mFilm {i} ({1975 + i}),{genres[i % 4]}" for i in range(24)]
    (folder / "films.csv").write_text("\n".join(["item,title,genres", *films]))
    (folder / "mine.toml").write_text(RECIPE.format(folder=folder))
    return folder / "mine.toml"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path_factory.getbasetemp() / "home"))


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["dialogues", "show", *words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_dialogues_are_lines_of_json_drawn_by_a_seed(capsys: pytest.CaptureFixture[str], recipe: Path) -> None:
    first = lines(capsys, "--data", str(recipe), "--n", "4")
    assert len(first) == 4 and first == lines(capsys, "--data", str(recipe), "--n", "4", "--seed", "0")
    assert first != lines(capsys, "--data", str(recipe), "--n", "4", "--seed", "1")
    for told in first:
        assert set(told) == {"user", "history", "turns"} and all(key.startswith("i") for key in told["history"])
        assert all(turn["said"].count(" *") == len(turn["items"]) for turn in told["turns"])


@pytest.mark.parametrize(
    "skill", ["recommend", "list", "like", "attribute", "without", "else", "would", "why", "what", "which", "taste", "talk"]
)
def test_one_skill_can_be_asked_for_in_unseen_words(skill: str, capsys: pytest.CaptureFixture[str], recipe: Path) -> None:
    told = lines(capsys, "--data", str(recipe), "--n", "2", "--skill", skill, "--unseen")
    assert [t["turns"][-1]["skill"] for t in told] == [skill] * 2


def test_text_shows_who_asks_what_and_what_was_understood(capsys: pytest.CaptureFixture[str], recipe: Path) -> None:
    assert main(["dialogues", "show", "--data", str(recipe), "--skill", "like", "--n", "1"]) == 0
    bare = capsys.readouterr().out
    assert main(["dialogues", "show", "--data", str(recipe), "--skill", "like", "--n", "1", "--scheme", "rid"]) == 0
    named = capsys.readouterr().out
    assert "  User: " in bare and "  Assistant: " in bare and "(like" in bare and "Close to" in bare and "\x1b" not in bare
    assert len(named) > len(bare) and named.splitlines()[0] == bare.splitlines()[0]


def test_wrong_use_is_told_in_one_line(capsys: pytest.CaptureFixture[str], recipe: Path) -> None:
    for words, said in (
        (["--data", "nothing-like-it"], "neither a data set nor a path"),
        (["--data", str(recipe), "--n", "0"], "--n 0 must be at least 1"),
        (["--data", str(recipe), "--seed", "-1"], "--seed -1 must be at least 0"),
        (["--data", str(recipe), "--skill", "dance"], "invalid choice"),
        (["--data", str(recipe), "--scheme", "nome"], "nome"),
    ):
        assert main(["dialogues", "show", *words]) == 2
        told = capsys.readouterr().err
        assert said in told and told.count("\n") == 1
    assert main(["dialogues", "hide"]) == 2


def test_a_skill_that_the_catalogue_cannot_give_is_told(capsys: pytest.CaptureFixture[str], recipe: Path) -> None:
    bare = recipe.parent / "bare.toml"
    bare.write_text("\n".join(line for line in recipe.read_text().splitlines() if "items_path" not in line))
    assert main(["dialogues", "show", "--data", str(bare), "--skill", "which", "--n", "1"]) == 2
    assert "may need genres or years" in capsys.readouterr().err
