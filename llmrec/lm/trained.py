"""A module that names the weights that training changes; the loop, its average and its checkpoints go by these names.

Where it stands: under the language model, and under pairs of models that are trained together. What it does not know: what it is made of.
"""

from __future__ import annotations

from torch import nn


class Trained(nn.Module):
    """A module whose trainable weights have names."""

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def undecayed(self) -> set[str]:
        """Those of them that weight decay leaves alone, because they have a prior of their own: none."""
        return set()
