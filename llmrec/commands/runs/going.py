"""How far a run is: as plain values, and as one line for a person.

Where it stands: between `llmrec.runs.live` and the commands that show runs. What it does not know: files, terminals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout
from llmrec.commands.progress import behind, clock

if TYPE_CHECKING:
    from llmrec.runs.live import Live
    from llmrec.runs.store import Run

ACTIVE = ("queued", "running", "stopping", "interrupted")


def going(found: Run, ahead: Mapping[str, int]) -> dict[str, Any]:
    """Place in the line, stage, progress in 0..1 and seconds left; only for a run that works or waits is its folder looked into."""
    from llmrec.runs import live

    active = not found.broken and found.status.state in ACTIVE
    told = pictured(live.picture(found) if active else live.Live())
    names = ("stage", "progress", "seconds_left")
    return {"ahead": ahead.get(found.name), **{name: told[name] if active else None for name in names}}


def pictured(live: Live) -> dict[str, Any]:
    """A picture as plain values, its curves as their last points."""
    pace, validations = live.pace, live.curves.validations
    last = None if not validations else {"step": validations[-1][0], "metrics": validations[-1][1], "best": validations[-1][2]}
    return {
        "stage": live.stage,
        "progress": round(live.fraction, 4),
        "seconds": round(live.seconds, 1),
        "seconds_left": None if live.seconds_left is None else round(live.seconds_left, 1),
        "step": pace.step,
        "steps": pace.steps,
        "loss": pace.loss,
        "tokens_per_s": pace.tokens_per_s,
        "memory_bytes": pace.memory_bytes,
        "validation": last,
        "warnings": list(live.log.warnings),
    }


def said(state: str, reason: str = "", ahead: int | None = None) -> str:
    """A state with its place in the line and its reason, in words."""
    if state == "queued" and ahead:
        return f"queued, {behind(ahead)}"
    return f"{state} ({reason})" if reason else state


def in_words(told: Mapping[str, Any]) -> str:
    """One watched run in one line; what is not known is left out."""
    return "  ".join([*_where(told), *_measured(told), *_left(told)])


def in_lines(told: Mapping[str, Any]) -> list[str]:
    """The same in two lines, for a narrow place: how far it is and what is left, then what was measured."""
    measured = _measured(told)
    return ["  ".join([*_where(told), *_left(told)]), *(["  " + "  ".join(measured)] if measured else [])]


def _works(told: Mapping[str, Any]) -> bool:
    return told["state"] in ("running", "stopping")


def _where(told: Mapping[str, Any]) -> list[str]:
    if not _works(told):
        return [told["run"], said(told["state"], told["reason"], told["ahead"])]
    return [part for part in (told["run"], told["state"], f"{told['progress']:.0%}", told["stage"]) if part]


def _measured(told: Mapping[str, Any]) -> list[str]:
    parts: list[str] = []
    if not _works(told):
        return parts
    if told["step"] is not None:
        parts.append(f"step {told['step']}" + (f" of {told['steps']}" if told["steps"] else ""))
    if told["loss"] is not None:
        parts.append(f"loss {told['loss']:.3f}")
    if told["validation"] is not None and told["validation"]["metrics"]:
        name, value = next(iter(sorted(told["validation"]["metrics"].items(), key=lambda pair: pair[0] != "ndcg@10")))
        parts.append(f"{name} {value:.4f}")
    if told["tokens_per_s"] is not None:
        parts.append(f"{told['tokens_per_s']:,.0f} Tokens/s")
    if told["memory_bytes"] is not None:
        parts.append(layout.size(told["memory_bytes"]))
    return parts


def _left(told: Mapping[str, Any]) -> list[str]:
    return [f"{clock(told['seconds_left'])} left"] if _works(told) and told["seconds_left"] is not None else []
