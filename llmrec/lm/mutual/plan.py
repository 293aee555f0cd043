"""The plan of mutual training: its settings, and the verb that works them off.

Where it stands: in the place of `finetune`, for names of one Token each and the items head. What it does not know: runs, queues and pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from llmrec.contracts import Catalog, IdTable, Split, Vectors
from llmrec.lm.documents import Writer
from llmrec.lm.heads import Head
from llmrec.lm.heads.items import Items
from llmrec.lm.loop import Emit, Loop
from llmrec.lm.model import LanguageModel
from llmrec.lm.mutual.course import Alternating
from llmrec.lm.mutual.documents import Collaborative, Content
from llmrec.lm.mutual.pair import Pair
from llmrec.lm.precision import best_device, halve_frozen, has_bf16
from llmrec.recommend.language import LanguageRecommender


@dataclass(frozen=True)
class Pace:
    """What the loop reads of a plan."""

    batch: int
    lr: float
    average: float
    validations: int
    patience: int


@dataclass(frozen=True)
class Mutual:
    """CLLM4Rec: rows that learn from interactions and rows that learn from words, on one base, pulled towards each other.

    epochs: passes over content alone, then rounds of a pass over people and one over content, then rounds of fine-tuning (RecFT) and
    content; no RecFT is LLM-PreRec. batch: documents a step. lr: peak rate of pretraining and of RecFT. regularise: lambda_l, the
    precision of the collaborative rows around 0, and lambda_c, that of the content rows around them. reorder: items come in an order drawn
    afresh each time (False: in order of time, LLM-FixOrd). content: the share of content documents that a pass over content reads, the next
    passes reading on (0: no content side, LLM-CF). mask: the share of a person's items that RecFT holds out. validations: how often
    validation is read, spread over RecFT. LLM-Scratch and LLM-FtAll are settings of [lm]: pretrained = false, tuning = "full".
    """

    epochs: tuple[int, int, int] = (1, 6, 6)
    batch: int = 20
    lr: tuple[float, float] = (1e-3, 1e-4)
    regularise: tuple[float, float] = (1e-3, 1.0)
    reorder: bool = True
    content: float = 1.0
    mask: float = 0.2
    validations: int = 3
    max_items: ClassVar[int] = 1000  # whole histories: the longest of MovieLens-100K has 304 items in train
    average: ClassVar[float] = 0.98
    patience: ClassVar[int] = 4

    def __post_init__(self) -> None:
        if min(self.epochs) < 0 or sum(self.epochs[1:]) < 1:
            raise ValueError(f"epochs = {self.epochs} must count from 0, with at least one round after content: (1, 6, 6) is a start")
        for name in ("batch", "validations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be at least 1")
        if not all(0 < rate < 1 for rate in self.lr):
            raise ValueError(
                f"lr = {self.lr} must be two rates between 0 and 1, of pretraining and of RecFT: the release has 1e-3 and 1e-4"
            )
        if min(self.regularise) < 0:
            raise ValueError(f"regularise = {self.regularise} are precisions, lambda_l and lambda_c, and must not be below 0")
        if not 0 <= self.content <= 1:
            raise ValueError(f"content = {self.content} is a share of documents and must lie in 0 (no content side) to 1")
        if not 0 < self.mask < 1:
            raise ValueError(f"mask = {self.mask} is the share of items held out and must lie between 0 and 1")

    @property
    def ranks_by(self) -> str:
        """The templates under which items are ranked: RecFT's, or those of the collaborative documents where there is none."""
        return ("recft" if self.epochs[2] else "collaborative") + ("" if self.reorder else "-fixord")

    def fit(
        self,
        lm: LanguageModel,
        table: IdTable,
        split: Split,
        folder: Path,
        emit: Emit,
        should_stop: Callable[[], bool],
        seed: int,
        head: Head,
        catalog: Catalog | None = None,
        vectors: Vectors | None = None,
    ) -> dict[str, Any]:
        """Train, validate, save the best into folder/model and folder/content. Resumes from folder/checkpoint; returns a summary.

        ValueError where names are not one Token each, the head is not `items`, content is asked for and there is none, or new people are
        asked about.
        """
        _demand_single(table)
        if not isinstance(head, Items):
            raise ValueError(f'mutual training ends in a softmax over items, not in {type(head).__name__}: set [head] name = "items"')
        if self.content and catalog is None:
            raise ValueError("the content side reads the catalogue, and there is none: give one, or set train.content = 0")
        if len(split.held_out):
            raise ValueError(
                f"mutual training learns a Token for everybody and no word for new people, and {split.protocol} asks about "
                f'{len(split.held_out)} of them: use [split] name = "holdout" or "loo", or [train] name = "finetune"'
            )
        if not len(split.valid):
            raise ValueError("the validation part is empty, and a model needs both train and validation: change the filter or the split")
        course = self.course(lm, table, split, seed, head, catalog, vectors)
        pace = Pace(self.batch, self.lr[0], self.average, self.validations, self.patience)
        return Loop(course, course.pair, pace, folder, seed).run(emit, should_stop)

    def course(
        self,
        lm: LanguageModel,
        table: IdTable,
        split: Split,
        seed: int,
        head: Head,
        catalog: Catalog | None = None,
        vectors: Vectors | None = None,
    ) -> Alternating:
        """What the loop works off: both sides of the model, and what each pass reads."""
        device = best_device()
        pair = Pair(lm, content=self.content > 0).to(device)
        if lm.backbone.tuned != "full" and has_bf16(device):
            halve_frozen(pair)
        compiled = head.compile(lm, table, catalog, vectors)
        ranking = LanguageRecommender(lm, table, head, compiled, max_items=self.max_items, task=self.ranks_by)
        writer = Writer(lm.vocab, compiled.names, table, self.max_items, anonymous=0.0)
        content = Content.of(writer, catalog, split.train) if self.content and catalog is not None else None
        return Alternating(self, pair, ranking, split, Collaborative(writer, self.reorder, self.mask), content, seed)


def _demand_single(table: IdTable) -> None:
    """One Token a user and item, and none of them shared: else a side could not tell whom it speaks of."""
    for side, names in (("items", table.items), ("users", table.users)):
        if names is None:
            raise ValueError(
                f'mutual training gives every user a Token, and {table.scheme} names no {side}: use [scheme] name = "cllm4rec"'
            )
        one = (names.codes >= 0).sum(1) == 1
        tokens = all(book.token and book.texts is None for book in names.books)
        if not tokens or not one.all() or len(np.unique(names.codes, axis=0)) < len(names):
            raise ValueError(f'mutual training needs one Token of their own for all {side}; {table.scheme} names otherwise: use "cllm4rec"')
