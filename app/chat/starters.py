"""Messages to begin with, over titles, genres and decades that a catalogue really has.

Where it stands: under `talks`. What it does not know: models.
"""

from __future__ import annotations

import numpy as np

from llmrec.lm.dialogue.language import DECADE
from llmrec.recommend.chat.knowledge import Knowledge

FEW = 5  # items that a genre of a decade must have, or asking for it would soon be at an end


def examples(knowledge: Knowledge, tuned: bool) -> tuple[str, ...]:
    """What a speaker can answer, a skill each. tuned: whether it answers more than rules do."""
    titles, known = knowledge.language.titles, _best_known(knowledge)
    said = [f"Something like {titles[known[0]]}."] if known else []
    genre, decade = _pair(knowledge)
    if genre and decade:
        said.append(f"{genre} from the {decade}?")
    elif genre:
        said.append(f"{genre}, please.")
    if tuned and len(known) > 1:
        said.append(f"Would I like {titles[known[1]]}?")
    if len(known) > 3:
        said.append(f"I liked {titles[known[2]]} but not {titles[known[3]]}, what next?")
    return (*said, "What can you do?")


def _best_known(knowledge: Knowledge) -> list[int]:
    """The items that most people took, each title once."""
    taken = np.bincount(knowledge.train.item, minlength=len(knowledge.catalog.titles))
    order = np.lexsort((np.arange(len(taken)), -taken))[:40].tolist()
    return list({knowledge.language.titles[i]: i for i in reversed(order)}.values())[::-1]


def _pair(knowledge: Knowledge) -> tuple[str, str]:
    """A genre and a decade that go together, the most taken of such pairs; "" where the catalogue knows none."""
    bearers = knowledge.language.bearers
    decades = sorted(word for word in bearers if DECADE.fullmatch(word))
    genres = [word for word in bearers if not word[:2].isdigit()]
    if not genres:
        return "", ""
    taken = np.bincount(knowledge.train.item, minlength=len(knowledge.catalog.titles))
    pairs = [(int(taken[bearers[g] & bearers[d]].sum()), g, d) for g in genres for d in decades if (bearers[g] & bearers[d]).sum() >= FEW]
    if pairs:
        _, genre, decade = max(pairs)
        return genre, decade
    return max(genres, key=lambda g: int(taken[bearers[g]].sum())), ""
