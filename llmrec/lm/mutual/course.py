"""The course of mutual training: content alone, then both sides in turn, then fine-tuning for recommendation.

Where it stands: between the plan and the loop. What it does not know: the loop's state, files.

Each step is the paper's objective of one batch over the number of its supervised items (words in a content step): the mean of -log p, plus
lambda_c / 2 sum w |z^l - z^c|^2 + lambda_l / 2 sum w |z^l|^2 over the distinct people and items that the batch speaks of, over that number.
w is 1 over the number of the pass's batches that speak of them: a pass pulls each once, popular or not, whatever the size of a batch, and
lambda keeps its meaning, a precision beside a likelihood that is summed over items.

Where a pass over content reads a share of it, rows of people are pulled to those content rows alone that a pass before has read: the others
are where they were drawn, and know nothing. A content step pulls what it reads.

Where several processes share a step, each scores its own documents and pulls its own part of all that the step speaks of, each row once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llmrec import rng as streams
from llmrec.contracts import Split
from llmrec.lm.loop import Scored, spread, warm_cosine
from llmrec.lm.mutual.documents import Collaborative, Content, Person, batched, rows_of
from llmrec.lm.mutual.pair import Pair
from llmrec.lm.names import Array
from llmrec.lm.processes import WHOLE, Share
from llmrec.recommend.language import LanguageRecommender
from llmrec.report import protocols
from llmrec.report.evaluate import evaluate
from llmrec.report.metrics import cut

if TYPE_CHECKING:
    from llmrec.lm.mutual.plan import Mutual

Stage = Literal["collaborative", "content", "recft"]
LABELS = {"collaborative": "collaborative", "content": "content", "recft": "RecFT"}


class Pull(NamedTuple):
    """How strongly one pass pulls each new row in one of its batches, (n_tokens,) float32 each: to 0, and to the other side."""

    epoch: int
    home: Tensor
    across: Tensor


class Alternating:
    """One pass after another over people and content. A round of the plan is a pass over people, then one over content."""

    def __init__(
        self,
        plan: Mutual,
        pair: Pair,
        ranking: LanguageRecommender,
        split: Split,
        people: Collaborative,
        content: Content | None,
        seed: int,
    ) -> None:
        self.plan, self.pair, self.ranking, self.split, self.seed = plan, pair, ranking, split, seed
        self.people, self.content = people, content
        self.stages = stages(plan, content is not None)
        self.epochs = len(self.stages)
        self.select = protocols.of(split).select
        self.folders = pair.folders
        first = next((i for i, stage in enumerate(self.stages) if stage == "recft"), len(self.stages))
        self.pretraining = sum(self._steps(epoch) for epoch in range(first))
        self.alone = sum(self._steps(epoch) for epoch in range(plan.epochs[0])) if content is not None else 0
        self._pull: Pull | None = None
        if "recft" in self.stages and not self._steps(first):
            raise ValueError("nobody has two different items in train, and RecFT gives one and asks for another: make the last of epochs 0")

    def label(self, epoch: int) -> str:
        return LABELS[self.stages[epoch]]

    def batches(self, epoch: int) -> list[Any]:
        """Batches of `Person` for passes over people, of document numbers for passes over content."""
        stage, size = self.stages[epoch], self.plan.batch
        rng = streams.stream(self.seed, "batches", str(epoch))
        if stage == "content":
            assert self.content is not None
            chosen = self._drawn(epoch)
            lengths = np.asarray([len(self.content.texts[i]) for i in chosen])
            return [[chosen[i] for i in batch] for batch in batched(lengths, size, rng)]
        people = self.people.people(self.split.train, stage, self.seed, epoch)
        lengths = np.asarray([len(p.given) + len(p.asked) for p in people])
        return [[people[i] for i in batch] for batch in batched(lengths, size, rng)]

    def loss(self, work: list[Any], epoch: int, at: int, share: Share = WHOLE) -> Scored:
        self.pair.train()
        return self._say(work, epoch, share) if self.stages[epoch] == "content" else self._take(work, epoch, share)

    def rate(self, step: int, total: int) -> float:
        """A warm-up and a cosine for pretraining, and another, at its own rate, for fine-tuning."""
        if step < self.pretraining:
            return warm_cosine(step, self.pretraining)
        first, second = self.plan.lr
        return second / first * warm_cosine(step - self.pretraining, total - self.pretraining)

    def validates_at(self, per_epoch: list[int]) -> set[int]:
        """Spread over fine-tuning, whose form of prompt is the one that ranks; without it over the passes that alternate."""
        total = sum(per_epoch)
        return spread(self.plan.validations, self.pretraining if self.pretraining < total else self.alone, total)

    def measure(self) -> dict[str, float]:
        return evaluate(self.ranking, self.split, "valid", masked=True, k=(20, cut(self.select))).metrics

    def save(self, folder: Path) -> None:
        self.pair.save(folder)

    def pull(self, epoch: int) -> Pull:
        """What the steps of a pass weigh each row by: a pure function of seed and epoch."""
        if self._pull is None or self._pull.epoch != epoch:
            lm = self.ranking.lm
            spoken = np.zeros(len(lm.rows.new), dtype=np.float32)
            for work in self.batches(epoch):
                spoken[self._mentioned(work, epoch) - lm.rows.first] += 1
            weights = torch.from_numpy(1 / np.maximum(spoken, 1)).to(lm.rows.new.device)
            self._pull = Pull(epoch, weights, weights * torch.from_numpy(self.told(epoch)).to(weights.device))
        return self._pull

    def told(self, epoch: int) -> NDArray[np.bool_]:
        """Whose content row has been read when a pass begins, its own reading counted if it is one over content: (n_tokens,)."""
        told = np.zeros(len(self.ranking.lm.rows.new), dtype=np.bool_)
        for earlier in range(epoch + 1):
            if self.content is not None and self.stages[earlier] == "content":
                told[self.content.mentioned(self._drawn(earlier)) - self.ranking.lm.rows.first] = True
        return told

    def _drawn(self, epoch: int) -> list[int]:
        assert self.content is not None
        return self.content.drawn(self.plan.content, self.seed, self.stages[:epoch].count("content"))

    def _mentioned(self, work: list[Any], epoch: int) -> Array:
        if self.stages[epoch] == "content":
            assert self.content is not None
            return self.content.mentioned(work)
        items = np.concatenate([part for person in work for part in (person.given, person.asked)])
        return rows_of(self.people.writer, np.asarray([person.user for person in work], dtype=np.int64), items)

    def _take(self, people: list[Person], epoch: int, share: Share) -> Scored:
        stage = self.stages[epoch]
        lm, compiled = self.ranking.lm, self.ranking.compiled
        batch = self.people.write(people, stage).to(lm.device)
        mine = batch.taken(share)
        loss = self.ranking.head.loss(lm, compiled, mine) if mine.n_items else lm.rows.new.new_zeros(())
        prior, mutual = self.plan.regularise
        weights = self.pull(epoch)
        who = self.pair.mentioned(batch, torch.from_numpy(compiled.names.ids[compiled.names.places(batch.items)]))[share.part]
        home = (weights.home[who, None] * lm.rows.new[who].square()).sum()
        pull = prior * home + mutual * self.pair.apart("collaborative", who, weights.across[who])
        return Scored(loss + pull / (2 * batch.n_items), batch.n_items, int(batch.mask.sum()))

    def _say(self, which: list[int], epoch: int, share: Share) -> Scored:
        assert self.content is not None
        batch = self.content.write(which).to(self.ranking.lm.device)
        mine = batch.taken(share)
        loss = self.pair.words_lost(mine) if mine.n_items else self.ranking.lm.rows.new.new_zeros(())
        if epoch >= self.plan.epochs[0]:  # before that, content alone: there is nothing yet to be pulled to
            who = self.pair.mentioned(batch)[share.part]
            loss = loss + self.plan.regularise[1] * self.pair.apart("content", who, self.pull(epoch).across[who]) / (2 * batch.n_items)
        return Scored(loss, batch.n_items, int(batch.mask.sum()))

    def _steps(self, epoch: int) -> int:
        return len(self.batches(epoch))


def stages(plan: Mutual, content: bool) -> list[Stage]:
    """What each epoch of the loop is. A last pass over content, which nothing would read any more, is left out."""
    alone, rounds, tuning = plan.epochs
    out: list[Stage] = ["content"] * alone
    for _ in range(rounds):
        out += ["collaborative", "content"]
    for _ in range(tuning):
        out += ["recft", "content"]
    if not content:
        return [stage for stage in out if stage != "content"]
    return out[:-1] if rounds + tuning else out
