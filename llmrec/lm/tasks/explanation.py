"""The explanation task: which items of a history, and which attributes, speak for an item; said in words and names, and checked.

Where it stands: a task of this folder. References come from train and the catalogue (`facts`), and so do the training documents; a
held-out item is asked about, never learned from. What it does not know: rankings.

An explanation can read well and be false, so BLEU and ROUGE-L stand beside the share of statements that are true of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from llmrec import rng as streams
from llmrec.contracts import Catalog, Interactions, Ints, Part, Split
from llmrec.lm import prompts
from llmrec.lm.tasks.facts import Facts, Statement, Verdict
from llmrec.lm.tasks.heldout import Asked, asked
from llmrec.lm.tasks.likeness import likeness, rouge
from llmrec.lm.tasks.wording import Wording, shown
from llmrec.lm.tasks.words import Document, Speaker, generate_all
from llmrec.recommend.language import LanguageRecommender
from llmrec.report.compare import intervals

TASK = "explanation"
SHOWN = 20  # items of the history that a prompt holds, the newest; reasons are taken from these
N_EXAMPLES = 5


@dataclass(frozen=True)
class Example:
    """One explanation as people read it. user, item: numbers; history: the titles shown, oldest first; true: whether it is."""

    user: int
    item: int
    title: str
    history: tuple[str, ...]
    said: str
    reference: str
    true: bool


@dataclass(frozen=True)
class Explained:
    """How explanations of held-out items are. n: asked; unexplained: left out, as nothing in train and catalogue speaks for the item.

    metrics: bleu, rouge_l; the shares of statements that are formed, exist, in_history, of_target, of_cited, distinct, true (`Verdict`);
    evidence, how much of the references' items is cited. intervals: 95 % for rouge_l and true; baselines: {name: metrics}.
    """

    n: int
    unexplained: int
    part: str
    template: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    baselines: Mapping[str, Mapping[str, float]]
    examples: tuple[Example, ...]


@dataclass(frozen=True, eq=False)
class Explanations:
    """Train interactions as documents: the items before one of them, that one, and why it fits."""

    speaker: Speaker
    train: Interactions
    facts: Facts
    task: str = TASK
    bulk: int = 1
    wording: Wording = field(init=False)
    known: dict[int, Statement | None] = field(default_factory=dict, init=False)  # a loop counts all epochs before it begins

    def __post_init__(self) -> None:
        object.__setattr__(self, "wording", Wording(self.speaker))

    def sayable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some interactions of train that something before them speaks for."""
        return np.asarray([row for row in rows.tolist() if self._reference(row)[1] is not None], dtype=np.int64)

    def length(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """About how long each document is, up to a constant: the items before it."""
        place: NDArray[np.int64] = np.minimum(SHOWN, rows - self.train.offsets[self.train.user[rows]])
        return place

    def document(self, row: int, rng: np.random.Generator) -> Document:
        """One interaction of train under a template drawn. ValueError for one that is not `sayable`."""
        before, statement = self._reference(row)
        if statement is None:
            raise ValueError(f"nothing before interaction {row} speaks for its item: ask `sayable` first")
        user, item = int(self.train.user[row]), int(self.train.item[row])
        read = self.speaker.prompt(TASK, user, item, before, int(rng.integers(prompts.count(TASK))))
        return Document(read, self.speaker.ended(self.wording.write(statement)))

    def _reference(self, row: int) -> tuple[Ints, Statement | None]:
        user = int(self.train.user[row])
        before = recent(self.train.item[self.train.offsets[user] : row])
        if row not in self.known:
            self.known[row] = self.facts.reference(int(self.train.item[row]), before)
        return before, self.known[row]


def recent(history: Ints) -> Ints:
    """The part of a history that a prompt holds."""
    return history[-SHOWN:]


def evaluate(
    recommender: LanguageRecommender,
    split: Split,
    catalog: Catalog,
    part: Part = "test",
    users: int | None = None,
    unseen: bool = False,
    seed: int = 0,
) -> Explained:
    """Explain the held-out items of a part; compare with the references and check each statement, beside the baselines."""
    facts = Facts.of(split.train, catalog)
    everyone = [(q, facts.reference(q.item, recent(q.history))) for q in asked(split, part, users, seed)]
    pairs = [(q, reference) for q, reference in everyone if reference is not None]
    if not pairs:
        raise ValueError("nothing in train and the catalogue speaks for any item asked about: ask more users, or take more data")
    questions, references = [q for q, _ in pairs], [r for _, r in pairs]
    speaker = Speaker(recommender.lm.vocab, recommender.compiled.names, recommender.table)
    wording = Wording(speaker)
    read = [speaker.prompt(TASK, q.name, q.item, recent(q.history), unseen=unseen) for q in questions]
    rows = generate_all(recommender.lm, read, speaker.end)
    said = [wording.read(r, q.history) for r, q in zip(rows, questions, strict=True)]
    texts = [shown(s, catalog) if s.formed else speaker.spelled(r) for s, r in zip(said, rows, strict=True)]
    right = [shown(r, catalog) for r in references]
    verdicts = [facts.check(s, q.item, q.history) for s, q in zip(said, questions, strict=True)]
    each = np.stack([rouge(texts, right), np.asarray([v.true for v in verdicts], dtype=np.float64)], 1)
    bounds = intervals(each, streams.stream(seed, "bootstrap"))
    return Explained(
        len(pairs),
        len(everyone) - len(pairs),
        part,
        "unseen" if unseen else "seen",
        {**_measures(texts, right, verdicts), "evidence": _evidence(said, references)},
        {name: (b.low, b.high) for name, b in zip(("rouge_l", "true"), bounds, strict=True)},
        _baselines(questions, references, facts, split.train, catalog, seed),
        _examples(questions, texts, right, verdicts, catalog),
    )


def _baselines(
    questions: Sequence[Asked], references: Sequence[Statement], facts: Facts, train: Interactions, catalog: Catalog, seed: int
) -> dict[str, dict[str, float]]:
    right, out = [shown(r, catalog) for r in references], {}
    for name in ("random items", "popular attribute"):
        said = [_guess(name, q, facts, train, seed) for q in questions]
        verdicts = [facts.check(s, q.item, q.history) for s, q in zip(said, questions, strict=True)]
        out[name] = {**_measures([shown(s, catalog) for s in said], right, verdicts), "evidence": _evidence(said, references)}
    return out


def _evidence(said: Sequence[Statement], references: Sequence[Statement]) -> float:
    """How much of the references' items is cited, a share of each, on average."""
    return float(np.mean([len(set(s.items) & set(r.items)) / len(r.items) for s, r in zip(said, references, strict=True)]))


def _guess(name: str, question: Asked, facts: Facts, train: Interactions, seed: int) -> Statement:
    """What a template says without a model: two random items of the history and the target's first attribute, or the newest item and the
    most common attribute of train."""
    history = recent(question.history)
    if name == "random items":
        rng = streams.stream(seed, name, str(question.user), str(question.item))
        cited = rng.choice(history, size=min(2, len(history)), replace=False)
        return Statement(tuple(int(i) for i in cited), facts.attributes[question.item][:1])
    common = facts.popular(train)
    return Statement((int(history[-1]),), () if common is None else (common,))


def _measures(texts: Sequence[str], right: Sequence[str], verdicts: Sequence[Verdict]) -> dict[str, float]:
    shares = {name: float(np.mean([getattr(v, name) for v in verdicts])) for name in (*Verdict.__dataclass_fields__, "true")}
    return {**asdict(likeness(texts, right)), **shares}


def _examples(
    questions: Sequence[Asked], texts: Sequence[str], right: Sequence[str], verdicts: Sequence[Verdict], catalog: Catalog
) -> tuple[Example, ...]:
    """Five spread evenly over those asked, neither the best nor the worst."""
    chosen = np.unique(np.linspace(0, len(questions) - 1, N_EXAMPLES).round().astype(int)).tolist()
    return tuple(
        Example(
            questions[i].user,
            questions[i].item,
            catalog.titles[questions[i].item],
            tuple(catalog.titles[h] for h in recent(questions[i].history)),
            texts[i],
            right[i],
            verdicts[i].true,
        )
        for i in chosen
    )
