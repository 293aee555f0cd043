"""`llmrec chat` over the smallest runs, one that was tuned on dialogues and one that was not, and what it refuses."""

from __future__ import annotations

import io
import json

import pytest

from llmrec.__main__ import main
from tests.commands.at_work import own_home, place
from tests.commands.talkers import runs

__all__ = ["own_home", "place", "runs"]


def _say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["chat", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_each_run_answers_each_message(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _say(capsys, *runs, "--user", "u3", "--message", "what next?", "--message", "something else", "--k", "2", "--json")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0, err
    assert [(a["model"], a["message"], a["tuned"]) for a in answers] == [
        (runs[0], "what next?", True),
        (runs[1], "what next?", False),
        (runs[0], "something else", True),
        (runs[1], "something else", False),
    ]
    first, second = answers[1], answers[3]
    assert first["said"] == "Here is what fits you: *, *." and second["said"] == "Something else: *, *."
    assert len({i["key"] for a in (first, second) for i in a["items"]}) == 4
    assert "User: what next?" in answers[0]["raw"] and answers[0]["raw"].count("User: ") == 1 and answers[2]["raw"].count("User: ") == 2


def test_a_baseline_answers_too(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _say(capsys, runs[1], "--baseline", "popularity", "--user", "u3", "--message", "what next?")
    assert code == 0 and f"popularity on {runs[1]}: Here is what fits you:" in out and out.count("first word") == 2


def test_a_fixed_speaker_is_told_as_such_once(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = _say(capsys, *runs, "--user", "u3", "--message", "what next?", "--message", "something else")
    told = [line for line in out.splitlines() if "first word" in line]
    assert ["sentences are fixed" in line for line in told] == [False, True, False, False] and runs[1] in told[1]


def test_messages_are_read_from_the_terminal(runs: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\nwhy?\x1b[31m\n\nnever read\n"))
    assert main(["chat", runs[1]]) == 0
    out = capfd.readouterr().out
    assert (
        out.count(f"{runs[1]}: Hello! My sentences are fixed") == 1 and "cannot explain" in out and "never" not in out and "\x1b" not in out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-run"], "no run is called"),
        (["{}", "--user", "nobody", "--message", "hi"], "no user has the key 'nobody'"),
        (["{}", "--k", "11", "--message", "hi"], "1 to 10"),
        (["{}", "--baseline", "magic", "--message", "hi"], "magic"),
    ],
)
def test_what_is_refused(runs: list[str], capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    code, _, err = _say(capsys, *(w.format(runs[1]) for w in words))
    assert code == 2 and said in err and len(err.strip().splitlines()) == 1


def test_speakers_of_one_data_set_share_what_is_known(runs: list[str]) -> None:
    from llmrec.recommend.chat.opening import open_speakers

    one, two = open_speakers(runs)
    assert one.knowledge is two.knowledge and (one.model, two.model) == tuple(runs)
    assert one.speaker.tuned and not two.speaker.tuned


def test_a_users_talk_begins_with_all_but_the_held_out_item(runs: list[str]) -> None:
    from llmrec.recommend.chat import opening
    from llmrec.runs import store

    run = store.open_run(runs[0])
    talk, split = opening.of_user(run, "u3"), run.split()
    assert talk.user == 3 and talk.history == (*split.train.history(3).tolist(), *split.valid.history(3).tolist())
    assert not set(split.test.history(3).tolist()) & set(talk.history)
