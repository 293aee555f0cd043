"""Damage on the disk: bit flips, truncation, zero bytes and rubbish, anywhere. The run goes on to the same end or says why not; nobody else
is touched, and the list shows all."""

from __future__ import annotations

import dataclasses
import functools
import random
import shutil
from pathlib import Path

import pytest

from llmrec import home
from llmrec.runs import live, pipeline, queue, status, store
from llmrec.runs.queue import dispatch, keeper, ledger
from llmrec.runs.store import Run
from tests.faults.scene import campaign, digest, outcome, rows
from tests.runs.worlds import board


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes after something happened to them: always others."""
    at, size = chance.randrange(max(1, len(data))), chance.randint(1, 64)
    how = chance.choice(["flip", "cut", "zeros", "rubbish", "empty", "twice", "deep"])
    if how == "flip" and data:
        return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
    if how == "cut" and data:
        return data[:at]
    if how == "zeros":
        return data[:at] + b"\0" * size + data[at + size :] + b"\0"
    if how == "rubbish":
        return data[:at] + chance.randbytes(size) + data[at + size :]
    if how == "twice":
        return data + data[:at] + b"}"
    return b"[" * 100_000 if how == "deep" else b"" if data else b"\xff"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody starts workers: what is damaged is read, and worked here."""
    monkeypatch.setattr(keeper, "ensure", lambda: None)
    monkeypatch.setattr(dispatch, "_start", lambda book, staying: None)


def halves() -> tuple[Run, Run]:
    """A run that was worked to its end, and one like it that was stopped in the middle of its training."""
    recipe = dataclasses.replace(board(), train=dataclasses.replace(board().train, epochs=4, batch=8, validations=4))
    whole, half = store.create(recipe), store.create(recipe)
    pipeline.train(whole)
    seen: list[str] = []
    pipeline.train(half, emit=lambda e: seen.append(str(e["event"])), should_stop=lambda: seen.count("validation") > 1)
    assert half.status.state == "stopped"
    return whole, half


def worked(run: Run) -> str:
    """Work it as a worker would; the state it comes to."""
    try:
        return pipeline.train(store.by_name(run.name)).state
    except ValueError:
        return "refused"


PARTS = {
    "checkpoint": ["checkpoint/state.safetensors", "checkpoint/progress.json", "checkpoint/manifest.json"],
    "adapter": ["model/*"],
    "finished": ["model/*"],
    "recipe": ["recipe.toml", "run.json"],
    "events": ["events.jsonl"],
    "names": ["ids/*", "vectors/*"],
    "status": ["status.json"],
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_part_of_a_run_is_mended_or_told(part: str) -> None:
    chance = random.Random(f"damage {part}")
    whole, half = halves()
    wanted, before = outcome(whole), digest(whole.path)
    with campaign(3, 24) as tally:
        for number in range(tally.tries):
            hurt = Run(home.runs() / f"hurt-{number}")
            shutil.copytree(whole.path if part == "finished" else half.path, hurt.path)
            if part == "finished":  # but for its numbers, for which the model is loaded
                (hurt.path / "metrics.json").unlink()
                status.write(hurt.path, "stopped")
            at = chance.choice(sorted(p for pattern in PARTS[part] for p in hurt.path.glob(pattern) if p.is_file()))
            at.write_bytes(damaged(at.read_bytes(), chance))
            with tally.once():
                assert rows() == sorted([whole.name, half.name, hurt.name])
                live.picture(hurt)
                state = worked(hurt)
                if state == "done":
                    assert outcome(hurt) == wanted
                else:
                    assert state == "refused"
                    found = store.find(hurt.name)
                    assert at.name in found.status.reason or at.parent.name in found.status.reason, found.status.reason
                assert digest(whole.path) == before
                queue.delete(store.find(hurt.name))
                assert rows() == sorted([whole.name, half.name])
            shutil.rmtree(hurt.path, ignore_errors=True)


def test_a_status_of_rubbish_stops_neither_the_list_nor_the_queue() -> None:
    chance = random.Random(3)
    runs = [queue.submit(board()), store.create(board()), queue.submit(board())]
    waiting = [runs[0].name, runs[2].name]
    kept = {run.name: (run.path / status.FILE).read_bytes() for run in runs}
    with campaign(40, 400) as tally:
        for _ in range(tally.tries):
            hurt = chance.choice(runs)
            (hurt.path / status.FILE).write_bytes(damaged(kept[hurt.name], chance))
            with tally.once():
                assert rows() == sorted(kept)
                assert hurt.status.reason
                dispatch.tick()
                assert [p.run_name for p in queue.listing()] == waiting
            for run in runs:
                (run.path / status.FILE).write_bytes(kept[run.name])
                dispatch.tick()


def test_a_damaged_ledger_forgets_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "SCAN", 0.0)
    chance = random.Random(4)
    runs = sorted(queue.submit(board()).name for _ in range(4))
    kept = ledger.path().read_bytes()
    with campaign(40, 400) as tally:
        for _ in range(tally.tries):
            hurt = functools.reduce(lambda data, _: damaged(data, chance), range(chance.randint(1, 3)), kept)
            ledger.path().write_bytes(hurt)
            with tally.once():
                ledger.read()
                dispatch.tick()
                assert sorted(p.run_name for p in queue.listing()) == runs
                extra = queue.submit(board())
                assert sorted(p.run_name for p in queue.listing()) == sorted([*runs, extra.name])
                queue.delete(extra)
                assert sorted(p.run_name for p in queue.listing()) == runs
            for path in home.runs().glob(f"{ledger.FILE}*"):
                path.unlink()


def test_events_of_rubbish_leave_a_picture() -> None:
    chance = random.Random(5)
    run, other = store.create(board()), store.create(board())
    lines = b"".join(b'{"event": "step", "step": %d, "steps": 90, "loss": 0.5, "progress": 0.1}\n' % n for n in range(1, 90))
    before = digest(other.path)
    with campaign(40, 400) as tally:
        for _ in range(tally.tries):
            (run.path / "events.jsonl").write_bytes(damaged(lines, chance))
            with tally.once():
                found = live.picture(run)
                at = [step for step, _ in found.curves.losses]
                assert at == sorted(set(at))
                assert digest(other.path) == before
                status_now = run.status.state
                pipeline.Teller(run, None)({"event": "step", "step": 91, "loss": 0.25})
                assert run.events()[-1]["step"] == 91
                assert run.status.state == status_now


def test_what_a_kill_left_in_the_middle_of_a_swap_is_mended(tmp_path: Path) -> None:
    from llmrec import artifacts

    with campaign(3, 3) as tally:
        for moment in range(tally.tries):
            folder = tmp_path / f"{moment}" / "checkpoint"
            for word in ("old", "new"):
                with artifacts.writing(folder, "Checkpoint") as fresh:
                    (fresh / "x").write_text(word)
                if word == "old" and moment == 0:
                    break
            aside = folder.with_name(".checkpoint-old-abc")
            aside.mkdir()
            if moment < 2:  # neither stands: killed between the two renames
                folder.rename(aside / "0")
            else:  # killed after both, before the old one was swept up
                shutil.copytree(folder, aside / "0")
            folder.with_name(".checkpoint-fresh").mkdir()
            with tally.once():
                artifacts.recover(folder)
                assert artifacts.check(folder, "Checkpoint")["files"]
                assert [p.name for p in folder.parent.iterdir()] == ["checkpoint"]
