"""Speech: what an adapter learns before there are names, so that every scheme over the same data can begin with it.

Where it stands: beside fine-tuning, on the same loop; `llmrec.runs.speech` keeps what came of it.
What it does not know: schemes, heads, runs.

To understand "something like Alien, but no horror" takes thousands of dialogues, and hardly hangs on what Alien is called. So dialogues are
read once with every name left out: no user, no history, a note that says "[: Alien, 1979, Horror]", marks with nothing behind them. No
scheme is closer to that than another. Fine-tuning then adds names, and needs a few dialogues to place them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llmrec import rng as streams
from llmrec.contracts import Book, Catalog, IdTable, Names, Split
from llmrec.lm.backbone import Backbone
from llmrec.lm.dialogue.generator import Dialogues
from llmrec.lm.loop import Course, Emit, Loop, Pace, Scored, spread, warm_cosine
from llmrec.lm.model import LanguageModel
from llmrec.lm.precision import autocast, best_device, halve_frozen, has_bf16
from llmrec.lm.processes import WHOLE, Share
from llmrec.lm.tasks import words
from llmrec.lm.tasks.facts import Facts
from llmrec.lm.tasks.mixed import Reading, readings
from llmrec.lm.vocab import Ragged

SELECT = "speech"  # the geometric mean of the probabilities of what is said in phrasings that are never trained on
HEARD = 80  # dialogues that validation reads


def learn(
    backbone: Backbone,
    split: Split,
    catalog: Catalog,
    pace: Pace,
    share: float,
    folder: Path,
    emit: Emit,
    stop: Callable[[], bool],
    seed: int,
) -> dict[str, Any]:
    """Read a share of train's interactions as dialogues without names, once; the adapter lies in folder/model, if nobody stopped it.

    Resumes from folder/checkpoint; returns the loop's summary. ValueError for a backbone that is trained without an adapter.
    """
    if backbone.tuned != "lora":
        raise ValueError(
            f'tasks: speech is learned by an adapter, and {backbone.name} is trained with tuning = "{backbone.tuned}": use '
            'pretrained weights with tuning = "lora", or give dialogue a larger share'
        )
    nameless = IdTable("speech", Names(np.zeros((len(catalog.items), 1), np.int32), (Book("speech", 1, token=False, texts=("it",)),)))
    lm = LanguageModel.create(replace(backbone, augment=0.0), nameless, catalog, seed).to(best_device())
    if has_bf16(lm.device):
        halve_frozen(lm)
    nothing = Ragged(np.zeros(len(catalog.items) + 1, np.int64), np.zeros(0, np.int64))
    talks = Dialogues(words.Speaker(lm.vocab, nothing, nameless), split.train, catalog, Facts.of(split.train, catalog))
    course: Course = Speech(lm, talks, share, pace, seed)
    return Loop(course, lm, pace, folder, seed).run(emit, stop)


class Speech:
    """The course: dialogues alone, one pass."""

    epochs, select, folders = 1, SELECT, ("model",)

    def __init__(self, lm: LanguageModel, talks: Dialogues, share: float, pace: Pace, seed: int) -> None:
        self.lm, self.talks, self.share, self.pace, self.seed = lm, talks, share, pace, seed

    def label(self, epoch: int) -> str:
        return "learning to talk"

    def batches(self, epoch: int) -> list[Reading]:
        rng = streams.stream(self.seed, "speech", str(epoch))
        found = readings(self.talks, self.share, self.pace.batch, rng)
        return [found[i] for i in rng.permutation(len(found))]

    def loss(self, work: Reading, epoch: int, at: int, share: Share = WHOLE) -> Scored:
        rng = streams.stream(self.seed, "speech", str(epoch), str(at))
        batch = words.speech([self.talks.document(row, rng) for row in work.rows])
        mine, lm = batch.taken(share).to(self.lm.device), self.lm.train()
        loss = words.loss(lm, mine) if mine.documents else torch.zeros((), device=lm.device)
        return Scored(loss, batch.documents, int(batch.mask.sum()))

    def rate(self, step: int, total: int) -> float:
        return warm_cosine(step, total)

    def validates_at(self, per_epoch: list[int]) -> set[int]:
        return spread(self.pace.validations, 0, sum(per_epoch))

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        lm, rng = self.lm.eval(), streams.stream(self.seed, "speech", "validation")
        rows = rng.integers(len(self.talks.train), size=HEARD).tolist()
        documents = [self.talks.script.written(self.talks.generator.dialogue(row, rng, unseen=True)) for row in rows]
        nats, said = 0.0, 0
        for first in range(0, HEARD, self.pace.batch):
            batch = words.speech(documents[first : first + self.pace.batch]).to(lm.device)
            with autocast(lm.device):
                nats += float(words.loss(lm, batch)) * len(batch.right)
            said += len(batch.right)
        return {SELECT: math.exp(-nats / said)}

    def save(self, folder: Path) -> None:
        self.lm.save(folder / "model")
