"""`llmrec train --here` in two processes: one run, made once, trained as one process would have trained it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmrec import artifacts
from llmrec.lm.processes import Share
from llmrec.runs import beside, store
from tests.runs.worlds import BOARD, board

ROOT = Path(__file__).parents[2]


def launched(n: int, *words: str) -> tuple[int, str, str]:
    """`llmrec train` with these words in n processes, as `accelerate launch` starts them on CPUs."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(n)] if n > 1 else []
    process = subprocess.Popen(
        [sys.executable, *launcher, "-m", "llmrec", "train", *words],
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=110)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"it hangs: {err[-2000:]}") from None
    return process.returncode, out, err


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_processes_make_one_run_with_the_numbers_of_one(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(BOARD)
    words = [str(recipe), "--json", "--set", "lm.dropout=0"]  # each process drops out of its own share
    code, alone, err = launched(1, *words, "--out", str(tmp_path / "alone"))
    assert code == 0, err
    code, together, err = launched(2, *words, "--out", str(tmp_path / "together"))
    assert code == 0, err
    assert len(together.splitlines()) == 1, "the main process alone says something"
    both = [json.loads(told)["metrics"] for told in (alone, together)]
    assert both[0].keys() == both[1].keys() == {"valid", "test"}
    for part in both[0]:
        for seen in ("masked", "unmasked"):
            one, two = (metrics[part][seen]["metrics"] for metrics in both)
            assert two == pytest.approx(one, abs=1.01 / 30), "sums in another order may move one of the 30 users"
    often = ("progress", "step")  # told by the clock
    events = [[e for e in store.open_run(tmp_path / n).events() if e["event"] not in often] for n in ("alone", "together")]
    assert [e["event"] for e in events[0]] == [e["event"] for e in events[1]], "nothing is told twice"
    assert artifacts.check(tmp_path / "together" / "model")
    code, again, err = launched(2, *words, "--out", str(tmp_path / "together"), "--resume")
    assert code == 0, err
    assert json.loads(again)["state"] == "done", "where nothing is left to train, nobody waits for anybody"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_the_main_process_refuses_ends_all(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(BOARD)
    store.create(board(), tmp_path / "taken")
    code, out, err = launched(2, str(recipe), "--out", str(tmp_path / "taken"))
    assert code != 0
    assert out == ""
    assert err.count("already holds a run") == 1


def test_alone_a_run_is_made_and_told_nobody() -> None:
    run = beside.agreed(Share(), lambda: store.create(board()))
    assert run is not None
    assert run.status.state == "new"
    with pytest.raises(ValueError, match="no room"):
        beside.agreed(Share(), refused)


def refused() -> store.Run:
    raise ValueError("no room")
