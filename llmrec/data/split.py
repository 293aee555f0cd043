"""What is learned from and what is asked about: a `Split` of the interactions.

Where it stands: the last step of stage 1; nothing after it sees test. What it does not know: titles and keys.

Ties in time keep file order, never item ids: item ids leak (methods, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec.contracts import Interactions, Split


@dataclass(frozen=True)
class LeaveOneOut:
    """Of each user the last item is test, the one before it validation, the rest train.

    min_history: items a user must keep in train to be asked about; users with fewer go to train whole.
    """

    min_history: int = 3

    def __post_init__(self) -> None:
        if self.min_history < 1:
            raise ValueError(f"min_history is {self.min_history}; it must be 1 or more, since a query needs a history")

    def split(self, interactions: Interactions, rng: np.random.Generator) -> Split:
        """The split; `rng` is not used, every split takes one."""
        rest = from_the_end(interactions)
        asked = np.diff(interactions.offsets)[interactions.user] >= self.min_history + 2
        test, valid = asked & (rest == 0), asked & (rest == 1)
        return Split("loo", interactions.take(~(test | valid)), interactions.take(valid), interactions.take(test))


def from_the_end(interactions: Interactions) -> np.ndarray:
    """How many interactions of the same user come after each one: (n,), 0 for a user's last."""
    last = interactions.offsets[1:][interactions.user] - 1
    return np.asarray(last - np.arange(len(interactions)))
