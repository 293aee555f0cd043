"""The agent of a Ray cluster, before a Ray that plays a script: what it tries again, what it gives up, and what it says."""

from __future__ import annotations

import fcntl
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmrec import artifacts, home
from llmrec.runs import executors, status, store
from llmrec.runs.executors import node
from llmrec.runs.executors import ray as executor
from llmrec.runs.queue import deaths
from llmrec.runs.status import Status
from llmrec.runs.store import Run
from tests.runs.executors.steps import warnings
from tests.runs.worlds import board


class RayError(Exception):
    pass


class RayTaskError(RayError):
    pass


class OutOfMemoryError(RayError):
    pass


class TaskCancelledError(RayError):
    pass


Outcome = dict[str, Any] | RayError | Callable[[], dict[str, Any] | RayError] | None


class Script:
    """Stands in the place of the module ray. Each task sent comes to the next outcome; None: no node is ever free."""

    def __init__(self, *outcomes: Outcome, resources: dict[str, float] | None = None) -> None:
        self.outcomes, self.resources = list(outcomes), resources or {"CPU": 2.0}
        self.sent: list[tuple[Any, ...]] = []
        self.needs: list[dict[str, Any]] = []
        self.cancelled: list[int] = []
        self.open = False
        self.exceptions = SimpleNamespace(
            RayError=RayError, RayTaskError=RayTaskError, OutOfMemoryError=OutOfMemoryError, TaskCancelledError=TaskCancelledError
        )

    def init(self, **settings: Any) -> None:
        self.open = True

    def shutdown(self) -> None:
        self.open = False

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": self.resources}, {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}}]

    def remote(self, **needs: Any) -> Callable[[Any], Any]:
        self.needs.append(needs)
        return lambda function: SimpleNamespace(remote=self._send)

    def _send(self, *words: Any) -> int:
        self.sent.append(words)
        return len(self.sent) - 1

    def wait(self, sent: list[int], timeout: float) -> tuple[list[int], list[int]]:
        return (sent, []) if self.outcomes[sent[0]] is not None else ([], sent)

    def get(self, sent: int) -> dict[str, Any]:
        found = self.outcomes[sent]
        found = found() if callable(found) else found
        if isinstance(found, RayError):
            raise found
        assert found is not None
        return found

    def cancel(self, sent: int, force: bool) -> None:
        self.cancelled.append(sent)


@pytest.fixture
def run() -> Run:
    return store.create(board())


@pytest.fixture
def played(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], Status]:
    """`played(script)` works the run with that Ray."""

    def play(script: Script) -> Status:
        monkeypatch.setitem(sys.modules, "ray", script)
        monkeypatch.setattr(executor, "_address", lambda: "head:6379")
        try:
            return executors.known("ray").work(run)
        finally:
            assert not script.open

    return play


def test_without_ray_or_a_cluster_it_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def complaint() -> str:
        with pytest.raises(ValueError) as caught:
            executor.Ray().work(run)
        return str(caught.value)

    with monkeypatch.context() as without:
        without.setitem(sys.modules, "ray", None)
        assert 'pip install "llmrec[ray]"' in complaint()
    monkeypatch.setitem(sys.modules, "ray", Script())
    assert complaint().startswith("no Ray cluster runs on this machine: start one with `ray start --head`, or name one with RAY_ADDRESS=")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(f"127.0.0.1:{port}\n")  # what a cluster that was killed leaves behind
    assert complaint().startswith(f"no Ray cluster answers at 127.0.0.1:{port} (")
    for address, said in {"ray://head:10001": "--num-cpus=0", "head": "wants HOST:PORT", "a:99999": "wants HOST:PORT"}.items():
        monkeypatch.setenv("RAY_ADDRESS", address)
        assert said in complaint()
    for cpus in ("0", "two", "-1", "1.5", ""):
        monkeypatch.setenv("LLMREC_RAY_CPUS", cpus)
        assert "LLMREC_RAY_CPUS" in complaint()


def test_a_cluster_that_cannot_be_joined_is_told(run: Run, played: Callable[[Script], Status]) -> None:
    class Shut(Script):
        def init(self, **settings: Any) -> None:
            raise ConnectionError("version mismatch")

    with pytest.raises(ValueError, match=r"at head:6379 cannot be joined \(version mismatch\): this machine must be a node of it"):
        played(Shut())


def test_what_an_earlier_agent_sent_is_called_back_also_where_the_cluster_has_gone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts.write_json({"attempt": "old"}, run.path / node.ORDER)
    monkeypatch.setitem(sys.modules, "ray", Script())
    monkeypatch.setenv("RAY_ADDRESS", "nobody")
    with pytest.raises(ValueError, match="RAY_ADDRESS"):
        executor.Ray().work(run)
    assert node.attempt(run.path) not in ("", "old")


