"""Randomness as an argument: one seed, many independent named streams.

A stage's draws depend on the seed and on the stage's own labels, never on what ran before it, so a cached stage changes nothing after it.
"""

from __future__ import annotations

import zlib

import numpy as np
import torch


def stream(seed: int, *labels: str) -> np.random.Generator:
    """A NumPy generator that belongs to (seed, labels)."""
    return np.random.default_rng(np.random.SeedSequence([seed, *(zlib.crc32(label.encode()) for label in labels)]))


def torch_stream(seed: int, *labels: str) -> torch.Generator:
    """A CPU torch generator that belongs to (seed, labels)."""
    return torch.Generator().manual_seed(int(stream(seed, *labels).integers(2**62)))
