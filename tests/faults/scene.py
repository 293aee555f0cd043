"""What the tests of faults share: real workers that train a tiny world, tries that are counted, and what a run came to, byte by byte."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmrec import artifacts, home
from llmrec.recipe import Recipe
from llmrec.runs import status, store
from llmrec.runs.queue import dispatch, keeper
from llmrec.runs.store import Run
from tests.runs.worlds import board

FULL = os.environ.get("LLMREC_FAULTS") == "full"  # set by `python -m benchmarks.reliability`
FIGURES = os.environ.get("LLMREC_FIGURES")  # a file that gets one line a campaign
DEADLINE = 120.0
# A worker of the queue trains as ever, with a checkpoint and an event after every step, so that a kill falls among many.
OFTEN = """
import sys
if "llmrec.runs.queue.worker" in sys.orig_argv:
    from llmrec.lm import loop
    loop.CHECKPOINT_SECONDS = loop.REPORT_SECONDS = 0.0
"""


class Tally:
    """Tries of one fault. In `once()` a try that fails an assertion is lost, and the next goes on; at the end the first loss is raised."""

    def __init__(self, tries: int) -> None:
        self.tries, self.survived, self.first = tries, 0, ""
        self.done = 0

    @contextlib.contextmanager
    def once(self, worth: int = 1) -> Iterator[None]:
        self.done += worth
        try:
            yield
            self.survived += worth
        except Exception as error:
            self.first += f"try {self.done}: {type(error).__name__}: {error}\n"
            if not FULL:
                raise


@contextlib.contextmanager
def campaign(few: int, many: int) -> Iterator[Tally]:
    """Tries of a fault, few in the tests and many where figures are measured, which are then noted under the test's name."""
    tally = Tally(many if FULL else few)
    try:
        yield tally
    finally:
        if FIGURES:
            test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
            with open(FIGURES, "a", encoding="utf-8") as file:
                file.write(json.dumps({"test": test, "tries": tally.done, "survived": tally.survived}) + "\n")
    assert not tally.first, tally.first


def trained(seed: int = 11) -> Recipe:
    """A training of some seconds with many steps. seed: one of its own, so that nothing of it is in the cache of other tests."""
    plan = dataclasses.replace(board().train, epochs=12, batch=4, validations=4, patience=4)
    return dataclasses.replace(board(), seed=seed, train=plan)


def plugin(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Every Python that starts from now on runs this source before anything else."""
    (folder / "sitecustomize.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition and turn the queue meanwhile."""
    end = time.monotonic() + DEADLINE
    while True:
        with contextlib.suppress(ValueError):  # a full or busy disk: the next turn may do
            dispatch.tick()
        if condition():
            return
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.03)


def worker_of(run: Run) -> int | None:
    """The process that holds a run's lock, as the operating system knows it; None where there is none that may be killed."""
    try:
        node = (run.path / status.LOCK).stat()
    except OSError:
        return None
    ours = f"{os.major(node.st_dev):02x}:{os.minor(node.st_dev):02x}:{node.st_ino}"
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if run.name.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                held = [(process / "fdinfo" / fd.name).read_text() for fd in (process / "fd").iterdir() if _is(fd, node)]
                if any("FLOCK" in text and ours in text for text in held):
                    return int(process.name)
    return None


def _is(fd: Path, node: os.stat_result) -> bool:
    try:
        found = fd.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (node.st_dev, node.st_ino)


def kill(pid: int | None) -> bool:
    """kill -9. Whether there was somebody."""
    if not pid:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def everybody() -> list[int]:
    """Every process but this one that works in the runs' folder: workers, keepers, servers, commands."""
    mark, found = f"LLMREC_RUNS={home.runs()}".encode(), []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
    return found


def kill_everybody() -> int:
    """Until nobody is left: one that is killed may have started another an instant before. How many there were."""
    killed: set[int] = set()
    while pids := everybody():
        for pid in pids:
            kill(pid)
        killed |= set(pids)
        for child in [child for _, child in dispatch._children] + keeper._children:
            child.poll()
    return len(killed)