@pytest.fixture
def clung(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An attempt that hangs on another node: it writes still, and does not hear that the run was given to another."""
    monkeypatch.setattr(executor, "LEAVE", 0.5)
    artifacts.write_json({"attempt": "old"}, run.path / node.ORDER)
    artifacts.write_json({"attempt": "old", "host": "far", "pid": 77}, run.path / node.PLACE)
    with open(run.path / node.LOCK, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.mark.usefixtures("clung")
def test_where_an_earlier_attempt_does_not_leave_nothing_is_sent(run: Run, played: Callable[[Script], Status]) -> None:
    script = Script({"ended": True})
    with pytest.raises(ValueError, match=r"on far \(process 77\) has not left within 0 s and may still write: end it there, then resume"):
        played(script)
    assert script.sent == []


@pytest.mark.usefixtures("clung")
def test_an_end_that_is_told_while_an_attempt_still_writes_says_so(
    run: Run, played: Callable[[Script], Status], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_call_back", lambda run: None)
    ended = played(Script({"unfit": "is not fit"}))
    assert ended.state == "failed" and "is not fit" in ended.reason and "on far (process 77) has not left" in ended.reason


def test_after_as_many_deaths_as_at_home_without_getting_further_it_fails(run: Run, played: Callable[[Script], Status]) -> None:
    first = [RayError()] * (deaths.TRIES - 2)
    script = Script(*first, {"died": "its process was killed", "for_memory": False}, TaskCancelledError(), {"ended": True})
    ended = played(script)
    assert ended.state == "failed" and ended.reason.startswith("somebody cancelled the run's task")
    assert f"{deaths.TRIES} times without getting further" in ended.reason
    told = [t.split(";")[0] for t in warnings(run)]
    assert told == ["a node died, or Ray's process there"] * len(first) + ["a node: its process was killed"]
    assert len(script.sent) == deaths.TRIES and {n["max_retries"] for n in script.needs} == {0}
    assert len({words[1] for words in script.sent}) == deaths.TRIES and node.attempt(run.path) not in {words[1] for words in script.sent}
    assert run.events()[-1]["state"] == "failed"


def test_deaths_that_got_further_are_no_reason_to_give_up(run: Run, played: Callable[[Script], Status]) -> None:
    count = iter(range(100))

    def further() -> RayError:
        artifacts.write_json({"step": next(count)}, run.path / "checkpoint" / "manifest.json")
        return RayError()

    def end() -> dict[str, Any]:
        status.write(run.path, "done")
        return {"ended": True}

    assert played(Script(*[further] * 6, end)).state == "done"
    assert len(warnings(run)) == 6


def test_a_want_of_memory_is_not_tried_again(run: Run, played: Callable[[Script], Status]) -> None:
    script = Script({"died": "the machine ran out of memory: set train.batch = 2", "for_memory": True})
    assert (played(script).state, len(script.sent)) == ("failed", 1)
    assert run.status.reason == "a node: the machine ran out of memory: set train.batch = 2"


def test_what_no_node_can_do_fails_with_the_reason(run: Run, played: Callable[[Script], Status]) -> None:
    assert "LLMREC_HOME" in played(Script({"unfit": "does not see it: LLMREC_HOME"})).reason
    ended = played(Script(RayTaskError("No module named 'llmrec'")))
    assert ended.state == "failed" and "could not begin the run: No module named 'llmrec'" in ended.reason
    assert warnings(run) == []


def test_a_run_that_waits_for_a_place_stops_at_once(run: Run, played: Callable[[Script], Status]) -> None:
    status.ask_to_stop(run.path)
    script = Script(None)
    ended = played(script)
    assert ended.state == "stopped" and "while it waited for a place in the cluster; resume" in ended.reason
    assert script.cancelled == [0] and node.attempt(run.path) != script.sent[0][1]  # should it begin in this moment, it leaves
    assert not (run.path / status.STOP).exists()


def test_a_death_on_the_way_to_a_stop_is_a_stop(run: Run, played: Callable[[Script], Status]) -> None:
    def stopped() -> RayError:
        signal.raise_signal(signal.SIGTERM)
        return RayError()

    assert played(Script(stopped)).state == "stopped"


def test_a_run_deleted_meanwhile_is_not_made_again(run: Run, played: Callable[[Script], Status]) -> None:
    def delete() -> dict[str, Any]:
        run.delete()
        return {"ended": True}

    with pytest.raises(status.RunGone):
        played(Script(delete))
    assert not run.path.exists()


def test_a_node_gets_one_gpu_where_there_are_some_and_the_same_folders(
    run: Run, played: Callable[[Script], Status], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMREC_RAY_CPUS", "3")
    monkeypatch.setenv("LLMREC_SLOTS", "7")
    monkeypatch.delenv("LLMREC_HOME", raising=False)
    none, some = Script({"unfit": "x"}), Script({"unfit": "x"}, resources={"CPU": 8.0, "GPU": 1.0})
    played(none), played(some)
    assert [(s.needs[0]["num_cpus"], s.needs[0]["num_gpus"]) for s in (none, some)] == [(3, 0), (3, 1)]
    folder, _, _, given = some.sent[0]
    assert folder == str(run.path) and Path(folder).is_absolute()
    assert given["LLMREC_HOME"] == str(home.home()) and given["OMP_NUM_THREADS"] == "3" and given["LLMREC_PRECISION"] == "fp32"
    assert "LLMREC_SLOTS" not in given and "PATH" not in given
    assert warnings(run) == [
        "no node of the cluster has 3 CPU cores, the largest has 2: the run waits for one that has; LLMREC_RAY_CPUS asks for fewer"
    ]
