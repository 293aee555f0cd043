"""What is learned from and what is asked about: a `Split` of the interactions.

Where it stands: the last step of stage 1; nothing after it sees test. What it does not know: titles and keys.

Ties in time keep file order, never item ids: item ids leak (methods, section 4). Users who are too short to be asked about go to train
whole; `describe.describe_split` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Split


@dataclass(frozen=True)
class LeaveOneOut:
    """Of each user the last item is test, the one before it validation, the rest train.

    min_history: items a user must keep in train to be asked about.
    """

    min_history: int = 3

    def __post_init__(self) -> None:
        _check_history(self.min_history)

    def split(self, interactions: Interactions, rng: np.random.Generator) -> Split:
        """The split; `rng` is not used, every split takes one."""
        rest = _from_the_end(interactions)
        asked = np.diff(interactions.offsets)[interactions.user] >= self.min_history + 2
        _check_asked(asked, f"{self.min_history + 2} interactions; lower min_history or take more data")
        test, valid = asked & (rest == 0), asked & (rest == 1)
        return Split("loo", interactions.take(~(test | valid)), interactions.take(valid), interactions.take(test))


@dataclass(frozen=True)
class RandomHoldout:
    """A random part of each user's items is test, another validation (CLLM4Rec's protocol, methods section 2).

    valid, test: shares, rounded down per user. positive_above: only ratings above it count, the others are dropped; None: all count.
    """

    valid: float = 0.1
    test: float = 0.1
    positive_above: float | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.valid and 0 < self.test and self.valid + self.test < 1):
            raise ValueError(f"valid is {self.valid} and test {self.test}; they must be shares that leave something to train on")

    def split(self, interactions: Interactions, rng: np.random.Generator) -> Split:
        """The split; the same `rng` state gives the same one."""
        kept = interactions
        if self.positive_above is not None:
            if kept.rating is None:
                raise ValueError(f"positive_above is {self.positive_above}, but this data has no ratings; leave it out")
            kept = kept.take(kept.rating > self.positive_above)
        length = np.diff(kept.offsets)[kept.user]
        shuffled = np.lexsort((rng.random(len(kept)), kept.user))
        place = np.empty(len(kept), dtype=np.int64)
        place[shuffled] = np.arange(len(kept)) - kept.offsets[:-1][kept.user]
        n_test = np.floor(self.test * length + 1e-9)  # 0.1 * 30 is 3, whatever binary fractions make of it
        n_valid = np.floor(self.valid * length + 1e-9)
        test = place < n_test
        valid = ~test & (place < n_test + n_valid)
        _check_asked(test, f"{int(np.ceil(1 / self.test))} interactions that count; take a larger test share or more data")
        return Split("holdout", kept.take(~(test | valid)), kept.take(valid), kept.take(test))


@dataclass(frozen=True)
class UnseenUsers:
    """Leave-one-out, with the least active users taken out of all training (TokenRec's test, methods section 3).

    share: how many of the users that can be asked about; ties in activity go by user number. Their last item is test, the rest history.
    """

    share: float = 0.05
    min_history: int = 3

    def __post_init__(self) -> None:
        _check_history(self.min_history)
        if not 0 < self.share < 1:
            raise ValueError(f"share is {self.share}; it must lie between 0 and 1")

    def split(self, interactions: Interactions, rng: np.random.Generator) -> Split:
        """The split; `rng` is not used, every split takes one."""
        length = np.diff(interactions.offsets)
        able = np.flatnonzero(length >= self.min_history + 2)
        n_out = int(np.floor(self.share * len(able) + 1e-9))
        if not n_out:
            raise ValueError(f"share {self.share} of {len(able)} users who are long enough is nobody; take a larger share or more data")
        out = np.sort(able[np.argsort(length[able], kind="stable")[:n_out]]).astype(np.int32)
        hidden = np.isin(interactions.user, out)
        asked, rest = (length >= self.min_history + 2)[interactions.user], _from_the_end(interactions)
        test, valid = asked & (rest == 0), asked & (rest == 1) & ~hidden
        return Split(
            "unseen-users",
            interactions.take(~(test | valid | hidden)),
            interactions.take(valid),
            interactions.take(test),
            out,
            interactions.take(hidden & ~test),
        )


def _from_the_end(interactions: Interactions) -> NDArray[np.int64]:
    """How many interactions of the same user come after each one: (n,), 0 for a user's last."""
    last = interactions.offsets[1:][interactions.user] - 1
    return np.asarray(last - np.arange(len(interactions)), dtype=np.int64)


def _check_history(min_history: int) -> None:
    if min_history < 1:
        raise ValueError(f"min_history is {min_history}; it must be 1 or more, since a query needs a history")


def _check_asked(asked: NDArray[np.bool_], needed: str) -> None:
    if not asked.any():
        raise ValueError(f"nobody can be asked about: no user has {needed}")
