"""The review task: "{user} writes about {item}:" and what the user wrote, a review or tags; where the data has texts.

Where it stands: a task of this folder. What it does not know: ratings and rankings. A text that spells a Token stays text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Interactions, Part, Split
from llmrec.lm import prompts
from llmrec.lm.tasks.heldout import Asked, asked, strangers
from llmrec.lm.tasks.likeness import likeness, rouge
from llmrec.lm.tasks.sure import compared
from llmrec.lm.tasks.words import LONGEST, Document, Speaker, generate_all
from llmrec.recommend.language import LanguageRecommender

TASK = "review"
N_EXAMPLES = 5


@dataclass(frozen=True)
class Reviewed:
    """How texts for held-out interactions are. left_out: why others are not asked, and how many; metrics: bleu, rouge_l, ended (the share
    that came to an end) and cut (the share of what was written that is longer than may be said, and compared as far as that goes; so are
    the baselines); intervals: 95 % for rouge_l; baselines: {name: metrics}; differences: {baseline: {metric: (mean, low, high)}}, the model
    less the baseline; examples: (said, written) pairs."""

    n: int
    left_out: Mapping[str, int]
    template: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    baselines: Mapping[str, Mapping[str, float]]
    differences: Mapping[str, Mapping[str, tuple[float, float, float]]]
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
    everyone = asked(split, part, users, seed)
    questions = [q for q in everyone if q.text]
    if not questions:
        raise ValueError(f"no text is held out in the {part} part: ask more users, or evaluate the other part")
    speaker = Speaker(recommender.lm.vocab, recommender.compiled.names, recommender.table)
    read = [speaker.prompt(TASK, q.user, q.item, unseen=unseen) for q in questions]
    told = generate_all(recommender.lm, read, speaker.end)
    said, right = [speaker.spelled(t.rows) for t in told], [_cut(q.text, speaker) for q in questions]
    guesses = {name: [_cut(t, speaker) for t in texts] for name, texts in baselines(split.train, questions).items()}
    who = np.asarray([q.user for q in questions], dtype=np.int64)
    beside = {name: {"rouge_l": rouge(texts, right)} for name, texts in guesses.items()}
    bounds, differences = compared(who, {"rouge_l": rouge(said, right)}, beside, seed)
    cut = float(np.mean([text != q.text for text, q in zip(right, questions, strict=True)]))
    ended = float(np.mean([t.ended for t in told]))
    return Reviewed(
        len(questions),
        {"nothing is written of them": len(everyone) - len(questions), "their user is new": strangers(split, part)},
        "unseen" if unseen else "seen",
        {**asdict(likeness(said, right)), "ended": ended, "cut": cut},
        bounds,
        {name: {**asdict(likeness(texts, right)), "ended": 1.0, "cut": cut} for name, texts in guesses.items()},
        differences,
        tuple(zip(said[:N_EXAMPLES], right[:N_EXAMPLES], strict=True)),
    )


def _cut(text: str, speaker: Speaker) -> str:
    """A text as far as the model could have said it."""
    rows = speaker.text(f" {text}")
    return text if len(rows) <= LONGEST else speaker.spelled(rows[:LONGEST])


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
