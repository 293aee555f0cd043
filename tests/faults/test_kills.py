"""kill -9 at random moments: of the worker, of the server, of both and of the keeper. The run ends as one that nobody disturbed."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs import live, queue, stages, status
from llmrec.runs.queue import keeper
from llmrec.runs.store import Run
from tests.faults.scene import (
    FULL,
    OFTEN,
    campaign,
    cheap,
    digest,
    done,
    kill,
    kill_everybody,
    outcome,
    pause,
    plan,
    plugin,
    steps,
    trained,
    until,
    wait,
    whole,
    worker_of,
)
from tests.runs.worlds import board

ENSURE = keeper.ensure  # the real one, which the tests' fixture takes away
AT_ONCE = 4  # kills that one run has to bear


def forget() -> None:
    """What other tries left in the cache, so that kills fall into the stages before the training too."""
    for stage, key in stages.keys(trained()).items():
        if stage != "data":
            shutil.rmtree(home.stages() / stage / key, ignore_errors=True)


def killed_again_and_again(run: Run, kills: int, chance: random.Random, longest: float) -> int:
    """kill -9 whoever works the run, each time after a random while; how often it was done before the run ended."""
    given = 0
    while given < kills:
        until(lambda: worker_of(run) is not None or done(run) or run.status.state == "failed", "a worker is there")
        if run.status.state == "failed":
            assert "without getting further" in run.status.reason, run.status.reason
            queue.resume(run)
            continue
        pid = worker_of(run)
        pause(chance, longest)
        if done(run):
            break
        if pid == worker_of(run) and kill(pid):
            given += 1
            until(lambda pid=pid: worker_of(run) != pid, "it is dead")
    return given


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_real_training_whose_worker_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, monkeypatch, OFTEN)
    monkeypatch.setenv("LLMREC_SLOTS", "2")  # one thread each, on two cores
    forget()
    calm = queue.submit(trained())
    until(lambda: worker_of(calm) is not None, "it works")
    began = time.monotonic()
    until(lambda: done(calm), "the undisturbed one ends")
    longest = 0.7 * (time.monotonic() - began)
    wanted, before, curve = outcome(calm), digest(calm.path), live.picture(calm).curves.validations
    chance = random.Random(20)
    with campaign(AT_ONCE, 20) as tally:
        while tally.done < tally.tries:
            forget()
            run, given = queue.submit(trained()), 0
            with tally.once(0):
                given = killed_again_and_again(run, min(AT_ONCE, tally.tries - tally.done), chance, longest)
                until(lambda run=run: done(run), "it ends")
            tally.done += given
            with tally.once(0):
                assert outcome(run) == wanted
                assert live.picture(run).curves.validations == curve
                assert sorted(set(steps(run))) == list(range(1, 97))
                assert digest(calm.path) == before
                tally.survived += given


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_killed_among_many_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 25)
    chance = random.Random(21)
    with campaign(3, 40) as tally:
        while tally.done < tally.tries:
            run, other, given = queue.submit(board()), queue.submit(board()), 0
            with tally.once(0):
                given = killed_again_and_again(run, min(AT_ONCE, tally.tries - tally.done), chance, 2.0)
                until(lambda run=run, other=other: done(run) and done(other), "both end")
                whole(run, 25)
                whole(other, 25)
                assert len(set(steps(other))) == len(steps(other)), "nobody killed this one's worker"
                tally.survived += given
            tally.done += given


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def server(at: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "app.server", "--no-first-run", "--port", str(at)], stdout=subprocess.DEVNULL)


def told(at: int) -> dict[str, object]:
    """What the server says of itself; {} while it says nothing."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{at}/healthz", timeout=5) as answer:
            return dict(json.load(answer))
    except (OSError, urllib.error.URLError, ValueError):
        return {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_server_killed_while_a_run_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 20_000)
    chance = random.Random(22)
    run = queue.submit(board())
    wait(lambda: len(steps(run)) > 0, "it works")
    pid = worker_of(run)
    with campaign(2, 20) as tally:
        for number in range(tally.tries):
            at = port()
            process = server(at)
            if number % 5 == 0:  # some while they serve, most while they begin
                wait(lambda at=at: told(at).get("runs") == 1, "the new server shows the run")
            pause(chance, 8.0)
            process.kill()
            process.wait()
            seen = len(steps(run))
            with tally.once():
                wait(lambda seen=seen: len(steps(run)) > seen + 2, "it goes on")
                assert worker_of(run) == pid
                assert run.status.state == "running"
    at = port()
    last = server(at)
    try:
        wait(lambda: told(at).get("runs") == 1, "the last server shows the run")
        assert live.picture(run).pace.step == steps(run)[-1] or run.status.state == "running"
    finally:
        last.kill()
        last.wait()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_real_servers_work_each_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 5)
    from llmrec.runs import store

    ports = [port(), port()]
    servers = [server(at) for at in ports]
    try:
        for at in ports:
            wait(lambda at=at: told(at).get("status") == "ok", "it serves")
        with campaign(3, 10) as tally:
            runs = [store.create(board(), executor="local") for _ in range(tally.tries)]  # this process only looks on
            wait(lambda: all(done(run) for run in runs), "the servers bring all to their end")
            for run in runs:
                with tally.once():
                    whole(run, 5)
    finally:
        for process in servers:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_when_all_are_killed_the_next_command_or_server_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cheap(tmp_path, monkeypatch, 12)
    chance = random.Random(23)
    with campaign(2, 20) as tally:
        for number in range(tally.tries):
            plan(12)
            at = port()
            first = queue.submit(board())
            second = queue.submit(board())
            ENSURE()
            late = server(at) if FULL and number % 4 == 3 else None
            pause(chance, 3.0)
            with tally.once():
                kill_everybody()
                if late is not None:
                    late.wait()
                # a process that is killed lets go of its files an instant after its memory
                wait(lambda first=first, second=second: not any(status.is_locked(run.path) for run in (first, second)), "nobody is left")
                states = [run.status.state for run in (first, second)]
                assert set(states) <= {"queued", "interrupted", "done"}, states
                next_one = _next(late is not None, at)
                try:
                    wait(lambda first=first, second=second: done(first) and done(second), "both end")
                except AssertionError as error:
                    raise AssertionError(f"{error}: {first.status}, {second.status}, {queue.listing()}, {next_one.poll()}") from None
                whole(first, 12)
                whole(second, 12)
                kill_everybody()
                next_one.wait()


def _next(as_server: bool, at: int) -> subprocess.Popen[bytes]:
    """Whoever comes after everybody was killed."""
    if as_server:
        return server(at)
    return subprocess.Popen([sys.executable, "-m", "llmrec", "runs", "watch"], stdout=subprocess.DEVNULL)


def test_a_pid_that_is_used_again_is_not_taken_for_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec import artifacts

    cheap(tmp_path, monkeypatch, 40)
    run = queue.submit(board())
    until(lambda: len(steps(run)) > 2, "it works")
    kill(worker_of(run))
    wait(lambda: not status.is_locked(run.path), "it is dead")
    somebody = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        told_last = artifacts.read_json(run.path / status.FILE)
        artifacts.write_json({**told_last, "state": "running", "pid": somebody.pid}, run.path / status.FILE)
        assert run.status.state == "interrupted"
        plan(5)
        until(lambda: done(run), "it ends")
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.communicate()
