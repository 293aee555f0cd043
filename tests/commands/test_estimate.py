"""`llmrec estimate`: what an estimate says in words and in JSON, and one that is really measured."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from llmrec.__main__ import main, parser
from llmrec.commands import settings
from llmrec.recipe import Recipe
from llmrec.runs import estimate
from llmrec.runs.estimate import Estimate, Room, Stage
from tests.runs.worlds import BOARD, board

GIB = 2**30
TIGHT = Estimate(
    (Stage("names", 20.0, "cached"), Stage("training", 600.0, "extrapolated", give=60.0)),
    memory=Room(9 * GIB, 4 * GIB),
    disk=Room(GIB, 50 * GIB),
    now={"train.batch": 32, "lm.layers": 4},
)


@pytest.fixture
def asked(tmp_path: Path) -> str:
    path = tmp_path / "metaid-checkerboard-tiny.toml"
    path.write_text(BOARD, encoding="utf-8")
    return str(path)


def test_it_says_seconds_with_their_range_room_and_advice(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[Recipe] = []
    monkeypatch.setattr(estimate, "ask", lambda recipe: measured.append(recipe) or TIGHT)
    assert main(["estimate", asked, "--set", "train.epochs=9", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert measured[0].train.epochs == 9
    assert (said["seconds"], said["span"], said["fits"]) == (620.0, [560.0, 680.0], False)
    assert (said["memory_bytes"], said["memory_free"]) == (9 * GIB, 4 * GIB)
    assert shlex.split(said["command"]) == ["llmrec", "train", asked, "--set", "train.epochs=9"], "as it was typed"
    assert main(["estimate", asked]) == 0
    text = capsys.readouterr().out
    assert "About 10:20 min (9:20 min to 11:20 min); it does not fit" in text
    assert "set lm.layers = 1 (now 4)" in text
    assert "9.7 GB" in text


def test_the_command_repeats_what_was_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measured: list[Recipe] = []
    monkeypatch.setattr(estimate, "ask", lambda recipe: measured.append(recipe) or TIGHT)
    words = ["--scheme", "tiger", "--data", "lastfm", "--head", "trie", "--lm", "nano", "--preset", "sketch", "--set", "lm.name=a b"]
    assert main(["estimate", *words, "--json"]) == 0
    said = shlex.split(json.loads(capsys.readouterr().out)["command"])
    assert said == ["llmrec", "train", *words]
    assert settings.asked(parser().parse_args(said[1:])) == measured[0]


def test_it_is_refused_like_a_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate"]) == 2
    assert "no recipe was given" in capsys.readouterr().err
    assert main(["estimate", "--scheme", "metadi"]) == 2
    assert "did you mean metaid" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_measurement(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", asked, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fits"]
    assert said["seconds"] > 0
    assert [stage["label"] for stage in said["stages"]][-1].startswith("evaluation")
    assert board().name == "metaid-checkerboard-tiny"
