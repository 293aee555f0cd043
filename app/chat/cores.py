"""The machine's cores, divided among answers: how many are computed at once, and with how many threads of torch's each.

Where it stands: under `talks`. What it does not know: who asks.

A model that says one row after another gains nothing from two threads where there are two cores: they wait for each other longer than
they save (SmolLM2: 19 to 24 tokens a second on one, 9 to 14 on two), and two answers side by side want a core each. The studio's own work
in this process, one prompt read at once, does gain from both. So the bound is set for the threads that compute answers and for no others:
torch keeps it by thread, and whatever thread begins later takes what was set last, which is therefore set back at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

MANY = 8  # cores from which on an answer gets more than one
_own = threading.local()
_setting = threading.Lock()


def shares(cores: int | None = None) -> tuple[int, int]:
    """(answers at once, threads of each): together no more than there are cores."""
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    each = 1 if cores < MANY else min(4, cores // 4)
    return max(1, cores // each), each


def bound(threads: int) -> None:
    """Let torch use so many threads for what this thread computes from now on; other threads stay as they are."""
    if getattr(_own, "bound", None) == threads:
        return
    import torch

    with _setting:
        usual: list[int] = []
        _beside(lambda: usual.append(torch.get_num_threads()))
        torch.get_num_threads()  # or the thread would take the usual number when it first computes
        torch.set_num_threads(threads)
        _beside(lambda: torch.set_num_threads(usual[0]))
    _own.bound = threads


def _beside(act: Callable[[], object]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