def wait(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition and touch nothing: somebody else must turn the queue."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)


def pause(chance: random.Random, longest: float) -> None:
    """A random moment is what is tested here: nothing is waited for."""
    time.sleep(chance.uniform(0, longest))


def done(run: Run) -> bool:
    return run.status.state == "done"


def outcome(run: Run) -> tuple[str, str]:
    """What a run came to: its weights and its numbers, byte by byte, without the seconds that they took."""
    metrics = json.dumps(
        {part: {seen: r["metrics"] for seen, r in kept.items()} for part, kept in (run.metrics or {}).items()}, sort_keys=True
    )
    files = sorted(p for p in (run.path / "model").rglob("*.safetensors"))
    assert files
    assert metrics != "{}"
    return "".join(artifacts.sha256(p) for p in files), metrics


def digest(folder: Path) -> str:
    """Of all files of a folder, hidden ones too: equal where nothing was touched."""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return whole.hexdigest()


def rows() -> list[str]:
    """The names of all runs, broken ones too."""
    return sorted(run.name for run in store.list_runs())


def steps(run: Run) -> list[int]:
    return [event["step"] for event in run.events() if event.get("event") == "step"]


def attempts(run: Run) -> list[list[int]]:
    """The steps of each attempt, in the order in which they stand in the file."""
    found: list[list[int]] = []
    for event in run.events():
        if event.get("event") == "start":
            found.append([])
        elif event.get("event") == "step" and found:
            found[-1].append(event["step"])
    return found


# A worker of the queue that does not train: so many steps of 50 ms as a file says, a checkpoint after each, and who did it when.
CHEAP = """
import os, sys, time
if "llmrec.runs.queue.worker" in sys.orig_argv:
    from llmrec import artifacts, home
    from llmrec.runs import pipeline

    def work(run, tell, stop, numbers):
        at = run.path / "checkpoint" / "manifest.json"
        done = artifacts.read_json(at)["step"] if at.exists() else 0
        if done:
            tell({"event": "resumed", "step": done, "steps": 100})
        with stop.gently():
            for step in range(done + 1, int(open(os.environ["STEPS"]).read()) + 1):
                time.sleep(0.05)
                # told before it is kept: killed in between, the step is taken and told again, never lost
                tell({"event": "step", "step": step, "steps": 100, "loss": 1 / step, "pid": os.getpid(), "at": time.monotonic()})
                artifacts.write_json({"step": step}, at)
                if stop():
                    break

    pipeline._work = work
"""


def cheap(folder: Path, monkeypatch: pytest.MonkeyPatch, steps: int, more: str = "") -> None:
    """Workers that start from now on don't train but count, after `more` has been run in them."""
    plugin(folder, monkeypatch, more + CHEAP)
    monkeypatch.setenv("STEPS", str(folder / "steps"))
    plan(steps)


def plan(steps: int) -> None:
    """How many steps a worker takes that begins from now on."""
    Path(os.environ["STEPS"]).write_text(str(steps))


def whole(run: Run, upto: int) -> None:
    """A counting run is done, took every step, no two processes worked it at once, and nobody else's steps stand in it."""
    assert done(run), run.status
    assert sorted(set(steps(run))) == list(range(1, upto + 1))
    pids = [event["pid"] for event in run.events() if event.get("event") == "step"]
    changes = [one for one, other in zip(pids, [*pids[1:], None], strict=True) if one != other]
    assert len(changes) == len(set(changes)), "two processes took turns"


def most_at_once(runs: list[Run]) -> int:
    """How many worked at the same time at most, by the clock that all processes share and that never goes back."""
    spans: dict[int, list[float]] = {}
    for run in runs:
        for event in run.events():
            if event.get("event") == "step":
                spans.setdefault(event["pid"], []).append(event["at"])
    edges = sorted([(min(at), 1) for at in spans.values()] + [(max(at), -1) for at in spans.values()])
    working = most = 0
    for _, change in edges:
        working += change
        most = max(most, working)
    return most
