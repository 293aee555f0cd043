"""A map from a language model's states to another space: what a head may train beside the model.

Where it stands: inside `LanguageModel`, which trains, averages, checkpoints, saves and loads it with everything else.
What it does not know: what the other space means.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

FILE = "projections.safetensors"


class Projection(nn.Module):
    """Linear, ReLU, Linear, always in fp32: near neighbours differ by less than bf16 can tell. sizes: (d, hidden, d')."""

    def __init__(self, sizes: tuple[int, int, int], generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.sizes = sizes
        self.inner, self.outer = nn.Linear(sizes[0], sizes[1]), nn.Linear(sizes[1], sizes[2])
        for layer in (self.inner, self.outer):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, h: Tensor) -> Tensor:
        """(…, d) to (…, d') fp32."""
        with torch.autocast(h.device.type, enabled=False):
            out: Tensor = self.outer(nn.functional.relu(self.inner(h.float())))
        return out


def sizes(projections: nn.ModuleDict) -> dict[str, list[int]]:
    """What a card says of each, so that `load` can make it again."""
    return {name: list(p.sizes) for name, p in projections.items() if isinstance(p, Projection)}


def save(projections: nn.ModuleDict, folder: Path) -> None:
    """Write all of them into one file of a folder; nothing where there are none."""
    from safetensors.torch import save_file

    if len(projections):
        save_file({name: t.detach().cpu().contiguous() for name, t in projections.state_dict().items()}, folder / FILE)


def load(sizes: dict[str, list[int]], folder: Path) -> nn.ModuleDict:
    """Read what `save` wrote. sizes: what the card says of each."""
    from safetensors.torch import load_file

    projections = nn.ModuleDict({name: Projection((d, hidden, out)) for name, (d, hidden, out) in sizes.items()})
    if sizes:
        projections.load_state_dict(load_file(folder / FILE))
    return projections
