"""Troubles in the middle of a training: a disk without room, damaged files, memory that is not there. Real ones, as far as a test may."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from llmrec.artifacts import BadArtifact
from llmrec.lm import checkpoint, loop, trouble
from llmrec.lm.average import Average
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.model import LanguageModel
from tests.lm import world

TABLE, SPLIT = world.table(n_users=40), world.split()
PLAN = FineTune(epochs=3, batch=8, max_items=5, validations=2)
ROOT = Path(__file__).parents[2]
Events = list[dict[str, Any]]


def _fit(folder: Path, stop_at: int = 0, plan: FineTune = PLAN) -> tuple[dict[str, Any], Events]:
    events, steps = Events(), iter(range(10**6))
    lm = world.model(TABLE)
    return plan.fit(lm, TABLE, SPLIT, folder, events.append, lambda: next(steps) + 1 == stop_at, 0, Trie()), events


def _warnings(events: Events) -> list[str]:
    return [e["text"] for e in events if e["event"] == "warning"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("whole")
    _fit(folder)
    return dict(LanguageModel.load(folder / "model").trained())


def _same(folder: Path, expected: dict[str, torch.Tensor]) -> bool:
    found = LanguageModel.load(folder / "model").trained()
    return all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, where one may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(disk: Path) -> Path:
    """Take all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    return filler


def test_a_full_disk_costs_a_checkpoint_and_not_the_training(
    small_disk: Path, undisturbed: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full from step 3 to step 6, and then there is room again."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    _fit(small_disk, stop_at=2)
    state = small_disk / "checkpoint" / checkpoint.STATE
    events, fillers, left, before = Events(), list[Path](), list[set[str]](), list[bytes]()

    def tell(event: dict[str, Any]) -> None:
        events.append(event)
        if event["event"] == "warning":
            left.append({p.name for p in small_disk.iterdir()})
            assert state.read_bytes() == before[0]

    steps = iter(range(3, 10**6))

    def stop() -> bool:
        step = next(steps)
        if step == 3:
            before.append(state.read_bytes())
            fillers.append(_fill(small_disk))
        if step == 6:
            fillers[0].unlink()
        return step == 8

    PLAN.fit(world.model(TABLE), TABLE, SPLIT, small_disk, tell, stop, 0, Trie())
    assert len(_warnings(events)) == 3 and left == [{"checkpoint", "model", "filler"}] * 3  # nothing half-written
    assert "no room for the checkpoint at step 4" in _warnings(events)[0] and "0.0 MB are free" in _warnings(events)[0]
    assert _fit(small_disk)[1][0] == {"event": "resumed", "step": 8, "steps": events[0]["steps"]} and _same(small_disk, undisturbed)


def test_no_room_for_the_model_keeps_the_checkpoint_and_says_what_to_do(small_disk: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    _fit(small_disk, stop_at=6)
    filler = _fill(small_disk)
    kept = {p.relative_to(small_disk): p.read_bytes() for p in small_disk.rglob("*") if p.is_file() and p != filler}
    with pytest.raises(trouble.NoSpace, match=r"no space left for the model: free \d.* MB where .* and resume"):
        _fit(small_disk)
    filler.unlink()
    assert {p.relative_to(small_disk): p.read_bytes() for p in small_disk.rglob("*") if p.is_file()} == kept
    _fit(small_disk)
    assert _same(small_disk, undisturbed)


LIMITED = """
import json, resource, sys
from pathlib import Path
from llmrec.lm import loop
from tests.lm import test_loop_troubles as t
loop.CHECKPOINT_SECONDS = -1.0
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # model yes, checkpoint no
facts, events = t._fit(Path(sys.argv[1]), plan=t.PLAN)
print(json.dumps({"steps": facts["steps"], "warnings": t._warnings(events)}))
"""


def test_a_limit_on_files_is_like_a_full_disk(tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["warnings"]) == found["steps"] and "no room for the checkpoint at step 1" in found["warnings"][0]
    assert {p.name for p in tmp_path.iterdir()} == {"model"} and _same(tmp_path, undisturbed)


def test_a_disk_that_will_not_do_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "free", lambda folder: 1_000_000)
    assert not _warnings(_fit(tmp_path, stop_at=1)[1])
    monkeypatch.setattr(trouble, "free", lambda folder: 1000)
    _, events = _fit(tmp_path / "tight", stop_at=1)
    assert "this training writes about 0." in _warnings(events)[0] and events[0]["event"] == "warning"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("file", [checkpoint.STATE, checkpoint.TOLD, "manifest.json"])
@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink])
def test_a_damaged_checkpoint_is_put_aside_and_the_end_is_the_same(
    file: str, damage: Any, tmp_path: Path, undisturbed: dict[str, torch.Tensor]
) -> None:
    _fit(tmp_path, stop_at=9)
    (tmp_path / "checkpoint-damaged").mkdir()
    (tmp_path / "checkpoint-damaged" / "older").touch()
    damage(tmp_path / "checkpoint" / file)
    facts, events = _fit(tmp_path)
    assert len(_warnings(events)) == 1 and "put aside as checkpoint-damaged, and training begins anew" in _warnings(events)[0]
    assert not any(e["event"] == "resumed" for e in events) and facts["reason"] == "finished"
    assert not (tmp_path / "checkpoint-damaged" / "older").exists() and len(list((tmp_path / "checkpoint-damaged").iterdir())) >= 2
    assert _same(tmp_path, undisturbed)


