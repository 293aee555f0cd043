"""A tuned language model as a recommender: prompts in, a ranking out.

Where it stands: stage 5, beside the classical baselines and behind the same verb. The history is an argument: new people need no refit.
What it does not know: schemes; the table names, the head ranks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmrec.contracts import IdTable, Queries, Ranked
from llmrec.lm.documents import Writer
from llmrec.lm.heads import Head
from llmrec.lm.model import LanguageModel


@dataclass(frozen=True)
class LanguageRecommender:
    """`recommend` through a language model and a head.

    compiled: what the head made of the table, or None to let it do so now. batch: people read at once; template: which prompt header;
    unseen: the one never trained on; task: whose templates, and whether the history's order counts ("sequential") or not.
    """

    lm: LanguageModel
    table: IdTable
    head: Head
    compiled: Any = None
    max_items: int = 50
    batch: int = 64
    template: int = 0
    unseen: bool = False
    task: str = "sequential"
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        if self.compiled is None:
            object.__setattr__(self, "compiled", self.head.compile(self.lm, self.table))
        object.__setattr__(self, "writer", Writer(self.lm.vocab, self.compiled.names, self.table, self.max_items))

    def prompt(self, user: int, history: Any) -> list[int]:
        """What the model reads for one person, as row numbers."""
        return self.writer.prompt(user, history, self.template, self.unseen, self.task)

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k best items a query; excluded items never come back."""
        training = self.lm.training
        self.lm.eval()
        try:
            parts = []
            for first in range(0, len(queries), self.batch):
                part = queries[first : first + self.batch]
                prompts = [self.prompt(int(u), h) for u, h in zip(part.users, part.histories, strict=True)]
                parts.append(self.head.rank(self.lm, self.compiled, prompts, k, part.exclude))
        finally:
            self.lm.train(training)
        if not parts:
            return Ranked(np.zeros((0, k), dtype=np.int32), np.zeros((0, k), dtype=np.float32))
        return Ranked(np.concatenate([p.items for p in parts]), np.concatenate([p.scores for p in parts]))
