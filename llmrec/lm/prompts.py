"""Prompt headers: text and a user's name, ready for the vocabulary.

Where it stands: between names and documents. A header is a tuple of pieces; the history's names follow it.
What it does not know: subwords and ids of rows.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any

from llmrec.contracts import Id, Piece


@functools.cache
def templates() -> dict[str, dict[str, Any]]:
    """Every task's templates as shipped in templates.toml."""
    return tomllib.loads(resources.files("llmrec.lm").joinpath("templates.toml").read_text(encoding="utf-8"))


def count(task: str = "sequential") -> int:
    """How many seen templates a task has."""
    return len(templates()[task]["seen"])


def header(user: Id | None, template: int = 0, task: str = "sequential", unseen: bool = False) -> tuple[Piece, ...]:
    """The pieces of one header. user: their name, or None for a new person, who is written as the task's `anonymous`."""
    book = templates()[task]
    text = book["unseen" if unseen else "seen"][template]
    before, _, after = text.partition("{user}")
    name: tuple[Piece, ...] = (book["anonymous"],) if user is None else user
    return tuple(p for p in (before, *name, after) if p)


def corpus() -> list[str]:
    """Every shipped template as plain text, for training a small subword tokenizer."""
    return [text.replace("{user}", book["anonymous"]) for book in templates().values() for text in (*book["seen"], *book["unseen"])]