def test_a_checkpoint_of_another_model_is_put_aside(tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    """One of other names of weights, and one of other sizes."""
    for n, other in enumerate((world.table(n_users=40, coarse=9), world.table(n_users=40, features=False))):
        folder, steps = tmp_path / str(n), iter((False, True))
        PLAN.fit(world.model(other), other, SPLIT, folder, lambda e: None, lambda s=steps: next(s), 0, Trie())  # type: ignore[misc]
        _, events = _fit(folder)
        assert "belongs to another model" in _warnings(events)[0] and _same(folder, undisturbed)


@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink])
def test_a_damaged_best_model_is_made_again(damage: Any, tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    facts, _ = _fit(tmp_path, stop_at=24)
    assert 0 < facts["kept_step"] < 24
    damage(tmp_path / "model" / "model.safetensors")
    _, events = _fit(tmp_path)
    assert "the best model so far cannot be read" in _warnings(events)[0]
    assert (tmp_path / "model-damaged").is_dir() and _same(tmp_path, undisturbed)


def test_a_bad_checkpoint_touches_nothing(tmp_path: Path) -> None:
    _fit(tmp_path, stop_at=2)
    lm = world.model(TABLE)
    before = {name: p.detach().clone() for name, p in lm.trained().items()}
    _flip(tmp_path / "checkpoint" / checkpoint.STATE)
    with pytest.raises(BadArtifact, match="state.safetensors"):
        checkpoint.read(tmp_path / "checkpoint", lm, Average(lm.trained(), 0.9))
    assert all(torch.equal(p, before[name]) for name, p in lm.trained().items())


def test_a_checkpoint_as_it_was_first_is_read(tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    """Progress and names stood in the manifest."""
    _fit(tmp_path, stop_at=4)
    told = tmp_path / "checkpoint" / checkpoint.TOLD
    manifest = json.loads((tmp_path / "checkpoint" / "manifest.json").read_text())
    manifest["card"] = json.loads(told.read_text())
    del manifest["files"][told.name]
    told.unlink()
    (tmp_path / "checkpoint" / "manifest.json").write_text(json.dumps(manifest))
    assert _fit(tmp_path)[1][0]["event"] == "resumed" and _same(tmp_path, undisturbed)


STARVED = """
import resource, sys
from pathlib import Path
from llmrec.lm import trouble
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from tests.lm import world
table, split = world.table(n_users=6000, n_items=24), world.split(n_users=6000)
lm = world.model(table, world.Backbone("tiny", dropout=0.0))
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 250_000_000, now + 250_000_000))
try:
    FineTune(epochs=1, batch=6000, max_items=12, validations=1).fit(lm, table, split, Path(sys.argv[1]), print, bool, 0, Trie())
except trouble.OutOfMemory as error:
    print(error)
"""


def test_too_little_memory_names_the_setting_that_needs_less(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARVED, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    said = done.stdout.decode().splitlines()
    assert said, done.stderr.decode()[-2000:]
    assert said[-1] == (
        "there was not enough memory at step 1, of 6000 documents: set train.batch = 3000, a smaller train.max_items, or fewer lm.layers"
    )


def test_steps_say_how_much_memory_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORT_SECONDS", -1.0)
    _, events = _fit(tmp_path, stop_at=2)
    held = [e["memory_bytes"] for e in events if e["event"] == "step"]
    assert len(held) == 2 and all(isinstance(n, int) and 50e6 < n < 50e9 for n in held)


@pytest.mark.parametrize(
    ("error", "memory", "room"),
    [
        (MemoryError(), True, False),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"), True, False),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True, False),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True, False),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True, False),
        (OSError(errno.ENOSPC, "No space left on device"), False, True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), False, True),
        (Exception("I/O error: No space left on device (os error 28)"), False, True),
        (OSError(errno.EACCES, "Permission denied"), False, False),
        (RuntimeError("shapes do not fit"), False, False),
    ],
)
def test_what_an_error_means(error: BaseException, memory: bool, room: bool) -> None:
    assert (trouble.no_memory(error), trouble.no_room(error)) == (memory, room)


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="^shapes$"), trouble.memory("at step 1", "less"):
        raise RuntimeError("shapes")
    assert trouble.smaller([1], None) == "close other programs, or fewer lm.layers"
