"""Places: of one ranking of everybody, the place of each held-out item. All that metrics, intervals, differences and segments need.

Where it stands: after `evaluate`; runs keep it beside their means, so that two of them can be compared user by user with nothing ranked
again. What it does not know: recommenders, splits, files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Ints
from llmrec.report import metrics

if TYPE_CHECKING:
    from llmrec.report.evaluate import Evaluation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Places:
    """Who was asked for what, and where it stood.

    asked: "test masked" and the like: the part and the seen-item policy; users: (n,); owner: (t,) which row of `users` a target belongs
    to, ascending; item: (t,) the targets; place: (t,) from 1, 0 where the item was not among the k; shown: (m,) how many users each item of
    the catalogue was shown to within the first `cut` places; k: how deep the ranking is; seconds: wall time inside `recommend`.
    """

    asked: str
    users: Ints
    owner: Ints
    item: Ints
    place: Ints
    shown: Ints
    k: int
    seconds: float

    def __post_init__(self) -> None:
        if not len(self.owner) == len(self.item) == len(self.place):
            raise ValueError("owner, item and place must have one entry per target: measure again")
        if len(self.owner) and ((np.diff(self.owner) < 0).any() or not np.array_equal(np.unique(self.owner), np.arange(len(self.users)))):
            raise ValueError("every user of a ranking needs a target, in the order of the users: measure again")
        if len(self.place) and not 0 <= int(self.place.min()) <= int(self.place.max()) <= self.k:
            raise ValueError(f"places must lie in 0..{self.k}: measure again")

    @classmethod
    def of(cls, measured: Evaluation) -> Places:
        """What an evaluation found."""
        targets = [np.unique(np.asarray(some, dtype=np.int64)) for some in measured.targets]
        owner = np.repeat(np.arange(len(targets)), [len(some) for some in targets])
        item = np.concatenate([np.zeros(0, dtype=np.int64), *targets])
        k = measured.k[-1]
        ranked = np.asarray(measured.ranked.items, dtype=np.int64)[:, :k]
        here = ranked[owner] == item[:, None]  # (t, k)
        place = np.where(here.any(axis=1), here.argmax(axis=1) + 1, 0)
        first = ranked[:, : min(10, k)]
        n_items = max([0, *(int(some.max()) + 1 for some in (ranked, item) if some.size)])
        shown = np.bincount(first[first >= 0], minlength=n_items)
        return cls(
            f"{measured.part} {measured.seen}",
            measured.users.astype(np.int32),
            owner.astype(np.int32),
            item.astype(np.int32),
            place.astype(np.int32),
            shown.astype(np.int32),
            k,
            round(float(measured.seconds), 3),
        )

    @property
    def cut(self) -> int:
        """Within how many places `shown` counts: ten, or all where there are fewer."""
        return min(10, self.k)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(n,) targets of each user."""
        return np.bincount(self.owner, minlength=len(self.users))

    @cached_property
    def found(self) -> list[NDArray[np.int64]]:
        """Per user the places that hold a target, ascending, as `metrics.from_places` takes them."""
        order = np.lexsort((self.place, self.owner))
        owner, place = self.owner[order], self.place[order].astype(np.int64)
        hit = place > 0
        ends = np.cumsum(np.bincount(owner[hit], minlength=len(self.users)))[:-1]
        return np.split(place[hit], ends) if len(self.users) else []

    def per_user(self, names: Sequence[str]) -> dict[str, Array]:
        """(n,) values per metric such as "ndcg@10". ValueError where the ranking is too short for one of them."""
        deepest = max((metrics.cut(name) for name in names), default=0)
        if deepest > self.k:
            raise ValueError(f"a metric at {deepest} needs {deepest} places, but {self.k} were kept: measure again with more")
        return metrics.from_places(self.found, self.counts, names)

    def among(self, member: NDArray[np.bool_]) -> Places | None:
        """The same ranking asked for these items alone: users who have none of them leave. member: (m,); None where nobody stays."""
        kept = member[self.item]
        if not kept.any():
            return None
        rows, owner = np.unique(self.owner[kept], return_inverse=True)
        return Places(
            self.asked, self.users[rows], owner.astype(np.int32), self.item[kept], self.place[kept], self.shown, self.k, self.seconds
        )

    def only(self, mask: NDArray[np.bool_]) -> Places:
        """The same ranking for some of its users. mask: (n,)."""
        kept = mask[self.owner]
        new = np.cumsum(mask) - 1
        owner = new[self.owner[kept]].astype(np.int32)
        return Places(self.asked, self.users[mask], owner, self.item[kept], self.place[kept], self.shown, self.k, self.seconds)

    def coverage(self, n_items: int) -> float:
        """The share of a catalogue of n_items that is shown to anybody within `cut` places."""
        return float((self.shown > 0).sum()) / n_items if n_items else 0.0

    def alike(self, other: Places) -> None:
        """Refuse to compare answers to different questions. ValueError says in what they differ."""
        if self.asked != other.asked:
            raise ValueError(f"one was measured on {self.asked}, the other on {other.asked}: measure both the same way")
        if not np.array_equal(self.users, other.users):
            raise ValueError(f"they were asked for different users ({len(self.users)} and {len(other.users)}): measure both on one split")
        if not (np.array_equal(self.owner, other.owner) and np.array_equal(self.item, other.item)):
            raise ValueError("they were asked for different items: measure both on one split")
