"""Dialogues of train: every interaction is somebody at a moment, who talks a turn or four about what they know and what comes next.

Where it stands: a task in words beside those of META ID; `tasks.mixed` reads it among the histories. It sees train and the catalogue alone.
What it does not know: models; what is held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Catalog, Interactions
from llmrec.lm import prompts
from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.asking import Tongue
from llmrec.lm.dialogue.language import Language
from llmrec.lm.dialogue.script import SHOWN, TASK, Dialogue, Script
from llmrec.lm.dialogue.shelf import Shelf
from llmrec.lm.dialogue.talk import Talk
from llmrec.lm.tasks.facts import Facts
from llmrec.lm.tasks.words import Document, Speaker
from llmrec.recommend.chat.values import Exchange

TURNS = (0.25, 0.3, 0.25, 0.2)  # how often a dialogue has 1 to 4 turns, at most
ANONYMOUS = 0.2  # how often its person is not named
NEWCOMER = 0.1  # how often their history is cut to a few items, or none
TALK = "talk"  # any of the ways of small talk but an unknown title
OPENING = {
    "recommend": 12, "list": 4, "list-all": 2, "like": 12, "like-but": 5, "attribute": 10, "attribute-without": 6, "without": 3,
    "without-title": 3, "would": 9, "why": 5, "what": 5, "which": 7, "taste": 5, "talk-unknown": 3, TALK: 9,
}  # fmt: skip
LATER = {
    "else": 16, "narrow": 9, "without": 8, "without-title": 7, "would": 5, "why": 10, "why-bare": 2, "what": 6, "like": 5, "like-but": 2,
    "attribute": 5, "attribute-without": 2, "recommend": 3, "list": 2, "which": 3, "taste": 3, "talk-unknown": 1, TALK: 4,
}  # fmt: skip
TRIES = 8
ROWS = 50  # that a turn takes, about


def turns(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many turns the dialogues of some interactions have: by the number of each, so that batches are of like length."""
    spread = (np.asarray(rows, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(2**32)).astype(np.float64) / 2**32
    return 1 + np.searchsorted(np.cumsum(TURNS[:-1]), spread, side="right")


class Generator:
    """Makes dialogues over one train and its catalogue, as text."""

    def __init__(self, train: Interactions, catalog: Catalog, facts: Facts | None = None) -> None:
        self.language = Language(catalog)
        self.shelf = Shelf(train, Facts.of(train, catalog) if facts is None else facts, self.language)
        self.tongue = Tongue(self.language)

    def dialogue(self, row: int, rng: np.random.Generator, unseen: bool = False, way: str | None = None) -> Dialogue:
        """A dialogue at one interaction of train. unseen: in phrasings that are never trained on; way: how its last turn is asked, where
        that moment gives such a turn."""
        moment = self.shelf.moment(row)
        if rng.random() < NEWCOMER:
            moment = moment.newest(int(rng.integers(4)))
        user = -1 if rng.random() < ANONYMOUS else moment.user
        talk = Talk(self.shelf, self.tongue, moment, rng, unseen)
        wanted = int(turns(np.asarray([row]))[0])
        said: list[Exchange] = []
        for place in range(wanted):
            forced = way if place == wanted - 1 else None
            tries = (talk.turn(forced or _way(talk, rng)) for _ in range(TRIES))
            said += [turn for turn in [next((t for t in tries if t is not None), None)] if turn is not None]
        return Dialogue(user, moment.history, tuple(said or [talk.greeted()]), int(rng.integers(prompts.count(TASK))))


@dataclass(frozen=True, eq=False)
class Dialogues:
    """Train interactions as dialogues: a task of `tasks.mixed`."""

    speaker: Speaker
    train: Interactions
    catalog: Catalog
    facts: Facts
    task: str = "dialogue"
    bulk: int = 1
    generator: Generator = field(init=False)
    script: Script = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "generator", Generator(self.train, self.catalog, self.facts))
        object.__setattr__(self, "script", Script(self.speaker, self.generator.language))

    def sayable(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some interactions of train that make such a document: all."""
        return rows

    def length(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """About how many row numbers each document has."""
        place: NDArray[np.int64] = np.minimum(SHOWN, rows - self.train.offsets[self.train.user[rows]])
        name = len(self.speaker.names.ids) / max(1, len(self.speaker.names))
        about: NDArray[np.int64] = np.rint(place * name).astype(np.int64) + ROWS * turns(rows)
        return about

    def document(self, row: int, rng: np.random.Generator) -> Document:
        """A dialogue at one interaction of train, as row numbers."""
        return self.script.written(self.generator.dialogue(row, rng))


def _way(talk: Talk, rng: np.random.Generator) -> str:
    """A way to ask that may come next."""
    weights: Mapping[str, int] = LATER if talk.last else OPENING
    names, share = list(weights), np.asarray(list(weights.values()), dtype=np.float64)
    way = names[int(rng.choice(len(names), p=share / share.sum()))]
    if way != TALK:
        return way
    some = [w for w in asking.ways() if w.startswith("talk-") and w != "talk-unknown"]
    return some[int(rng.integers(len(some)))]
