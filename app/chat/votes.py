"""Blind votes: what was asked of whom and whose answer was better, kept in a file of the user's folder, counted, and given away as lines.

Where it stands: between the panel and `$LLMREC_HOME/votes.jsonl`. What it does not know: Gradio, models.

A line is a JSON object (docs/chat.md). Lines are only added, each by one write under a lock and onto the disk before `cast` returns, so
that several processes may vote at the same time and a crash loses nothing that was told to be kept. A line that a crash or a hand damaged
is passed over and counted.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmrec import home

KIND, FORMAT = "llmrec-vote", 1
TIE, BAD = "tie", "bad"
LETTERS = "ABCD"
LONGEST, LARGEST = 20_000, 200_000  # letters of a message, bytes of a line


@dataclass(frozen=True)
class Vote:
    """models: keys in the order shown, A first; winner: a letter, TIE or BAD (all bad); person: a user's key, "" a new person; seconds:
    from the message to the vote; hidden: whether the names were; visitor: whose session; when: seconds since 1970."""

    models: tuple[str, ...]
    message: str
    winner: str
    person: str = ""
    seconds: float = 0.0
    hidden: bool = True
    visitor: str = ""
    when: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= len(self.models) <= len(LETTERS) or not all(isinstance(m, str) and 0 < len(m) <= 300 for m in self.models):
            raise ValueError(f"a vote is between 2 to {len(LETTERS)} models, not {len(self.models)}: show so many side by side")
        if self.winner not in (*LETTERS[: len(self.models)], TIE, BAD):
            sides = ", ".join(LETTERS[: len(self.models)])
            raise ValueError(f"the winner {self.winner[:20]!r} is none of {sides}, {TIE} or {BAD}: vote for one of these")
        if len(self.message) > LONGEST or len(self.person) > 300 or len(self.visitor) > 300:
            raise ValueError(f"a vote's message has at most {LONGEST:,} letters: shorten it")
        if not (math.isfinite(self.seconds) and math.isfinite(self.when)):
            raise ValueError("a vote's times must be numbers: leave them out if they are unknown")

    @property
    def chosen(self) -> str | None:
        """The key of the model that won; None for a tie, or where all were bad."""
        return None if self.winner in (TIE, BAD) else self.models[LETTERS.index(self.winner)]


@dataclass(frozen=True)
class Ballots:
    """Votes in the order they were cast, and how many lines could not be read."""

    votes: tuple[Vote, ...]
    damaged: int = 0


def place() -> Path:
    """The file of this machine's votes."""
    return home.home() / "votes.jsonl"


def cast(vote: Vote, path: Path | None = None) -> Vote:
    """Keep a vote; gives it back as it was kept, with its time. OSError where the file cannot be written."""
    path = path or place()
    if not vote.when:
        vote = Vote(vote.models, vote.message, vote.winner, vote.person, vote.seconds, vote.hidden, vote.visitor, round(time.time(), 3))
    line = (_line(vote) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        size = os.fstat(handle).st_size
        torn = size and os.pread(handle, 1, size - 1) != b"\n"
        _write(handle, b"\n" + line if torn else line)
        os.fsync(handle)
    finally:
        os.close(handle)
    return vote


def read(path: Path | None = None, visitor: str | None = None) -> Ballots:
    """All votes, or those of one visitor's session. No file is no votes."""
    try:
        lines = (path or place()).read_bytes().split(b"\n")
    except FileNotFoundError:
        return Ballots(())
    votes, damaged = [], 0
    for line in lines:
        if line.strip():
            try:
                votes.append(_vote(line))
            except (ValueError, TypeError, KeyError, RecursionError):
                damaged += 1
    return Ballots(tuple(v for v in votes if visitor is None or v.visitor == visitor), damaged)


def exported(votes: Iterable[Vote]) -> str:
    """Votes as JSON Lines, as they lie in the file; who has several files puts them one after another."""
    return "".join(_line(vote) + "\n" for vote in votes)


def _line(vote: Vote) -> str:
    said = {
        "kind": KIND,
        "format": FORMAT,
        "when": vote.when,
        "models": list(vote.models),
        "winner": vote.winner,
        "chosen": vote.chosen,
        "message": vote.message,
        "person": vote.person,
        "seconds": round(vote.seconds, 3),
        "hidden": vote.hidden,
        "visitor": vote.visitor,
    }
    return json.dumps(said)  # ASCII: no sign of a message can end a line for any reader


def _vote(line: bytes) -> Vote:
    if len(line) > LARGEST:
        raise ValueError("too long for a vote")
    found: Any = json.loads(line)
    if not isinstance(found, dict) or found.get("kind") != KIND or found.get("format") != FORMAT:
        raise ValueError("not a vote")
    texts = [found[name] for name in ("message", "winner", "person", "visitor")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(found["hidden"], bool) or not isinstance(found["models"], list):
        raise TypeError("not a vote")
    message, winner, person, visitor = texts
    seconds, when = float(found["seconds"]), float(found["when"])
    return Vote(tuple(found["models"]), message, winner, person, seconds, found["hidden"], visitor, when)


def _write(handle: int, data: bytes) -> None:
    """All of it: a write may stop short where the disk is full, and then fails the next time."""
    while data:
        data = data[os.write(handle, data) :]
