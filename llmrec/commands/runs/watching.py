"""`llmrec runs watch [RUN]`: one run or all that work and wait, live, until they end.

Where it stands: under the command line. What it does not know: events (`llmrec.runs.live`).
A terminal gets a block that is drawn anew; elsewhere a line comes for each change of state or stage, and in between now and then.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from llmrec.commands import layout
from llmrec.commands.following import Ends, Heard, Turns
from llmrec.commands.runs.going import in_lines, in_words, pictured
from llmrec.commands.runs.listed import places
from llmrec.data.titles import printable

if TYPE_CHECKING:
    from llmrec.runs.live import Watch
    from llmrec.runs.store import Run

LOOK = 0.5  # seconds between two looks
EVERY = 5.0  # seconds between two lines of a run whose stage stays the same
WORKING = ("running", "stopping")


def watch(args: argparse.Namespace) -> Iterator[layout.Told]:
    """What changed at each look: an object a change under --json, else text. Exit code 2 where a watched run ended failed."""
    from llmrec.runs import store

    chosen = store.open_run(args.runs[0]) if args.runs else None
    return _told(_seen(_looks(chosen), args), bool(args.json))


def _seen(looks: Iterator[dict[str, dict[str, Any]]], args: argparse.Namespace) -> Iterator[dict[str, dict[str, Any]]]:
    """The looks as they are; a watched run that ended failed is the command's exit code 2."""
    for look in looks:
        if any(told["state"] == "failed" for told in look.values()):
            args.exit_code = 2
        yield look


def _told(looks: Iterator[dict[str, dict[str, Any]]], plain: bool) -> Iterator[layout.Told]:
    screen = Block(sys.__stdout__) if not plain and sys.__stdout__ is not None and sys.__stdout__.isatty() else Lines()
    before: dict[str, dict[str, Any]] = {}
    for look in looks:
        changed = {name: told for name, told in look.items() if before.get(name) != told}
        before = look
        if plain:
            yield from (layout.Told(told, "") for told in changed.values())
        elif changed and (text := screen(look, changed)):
            yield layout.Told({}, text)
    if not before and not plain:
        yield layout.Told({}, "no run is worked on, and none waits")


def _looks(chosen: Run | None) -> Iterator[dict[str, dict[str, Any]]]:
    """What is to be told of each watched run, look by look; the last look has every run as it ended."""
    from llmrec.runs import live, store

    turn = Turns()
    ends: dict[str, Ends] = {}
    seen: dict[str, dict[str, Any]] = {}
    watched: dict[str, Watch] = {} if chosen is None else {chosen.name: live.Watch(chosen)}
    with Heard() as heard:
        while True:
            ahead = places()
            if chosen is None:
                fresh = [run for run in store.list_runs() if run.name not in watched and not run.broken]
                watched |= {run.name: live.Watch(run) for run in fresh if run.name in ahead or run.status.state in WORKING}
            for name, watch in list(watched.items()):
                told = _look(watch, ahead.get(name))
                seen = {**seen, name: told}
                if ends.setdefault(name, Ends())(watch.run, told["state"]):
                    del watched[name], ends[name]
            yield seen
            if not watched:
                return
            heard()
            turn()
            time.sleep(LOOK)


def _look(watch: Watch, ahead: int | None) -> dict[str, Any]:
    """What is told of a run now."""
    found = watch.look()
    state, reason = (found.state, found.reason) if watch.run.path.is_dir() else ("deleted", "its folder is gone")
    return {"run": watch.run.name, "state": state, "reason": reason, "ahead": ahead, **pictured(found)}


class Lines:
    """Text for a file or a pipe."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Any, float]] = {}
        self._warned: dict[str, int] = {}

    def __call__(self, look: Mapping[str, Mapping[str, Any]], changed: Mapping[str, Mapping[str, Any]]) -> str:
        lines = []
        for name, told in changed.items():
            what = told["state"], told["ahead"], told["stage"]
            before, when = self._last.get(name, (None, 0.0))
            if what != before or time.monotonic() - when >= EVERY:
                self._last[name] = what, time.monotonic()
                lines.append(in_words(told))
            warned = told["warnings"][self._warned.get(name, 0) :]
            self._warned[name] = len(told["warnings"])
            lines += [f"{name}  warning: {text}" for text in warned]
        return "\n".join(map(printable, lines))


class Block:
    """Text for a terminal: the lines of all watched runs, over those of the last look, which are wiped off `out` here."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._height = 0

    def __call__(self, look: Mapping[str, Mapping[str, Any]], changed: Mapping[str, Mapping[str, Any]]) -> str:
        width, height = shutil.get_terminal_size()
        texts = [text for told in look.values() for text in (*in_lines(told), *(f"  warning: {said}" for said in told["warnings"][-1:]))]
        lines = [line for text in texts for line in textwrap.wrap(printable(text), max(width - 1, 20), subsequent_indent="    ")]
        if len(lines) > (room := max(height - 1, 4)):  # what has left the screen cannot be drawn anew
            lines[room - 1 :] = [f"and {len(lines) - room + 1} more lines: `llmrec runs` has every run"]
        if self._height:
            self._out.write(f"\x1b[{self._height}F\x1b[0J")
            self._out.flush()
        self._height = len(lines)
        return "\n".join(lines)
