"""Events folded into the picture of a run, one after the other.

Where it stands: between `tail` and `watch`. What it does not know: files, runs.

An event that is not as it should be (another shape, a number that is none, a key that is missing) is passed over. "time" is never read:
the clock of a machine may go backwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from llmrec.runs.events import Event
from llmrec.runs.live import share as far
from llmrec.runs.live.values import Curves, Live, Metrics, Pace, StageLine

MOST_POINTS = 1000  # of a curve
MOST_LINES = 100  # of stages, warnings and evaluations that are kept
MOST_LETTERS = 500
ENDS = ("stopped", "done", "failed")

Point = TypeVar("Point", bound=tuple[Any, ...])


def fold(live: Live | None, events: Iterable[Event]) -> Live:
    """The picture with these events added, oldest first; None: before the first. Folding in parts comes to the same as all at once."""
    live = Live() if live is None else live
    for event in events:
        kind = event.get("event") if isinstance(event, dict) else None
        if isinstance(kind, str) and kind in KINDS:
            live = KINDS[kind](live, event)
    return live


def _start(live: Live, event: Event) -> Live:
    """A new attempt. The curves stay until it is known where training goes on."""
    log = replace(live.log, stages=(), seconds=live.seconds - live.pace.seconds, resumed=event.get("resumed") is True)
    pace = Pace(seconds=live.pace.seconds, whole=live.pace.whole)
    return Live("running", stage="starting", pace=pace, curves=live.curves, log=log)


def _stage(live: Live, event: Event) -> Live:
    label, state = text(event.get("stage")), event.get("state")
    if not label or state not in ("begin", "end"):
        return live
    stages = live.log.stages
    if state == "begin" or not stages or stages[-1].label != label or stages[-1].seconds is not None:
        live = replace(
            live, fraction=far.begun(live, label), stage=label, log=replace(live.log, stages=(*stages, StageLine(label))[-MOST_LINES:])
        )
    if state == "begin":
        return _timed(live)
    seconds = max(number(event.get("seconds")) or 0.0, 0.0)
    share = live.log.stages[-1].share if label == "training" else 1.0  # whether it came to its end, "trained" says
    live = far.moved(live, StageLine(label, seconds, event.get("cached") is True, share, 0.0))
    log = live.log
    if label != "training":
        log = replace(log, seconds=log.seconds + seconds)
    if label in far.EVALUATIONS:
        log = replace(log, ranking=seconds)
    return _timed(replace(live, log=log))


def _progress(live: Live, event: Event) -> Live:
    stage, share, left = text(event.get("stage")), number(event.get("share")), number(event.get("seconds_left"))
    line = live.log.stages[-1] if live.log.stages else None
    if not stage or share is None or not 0 <= share <= 1 or line is None or line.seconds is not None:
        return live
    if line.label == "training":  # a validation: the training's own share comes with its steps
        if left is not None and left >= 0 and 0 < share < 1 and stage == "evaluation":
            live = replace(live, log=replace(live.log, ranking=left / (1 - share)))
        shown = "validation" if stage == "evaluation" else stage
        return replace(live, stage=shown if share < 1 else line.label)
    begin, end = far.WITHIN.get(stage, (0.0, 1.0))
    known = left if left is not None and left >= 0 and end == 1 else None
    line = replace(line, share=max(line.share, begin + (end - begin) * share), seconds_left=known)
    return _timed(far.moved(replace(live, stage=stage if stage != "evaluation" else line.label), line))


def _resumed(live: Live, event: Event) -> Live:
    step, steps = whole(event.get("step")), whole(event.get("steps"))
    if step is None:
        return live
    curves = Curves(tuple(p for p in live.curves.losses if p[0] <= step), tuple(p for p in live.curves.validations if p[0] <= step))
    live = replace(live, curves=curves, pace=Pace(step, steps, seconds=live.pace.seconds, whole=live.pace.whole))
    return _trained_to(live, step / steps if steps else None, None)


def _step(live: Live, event: Event) -> Live:
    step, loss = whole(event.get("step")), number(event.get("loss"))
    if step is None:
        return live
    live = _anew(live)
    pace, steps = live.pace, whole(event.get("steps")) or live.pace.steps
    share, left = number(event.get("progress")), number(event.get("seconds_left"))
    if share is None and steps:
        share = step / steps
    share = None if share is None else min(max(share, 0.0), 1.0)
    left = None if left is None or left < 0 else left
    if loss is not None:
        live = replace(live, curves=replace(live.curves, losses=added(live.curves.losses, (step, loss))))
    seconds, takes = pace.seconds, pace.whole
    if left is not None and share is not None and share < 1:
        seconds, takes = left * share / (1 - share), number(left / (1 - share))
    speed, items, memory = (number(event.get(name)) for name in ("tokens_per_s", "items_per_s", "memory_bytes"))
    pace = Pace(step, steps, pace.loss if loss is None else loss, speed, items, memory, seconds, takes)
    live = replace(live, stage=text(event.get("phase")) or "training", pace=pace)
    return _trained_to(live, share, left)


def _validation(live: Live, event: Event) -> Live:
    step, metrics = whole(event.get("step")), measured(event.get("metrics"))
    if step is None or not metrics:
        return live
    live = _anew(live)
    point = (step, metrics, event.get("best") is True)
    curves = replace(live.curves, validations=added(live.curves.validations, point))
    return replace(live, curves=curves, pace=replace(live.pace, step=max(step, live.pace.step or 0)))


def _trained(live: Live, event: Event) -> Live:
    """Training is over: at its end, which may have come early, or stopped somewhere by request."""
    seconds, stopped, line = number(event.get("seconds")), event.get("stopped") is True, live.log.stages[-1] if live.log.stages else None
    if seconds is None or seconds < 0:
        return live
    live = replace(live, pace=replace(live.pace, seconds=seconds, whole=live.pace.whole if stopped else seconds))
    if stopped or line is None or line.label != "training" or line.seconds is None:
        return live
    return _timed(far.moved(live, replace(line, share=1.0, seconds_left=0.0)))


def _evaluation(live: Live, event: Event) -> Live:
    part, seen, metrics = text(event.get("part")), text(event.get("seen")), measured(event.get("metrics"))
    if not part or not seen or not metrics:
        return live
    others = tuple(e for e in live.log.evaluations if e[:2] != (part, seen))
    return replace(live, log=replace(live.log, evaluations=(*others, (part, seen, metrics))[-MOST_LINES:]))


def _warning(live: Live, event: Event) -> Live:
    said = text(event.get("text"))
    if not said or said in live.log.warnings:
        return live
    return replace(live, log=replace(live.log, warnings=(*live.log.warnings, said)[-MOST_LINES:]))


def _end(live: Live, event: Event) -> Live:
    state = event.get("state")
    if state not in ENDS:
        return live
    done = state == "done"
    return replace(
        live, state=state, reason=text(event.get("reason")), fraction=1.0 if done else live.fraction, seconds_left=0.0 if done else None
    )


KINDS: dict[str, Callable[[Live, Event], Live]] = {
    "start": _start,
    "stage": _stage,
    "progress": _progress,
    "resumed": _resumed,
    "step": _step,
    "validation": _validation,
    "trained": _trained,
    "evaluation": _evaluation,
    "warning": _warning,
    "end": _end,
}


def _anew(live: Live) -> Live:
    """Training that begins without a checkpoint has nothing of the curves before it."""
    return live if live.pace.step is not None else replace(live, curves=Curves(), pace=replace(live.pace, seconds=0.0))


def _trained_to(live: Live, share: float | None, left: float | None) -> Live:
    """The picture with the stage "training" at this share; its beginning may have been lost."""
    if not live.log.stages or live.log.stages[-1].label != "training":
        live = replace(live, log=replace(live.log, stages=(*live.log.stages, StageLine("training"))[-MOST_LINES:]))
    line = live.log.stages[-1]
    if line.seconds is None and share is not None:
        live = far.moved(live, replace(line, share=max(line.share, share), seconds_left=left))
    return _timed(live)


def _timed(live: Live) -> Live:
    return replace(live, seconds_left=far.seconds_left(live))


def added(curve: tuple[Point, ...], point: Point) -> tuple[Point, ...]:
    """A curve with one point more, thinned out evenly where it has too many. What stood at this step or beyond it is gone."""
    keep = len(curve)
    while keep and curve[keep - 1][0] >= point[0]:
        keep -= 1
    longer = (*curve[:keep], point)
    return longer if len(longer) <= MOST_POINTS else thinned(longer)


def thinned(curve: tuple[Point, ...]) -> tuple[Point, ...]:
    """At most about half of `MOST_POINTS` points, spread evenly over the steps, the first and the last among them."""
    gap = (curve[-1][0] - curve[0][0]) / (MOST_POINTS // 2)
    kept = [curve[0]]
    for point in curve[1:-1]:
        if point[0] - kept[-1][0] >= gap:
            kept.append(point)
    return (*kept, curve[-1])


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        return None
    return float(value) if math.isfinite(value) else None


def whole(value: Any) -> int | None:
    """A whole number from 0 on, such as a step."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def text(value: Any) -> str:
    """A text that can be shown anywhere: one line, no control characters, not endless; "" where it is none."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value[:MOST_LETTERS]).split())


def measured(value: Any) -> Metrics:
    """What of a dictionary are metrics."""
    pairs = list(value.items())[:MOST_LINES] if isinstance(value, dict) else []
    return {name: known for key, found in pairs if (name := text(key)) and (known := number(found)) is not None}
