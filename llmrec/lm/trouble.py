"""What goes wrong with a machine in the middle of a training, told in a sentence with its remedy: no memory left, no room on the disk.

Where it stands: under the loop. What it does not know: models and courses. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# what torch on a CPU, CUDA and allocators of their own say
NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "bad_alloc", "failed to allocate")


class Trouble(RuntimeError):
    """Something that the machine ran into and the program cannot mend; the message is a sentence for people."""


class OutOfMemory(Trouble):
    """There was not enough memory. The message says for what, and which setting would need less."""


class NoSpace(Trouble):
    """There was no room on the disk for something without which a training cannot end. The message says how much is needed."""


def no_memory(error: BaseException) -> bool:
    """Whether an error says that memory is out, in whatever form."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in NO_MEMORY)


def no_room(error: BaseException) -> bool:
    """Whether an error says that the disk, a quota or a file is full. Libraries in Rust put the number into the text alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in NO_ROOM
    return any(f"(os error {number})" in str(error) for number in NO_ROOM)


@contextlib.contextmanager
def memory(doing: str, remedy: str) -> Iterator[None]:
    """Inside, running out of memory becomes `OutOfMemory` with what was being done and what would need less."""
    try:
        yield
    except (MemoryError, OSError, RuntimeError) as error:
        if not no_memory(error):
            raise
        raise OutOfMemory(f"there was not enough memory {doing}: {remedy}") from error


def documents(work: Any) -> str:
    """How many documents a step reads, in words."""
    return f"of {len(work)} documents" if hasattr(work, "__len__") else "of one batch"


def smaller(batch: int, pace: Any) -> str:
    """The settings that would need less memory. batch: train.batch, 0 where it plays no part; pace: the plan whose settings are told."""
    fewer = f"set train.batch = {batch // 2}" if batch > 1 else "close other programs"
    shorter = ", a smaller train.max_items" if hasattr(pace, "max_items") else ""
    return f"{fewer}{shorter}, or fewer lm.layers"


def free(folder: Path) -> int:
    """The bytes that may still be written where a folder is."""
    return shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists())).free


def megabytes(n: int) -> str:
    """A number of bytes for people."""
    return f"{n / 1e6:,.1f} MB" if n < 1e8 else f"{n / 1e6:,.0f} MB"


def set_aside(folder: Path) -> Path:
    """Put something damaged out of the way, as NAME-damaged, in the place of what was put there before; returns where it is."""
    aside = folder.with_name(f"{folder.name}-damaged")
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(folder, aside)
    return aside


def memory_bytes(device: Any) -> int:
    """What this process holds in bytes: the most that it had on the GPU, or what of it is in memory now (its peak without /proc)."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # bytes, where there is no /proc
