"""Where and with what a run was made: versions, platform, processor, accelerator.

Where it stands: written into run.json and beside every measured result. What it does not know: runs.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import llmrec

PACKAGES = ("torch", "transformers", "peft", "accelerate", "numpy", "scipy", "pandas", "scikit-learn", "faiss-cpu", "gensim", "safetensors")


def versions() -> dict[str, str]:
    """The versions that decide a result: Python, llmrec and what it computes with."""
    found = {"python": platform.python_version(), "llmrec": llmrec.__version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, object]:
    """Processor, cores that may be used, memory in GiB, GPU (None where there is none), operating system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": _cpu(), "cores": cores, "memory_gib": _memory(), "gpu": _gpu(), "system": system()}


def here() -> str:
    """Processor, cores that may be used, and GPUs as the driver lists them, in one line: under it timings are kept."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_cpu()}, {cores} cores" + (f", {gpus()} GPU" if gpus() else "")


def gpus() -> int:
    """GPUs as the driver lists them: asking torch would cost every server seconds and memory."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is not None:
        return len([n for n in shown.split(",") if n.strip() and n.strip() != "-1"])
    listed = Path("/proc/driver/nvidia/gpus")
    return len(list(listed.iterdir())) if listed.is_dir() else 0


def system() -> str:
    """The operating system and kind of processor."""
    return f"{platform.system()} {platform.machine()}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float | None:
    if sys.platform == "win32":
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
