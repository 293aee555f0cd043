"""From runs on the disk to speakers: tuned where a run learned dialogues, fixed where it did not; one frozen base under all of them.

Where it stands: between the store of runs and whoever shows a talk. What it does not know: pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import Conversation, Speaker

if TYPE_CHECKING:
    from llmrec.contracts import Recommender
    from llmrec.lm.shared import SharedBase
    from llmrec.runs.store import Run


@dataclass(frozen=True)
class Opened:
    """A speaker with where it came from. model: a run's name, or "ItemKNN on <run>"."""

    model: str
    speaker: Speaker
    knowledge: Knowledge


def open_speakers(names: Sequence[str], base: SharedBase | None = None) -> list[Opened]:
    """The speakers of some runs, by name or folder, in order. Runs over the same data share what is known of it.

    base: backbones that are loaded already, for whoever opens one run after another; None: new ones. Errors are the store's: a run that
    is unknown, broken, or has no model yet.
    """
    from llmrec.lm.shared import SharedBase
    from llmrec.runs import store

    shared = base if base is not None else SharedBase()
    known: dict[object, Knowledge] = {}
    return [open_speaker(run, shared, known) for run in map(store.open_run, names)]


def open_speaker(run: Run, base: SharedBase, known: dict[object, Knowledge]) -> Opened:
    """The speaker of one run. known: what was made for runs opened before; it is added to."""
    recipe = run.recipe
    key = (repr(recipe.data), repr(recipe.filter), repr(recipe.split), recipe.seed)
    if key not in known:
        known[key] = Knowledge(run.dataset().catalog, run.split().train)
    return Opened(run.name, speaker(run.recommender(base=base), known[key], learned(run)), known[key])


def speaker(recommender: Recommender, knowledge: Knowledge, learned: bool = False) -> Speaker:
    """Who speaks for a recommender. learned: whether it is a language model that was tuned on dialogues."""
    from llmrec.recommend.chat.fixed import Fixed
    from llmrec.recommend.language import LanguageRecommender

    if not learned or not isinstance(recommender, LanguageRecommender):
        return Fixed(recommender, knowledge)
    from llmrec.recommend.chat.tuned import Tuned

    return Tuned(recommender, knowledge)


def baseline(name: str, run: Run, knowledge: Knowledge) -> Opened:
    """The speaker of a classical baseline, fitted now on what a run learned from."""
    from llmrec import registry, rng

    fitted = registry.load("baseline", name)().fit(knowledge.train, rng.stream(0, "baseline", name))
    return Opened(f"{name} on {run.name}", speaker(fitted, knowledge), knowledge)


def learned(run: Run) -> bool:
    """Whether a run was tuned on dialogues, and can talk in words of its own."""
    shares = getattr(run.recipe.train, "shares", {})
    return bool(shares.get("dialogue", 0))


def spare_threads() -> None:
    """One thread for torch where there are two cores or fewer: a row at a time, two wait for each other longer than they gain. For this
    whole process, so for programs alone: over SmolLM2 an answer comes at 19 to 24 tokens a second instead of 9 to 14."""
    import os

    import torch

    if (os.cpu_count() or 1) <= 2:
        torch.set_num_threads(1)


def of_user(run: Run, key: str) -> Conversation:
    """A talk with a user of the data as the test asks about them: all but the held-out item is known. ValueError with the near keys.

    Somebody who was held out of all training is a new person to the model, and keeps their history.
    """
    import difflib

    catalog, split = run.dataset().catalog, run.split()
    if key not in catalog.user_of_key:
        close = difflib.get_close_matches(key, catalog.user_keys, n=3, cutoff=0.5) or catalog.user_keys[:3]
        raise ValueError(f"no user has the key {key!r}: there are {', '.join(close)} and others ({len(catalog.user_keys):,} in all)")
    user = int(catalog.user_of_key[key])
    asked = split.asked("test").tolist()
    if user not in asked:
        return Conversation(user, tuple(split.train.history(user).tolist()))
    query = split.queries("test")[asked.index(user) : asked.index(user) + 1]
    return Conversation(int(query.users[0]), tuple(query.histories[0].tolist()))
