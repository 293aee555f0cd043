"""A real Ray cluster on this machine, nodes of one core each: progress, stop, kills of nodes and of agents, two runs at once."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmrec import artifacts, recipe
from llmrec.recipe import Recipe
from llmrec.runs import queue, status, store
from llmrec.runs.executors import node
from llmrec.runs.executors.ray import WAITS
from llmrec.runs.queue import keeper
from llmrec.runs.store import Run
from tests.runs.executors.steps import DEADLINE, alive, environment, steps, until, warnings
from tests.runs.worlds import BOARD, board

ray = pytest.importorskip("ray", reason='Ray is not installed: pip install "llmrec[ray]"')
HERE = "127.0.0.2"  # this machine under an address that Ray does not replace by one of the network
QUICK = {"health_check_period_ms": 500, "health_check_failure_threshold": 4, "health_check_initial_delay_ms": 0}


class Nodes:
    """A cluster: a head that works nothing, and nodes that can be killed."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder = folder
        small = {"object_store_memory": 80 * 2**20, "node_ip_address": HERE, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "_system_config": QUICK, **small})
        self.settings = {"num_cpus": 1, **small}
        self.nodes: list[Any] = []

    def grow(self, count: int) -> None:
        """See to it that there are so many."""
        while len(self.nodes) < count:
            self.nodes.append(self.cluster.add_node(**self.settings))

    def of(self, pid: int) -> Any:
        """The node that a process belongs to."""
        above = set()
        while pid > 1:
            above.add(pid)
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return next(n for n in self.nodes if any(p.process.pid in above for kind in n.all_processes.values() for p in kind))

    def kill(self, victim: Any) -> None:
        """kill -9 of all that a node is."""
        self.nodes.remove(victim)
        self.cluster.remove_node(victim, allow_graceful=False)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # short: the paths of sockets end at about 100 characters
    given = {**environment(folder, 1000), "RAY_TMPDIR": str(folder), "RAY_USAGE_STATS_ENABLED": "0", "RAY_memory_monitor_refresh_ms": "0"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        made = Nodes(folder)
        try:
            yield made
        finally:
            made.cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nodes(cluster: Nodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """A node or two, the queue pointed at them, and no agent left afterwards."""
    monkeypatch.setenv("RAY_ADDRESS", cluster.cluster.address)
    monkeypatch.setenv("LLMREC_RAY_CPUS", "1")
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    plan(cluster, 1000)
    cluster.grow(1)
    yield cluster
    for run in store.list_runs():
        with contextlib.suppress(ProcessLookupError, artifacts.BadArtifact):
            if status.is_locked(run.path):
                os.kill(agent(run), signal.SIGKILL)
        with contextlib.suppress(artifacts.BadArtifact):
            pid = int(artifacts.read_json(run.path / node.PLACE)["pid"])
            until(lambda pid=pid: not alive(pid), "its process on the node left")


def plan(cluster: Nodes, count: int) -> None:
    (cluster.folder / "steps").write_text(str(count))


def agent(run: Run) -> int:
    """The pid of the worker that watches over a run."""
    return int(artifacts.read_json(run.path / node.ORDER)["pid"])


def worker(run: Run) -> int:
    """The pid of the process that works it on a node, once there is one."""
    until(lambda: node.place(run.path, node.attempt(run.path)), f"{run.name} has a place")
    found = node.place(run.path, node.attempt(run.path))
    assert found is not None
    return int(found["pid"])


def turned(state: str, run: Run, patience: float = DEADLINE) -> None:
    """Turn the queue until the run is in that state."""
    until(lambda: queue.tick() is None and run.status.state == state, f"{run.name} is {state}, not {run.status}", patience)


@pytest.mark.slow
def test_a_run_of_the_queue_is_worked_on_a_node(nodes: Nodes) -> None:
    plan(nodes, 5)
    run = queue.submit(board(), executor="ray")
    turned("done", run)
    assert steps(run) == [1, 2, 3, 4, 5]
    events = run.events()
    assert [(e["event"], e.get("stage")) for e in events[:1]] == [("stage", WAITS)] and events[0]["state"] == "begin"
    assert any(e.get("stage") == WAITS and e["state"] == "end" for e in events) and events[-1]["state"] == "done"
    assert {e["threads"] for e in events if e["event"] == "step"} == {"1"}
    assert run.status.executor == "ray" and run.status.pid == artifacts.read_json(run.path / node.PLACE)["pid"] != agent(run)
    assert queue.listing() == []


@pytest.mark.slow
def test_what_failed_on_a_node_is_told_here(nodes: Nodes) -> None:
    run = queue.submit(board(), executor="ray")
    until(lambda: steps(run), "it works")
    queue.stop(run)
    turned("stopped", run)
    (run.path / "checkpoint" / "manifest.json").write_text("torn")
    queue.resume(run)
    turned("failed", run)
    assert "manifest.json is truncated" in run.status.reason
    until(lambda: not status.is_locked(run.path), "its agent has left")
    assert "BadArtifact" in (run.path / "worker.log").read_text()


@pytest.mark.slow
def test_two_runs_on_two_nodes_at_once_a_third_waits_and_each_stops(nodes: Nodes) -> None:
    nodes.grow(2)
    runs = [queue.submit(board(), executor="ray") for _ in range(2)]
    assert nodes.of(worker(runs[0])) is not nodes.of(worker(runs[1]))
    third = queue.submit(board(), executor="ray")
    until(third.events, "the third waits")
    before = [len(steps(run)) for run in runs]
    until(lambda: all(len(steps(run)) > n + 3 for run, n in zip(runs, before, strict=True)), "both work")
    assert [e["stage"] for e in third.events()] == [WAITS] and node.place(third.path, node.attempt(third.path)) is None
    queue.stop(third)
    turned("stopped", third)
    assert "while it waited for a place in the cluster" in third.status.reason
    queue.stop(runs[0])  # by the file
    os.kill(agent(runs[1]), signal.SIGTERM)  # by a signal to whoever watches
    for run in runs:
        turned("stopped", run)
        assert 0 < len(steps(run)) < 1000
        until(lambda run=run: not status.is_locked(run.path), "its agent has left")
    plan(nodes, steps(runs[0])[-1] + 2)
    queue.resume(runs[0])
    turned("done", runs[0])
    assert steps(runs[0]) == list(range(1, steps(runs[0])[-1] + 1))


@pytest.mark.slow
def test_a_killed_agent_takes_its_run_from_the_node_and_the_queue_goes_on(nodes: Nodes) -> None:
    run = queue.submit(board(), executor="ray")
    first = worker(run)
    until(lambda: len(steps(run)) > 3, "it works")
    os.kill(agent(run), signal.SIGKILL)
    until(lambda: not alive(first), "nobody trains a run whose lock is free")
    reached = len(steps(run))
    plan(nodes, reached + 20)
    turned("done", run)
    taken = steps(run)
    assert taken == sorted(set(taken)) and artifacts.read_json(run.path / node.PLACE)["pid"] != first


def real(epochs: int) -> Recipe:
    """A training of some seconds, on one core."""
    import tomllib

    text = BOARD.replace("epochs = 2\nvalidations = 1", f"epochs = {epochs}\nvalidations = 3\npatience = 100")
    return dataclasses.replace(recipe.read(tomllib.loads(text)), name="metaid-checkerboard-tiny")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_nodes_run_goes_on_elsewhere_and_ends_as_the_undisturbed_one(nodes: Nodes, tmp_path: Path) -> None:
    from llmrec.lm.model import LanguageModel

    nodes.grow(2)
    plan(nodes, 0)
    whole = store.create(real(60), tmp_path / "whole")
    train = "import sys; from llmrec.runs import pipeline, store; print(pipeline.train(store.open_run(sys.argv[1])).state)"
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run([sys.executable, "-c", train, str(whole.path)], check=True, capture_output=True, env=alone).stdout == b"done\n"
    run = queue.submit(real(60), executor="ray")
    first = worker(run)
    until((run.path / "checkpoint" / "manifest.json").exists, "there is a checkpoint")
    home = nodes.of(first)
    nodes.kill(home)
    until(lambda: warnings(run), "the death is told")
    assert "died" in warnings(run)[0] and "goes on from where it was" in warnings(run)[0]
    assert nodes.of(worker(run)) is not home and not alive(first)
    turned("done", run, patience=300)
    assert [e for e in run.events() if e["event"] == "resumed"], "it began anew"
    one, two = whole.metrics, run.metrics
    assert one is not None and two is not None
    assert one["test"]["masked"]["metrics"] == two["test"]["masked"]["metrics"]
    weights = [LanguageModel.load(r.path / "model").trained() for r in (whole, run)]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


@pytest.mark.slow
def test_a_stop_leaves_a_usable_model(nodes: Nodes) -> None:
    plan(nodes, 0)
    run = queue.submit(real(3000), executor="ray")
    until((run.path / "checkpoint" / "manifest.json").exists, "there is a checkpoint")
    queue.stop(run)
    assert run.status.state in ("stopping", "stopped")
    turned("stopped", run)
    split = run.split()
    assert run.recommender().recommend(split.queries("valid"), 5).items.shape == (split.train.n_users, 5)
