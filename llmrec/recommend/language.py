"""A tuned language model as a recommender: prompts in, a ranking out.

Where it stands: stage 5, beside the classical baselines and behind the same verb. The history is an argument: new people need no refit.
What it does not know: schemes; the table names, the head ranks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from llmrec.contracts import Id, IdTable, Queries, Ranked
from llmrec.lm.documents import Writer
from llmrec.lm.heads import Head
from llmrec.lm.model import LanguageModel

if TYPE_CHECKING:
    from llmrec.ids.newcomers.namer import Namer

BATCH = 64  # people read at once


@dataclass(frozen=True)
class LanguageRecommender:
    """`recommend` through a language model and a head.

    compiled: what the head made of the table, or None to let it do so now. unseen: the prompt header that was never trained on, instead of
    the first of the others; task: whose templates, and whether the history's order counts ("sequential") or not; namer: names new people
    (user -1) by their histories; None, or where it has no name to give: they are written as "a person".
    """

    lm: LanguageModel
    table: IdTable
    head: Head
    compiled: Any = None
    max_items: int = 50
    unseen: bool = False
    task: str = "sequential"
    namer: Namer | None = None
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        if self.compiled is None:
            object.__setattr__(self, "compiled", self.head.compile(self.lm, self.table))
        object.__setattr__(self, "writer", Writer(self.lm.vocab, self.compiled.names, self.table, self.max_items))

    def prompt(self, user: int | Id, history: Any, template: int = 0, unseen: bool | None = None) -> list[int]:
        """What the model reads for one person, as row numbers. user: their number, -1, or a new name; template, unseen: other words than
        those that `recommend` uses."""
        return self.writer.prompt(user, history, template, self.unseen if unseen is None else unseen, self.task)

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k best items a query; excluded items never come back."""
        training = self.lm.training
        self.lm.eval()
        try:
            parts, people = [], self.people(queries)
            for first in range(0, len(queries), BATCH):
                part = queries[first : first + BATCH]
                prompts = [self.prompt(who, h) for who, h in zip(people[first : first + BATCH], part.histories, strict=True)]
                parts.append(self.head.rank(self.lm, self.compiled, prompts, k, part.exclude))
        finally:
            self.lm.train(training)
        if not parts:
            return Ranked(np.zeros((0, k), dtype=np.int32), np.zeros((0, k), dtype=np.float32))
        return Ranked(np.concatenate([p.items for p in parts]), np.concatenate([p.scores for p in parts]))

    def people(self, queries: Queries) -> list[int | Id]:
        """Who each query is for: a number, -1, or the name that a newcomer gets."""
        people: list[int | Id] = [int(u) for u in queries.users]
        if self.namer is not None:
            new = [i for i, who in enumerate(people) if who == -1]
            for i, name in zip(new, self.namer([queries.histories[i] for i in new]), strict=True):
                people[i] = -1 if name is None else name
        return people
