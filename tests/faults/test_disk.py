"""A disk that is full, at any moment: what could not be written is told, what was there before stays, and with room again all goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmrec import artifacts, home
from llmrec.runs import live, pipeline, queue, status, store
from llmrec.runs.queue import dispatch
from llmrec.runs.store import Run
from tests.faults.scene import campaign, digest, outcome, rows
from tests.runs.worlds import board


class Disk:
    """A small disk of its own under the runs' folder, which can be filled to the last byte."""

    def __init__(self, root: Path) -> None:
        self.root, self.ballast = root, root / "ballast"

    def fill(self) -> None:
        with contextlib.suppress(OSError), self.ballast.open("ab", buffering=0) as file:
            while True:
                file.write(b"\1" * 4096)

    def free(self) -> None:
        self.ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    root = tmp_path / "disk"
    root.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(root)], capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        monkeypatch.setenv("LLMREC_RUNS", str(root / "runs"))
        yield Disk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_room_for_checkpoints_and_models(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.lm import loop

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)
    recipe = dataclasses.replace(board(), train=dataclasses.replace(board().train, epochs=4, batch=8, validations=4))
    calm = store.create(recipe)
    pipeline.train(calm)
    wanted, before = outcome(calm), digest(calm.path)
    chance = random.Random(41)
    with campaign(3, 20) as tally:
        for number in range(tally.tries):
            run = store.create(recipe)
            full, free = sorted((chance.randint(1, 16), chance.randint(1, 30)))

            def weather(event: dict[str, object], full: int = full, free: int = free) -> None:
                if event.get("event") != "step":
                    return
                if event["step"] == full:
                    disk.fill()
                if event["step"] == free:
                    disk.free()

            with tally.once():
                try:
                    pipeline.train(run, emit=weather)
                except Exception:
                    assert run.status.state == "failed"
                    assert any(word in run.status.reason for word in ("room", "space")), run.status.reason
                    assert json.loads((run.path / status.FILE).read_text())
                    if (run.path / "checkpoint").exists():
                        artifacts.check(run.path / "checkpoint")
                    disk.free()
                    pipeline.train(run)
                disk.free()
                assert run.status.state == "done"
                assert outcome(run) == wanted
                assert digest(calm.path) == before
            disk.free()
            run.delete()
            assert rows() == [calm.name], number


def worked(run: Run, disk: Disk, full: int, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work a run that counts twelve steps, on a disk that is full from one of them to another."""

    def work(run: Run, tell: pipeline.Emit, stop: object, numbers: bool) -> None:
        for step in range(1, 13):
            if step == full:
                disk.fill()
            if step == free:
                disk.free()
            tell({"event": "step", "step": step, "steps": 12, "loss": 1.0})

    monkeypatch.setattr(pipeline, "_work", work)
    monkeypatch.setattr(pipeline, "BEAT", 0.0)
    pipeline.train(run)


def test_no_room_for_events_and_state(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(42)
    with campaign(12, 60) as tally:
        for _ in range(tally.tries):
            full, free = chance.randint(1, 12), chance.randint(2, 14)
            run = store.create(board())
            with tally.once():
                worked(run, disk, full, free, monkeypatch)
                assert json.loads((run.path / status.FILE).read_text())["state"] == "done"
                assert run.status.state == "done"
                told = [event["step"] for event in run.events() if event.get("event") == "step"]
                assert told == sorted(set(told))
                if full < free <= 12 and len(told) < 12:
                    assert f"{12 - len(told)} events of this run could not be written down" in live.picture(run).log.warnings[0]
            disk.free()
            run.delete()


def test_no_room_for_the_ledger_and_for_new_runs(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_start", lambda book, staying: None)
    monkeypatch.setattr(dispatch, "SCAN", 0.0)
    with campaign(4, 30) as tally:
        for _ in range(tally.tries):
            first = queue.submit(board())
            with tally.once():
                before = digest(home.runs())
                disk.fill()
                with pytest.raises(ValueError, match="no run can be made in .*: No space left on device; make room"):
                    queue.submit(board())
                queue.tick()
                assert rows() == [first.name]
                assert [p.run_name for p in queue.listing()] == [first.name]
                assert digest(home.runs()) == before
                disk.free()
                second = queue.submit(board())
                assert [p.run_name for p in queue.listing()] == [first.name, second.name]
                assert not [path for path in home.runs().iterdir() if path.name.startswith(".new-")]
            disk.free()
            for run in store.list_runs():
                queue.delete(run)


def test_a_worker_that_cannot_say_why_it_ended_is_not_taken_for_done(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(board())

    def work(run: Run, tell: pipeline.Emit, stop: object, numbers: bool) -> None:
        disk.fill()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pipeline, "_work", work)
    with pytest.raises(OSError, match="No space"):
        pipeline.train(run)
    assert run.status.state == "failed"
    assert "no room on the disk: free some where" in run.status.reason
    assert os.path.getsize(run.path / status.FILE)
