"""An exponential moving average of trained weights, swapped in for validation and saving."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Average:
    """average <- decay * average + (1 - decay) * weights after each step, with a smaller decay at the start. decay 0: off."""

    def __init__(self, weights: dict[str, nn.Parameter], decay: float) -> None:
        self.weights, self.decay = weights, decay
        self.mean = {name: w.detach().clone() for name, w in weights.items()} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights of step `step` (from 1) into the average."""
        if self.mean:
            keep = min(self.decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(self.mean.values()), [self.weights[n].detach() for n in self.mean], 1 - keep)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The averaged weights in the model's place inside; the trained ones afterwards, whatever happens."""
        held = {name: self.weights[name].detach().clone() for name in self.mean}
        try:
            self._put(self.mean)
            yield
        finally:
            self._put(held)

    @torch.no_grad()
    def _put(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            self.weights[name].copy_(value)
