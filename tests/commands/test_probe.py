"""`llmrec probe` over the smallest runs, one that was tuned on dialogues and one that was not, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmrec.__main__ import main
from llmrec.report.probes import book
from tests.commands.at_work import own_home, place
from tests.commands.talkers import runs

__all__ = ["own_home", "place", "runs"]


def _probe(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["probe", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_runs_and_a_baseline_are_asked_alike_and_kept(runs: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, page = home / "probes.json", home / "page.md"
    words = ["--baseline", "popularity", "--users", "1", "--only", "list", "--only", "taste", "--out", str(kept), "--show", "3"]
    code, out, err = _probe(capsys, *runs, *words)
    assert code == 0, err
    assert f"{len(book.probes(['list', 'taste']))} probes by 1 user of" in out and "What holds" in out and "turns fail; " in out
    result = json.loads(kept.read_text())
    names = [runs[0], runs[1], f"popularity on {runs[0]}"]
    assert [(m["name"], m["tuned"]) for m in result["models"]] == list(zip(names, (True, False, False), strict=True))
    turns = [t for t in result["turns"] if t["turn"] == 1 and t["state"] == "asked"]
    said = {name: [(t["user"], t["probe"], t["message"]) for t in turns if t["model"] == name] for name in names}
    assert said[names[1]] == said[names[2]] and set(said[names[1]]) < set(said[names[0]]) and len(said[names[0]]) == 7
    assert all(t["checks"].get("exists", True) for t in turns)
    small = home / "small.json"
    code, told, _ = _probe(capsys, "--from", str(kept), "--summary", str(small))
    assert code == 0 and "turns fail; " in told and "answer" not in json.loads(small.read_text())
    code, again, _ = _probe(capsys, "--from", str(small))
    assert code == 0 and again.strip() in told
    page.write_text("<!-- probes -->\n<!-- end of probes -->\n")
    assert _probe(capsys, "--from", str(kept), "--markdown", str(page))[0] == 0
    assert f"| {runs[1].replace('_', chr(92) + '_')} |" in page.read_text() and "cannot" in page.read_text()
    code, printed, _ = _probe(capsys, "--from", str(kept), "--markdown", "-")
    assert code == 0 and printed.strip() in page.read_text()
    code, told, _ = _probe(capsys, "--from", str(kept), "--json")
    assert code == 0 and json.loads(told)["tallies"] == result["tallies"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name runs to ask"),
        (["no-such-run"], "no run is called"),
        (["{}", "--users", "0"], "--users 0"),
        (["{}", "--only", "sing"], "no probe asks for 'sing'"),
        (["{}", "--from", "probes.json"], "name runs to ask, or --from"),
        (["--from", "nowhere.json"], "nowhere.json cannot be read"),
        (["{}", "--only", "taste", "--users", "1", "--out", "{home}"], "is a folder"),
    ],
)
def test_what_is_refused(runs: list[str], home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    code, _, err = _probe(capsys, *(w.format(runs[1], home=home) for w in words))
    assert code == 2 and said in err and len(err.strip().splitlines()) == 1


def test_a_page_without_marks_is_refused(runs: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "bare.md").write_text("nothing")
    code, _, err = _probe(capsys, runs[1], "--only", "talk", "--users", "1", "--markdown", str(home / "bare.md"))
    assert code == 2 and "lacks the lines" in err and (home / "bare.md").read_text() == "nothing"
