"""The review task: "{user} writes about {item}:" and what the user wrote, a review or tags; where the data has texts.

Where it stands: a task of this folder. What it does not know: ratings and rankings. A text that spells a Token stays text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec import rng as streams
from llmrec.contracts import Interactions, Part, Split
from llmrec.lm import prompts
from llmrec.lm.tasks.heldout import Asked, asked
from llmrec.lm.tasks.likeness import likeness, rouge
from llmrec.lm.tasks.words import Document, Speaker, generate_all
from llmrec.recommend.language import LanguageRecommender
from llmrec.report.compare import interval

TASK = "review"
N_EXAMPLES = 5


@dataclass(frozen=True)
class Reviewed:
    """How texts for held-out interactions are. metrics: bleu, rouge_l; intervals: 95 % for rouge_l; baselines: {name: metrics};
    examples: (said, written) pairs."""

    n: int
    part: str
    template: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    baselines: Mapping[str, Mapping[str, float]]
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reviews:
    """Texts of train as documents."""

    speaker: Speaker
    train: Interactions
    task: str = TASK
    bulk: int = 1

    def __post_init__(self) -> None:
        _texts(self.train)

    def sayable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some interactions of train with which something was written."""
        return rows[[bool(t) for t in _texts(self.train)[rows]]] if len(rows) else rows

    def length(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """About how long each document is: a row number for four letters."""
        return np.asarray([len(t) // 4 for t in _texts(self.train)[rows]], dtype=np.int64)

    def document(self, row: int, rng: np.random.Generator) -> Document:
        """One interaction of train under a template drawn."""
        user, item = int(self.train.user[row]), int(self.train.item[row])
        read = self.speaker.prompt(TASK, user, item, template=int(rng.integers(prompts.count(TASK))))
        return Document(read, self.speaker.ended(self.speaker.text(f" {_texts(self.train)[row]}")))


def evaluate(
    recommender: LanguageRecommender, split: Split, part: Part = "test", users: int | None = None, unseen: bool = False, seed: int = 0
) -> Reviewed:
    """Write for the held-out interactions that have a text, and compare, beside the baselines. ValueError where there are no texts."""
    _texts(split.train)
    questions = [q for q in asked(split, part, users, seed) if q.text]
    if not questions:
        raise ValueError(f"no text is held out in the {part} part: ask more users, or evaluate the other part")
    speaker = Speaker(recommender.lm.vocab, recommender.compiled.names, recommender.table)
    read = [speaker.prompt(TASK, q.name, q.item, unseen=unseen) for q in questions]
    said = [speaker.spelled(rows) for rows in generate_all(recommender.lm, read, speaker.end)]
    right = [q.text for q in questions]
    bound = interval(rouge(said, right), streams.stream(seed, "bootstrap"))
    return Reviewed(
        len(questions),
        part,
        "unseen" if unseen else "seen",
        asdict(likeness(said, right)),
        {"rouge_l": (bound.low, bound.high)},
        {name: asdict(likeness(guesses, right)) for name, guesses in baselines(split.train, questions).items()},
        tuple(zip(said[:N_EXAMPLES], right[:N_EXAMPLES], strict=True)),
    )


def baselines(train: Interactions, questions: Sequence[Asked]) -> dict[str, list[str]]:
    """What train alone would say: its most frequent text, and the newest text written of the item (else the most frequent)."""
    texts = _texts(train)
    counts = Counter(str(t) for t in texts if t)
    frequent = min(counts, key=lambda t: (-counts[t], t)) if counts else ""
    newest: dict[int, str] = {}
    for row in np.argsort(train.time, kind="stable").tolist():
        if texts[row]:
            newest[int(train.item[row])] = str(texts[row])
    return {"most frequent": [frequent] * len(questions), "newest of the item": [newest.get(q.item, frequent) for q in questions]}


def _texts(interactions: Interactions) -> NDArray[np.object_]:
    if interactions.text is None:
        raise ValueError(
            "the review task needs what users wrote, and this data has no texts: take the task out, or read a table of your own with "
            '[data] name = "table" and text = "review", the column of reviews or tags'
        )
    return interactions.text
