"""The explanation task: which items of a history, and which attributes, speak for an item; said in words and names, and checked.

Where it stands: a task of this folder. References come from train and the catalogue (`facts`), and so do the training documents; a
held-out item is asked about, never learned from. What it does not know: rankings.

An explanation can read well and be false, so BLEU and ROUGE-L stand beside the share of statements that are true of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llmrec import rng as streams
from llmrec.contracts import Catalog, Interactions, Ints, Part, Split
from llmrec.lm import prompts
from llmrec.lm.tasks.facts import MOST_ITEMS, Facts, Statement, Verdict
from llmrec.lm.tasks.grammar import Grammar
from llmrec.lm.tasks.heldout import Asked, asked, strangers
from llmrec.lm.tasks.likeness import bleu, rouge
from llmrec.lm.tasks.sure import compared
from llmrec.lm.tasks.wording import Wording, shown
from llmrec.lm.tasks.words import Document, Speaker, generate_all
from llmrec.recommend.language import LanguageRecommender

TASK = "explanation"
SHOWN = 20  # items of the history that a prompt holds, the newest; reasons are taken from these
N_EXAMPLES = 5
GUESSES = ("random items", "popular attribute", "popular attribute of three", "lookup")  # what is said without a model


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
    """How explanations of held-out items are. n: asked; left_out: why others are not, and how many.

    metrics: bleu, rouge_l; the shares of statements that are formed, exist, in_history, of_target, of_cited, near, distinct, repeating,
    true (`Verdict`); evidence, how much of the references' items is cited. intervals: 95 % for rouge_l and true; baselines: {name:
    metrics}; differences: {baseline: {metric: (mean, low, high)}}, the model less the baseline.
    """

    n: int
    left_out: Mapping[str, int]
    template: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    baselines: Mapping[str, Mapping[str, float]]
    differences: Mapping[str, Mapping[str, tuple[float, float, float]]]
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
    longest: int = field(init=False)  # every statement can be said whole, however long this vocabulary's names are
    known: dict[int, Statement | None] = field(default_factory=dict, init=False)  # a loop counts all epochs before it begins

    def __post_init__(self) -> None:
        object.__setattr__(self, "wording", Wording(self.speaker))
        object.__setattr__(self, "longest", self.wording.most(self.facts.attributes))

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
        return Document(read, self.speaker.ended(self.wording.write(statement), self.longest))

    def _reference(self, row: int) -> tuple[Ints, Statement | None]:
        user = int(self.train.user[row])
        before = recent(self.train.item[self.train.offsets[user] : row])
        if row not in self.known:
            self.known[row] = self.facts.reference(int(self.train.item[row]), before, but_one=True)
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
    constrained: bool = True,
) -> Explained:
    """Explain the held-out items of a part; compare with the references and check each statement, beside the baselines.

    constrained: each step takes the likeliest row that a statement over the shown history may go on with (`Grammar`), as the trie does for
    items, so that the check measures what is chosen and not how names are spelled; else the likeliest of all.
    """
    facts = Facts.of(split.train, catalog)
    everyone = [(q, facts.reference(q.item, recent(q.history))) for q in asked(split, part, users, seed)]
    pairs = [(q, reference) for q, reference in everyone if reference is not None]
    if not pairs:
        raise ValueError("nothing in train and the catalogue speaks for any item asked about: ask more users, or take more data")
    questions, right = [q for q, _ in pairs], [r for _, r in pairs]
    texts, said = _say(recommender, questions, facts, catalog, unseen, constrained)
    found = _Found.of(texts, said, questions, right, facts, catalog)
    guesses = {name: [_guess(name, q, facts, split.train, seed) for q in questions] for name in GUESSES}
    beside = {name: _Found.of([shown(s, catalog) for s in told], told, questions, right, facts, catalog) for name, told in guesses.items()}
    who = np.asarray([q.user for q in questions], dtype=np.int64)
    bounds, differences = compared(who, found.each, {name: other.each for name, other in beside.items()}, seed)
    left_out = {
        "nothing in train and catalogue speaks for their item": len(everyone) - len(pairs),
        "their user is new": strangers(split, part),
    }
    return Explained(
        len(pairs),
        left_out,
        "unseen" if unseen else "seen",
        found.metrics,
        bounds,
        {name: other.metrics for name, other in beside.items()},
        differences,
        _examples(questions, texts, [shown(r, catalog) for r in right], found.verdicts, catalog),
    )


def _say(
    recommender: LanguageRecommender, questions: Sequence[Asked], facts: Facts, catalog: Catalog, unseen: bool, constrained: bool
) -> tuple[list[str], list[Statement]]:
    """What the model says: as people read it, and as statements."""
    speaker = Speaker(recommender.lm.vocab, recommender.compiled.names, recommender.table)
    wording = Wording(speaker)
    read = [speaker.prompt(TASK, q.user, q.item, recent(q.history), unseen=unseen) for q in questions]
    words = facts.words
    guides = [Grammar(wording, recent(q.history), words) for q in questions] if constrained else None
    told = generate_all(recommender.lm, read, speaker.end, wording.most(facts.attributes), guides)
    said = [wording.read(t.rows, q.history, t.ended) for t, q in zip(told, questions, strict=True)]
    return [shown(s, catalog) if s.formed else speaker.spelled(t.rows) for s, t in zip(said, told, strict=True)], said


@dataclass(frozen=True)
class _Found:
    """How some statements are. each: {metric: (n,)}, one value a statement."""

    metrics: dict[str, float]
    verdicts: list[Verdict]
    each: dict[str, NDArray[np.float64]]

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        said: Sequence[Statement],
        questions: Sequence[Asked],
        references: Sequence[Statement],
        facts: Facts,
        catalog: Catalog,
    ) -> _Found:
        right = [shown(r, catalog) for r in references]
        verdicts = [facts.check(s, q.item, q.history) for s, q in zip(said, questions, strict=True)]
        alike = rouge(texts, right)
        names = (*Verdict.__dataclass_fields__, "repeating", "true")
        shares = {name: float(np.mean([getattr(v, name) for v in verdicts])) for name in names}
        metrics = {"bleu": bleu(texts, right), "rouge_l": float(alike.mean()), **shares, "evidence": _evidence(said, references)}
        return cls(metrics, verdicts, {"rouge_l": alike, "true": np.asarray([v.true for v in verdicts], dtype=np.float64)})


def _evidence(said: Sequence[Statement], references: Sequence[Statement]) -> float:
    """How much of the references' items is cited, a share of each, on average."""
    return float(np.mean([len(set(s.items) & set(r.items)) / len(r.items) for s, r in zip(said, references, strict=True)]))


def _guess(name: str, question: Asked, facts: Facts, train: Interactions, seed: int) -> Statement:
    """What a template says without a model: two random items of the history and the target's first attribute; the newest item, or the
    newest three, since it is harder to be right about three, and the most common attribute of train; or what is looked up in train and the
    catalogue, which is true wherever a reference exists."""
    history = recent(question.history)
    if name == "lookup":
        return facts.lookup(question.item, history) or Statement((), formed=False)
    if name == "random items":
        rng = streams.stream(seed, name, str(question.user), str(question.item))
        cited = rng.choice(history, size=min(2, len(history)), replace=False)
        return Statement(tuple(int(i) for i in cited), facts.attributes[question.item][:1])
    common = facts.popular(train)
    newest = list(dict.fromkeys(history[::-1].tolist()))[: MOST_ITEMS if name == "popular attribute of three" else 1]
    return Statement(tuple(newest), () if common is None else (common,))


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
