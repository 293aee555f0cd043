"""Who asks: users with something held out, drawn by a seed, the same for every model.

Where it stands: before the walk. What it does not know: models. More people of one seed are the fewer and some more.
"""

from __future__ import annotations

from dataclasses import dataclass

from llmrec import rng
from llmrec.contracts import Catalog, Split
from llmrec.recommend.chat.values import Conversation

LEAST = 3  # items that must be known of a person


@dataclass(frozen=True)
class Person:
    """Somebody of the data as the test asks about them. key: theirs; talk: all but the held-out item is known; target: a held-out item."""

    key: str
    talk: Conversation
    target: int


def people(split: Split, catalog: Catalog, n: int, seed: int = 0) -> tuple[Person, ...]:
    """At most n users of the test part. ValueError where nobody can be asked about."""
    if n < 1:
        raise ValueError(f"{n} users cannot be asked about: name 1 or more")
    asked, targets, queries = split.asked("test"), split.targets("test"), split.queries("test")
    found: list[Person] = []
    for at in rng.stream(seed, "probes", "people").permutation(len(asked)).tolist():
        history = tuple(dict.fromkeys(int(i) for i in queries.histories[at]))
        new = [int(i) for i in targets[at] if int(i) not in history]
        if len(history) >= LEAST and new:
            found.append(Person(catalog.user_keys[int(asked[at])], Conversation(int(queries.users[at]), history), new[0]))
        if len(found) == n:
            break
    if not found:
        raise ValueError(f"no user of this split has {LEAST} known items and one held out: choose another data set or split")
    return tuple(found)
