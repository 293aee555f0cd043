"""Half precision where the device is good at it; master copies stay fp32.

On a CPU with AVX512-BF16, SmolLM2 trains about 14 times faster in bf16 than in fp32; on one without, bf16 is emulated and slow.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch
from torch import nn

from llmrec.lm import processes


def has_bf16(device: torch.device | str) -> bool:
    """Whether bf16 arithmetic is fast here. LLMREC_PRECISION=fp32 says no everywhere (tiny models in tests: bf16 kernels are built anew
    for each shape, which costs more than it saves)."""
    if os.environ.get("LLMREC_PRECISION") == "fp32":
        return False
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return kind == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def autocast(device: torch.device | str) -> contextlib.AbstractContextManager[Any]:
    """bf16 inside, where it is fast; nothing otherwise."""
    if has_bf16(device):
        return torch.autocast(torch.device(device).type, torch.bfloat16)
    return contextlib.nullcontext()


def best_device() -> torch.device:
    """The GPU when there is one, and of several the one that a launcher of processes gave to this one."""
    if not torch.cuda.is_available() or os.environ.get("ACCELERATE_USE_CPU", "").lower() == "true":
        return torch.device("cpu")
    place = processes.place()
    return torch.device("cuda") if place is None else torch.device("cuda", place)


def halve_frozen(model: nn.Module) -> None:
    """Frozen weights need no fp32 master. PEFT's copies of the new rows stay fp32: they are what is saved."""
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad and "trainable_tokens" not in name:
            parameter.data = parameter.data.to(torch.bfloat16)
