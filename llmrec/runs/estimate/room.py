"""How much memory and disk is free for one process, and what it took at most.

Where it stands: under `trial`. What it does not know: what the memory is for.

Free is the least of what the machine has left, what every control group above the process has left (containers), and what its limit of
address space leaves. On a GPU, memory is the GPU's.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from pathlib import Path

from llmrec import home
from llmrec.lm import trouble
from llmrec.runs.estimate.values import Room

PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
UNLIMITED = 2**62  # what old control groups write for "no limit"


def forget_peak() -> None:
    """Begin anew: the peak before this moment is not ours. Where the system cannot, the peak is that of the whole life of the process."""
    with contextlib.suppress(OSError):
        (PROC / "self" / "clear_refs").write_text("5", encoding="ascii")
    if _gpu():
        import torch

        torch.cuda.reset_peak_memory_stats()


def peak() -> int:
    """The most bytes this process held at once, on the GPU where there is one."""
    if _gpu():
        import torch

        return int(torch.cuda.max_memory_allocated())
    told = _told(PROC / "self" / "status", "VmHWM")
    if told is not None:  # getrusage would count what the parent held before it started us
        return told
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most) if sys.platform == "darwin" else int(most) * 1024


def held() -> int:
    """The bytes this process holds now; its peak where the system does not say."""
    if _gpu():
        import torch

        return int(torch.cuda.memory_allocated())
    return _told(PROC / "self" / "status", "VmRSS") or peak()


def let_go() -> None:
    """Give back what was freed and is kept for later, so that what is held is what is needed."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc alone keeps so much, and can be asked
        ctypes.CDLL(None).malloc_trim(0)


def free() -> int:
    """The bytes that this process may hold in all: what is free, and what it has already."""
    if _gpu():
        import torch

        return int(torch.cuda.mem_get_info()[0]) + int(torch.cuda.memory_reserved())
    own = _told(PROC / "self" / "status", "VmRSS") or 0
    left = [_told(PROC / "meminfo", "MemAvailable"), *group_left(PROC, GROUPS)]
    known = [bytes_left for bytes_left in left if bytes_left is not None]
    found = min(known) + own if known else _physical()
    return max(0, min(found, address_room() or found))


def address_room() -> int | None:
    """The bytes that can be held under the limit of address space, which counts what is mapped and never touched too; None: no limit."""
    try:
        import resource
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    mapped, held = _told(PROC / "self" / "status", "VmPeak") or 0, _told(PROC / "self" / "status", "VmHWM") or 0
    return int(limit) - max(0, mapped - held)


def group_left(proc: Path, groups: Path) -> list[int]:
    """What each control group with a limit has left, the innermost first: version 2 and version 1."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    left: list[int] = []
    for line in lines or ["0::/"]:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            left += _up(groups, path, ("memory.max", "memory.current", "inactive_file"))
        elif "memory" in controllers.split(","):
            left += _up(groups / "memory", path, ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
    return left


def disk(needed: int) -> Room:
    """Room on the disk of the runs."""
    return Room(needed, trouble.free(home.runs()))


def taken(folder: Path) -> int:
    """The bytes of all files under a folder; 0 where there is none."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) if folder.exists() else 0


def _up(root: Path, path: str, names: tuple[str, str, str]) -> list[int]:
    """From a group to the root; inside a container the path is that of the host and only the root is there."""
    inner = root / path.strip("/")
    left = []
    for folder in [inner, *inner.parents]:
        if folder.is_relative_to(root):
            with contextlib.suppress(OSError, ValueError):  # "max" is no number
                limit, used = (int((folder / name).read_text(encoding="ascii")) for name in names[:2])
                if limit < UNLIMITED:
                    left.append(max(0, limit - used + _reclaimable(folder / "memory.stat", names[2])))
    return left


def _reclaimable(stat: Path, name: str) -> int:
    """Files that the kernel keeps in memory and gives up when asked."""
    with contextlib.suppress(OSError, ValueError):
        for line in stat.read_text(encoding="ascii").splitlines():
            if line.split()[:1] == [name]:
                return int(line.split()[1])
    return 0


def _told(path: Path, name: str) -> int | None:
    """A line such as "VmHWM:  1234 kB", in bytes."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None


def _physical() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return UNLIMITED


def _gpu() -> bool:
    """Whether the training would run on a GPU. torch is asked only where it is there already: importing it is part of what is measured."""
    torch = sys.modules.get("torch")
    return bool(torch is not None and torch.cuda.is_available())
