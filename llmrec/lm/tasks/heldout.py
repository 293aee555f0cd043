"""What is asked of a task: held-out interactions, each with the user's name and what is known of them by then.

Where it stands: between the split and the measures of this folder. What it does not know: prompts and models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llmrec import rng
from llmrec.contracts import Ints, Part, Split


@dataclass(frozen=True)
class Asked:
    """One held-out interaction. user: one whom train knows; history: items known, oldest first."""

    user: int
    item: int
    history: Ints
    rating: float | None = None
    text: str = ""


def asked(split: Split, part: Part = "test", users: int | None = None, seed: int = 0) -> list[Asked]:
    """The interactions of a part, user by user; of `users` users drawn by the seed, or of all. Users who are held out of all training
    (`strangers`) are not asked: the tasks are about users by their names. ValueError where all are."""
    target, queries, who = (split.valid if part == "valid" else split.test), split.queries(part), split.asked(part)
    if users is not None and users < 1:
        raise ValueError(f"users = {users} must be at least 1: leave it out to ask all")
    chosen = np.flatnonzero(queries.users >= 0)
    if len(who) and not len(chosen):
        raise ValueError(f"all users of the {part} part are new, and a task in words asks by the user's name: split by another protocol")
    if users is not None and users < len(chosen):
        chosen = chosen[np.sort(rng.stream(seed, "users asked").permutation(len(chosen))[:users])]
    out = []
    for q in chosen.tolist():
        user = int(who[q])
        for row in range(int(target.offsets[user]), int(target.offsets[user + 1])):
            rating = None if target.rating is None else float(target.rating[row])
            text = "" if target.text is None else str(target.text[row])
            out.append(Asked(user, int(target.item[row]), queries.histories[q], rating, text))
    return out


def strangers(split: Split, part: Part = "test") -> int:
    """How many interactions of a part are not asked about, since their users are held out of all training."""
    target = split.valid if part == "valid" else split.test
    return int(np.isin(target.user, split.held_out).sum())
