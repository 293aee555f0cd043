"""Both sides' rows of items after every pass of mutual training: what the pull between them does, seen while it works.

Where it stands: beside `plan`, whose course and loop it works off unchanged; the Tour draws it. What it does not know: figures, pages.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from llmrec.contracts import Catalog, Floats, IdTable, Split
from llmrec.lm.heads.items import Items
from llmrec.lm.loop import Loop
from llmrec.lm.model import LanguageModel
from llmrec.lm.mutual.course import Alternating
from llmrec.lm.mutual.plan import Mutual, Pace


@dataclass(frozen=True, eq=False)
class Watched:
    """The rows of every item, pass by pass. passes: what was read before each look, "start" first; seconds: of the whole training.

    collaborative, content: (looks, m, d) float32. Both sides begin in the same place.
    """

    passes: tuple[str, ...]
    collaborative: Floats
    content: Floats
    seconds: float

    def distances(self) -> Floats:
        """|z^l - z^c| of every item: (looks, m)."""
        return np.asarray(np.linalg.norm(self.collaborative - self.content, axis=-1), dtype=np.float32)

    def cosines(self) -> Floats:
        """The cosine between an item's two rows: (looks, m)."""
        product = (self.collaborative * self.content).sum(-1)
        length = np.linalg.norm(self.collaborative, axis=-1) * np.linalg.norm(self.content, axis=-1)
        return np.asarray(product / np.maximum(length, 1e-12), dtype=np.float32)


def watch(
    plan: Mutual, lm: LanguageModel, table: IdTable, split: Split, catalog: Catalog, seed: int, told: Callable[[float], None]
) -> Watched:
    """Train as `plan` says, and keep the rows of items after each pass. told: hears the share that is done.

    The model is read once for validation, at the end, and nothing of it is kept. ValueError as in `Mutual.fit`.
    """
    course = plan.course(lm, table, split, seed, Items(), catalog)
    looks, passes = [_rows(course, table)], ["start"]
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop(course, course.pair, Pace(plan.batch, plan.lr[0], plan.average, 1, plan.patience), Path(folder), seed)
        ends = {step: epoch for epoch, step in enumerate(itertools.accumulate(loop.per_epoch))}

        def look() -> bool:
            told(loop.done.step / loop.total)
            if loop.done.step in ends:
                looks.append(_rows(course, table))
                passes.append(course.label(ends[loop.done.step]))
            return False

        facts = loop.run(lambda _: None, look)
    collaborative, content = (np.stack([pair[side] for pair in looks]) for side in (0, 1))
    return Watched(tuple(passes), collaborative, content, float(facts["seconds"]))


def _rows(course: Alternating, table: IdTable) -> tuple[Floats, Floats]:
    """The rows of items on both sides, (m, d) each, copied out."""
    lm, pair = course.ranking.lm, course.pair
    if pair.content is None:
        raise ValueError("there is no content side to look at: set train.content above 0")
    where = lm.vocab.names(table.items).ids - lm.rows.first

    def copied(rows: Tensor) -> Floats:
        return np.array(rows.detach().float().cpu().numpy()[where], dtype=np.float32)

    return copied(lm.rows.new), copied(pair.content.new)
