"""`llmrec compare` over a small run that was trained for real: the table, JSON, files, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llmrec.__main__ import main
from tests.browser import small_run

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_HOME", str(folder))
        small_run.train(folder / "runs")
    return folder


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.setenv("LLMREC_HOME", str(home))
    monkeypatch.setenv("LLMREC_RUNS", str(home / "runs"))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["compare", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


RUN = "metaid-checkerboard-run-1"


def test_a_run_beside_baselines_as_text_and_as_json(say: Say, home: Path) -> None:
    code, out, err = say(RUN, "--baseline", "popularity", "--baseline", "EASE")
    assert code == 0 and "checkerboard, loo, test, seen items masked, 60 users" in out and "is first by H@10" in out
    assert f"paired by user, less {RUN}" in out and "ease ..." in err
    code, out, _ = say(RUN, "--baseline", "quick", "--against", "ease", "--json")
    said = json.loads(out)
    assert code == 0 and said["against"] == "ease" and len(said["recommenders"]) == 5
    assert set(said["differences"]["hit@10"]) == {RUN, "popularity", "itemknn", "itemknn-last3"}
    own = next(one for one in said["recommenders"] if one["name"] == RUN)
    assert own["metrics"]["hit@10"][0] == pytest.approx(kept(home, "test", "masked")["hit@10"])


def kept(home: Path, part: str, seen: str) -> dict[str, float]:
    """What the run's own file says."""
    said: dict[str, float] = json.loads((home / "runs" / RUN / "metrics.json").read_text())[part][seen]["metrics"]
    return said


def test_files_are_written_or_printed(say: Say, tmp_path: Path) -> None:
    code, out, _ = say(
        RUN, "--baseline", "popularity", "--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv"), "--latex", "-"
    )
    assert code == 0 and "wrote" in out and r"\toprule" in out and RUN in out
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>") and "figure-differences" in (tmp_path / "r.html").read_text()
    assert (tmp_path / "r.csv").read_text().startswith("name,kind,scheme")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((RUN, "--baseline", "sasrek"), "no baseline is called 'sasrek'"),
        ((RUN, "--against", "ease"), "is not compared here"),
        (("nobody",), "no run is called 'nobody'"),
        ((RUN, "--html", "."), "is a folder"),
        ((RUN, "--csv", "/proc/none/x.csv"), "cannot be"),
    ],
)
def test_wrong_use_is_one_line(say: Say, words: tuple[str, ...], said: str) -> None:
    code, _, err = say(*words)
    assert code == 2 and said in err and err.rstrip().count("\n") <= 2


def test_another_part_and_policy(say: Say, home: Path) -> None:
    code, out, _ = say(RUN, "--part", "valid", "--seen", "unmasked", "--json")
    said = json.loads(out)
    assert code == 0 and (said["part"], said["seen"]) == ("valid", "unmasked")
    assert said["recommenders"][0]["metrics"]["ndcg@10"][0] == pytest.approx(kept(home, "valid", "unmasked")["ndcg@10"])
