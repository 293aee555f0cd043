"""Memory that is not there in the middle of a training, what a step holds of it, and what an error of the machine means."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from llmrec.lm import loop, trouble
from llmrec.lm.finetune import FineTune
from llmrec.lm.heads.trie import Trie
from llmrec.lm.mutual.plan import Pace
from llmrec.lm.tasks.mixed import Reading
from tests.lm import world

TABLE = world.table(n_users=40)
PLAN = FineTune(epochs=1, batch=8, max_items=5, validations=1)
ROOT = Path(__file__).parents[2]


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


@pytest.mark.slow
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
    events, steps = list[dict[str, Any]](), iter((False, True))
    PLAN.fit(world.model(TABLE), TABLE, world.split(), tmp_path, events.append, lambda: next(steps), 0, Trie())
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
    assert trouble.smaller(1, None) == trouble.smaller(0, None) == "close other programs, or fewer lm.layers"


class _Starved:
    """A course whose steps find no memory. size: the documents of its one step."""

    epochs, select, folders = 1, "ndcg@10", ("model",)

    def __init__(self, work: Any) -> None:
        self.work = work

    def label(self, epoch: int) -> str:
        return "starving"

    def batches(self, epoch: int) -> list[Any]:
        return [self.work]

    def loss(self, work: Any, epoch: int, at: int, share: Any = None) -> loop.Scored:
        raise MemoryError

    def rate(self, step: int, total: int) -> float:
        return 1.0

    def validates_at(self, per_epoch: list[int]) -> set[int]:
        return {1}

    def measure(self) -> dict[str, float]:
        return {"ndcg@10": 0.0}

    def save(self, folder: Path) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("work", "pace", "said"),
    [
        (Reading("rating", tuple(range(96))), PLAN, "of 96 documents: set train.batch = 4, a smaller train.max_items, or fewer"),
        ([1, 2, 3], PLAN, "of 3 documents: set train.batch = 4, a smaller train.max_items, or fewer lm.layers"),  # a small last step
        ([1] * 20, Pace(20, 1e-3, 0.9, 1, 1), "of 20 documents: set train.batch = 10, or fewer lm.layers"),
    ],
)
def test_a_step_that_finds_no_memory_names_the_settings_own_half(work: Any, pace: Any, said: str, tmp_path: Path) -> None:
    """A step of words reads several times a batch, and the last of an epoch less than one: half of that is no setting."""
    with pytest.raises(trouble.OutOfMemory) as raised:
        loop.Loop(_Starved(work), world.model(TABLE), pace, tmp_path, 0).run(lambda event: None, bool)
    assert said in str(raised.value)
