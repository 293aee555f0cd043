"""How far a whole run is: each stage weighs the seconds it is known or expected to take.

Where it stands: under `folding`. What it does not know: events, files.

The rule: work that took d seconds, with r seconds still to come, moves the fraction f to f + (1 - f) d / (d + r). So it never falls,
however the expectation changes, and it comes to 1 with the last stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmrec.runs.live.values import Live, StageLine

EVALUATIONS = tuple(
    f"evaluation on {part}, seen items {seen}"
    for part, seen in (("valid", "masked"), ("test", "masked"), ("test", "unmasked"), ("valid", "unmasked"))
)
SLOTS = ("data", "split", "vectors", "names", "language model", "training", "loading the model", *EVALUATIONS)
EXPECTED = (1.0, 0.2, 8.0, 2.0, 2.0, 60.0, 2.0, 2.0, 2.0, 2.0, 2.0)  # seconds: those of a sketch on MovieLens-100K
VECTORS, TRAINING = SLOTS.index("vectors"), SLOTS.index("training")
RANKING = 0.03  # of the training's seconds goes into one evaluation, until one was seen
WITHIN = {"walks": (0.0, 0.1), "skip-gram": (0.1, 1.0)}  # where parts of a stage lie in it; other stages have one part


def slot(stages: Sequence[StageLine]) -> int:
    """The place of the last stage among `SLOTS`, -1 before the first. Vectors are known by many names, so what is unknown is taken for
    them as long as their time has not passed."""
    at = -1
    for line in stages:
        at = SLOTS.index(line.label) if line.label in SLOTS else max(at, VECTORS)
    return at


def begun(live: Live, label: str) -> float:
    """The fraction once the stage of this label begins. Stages that were passed over were worked in an earlier attempt, or do not exist."""
    stages = live.log.stages
    before, at, weigh = slot(stages), slot((*stages, StageLine(label))), weights(live)
    done = sum(weigh[before + 1 : at]) if live.log.resumed else 0.0
    if stages and stages[-1].seconds is None:  # its end was lost
        done += (1 - stages[-1].share) * weigh[before]
    return gained(live.fraction, done, sum(weigh[at:]))


def moved(live: Live, line: StageLine) -> Live:
    """The picture with its last stage as far as `line` says."""
    old = live.log.stages[-1]
    after = replace(live, log=replace(live.log, stages=(*live.log.stages[:-1], line)))
    weigh, at = weights(after), slot(after.log.stages)
    if line.cached and not live.log.resumed:  # nothing was worked
        return after
    rest = (1 - line.share) * weigh[at] + sum(weigh[at + 1 :])
    return replace(after, fraction=gained(live.fraction, (line.share - old.share) * weigh[at], rest))


def gained(fraction: float, done: float, rest: float) -> float:
    return min(1.0, fraction + (1 - fraction) * done / (done + rest)) if done > 0 else fraction


def weights(live: Live) -> list[float]:
    """Seconds that each of `SLOTS` takes, as well as they are known."""
    weigh, training = list(EXPECTED), _training(live)
    if training is not None:
        weigh[TRAINING] = training
    ranking = live.log.ranking if live.log.ranking is not None else training and RANKING * training
    if ranking is not None:
        weigh[TRAINING + 2 :] = [max(ranking, 0.01)] * len(EVALUATIONS)
    return weigh


def seconds_left(live: Live) -> float | None:
    """Of the whole run; None where training has no pace yet."""
    at, stages = slot(live.log.stages), live.log.stages
    if at < TRAINING or (live.log.ranking is None and _training(live) is None):
        return None
    weigh, line = weights(live), stages[-1]
    own = line.seconds_left
    if line.seconds is not None:
        own = (1 - line.share) * weigh[at]  # a training that was stopped is over, and not at its end
    elif own is None and at > TRAINING:
        own = (1 - line.share) * weigh[at]
    return None if own is None else own + sum(weigh[at + 1 :])


def _training(live: Live) -> float | None:
    """Seconds that training takes in all."""
    for line in live.log.stages:
        if line.label == "training" and line.seconds is None and line.seconds_left is not None and line.share < 1:
            return max(line.seconds_left / (1 - line.share), 0.01)
    return live.pace.whole or None
