"""`llmrec bundle`: a run is packed, shown, opened and opened again from the command line, and what is wrong is said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmrec.__main__ import main
from tests.runs.bundles.made import finished


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.view import project

    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMREC_BUNDLES", str(tmp_path / "shipped"))
    monkeypatch.setattr(project, "umap", lambda vectors, *_: project.pca(vectors))


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["bundle", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_packed_shown_opened_and_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished("rid")
    code, out, err = said(capsys, "pack", run.name, "--out", str(tmp_path / "out"), "--by", "somebody", "--check", "--json")
    packed: dict[str, Any] = json.loads(out)
    assert code == 0 and packed["agreement"]["same"] == 1.0 and Path(packed["file"]).stat().st_size == packed["bytes"], err
    code, out, _ = said(capsys, "show", packed["file"])
    assert code == 0 and "by somebody" in out and "model/model.safetensors" in out and "checkerboard (" in out and "0.2500" in out
    assert json.loads(said(capsys, "show", packed["file"], "--json")[1])["scheme"] == "rid"
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "elsewhere"))
    code, out, _ = said(capsys, "open", packed["file"])
    assert code == 0 and f"{run.name}: from a bundle: trained 20" in out and "by somebody" in out
    assert json.loads(said(capsys, "open", packed["file"], "--json")[1])["fresh"] is False
    assert main(["runs"]) == 0 and "from a bundle" in capsys.readouterr().out
    assert main(["recommend", run.name, "--user", "u3"]) == 0 and "Odd" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["pack"], "which run?"),
        (["pack", "nobody"], "no run is called 'nobody'"),
        (["show"], "which bundle?"),
        (["open", "nothing.zip"], "there is no file nothing.zip"),
        (["open"], "no bundles ship here"),
        (["open", "a.zip", "--half"], "takes no --half: it belongs to `llmrec bundle pack` or `llmrec bundle train`"),
        (["train", "here"], "there are no recipes in here"),
        (["train", "a", "b"], "takes one folder"),
    ],
)
def test_wrong_use_in_one_line(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, *words)
    assert code == 2 and why in err and err.count("\n") == 1 and not out
