"""A transcript as Markdown, for people: messages, each side's answer with titles, and how long it took.

Where it stands: after `transcript`. What it does not know: Gradio.

Messages, titles and keys come from strangers: each stays text wherever the file is opened. No line begins with one, so none can be a
heading, a list or a spreadsheet's formula; signs that mean something in Markdown or HTML get a backslash or become an entity.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from app.chat.transcript import Transcript, Turn
from app.seam.values import Card
from llmrec.recommend.chat.values import MARK

_SIGNS = re.compile(r"([\\`*_{}\[\]()#+|!~@$^=:/-])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


def to_markdown(transcript: Transcript, card: Callable[[str, int], Card], raw: bool = False) -> str:
    """The talk, message after message, each side under its model's name. raw: with what was read and said in rows."""
    who = f"user {plain(transcript.person)}" if transcript.person else "a new person"
    lines = ["# A talk with recommenders", "", f"Speaks: {who}. Data: {plain(transcript.data)}.", ""]
    for n in range(max((len(s.turns) for s in transcript.sides), default=0)):
        lines += [f"## Message {n + 1}", ""]
        asked = ""
        for side in transcript.sides:
            if n < len(side.turns):
                one = side.turns[n]
                if one.exchange.asked != asked:
                    asked = one.exchange.asked
                    lines += [f"> Asked: {plain(asked)}", ""]
                text = answered(one.exchange.said, one.exchange.items, functools.partial(_titled, card, side.model), _words)
                lines += [f"**{plain(side.model)}** said: {text}", "", _end(one), ""]
                lines += _raw(one) if raw else []
    return "\n".join(lines)


def plain(text: str) -> str:
    """A stranger's text in one line, which no reader of Markdown or HTML takes for more."""
    one_line = " ".join(_CONTROL.sub(" ", text).split())
    safe = _SIGNS.sub(r"\\\1", one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return re.sub(r"(?i)\bwww\.", lambda m: m[0][:-1] + r"\.", safe)


def answered(said: str, items: tuple[int, ...], title: Callable[[int], str], words: Callable[[str], str] = str) -> str:
    """What was said with titles at its marks, as many as there are items. words: how the rest is written."""
    first, *parts = said.split(MARK)
    named = [f" {title(item)}" for item in items]
    marks = [*named, *[words(MARK)] * len(parts)]
    return words(first) + "".join(mark + words(part) for mark, part in zip(marks, parts, strict=False))


def _words(text: str) -> str:
    """Plain, with the blanks around it."""
    return " " * text[:1].isspace() + plain(text) + " " * (text[-1:].isspace() and not text.isspace())


def _titled(card: Callable[[str, int], Card], model: str, item: int) -> str:
    found = card(model, item)
    return f"**{plain(found.title)}**" + ("" if found.year is None else f" \\({found.year}\\)")


def _end(one: Turn) -> str:
    took = f"_{one.timing.first:.2f} s to the first word, {one.timing.total:.2f} s in all"
    speed = f", {one.timing.tokens} rows said" if one.timing.tokens else ""
    sure = "" if one.sure is None else f", {one.sure:.0%} sure"
    return f"{took}{speed}{sure}{', stopped' if one.stopped else ''}_"


def _raw(one: Turn) -> list[str]:
    """In a fence longer than any in it."""
    text = "\n".join(_CONTROL.sub(" ", line) for line in one.raw.split("\n"))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return [f"{fence}text", *(f"    {line}" for line in text.split("\n")), fence, ""]
