"""A node's process: it leaves with its starter, it leaves when the run was given to another, and two never write at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmrec
from llmrec import artifacts
from llmrec.runs import status, store
from llmrec.runs.executors import node
from llmrec.runs.store import Run
from tests.runs.executors.steps import environment, steps, until
from tests.runs.worlds import board


class Nodes:
    """Starts node's processes as `here` does, and ends them with the test."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, **environment(folder, 1000), "OMP_NUM_THREADS": "1"}
        self.started: list[subprocess.Popen[bytes]] = []
        self.locks: dict[Path, status.Lock] = {}

    def order(self, run: Run, token: str) -> None:
        """As the agent does, which holds the run's lock."""
        if run.path not in self.locks:
            lock = status.take(run.path)
            assert lock is not None
            self.locks[run.path] = lock
        artifacts.write_json({"attempt": token}, run.path / node.ORDER)

    def start(self, run: Run, token: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "llmrec.runs.executors.node", str(run.path), token]
        self.started.append(subprocess.Popen(command, stdin=subprocess.PIPE, env=self.environment))
        return self.started[-1]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path)
    yield made
    for child in made.started:
        child.kill()
        child.communicate()
    for lock in made.locks.values():
        lock.close()


def test_it_leaves_with_its_starter_and_with_its_agent(nodes: Nodes) -> None:
    run = store.create(board())
    nodes.order(run, "a")
    child = nodes.start(run, "a")
    until(lambda: steps(run), "it works")
    assert node.place(run.path, "a") == {"attempt": "a", "host": os.uname().nodename, "pid": child.pid}
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(60) == node.LEFT
    assert status.read_file(run.path).state == "running"  # it left without a word, as a killed one does
    reached = steps(run)[-1]
    child = nodes.start(run, "a")
    until(lambda: steps(run)[-1] > reached, "it goes on")
    nodes.locks.pop(run.path).close()  # an agent died and Ray with it
    assert child.wait(60) == node.LEFT


def test_a_run_given_to_another_is_left_two_never_write_at_once_and_a_stop_is_heard(nodes: Nodes) -> None:
    run = store.create(board())
    nodes.order(run, "a")
    hung = nodes.start(run, "a")
    until(lambda: steps(run), "the first works")
    hung.send_signal(signal.SIGSTOP)  # a node that was cut off for a while
    nodes.order(run, "b")
    second = nodes.start(run, "b")
    third = nodes.start(run, "c")  # of an agent that is long gone
    assert third.wait(60) == node.LEFT
    before = steps(run)
    assert node.place(run.path, "b") is None and second.poll() is None
    hung.send_signal(signal.SIGCONT)
    assert hung.wait(60) == node.LEFT
    until(lambda: node.place(run.path, "b"), "the second works")
    until(lambda: len(steps(run)) > len(before) + 10, "it goes on")
    status.ask_to_stop(run.path)
    assert second.wait(60) == 0 and status.read_file(run.path).state == "stopped"
    taken = steps(run)
    assert taken == sorted(set(taken)), "two wrote at once"


def test_a_stop_from_before_its_first_line_is_a_stop(nodes: Nodes) -> None:
    run = store.create(board())
    nodes.order(run, "a")
    status.ask_to_stop(run.path)
    assert nodes.start(run, "a").wait(60) == 0
    found = status.read_file(run.path)
    assert (found.state, steps(run)) in [("stopped", []), ("stopped", [1])] and "on request" in found.reason
    assert not (run.path / status.STOP).exists()


def test_here_says_why_a_node_is_not_fit(tmp_path: Path) -> None:
    run = store.create(board())
    folder = str(run.path)
    assert "has llmrec" in node.here(folder, "a", "0.0.0", {}, lag=0)["unfit"]
    told = node.here(folder, "a", llmrec.__version__, {}, lag=0)
    assert told["unfit"].startswith(f"does not see {run.path}: LLMREC_HOME")
    artifacts.write_json({"attempt": "b"}, run.path / node.ORDER)
    assert "carry locks (flock)" in node.here(folder, "b", llmrec.__version__, {}, lag=0)["unfit"]
    assert node.here(folder, "a", llmrec.__version__, {}, lag=0) == {"left": True}
    assert not (tmp_path / "elsewhere").exists() and "unfit" in node.here(str(tmp_path / "elsewhere"), "a", llmrec.__version__, {}, lag=0)
    assert not (tmp_path / "elsewhere").exists()


def test_here_tells_how_its_process_ended(nodes: Nodes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = store.create(board())
    nodes.order(run, "a")
    given = environment(tmp_path, 2) | {"OMP_NUM_THREADS": "1"}
    assert node.here(str(run.path), "a", llmrec.__version__, given) == {"ended": True}
    assert status.read_file(run.path).state == "done" and steps(run) == [1, 2]
    monkeypatch.setattr(sys, "executable", "false")
    assert node.here(str(run.path), "a", llmrec.__version__, given)["died"] == "its process ended with code 1 without a word"


def test_a_run_that_cannot_be_begun_says_why(nodes: Nodes) -> None:
    run = store.create(board())
    (run.path / "recipe.toml").write_text("seed = 1\n")
    nodes.order(run, "a")
    assert node.here(str(run.path), "a", llmrec.__version__, {}) == {"ended": True}
    found = status.read_file(run.path)
    assert found.state == "failed" and "truncated or was changed" in found.reason
    assert "Traceback" in (run.path / "worker.log").read_text()
