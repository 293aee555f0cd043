"""Out of memory in a worker: an allocation fails, or the kernel ends the process. Told apart from a kill, with what would fit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmrec.runs import queue
from tests.faults.scene import campaign, cheap, done, kill, plan, plugin, steps, trained, until, whole, worker_of
from tests.runs.worlds import board

GROUP = Path("/sys/fs/cgroup/memory/llmrec-faults")
# a worker that takes more than it may, once a file says so
GREEDY = """
import os, resource, sys
if "llmrec.runs.queue.worker" in sys.orig_argv:
    from llmrec.runs import pipeline
    _told = pipeline.Teller.__call__

    def tell(self, event):
        _told(self, event)
        if event.get("event") == "step" and os.path.exists(os.environ["GREED"]):
            %s

    pipeline.Teller.__call__ = tell
"""
FAILS = """
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
            bytearray(2**30)
"""
IS_ENDED = f"""
            open("{GROUP}/cgroup.procs", "w").write(str(os.getpid()))
            b"".join(os.urandom(2**20) for _ in range(400))
"""
# a real training whose process may take no more once it steps
BOUNDED = """
import resource, sys
if "llmrec.runs.queue.worker" in sys.orig_argv:
    from llmrec.lm import loop
    _step = loop.Loop._step

    def step(self, work, epoch, at):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used, resource.getrlimit(resource.RLIMIT_AS)[1]))
        import torch
        self.course.loss = lambda *words: (torch.zeros(2**28), None)
        return _step(self, work, epoch, at)

    loop.Loop._step = step
"""


def greedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> Path:
    monkeypatch.setenv("GREED", str(tmp_path / "greed"))
    cheap(tmp_path, monkeypatch, 400, more=GREEDY % how.strip())
    return tmp_path / "greed"


@pytest.mark.timeout(600)
def test_an_allocation_that_fails_is_told_with_the_setting_that_would_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greed = greedy(tmp_path, monkeypatch, FAILS)
    with campaign(1, 10) as tally:
        for _ in range(tally.tries):
            plan(400)
            run, other = queue.submit(board()), queue.submit(board())
            until(lambda run=run: len(steps(run)) > 1, "it works")
            greed.touch()
            with tally.once():
                until(lambda run=run: run.status.state == "failed", "it fails")
                greed.unlink()
                plan(2)
                assert "not enough memory: set " in run.status.reason
                assert "train.batch" in run.status.reason
                assert "then resume" in run.status.reason
                until(lambda other=other: done(other), "the other ends")
                plan(steps(run)[-1] + 1)
                queue.resume(run)
                until(lambda run=run: done(run), "with memory again it ends")
            greed.unlink(missing_ok=True)


@pytest.fixture
def group() -> Iterator[None]:
    try:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(200 * 2**20))
    except OSError:
        pytest.skip("no memory group may be made here")
    yield
    for _ in range(100):
        with contextlib.suppress(OSError):
            GROUP.rmdir()
            return


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("group")
def test_what_the_kernel_ends_for_memory_is_told_apart_from_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greed = greedy(tmp_path, monkeypatch, IS_ENDED)
    with campaign(1, 10) as tally:
        for _ in range(tally.tries):
            plan(400)
            run = queue.submit(board())
            until(lambda run=run: len(steps(run)) > 1, "it works")
            with tally.once():
                pid = worker_of(run)
                kill(pid)
                until(lambda run=run, pid=pid: worker_of(run) not in (None, pid) and run.status.state == "running", "it goes on by itself")
                greed.touch()
                until(lambda run=run: run.status.state == "failed", "it fails")
                greed.unlink()
                assert "the machine ran out of memory and ended its process: set train.batch = " in run.status.reason
                assert run.status.reason.endswith("then resume")
                at = steps(run)[-1] + 1
                plan(at)
                queue.resume(run)
                until(lambda run=run: done(run), "with memory again it ends")
                whole(run, at)
            greed.unlink(missing_ok=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_real_training_without_memory_says_at_which_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(tmp_path, monkeypatch, BOUNDED)
    with campaign(1, 3) as tally:
        for _ in range(tally.tries):
            run = queue.submit(trained())
            with tally.once():
                until(lambda run=run: run.status.state == "failed", "it fails")
                assert "there was not enough memory at step 1, of 4 documents: set train.batch = 2" in run.status.reason
