"""Votes: kept whatever happens, read whatever lies there, counted by hand."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from app.chat import tally, votes
from app.chat.votes import BAD, TIE, Vote


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "votes.jsonl"


def test_a_vote_comes_back_as_it_was_cast(file: Path) -> None:
    told = Vote(("beta", "alpha", "itemknn@beta"), "like <b>Alien</b>\n\u2028=1+1 \ud800 日本", "C", "196", 2.5, True, "session")
    kept = votes.cast(told, file)
    assert kept.when > 0 and kept.chosen == "itemknn@beta"
    assert votes.read(file) == votes.Ballots((kept,))
    assert len(file.read_text().splitlines()) == 1 and file.stat().st_mode & 0o077 == 0
    assert votes.exported([kept]) == file.read_text()


def test_they_lie_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    assert votes.read() == votes.Ballots(())
    votes.cast(Vote(("a", "b"), "x", TIE))
    assert (tmp_path / "votes.jsonl").exists() and len(votes.read().votes) == 1


def test_one_session_is_read_alone(file: Path) -> None:
    for who in ("me", "you", "me"):
        votes.cast(Vote(("a", "b"), who, "A", visitor=who), file)
    assert [v.message for v in votes.read(file, visitor="me").votes] == ["me", "me"]
    assert votes.read(file, visitor="").votes == ()


GOOD = Vote(("a", "b"), "good", "A", when=1.0)
DAMAGED = [
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"kind": "llmrec-vote", "format": 1}',
    b'{"kind": "llmrec-vote", "format": 2}',
    b"[" * 50_000,
    json.dumps({**json.loads(votes.exported([GOOD])), "models": ["a"]}).encode(),
    json.dumps({**json.loads(votes.exported([GOOD])), "models": "ab"}).encode(),
    json.dumps({**json.loads(votes.exported([GOOD])), "winner": "Z"}).encode(),
    json.dumps({**json.loads(votes.exported([GOOD])), "when": "NaN"}).encode(),
    json.dumps({**json.loads(votes.exported([GOOD])), "message": 7}).encode(),
    b'{"kind": "llmrec-vote", "format": 1, "message": "' + b"x" * 300_000 + b'"}',
]


@pytest.mark.parametrize("line", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_line_is_passed_over_and_counted(file: Path, line: bytes) -> None:
    votes.cast(GOOD, file)
    with file.open("ab") as torn:
        torn.write(line)  # a crash: no end of line
    votes.cast(GOOD, file)
    assert votes.read(file) == votes.Ballots((GOOD, GOOD), 1)


def _cast_many(file: Path, who: str) -> None:
    for n in range(25):
        votes.cast(Vote(("a", "b"), f"{who} {n}", "A"), file)


def test_processes_vote_at_the_same_time(file: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_cast_many, args=(file, f"p{n}")) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    found = votes.read(file)
    assert found.damaged == 0 and {v.message for v in found.votes} == {f"p{p} {n}" for p in range(4) for n in range(25)}


@pytest.mark.parametrize(
    ("models", "winner", "said"),
    [
        (("a",), "A", "between 2 to 4 models"),
        (("a", "b", "c", "d", "e"), "A", "between 2 to 4 models"),
        (("a", ""), "A", "models"),
        (("a", "b"), "C", "none of A, B, tie or bad"),
        (("a", "b"), "", "none of A, B"),
        (("a", "b"), "AB", "none of A, B"),
    ],
)
def test_what_is_no_vote_is_refused(models: tuple[str, ...], winner: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Vote(models, "x", winner)
    with pytest.raises(ValueError, match="shorten"):
        Vote(("a", "b"), "x" * 20_001, "A")


def test_wilsons_interval_is_that_of_the_books() -> None:
    """8 of 10: (0.490, 0.943); 0 of 5 and 5 of 5 stay within 0 and 1."""
    found = tally.wilson(8, 10)
    assert (found.mean, round(found.low, 3), round(found.high, 3)) == (0.8, 0.490, 0.943)
    none, all_ = tally.wilson(0, 5), tally.wilson(5, 5)
    assert (
        none.low == pytest.approx(0.0, abs=1e-12)
        and all_.high == pytest.approx(1.0)
        and round(none.high, 3) == 0.434
        and round(all_.low, 3) == 0.566
    )
    with pytest.raises(ValueError, match="no share"):
        tally.wilson(0, 0)


def test_pairs_and_models_are_counted() -> None:
    cast = [
        Vote(("a", "b"), "1", "A"),
        Vote(("b", "a"), "2", "A"),  # b
        Vote(("a", "b"), "3", TIE),
        Vote(("a", "b"), "4", BAD),
        Vote(("c", "a", "b"), "5", "A"),  # c wins against both; a and b say nothing of each other
    ]
    ab, ac, bc = tally.pairs(cast)
    assert (ab.model, ab.other, ab.wins, ab.ties, ab.losses, ab.bad) == ("a", "b", 1, 1, 1, 1)
    assert ab.share == tally.wilson(1.5, 3) and ab.share.mean == 0.5
    assert (ac.model, ac.other, ac.wins, ac.losses) == ("a", "c", 0, 1) and (bc.wins, bc.losses) == (0, 1)
    best, *others = tally.models(cast)
    assert (best.model, best.wins, best.losses) == ("c", 1, 0)
    assert {(t.model, t.wins, t.ties, t.losses, t.bad) for t in others} == {("a", 1, 1, 2, 1), ("b", 1, 1, 2, 1)}
    assert tally.models([Vote(("a", "b"), "x", BAD)])[0].share is None
    assert tally.pairs([]) == tally.models([]) == ()
