"""Two processes on one training give the losses and the weights of one; they stop and resume together, and one alone writes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from llmrec import rng as streams
from llmrec.lm import precision, processes
from llmrec.lm.documents import Writer
from llmrec.lm.heads.retrieve import candidates
from llmrec.lm.processes import Share
from tests.lm import crew, world

BESIDE = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)  # three times torch has to be read, on a machine that may be busy


def _two(kind: str, folder: Path, stop_at: int = 0, dropout: float = 0.0, launcher: str = "torchrun") -> dict[str, Any]:
    """A training by two processes, as a person starts them; what the main one found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = ["-m", "tests.lm.crew", kind, str(folder), str(stop_at), str(dropout)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", port]
    accelerate = [str(BESIDE / "accelerate"), "launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    accelerate += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", port]
    folder.mkdir(exist_ok=True)
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [*(accelerate if launcher == "accelerate" else torchrun), *words]
    done = subprocess.run(command, env=environ, capture_output=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    return found


def _one(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, dropout: float = 0.0) -> dict[str, Any]:
    monkeypatch.setattr(crew.loop, "REPORT_SECONDS", -1.0)
    facts, events = crew.train(kind, folder, dropout=dropout)
    return {"facts": facts, "events": events}


def _losses(found: dict[str, Any]) -> list[float]:
    """The mean loss so far after each step: alike if and only if each step's is."""
    return [e["loss"] for e in found["events"] if e["event"] == "step"]


def _weights(folder: Path) -> dict[str, np.ndarray]:
    content = load_file(folder / "content" / "rows.safetensors") if (folder / "content").exists() else {}
    return {**load_file(folder / "model" / "model.safetensors"), **content}


def _alike(one: Path, two: Path, atol: float) -> None:
    ours, theirs = _weights(one), _weights(two)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(theirs[name], ours[name], rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize(
    ("kind", "launcher"),
    [
        ("retrieve", "accelerate"),
        *(pytest.param(kind, "torchrun", marks=pytest.mark.slow) for kind in ("trie", "items", "hinge", "mixed", "mutual")),
    ],
)
def test_two_processes_train_as_one(kind: str, launcher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negatives are drawn, and the last step of an epoch has fewer documents than there are processes."""
    one = _one(kind, tmp_path / "one", monkeypatch)
    two = _two(kind, tmp_path / "two", launcher=launcher)
    np.testing.assert_allclose(_losses(two), _losses(one), rtol=1e-5)
    assert len(_losses(one)) == one["facts"]["steps"] == two["facts"]["steps"] > 7
    measured = [[e["metrics"] for e in found["events"] if e["event"] == "validation"] for found in (one, two)]
    assert measured[0] == measured[1] and len(measured[0]) == 2
    _alike(tmp_path / "one", tmp_path / "two", atol=2e-5)
    kept = {"model", "facts.json"} | ({"content"} if kind == "mutual" else set())
    assert {p.name for p in (tmp_path / "two").iterdir()} == kept


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["trie", "retrieve", "mutual"])
def test_stopped_and_resumed_together_they_end_as_if_undisturbed(kind: str, tmp_path: Path) -> None:
    """With dropout, which each process draws for itself, and negatives, which all draw alike."""
    whole = _two(kind, tmp_path / "whole", dropout=0.1)
    part = _two(kind, tmp_path / "part", stop_at=5, dropout=0.1)
    assert part["facts"]["stopped"] and part["facts"]["steps"] == 5 and (tmp_path / "part" / "checkpoint").is_dir()
    rest = _two(kind, tmp_path / "part", dropout=0.1)
    assert [e["step"] for e in rest["events"] if e["event"] == "resumed"] == [5]
    assert rest["facts"]["steps"] == whole["facts"]["steps"]
    _alike(tmp_path / "whole", tmp_path / "part", atol=0)


def test_shares_of_a_step_are_its_documents_each_once() -> None:
    table, split = world.table(n_users=40), world.split()
    lm = world.model(table)
    names = lm.vocab.names(table.items)
    writer = Writer(lm.vocab, names, table, 12)
    step = writer.write(writer.epoch(split.train, 0, 0, 7)[0], streams.stream(0, "write"))
    shares = [step.taken(Share(rank, 3)) for rank in range(3)]
    assert step.taken(processes.WHOLE) is step
    assert sorted(np.concatenate([s.items for s in shares]).tolist()) == sorted(step.items.tolist())
    for rank, mine in enumerate(shares):
        assert mine.of_step is step.items and len(mine.ids) == len(range(rank, 7, 3)) and mine.mask.sum(1).max() == mine.ids.shape[1]
        for row, ids in enumerate(mine.ids):
            n = int(mine.mask[row].sum())
            assert torch.equal(ids[:n], step.ids[rank + 3 * row][: int(step.mask[rank + 3 * row].sum())])
        for (row, column), item in zip(mine.starts, mine.items, strict=True):
            assert mine.ids[row, column : column + len(names[item])].tolist() == names[item].tolist()
    nobody = step.taken(Share(9, 10))
    assert not nobody.n_items and not len(nobody.ids)


def test_draws_for_all_go_on_where_one_process_would_have_drawn() -> None:
    """Whatever dropout draws in between, and from the step a training was resumed at."""
    torch.manual_seed(5)
    alone = [candidates(torch.tensor([1, 2]), 50, 3)[0] for _ in range(3)]
    for rank in (0, 1):
        torch.manual_seed(5)
        share, dropped = Share(rank, 2, torch.Generator()), []
        for step, expected in enumerate(alone):
            with share.dropping(0, step):
                dropped.append(torch.rand(7 + rank))
                assert torch.equal(candidates(torch.tensor([1, 2]), 50, 3, share.draws)[0], expected)
        with Share(rank, 2, torch.Generator()).dropping(0, 1):
            assert torch.equal(torch.rand(7 + rank), dropped[1]) and not torch.equal(dropped[0], dropped[1])


WORDS = """
import json, os, torch
from llmrec.lm import processes
share = processes.join()
weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
weights[0].grad = torch.tensor([1.0, 2.0]) * (1 + 9 * share.rank)
if share.rank:
    weights[1].grad = torch.tensor([5.0, 6.0])
loss = share.summed(weights, 1.5 + share.rank)
found = [loss, [w.grad if w.grad is None else w.grad.tolist() for w in weights]]
found += [share.told(["\u00e9", None, 0.1] if share.main else "unheard"), share.anyone(share.rank == 1), share.anyone(False)]
share.alike(tensors := [torch.full((2,), float(share.rank))])
print(json.dumps([*found, tensors[0].tolist()]), flush=True)
if share.rank:
    os._exit(9)
try:
    share.anyone(False)
except processes.Deserted as error:
    print(error)
"""


@pytest.mark.slow
def test_what_processes_tell_each_other() -> None:
    """Two by hand, without a launcher; one of them dies in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
    }
    both = [
        subprocess.Popen(
            [sys.executable, "-c", WORDS], env={**common, "RANK": rank, "LOCAL_RANK": rank}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for rank in ("0", "1")
    ]
    told = [process.communicate(timeout=280) for process in both]
    lines = [out.decode().splitlines() for out, _ in told]
    assert lines[0] and lines[1], told
    for said in (lines[0][0], lines[1][0]):
        assert json.loads(said) == [4.0, [[11.0, 22.0], [5.0, 6.0], None], ["é", None, 0.1], True, False, [0.0, 0.0]]
    assert "another process of this training ended" in lines[0][1] and both[1].returncode == 9


OUT = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
GONE = RuntimeError("[Rank 0] NCCL communicator was aborted")


@pytest.mark.parametrize(("error", "seen"), [(OUT, torch.OutOfMemoryError), (GONE, processes.Deserted)])
@pytest.mark.parametrize("where", ["sent", "read"])
def test_want_of_memory_is_nobody_elses_end(
    error: RuntimeError, seen: type[Exception], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is noticed at once or, as where devices work on beside, when the outcome is read."""

    def fails(*args: object) -> None:
        raise error

    monkeypatch.setattr(processes, "_device", lambda: torch.device("cpu"))
    for name in ("all_reduce", "broadcast"):
        monkeypatch.setattr(torch.distributed, name, fails if where == "sent" else lambda *args: None)
    if where == "read":
        for name in ("tolist", "item", "__float__", "__bool__"):
            monkeypatch.setattr(torch.Tensor, name, fails)
    share = Share(0, 2)
    for word in (lambda: share.told(1), lambda: share.anyone(True), lambda: share.summed([torch.nn.Parameter(torch.zeros(2))], 1.0)):
        with pytest.raises(seen):
            word()


@pytest.mark.parametrize(
    ("said", "device"),
    [
        ({}, "cuda"),
        ({"LOCAL_RANK": "1"}, "cuda:1"),
        ({"OMPI_COMM_WORLD_LOCAL_RANK": "2"}, "cuda:2"),
        ({"MPI_LOCALRANKID": "3"}, "cuda:3"),
        ({"LOCAL_RANK": "1", "ACCELERATE_USE_CPU": "true"}, "cpu"),
    ],
)
def test_each_process_of_a_machine_has_a_gpu_of_its_own(said: dict[str, str], device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*processes.PLACE, "ACCELERATE_USE_CPU"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert precision.best_device() == torch.device(device)


@pytest.mark.parametrize(
    ("said", "rank", "world"),
    [
        ({}, 0, 1),
        ({"RANK": "1", "WORLD_SIZE": "4"}, 1, 4),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "3"}, 2, 3),
        ({"ACCELERATE_USE_CPU": "True"}, 0, 1),
    ],
)
def test_the_launcher_says_who_one_is(said: dict[str, str], rank: int, world: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*processes.RANK, *processes.WORLD, "ACCELERATE_USE_CPU", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert (processes.rank(), processes.world()) == (rank, world)
    if world == 1:
        assert processes.join() is processes.WHOLE
        assert processes.WHOLE.told([1]) == [1] and processes.WHOLE.anyone(True) and not processes.WHOLE.anyone(False)


@pytest.mark.slow
def test_one_process_where_several_were_asked_for_is_refused() -> None:
    """`accelerate launch --cpu --num_processes 2` starts one without a word where there is no MPI."""
    ask = "from llmrec.lm import processes; processes.world()"
    launch = [str(BESIDE / "accelerate"), "launch", "--cpu", "--num_processes", "2", "--no_python", sys.executable, "-c", ask]
    done = subprocess.run(launch, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert done.returncode != 0 and b"asked for several processes and started one" in done.stderr
