"""Prompts: text and a user's name around a history, ready for the vocabulary.

Where it stands: between names and documents. A header and a footer are tuples of pieces; the history's names stand between them.
What it does not know: subwords and ids of rows.
"""

from __future__ import annotations

import functools
import itertools
import tomllib
from importlib import resources
from typing import Any

from llmrec.contracts import Id, Piece

USER, HISTORY = "{user}", "{history}"


@functools.cache
def templates() -> dict[str, dict[str, Any]]:
    """Every task's templates as shipped in templates.toml."""
    return tomllib.loads(resources.files("llmrec.lm").joinpath("templates.toml").read_text(encoding="utf-8"))


def count(task: str = "sequential") -> int:
    """How many seen templates a task has."""
    return len(templates()[task]["seen"])


def ordered(task: str) -> bool:
    """Whether a task reads histories in order of time."""
    return bool(templates()[task].get("ordered", False))


def header(user: Id | None, template: int = 0, task: str = "sequential", unseen: bool = False) -> tuple[Piece, ...]:
    """The pieces before a history. user: their name, or None for a new person, who is written as the task's `anonymous`."""
    return _filled(_text(task, template, unseen).partition(HISTORY)[0], user, task)


def footer(user: Id | None, template: int = 0, task: str = "sequential", unseen: bool = False) -> tuple[Piece, ...]:
    """The pieces after a history; empty for templates that end with it."""
    return _filled(_text(task, template, unseen).partition(HISTORY)[2], user, task)


def corpus() -> list[str]:
    """The templates that head histories as plain text, for training a small subword tokenizer.

    Templates of other tasks are left out: a new task would give every model trained from scratch another tokenizer.
    """
    books = [templates()[task] for task in ("sequential", "direct")]
    return [text.replace(USER, book["anonymous"]) for book in books for text in (*book["seen"], *book["unseen"])]


def _text(task: str, template: int, unseen: bool) -> str:
    text: str = templates()[task]["unseen" if unseen else "seen"][template]
    return text


def _filled(text: str, user: Id | None, task: str) -> tuple[Piece, ...]:
    """A text as pieces, with the user's name wherever it says so."""
    name: tuple[Piece, ...] = (templates()[task]["anonymous"],) if user is None else user
    first, *rest = text.split(USER)
    return tuple(p for p in (first, *itertools.chain.from_iterable((*name, part) for part in rest)) if p)
