"""Troubles in the middle of a training: a disk without room, damaged files. Real ones, as far as a test may."""

from __future__ import annotations

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
from safetensors.torch import load_file, save_file

from llmrec.artifacts import BadArtifact, sha256
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_PRECISION", "fp32")  # as in every test: it is made before their own fixture sets it
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
t._fit(Path(sys.argv[2]))  # in this process too, so that nothing but the limit differs
loop.CHECKPOINT_SECONDS = -1.0
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # model yes, checkpoint no
facts, events = t._fit(Path(sys.argv[1]), plan=t.PLAN)
print(json.dumps({"steps": facts["steps"], "warnings": t._warnings(events)}))
"""


@pytest.mark.slow
def test_a_limit_on_files_is_like_a_full_disk(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    limited, whole = tmp_path / "limited", tmp_path / "whole"
    done = subprocess.run([sys.executable, "-c", LIMITED, str(limited), str(whole)], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["warnings"]) == found["steps"] and "no room for the checkpoint at step 1" in found["warnings"][0]
    assert {p.name for p in limited.iterdir()} == {"model"} and _same(limited, dict(LanguageModel.load(whole / "model").trained()))


def test_a_disk_that_will_not_do_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "free", lambda folder: 2_000_000)
    assert not _warnings(_fit(tmp_path, stop_at=1)[1])
    monkeypatch.setattr(trouble, "free", lambda folder: 1000)
    _, events = _fit(tmp_path / "tight", stop_at=1)
    assert "this training needs room for 1." in _warnings(events)[0] and events[0]["event"] == "warning"


def _needed(model: Any) -> tuple[int, int]:
    """The bytes of a checkpoint's tensors (weights, average and two moments) and of the weights, by hand."""
    weights = sum(p.numel() * 4 for p in model.trained().values())
    return 4 * weights, weights


def test_room_is_needed_for_the_old_beside_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is written anew beside the one before, so both lie there for a moment, and the model too."""
    one, model = _needed(world.model(TABLE))
    monkeypatch.setattr(trouble, "free", lambda folder: 2 * one + model)
    assert not _warnings(_fit(tmp_path / "enough", stop_at=1)[1])
    monkeypatch.setattr(trouble, "free", lambda folder: 2 * one + model - 1)
    assert "make room in time" in _warnings(_fit(tmp_path / "short", stop_at=1)[1])[0]


def test_what_lies_there_already_needs_no_more_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fit(tmp_path, stop_at=2)
    there = sum(p.stat().st_size for name in ("model", "checkpoint") for p in (tmp_path / name).iterdir())
    one, model = _needed(world.model(TABLE))
    assert there > one + model
    for free, warned in ((2 * one + model - there, False), (2 * one + model - there - 1, True)):
        monkeypatch.setattr(trouble, "free", lambda folder, free=free: free)
        shutil.copytree(tmp_path, tmp_path / str(free))
        assert bool([text for text in _warnings(_fit(tmp_path / str(free), stop_at=1)[1]) if "in time" in text]) == warned


@pytest.mark.parametrize(("first", "left"), [(3, "goes on from step 3"), (0, "begins anew")])
def test_a_stop_that_finds_no_room_says_what_is_lost(first: int, left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if first:
        _fit(tmp_path, stop_at=first)
    monkeypatch.setattr(trouble, "free", lambda folder: 1000)
    facts, events = _fit(tmp_path, stop_at=2)
    said = _warnings(events)[-1]
    assert f"no room for the checkpoint at step {first + 2}" in said and said.endswith(f"and a resumed training {left}")
    assert "goes on, the checkpoint before" not in said and facts["reason"] == said and facts["stopped"]
    monkeypatch.undo()
    assert [e["step"] for e in _fit(tmp_path)[1] if e["event"] == "resumed"] == ([first] if first else [])


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


@pytest.mark.slow
@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink])
def test_a_damaged_best_model_is_made_again(damage: Any, tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    facts, _ = _fit(tmp_path, stop_at=24)
    assert 0 < facts["kept_step"] < 24
    damage(tmp_path / "model" / "model.safetensors")
    _, events = _fit(tmp_path)
    assert "the best model so far cannot be read" in _warnings(events)[0]
    assert (tmp_path / "model-damaged").is_dir() and _same(tmp_path, undisturbed)


def test_a_damaged_best_model_costs_no_good_checkpoint(tmp_path: Path) -> None:
    """Hours of work lie in it: it is put aside whole. Where nothing is left of the model, nothing is said to have been moved."""
    _fit(tmp_path, stop_at=24)
    before = {p.name: p.read_bytes() for p in (tmp_path / "checkpoint").iterdir()}
    whole = shutil.copytree(tmp_path, tmp_path / "copy")
    _cut(tmp_path / "model" / "model.safetensors")
    (said,) = _warnings(_fit(tmp_path)[1])
    assert said.endswith("model and checkpoint were put aside as model-damaged and checkpoint-damaged, and training begins anew")
    assert {p.name: p.read_bytes() for p in (tmp_path / "checkpoint-damaged").iterdir()} == before
    shutil.rmtree(whole / "model")
    (said,) = _warnings(_fit(whole)[1])
    assert said.endswith("the checkpoint was put aside as checkpoint-damaged, and training begins anew")
    assert not (whole / "model-damaged").exists()


def _told(folder: Path, done: Any) -> None:
    """Write another progress into a checkpoint, and vouch for it."""
    told = folder / "checkpoint" / checkpoint.TOLD
    told.write_text(json.dumps({**json.loads(told.read_text()), "done": done}))
    _vouch(folder / "checkpoint")


def _vouch(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: sha256(folder / name) for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


WHOLE = {"step": 2, "best": 0.1, "best_step": 0, "worse": 0, "seconds": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "done",
    [
        {name: value for name, value in WHOLE.items() if name != "best_step"},
        {**WHOLE, "more": 1},
        {**WHOLE, "step": "2"},
        {**WHOLE, "step": 2.0},
        {**WHOLE, "worse": True},
        {**WHOLE, "best": None},
        {**WHOLE, "best": float("nan")},
        [2],
        None,
    ],
)
def test_a_progress_that_is_none_is_damage(done: Any, tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    _fit(tmp_path, stop_at=2)
    _told(tmp_path, done)
    _, events = _fit(tmp_path)
    assert "does not say how far its training was" in _warnings(events)[0] and _same(tmp_path, undisturbed)


def test_a_progress_in_whole_numbers_is_one(tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    _fit(tmp_path, stop_at=2)
    _told(tmp_path, WHOLE)
    assert _fit(tmp_path)[1][0]["event"] == "resumed" and _same(tmp_path, undisturbed)


@pytest.mark.parametrize("lacks", ["exp_avg", "step", "rng"])
def test_a_state_that_no_training_could_go_on_from_is_damage(lacks: str, tmp_path: Path, undisturbed: dict[str, torch.Tensor]) -> None:
    _fit(tmp_path, stop_at=2)
    at = tmp_path / "checkpoint" / checkpoint.STATE
    tensors = load_file(at)
    if lacks == "rng":
        tensors["rng.cpu"] = tensors["rng.cpu"][:-1].clone()
    else:
        tensors = {name: t for name, t in tensors.items() if name != next(n for n in tensors if n.endswith(f".{lacks}"))}
    save_file(tensors, at)
    _vouch(at.parent)
    _, events = _fit(tmp_path)
    assert "belongs to another model (it differs in" in _warnings(events)[0] and _same(tmp_path, undisturbed)


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
