"""Speakers that are open: each loaded when first asked for and then kept, all over one frozen base.

Where it stands: under `talks`. What it does not know: who asks, pages.

A speaker of a run has a tree of modules of its own over the base's tensors, so what other rooms do with theirs (hooks of the X-ray) never
reaches an answer. One thread loads at a time, in all rooms, which is what `SharedBase` asks for, and what a small machine can bear.
"""

from __future__ import annotations

from app.chat import listing
from app.chat.completing import Completing
from app.chat.listing import Known
from app.library import Kept, Library
from llmrec.recommend.chat.knowledge import Knowledge
from llmrec.recommend.chat.values import Speaker

SPEAKERS, GROUNDS = 16, 4


class Speakers:
    """`library`: the runs' values. A run that was trained on, or made anew under its name, is opened again."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._speakers, self._knowledge, self._completing = Kept(SPEAKERS), Kept(GROUNDS), Kept(GROUNDS)

    def speaker(self, run: Known, key: str) -> Speaker:
        """Who answers for a model's key. Errors are the store's."""
        baseline, name = listing.split(key)
        made = (baseline, run.ground) if baseline else (key, self._library.made(name, model=True))
        found: Speaker = self._speakers.get(made, lambda: self._loaded(run, baseline))
        return found

    def knowledge(self, run: Known) -> Knowledge:
        """What is known of a run's data, shared by all runs over it."""

        def make() -> Knowledge:
            world = self._library.world(run.name)
            return Knowledge(world.dataset.catalog, world.split.train)

        found: Knowledge = self._knowledge.get(run.ground, make)
        return found

    def completing(self, run: Known) -> Completing:
        """What completes titles of a run's data."""
        known = self.knowledge(run)
        found: Completing = self._completing.get(run.ground, lambda: Completing(known.catalog, known.train))
        return found

    def close(self) -> None:
        """Let all go."""
        self._speakers, self._knowledge, self._completing = Kept(SPEAKERS), Kept(GROUNDS), Kept(GROUNDS)

    def _loaded(self, run: Known, baseline: str) -> Speaker:
        known = self.knowledge(run)  # before the lock is held: others who ask for it must never wait for a model
        with self._library.loading:
            return self._open(run, baseline, known)

    def _open(self, run: Known, baseline: str, known: Knowledge) -> Speaker:
        from llmrec import registry, rng
        from llmrec.recommend.chat import opening
        from llmrec.runs import store

        if baseline:
            fitted = registry.load("baseline", baseline)().fit(known.train, rng.stream(0, "baseline", baseline))
            return opening.speaker(fitted, known)
        found = store.by_name(run.name)
        return opening.speaker(found.recommender(base=self._library.base), known, opening.learned(found))
