"""Talk to runs: a run that was tuned on dialogues speaks in words of its own, any other in fixed sentences. Several answer in turn.

Type a message; "@" before a title says that it is one; "start over" forgets; an empty line or Ctrl-D ends.
Example: llmrec chat metaid-ml-100k-demo-1 --user 196 --message "something like Star Wars" --message "something else"
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from llmrec.commands import layout

if TYPE_CHECKING:
    from llmrec.recommend.chat.opening import Opened
    from llmrec.recommend.chat.values import Conversation, Done


FIXED = "its sentences are fixed, it learned no dialogues"  # said once of whoever it is true of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a run's name or folder")
    parser.add_argument("--user", metavar="KEY", help="talk as a user of the data, by key (default: a new person)")
    parser.add_argument("--baseline", metavar="NAME", action="append", default=[], help="let a baseline of the first run's data answer too")
    parser.add_argument("-k", "--k", type=int, default=5, help="items in an answer whose message says no number, 1 to 10 (default: 5)")
    parser.add_argument("--message", metavar="TEXT", action="append", help="say this, and what follows, and end; else messages are read")


def run(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from llmrec.recommend.chat import memory, opening
    from llmrec.runs import store

    memory.demand(args.k)
    opening.spare_threads()
    first = store.open_run(args.runs[0])
    start = opening.of_user(first, args.user) if args.user is not None else None
    opened = opening.open_speakers(args.runs)
    opened += [opening.baseline(name, first, opened[0].knowledge) for name in args.baseline]
    return _talk(args, opened, start)


def text(result: dict[str, Any]) -> str:
    """What was not told while it grew: the time it took, and all of it where nobody looked on."""
    took = result["timing"]
    speed = f", {took['tokens'] / max(1e-9, took['total'] - took['first']):.0f} tokens/s" if took["tokens"] else ""
    note = f"; {result['note']}" if result["note"] else ""
    about = f"  ({result['model']}: first word {took['first']:.2f} s, total {took['total']:.2f} s{speed}{note})"
    return about if result["told"] else f"{result['shown']}\n{about}"


def _talk(args: argparse.Namespace, opened: list[Opened], start: Conversation | None) -> Iterator[dict[str, Any]]:
    """Every message to every speaker; each has a conversation of its own."""
    from llmrec.recommend.chat.values import Conversation

    talks, fixed = [start or Conversation()] * len(opened), {one.model for one in opened if not one.speaker.tuned}
    live = args.message is None and not args.json
    for message in args.message if args.message is not None else _typed():
        for place, one in enumerate(opened):
            done, shown = _answer(one, talks[place], message, args.k, live)
            talks[place] = done.conversation
            yield {**_told(one, message, done, shown), "told": live, "note": FIXED if one.model in fixed else ""}
            fixed.discard(one.model)


def _typed() -> Iterator[str]:
    """Messages from the terminal, or from a file of them; an empty line ends."""
    while True:
        print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line.strip():
            return
        yield line


def _answer(one: Opened, talk: Conversation, message: str, k: int, live: bool) -> tuple[Done, str]:
    """One answer, written to the terminal as it grows where `live`."""
    from llmrec.recommend.chat.values import Chosen, Done, Words

    shown = [f"{one.model}: "]
    if live:
        print(shown[0], end="", file=sys.__stdout__, flush=True)
    for event in one.speaker.reply(talk, message, k):
        if isinstance(event, Done):
            done = event
            break
        piece = event.text if isinstance(event, Words) else f" {one.knowledge.title(event.item)}" if isinstance(event, Chosen) else ""
        shown.append(piece)
        if live:
            print(layout.plain(piece), end="", file=sys.__stdout__, flush=True)
    if live:
        print(file=sys.__stdout__, flush=True)
    return done, "".join(shown)


def _told(one: Opened, message: str, done: Done, shown: str) -> dict[str, Any]:
    """An answer as plain values."""
    import dataclasses

    catalog, exchange = one.knowledge.catalog, done.conversation.exchanges[-1]
    return {
        "model": one.model,
        "tuned": one.speaker.tuned,
        "message": message,
        "shown": shown,
        "said": exchange.said,
        "items": [{"key": catalog.item_keys[i], "title": catalog.titles[i]} for i in exchange.items],
        "understood": dataclasses.asdict(done.understood),
        "sure": done.sure,
        "timing": dataclasses.asdict(done.timing),
        "raw": done.raw,
    }
