"""The tasks by name: which of them a plan trains, and the measure of each on held-out interactions.

Where it stands: on top of this folder, under `llmrec tasks` and the book of results. What it does not know: runs and files.
"""

from __future__ import annotations

from typing import Any

from llmrec.contracts import Catalog, Part, Split
from llmrec.lm.tasks import explanation, rating, review
from llmrec.lm.tasks.explanation import Explained
from llmrec.lm.tasks.rating import Rated
from llmrec.lm.tasks.review import Reviewed
from llmrec.recommend.language import LanguageRecommender

TASKS = ("rating", "explanation", "review")  # those with an answer to compare with; dialogues are probed


def trained(plan: Any, only: str | None = None) -> list[str]:
    """The tasks in words that a training plan reads, or `only` one of them. ValueError where it reads none, or not this one."""
    shares = getattr(plan, "shares", {})
    read = [name for name in TASKS if shares.get(name)]
    if only is not None and only not in read:
        raise ValueError(f"this run was not trained on the task {only}: train one with {only} = 0.2 among [train] tasks")
    if not read:
        raise ValueError("this run was trained on no task in words: give rating, explanation or review a share in [train] tasks")
    return read if only is None else [only]


def task(
    name: str,
    recommender: LanguageRecommender,
    split: Split,
    catalog: Catalog,
    part: Part = "test",
    users: int | None = None,
    unseen: bool = False,
    seed: int = 0,
    constrained: bool = True,
) -> Rated | Explained | Reviewed:
    """One task on the held-out interactions of a part. constrained: whether explanations keep to what a statement may say."""
    if name == "rating":
        return rating.evaluate(recommender, split, part, users, unseen, seed)
    if name == "explanation":
        return explanation.evaluate(recommender, split, catalog, part, users, unseen, seed, constrained)
    if name == "review":
        return review.evaluate(recommender, split, part, users, unseen, seed)
    raise ValueError(f"no task in words is called {name!r}: there are {', '.join(TASKS)}")
