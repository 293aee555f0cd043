"""What a visitor takes home: the talk as JSON or Markdown, their votes as lines, and the count of all votes with intervals.

Where it stands: between the stage and `transcript`, `votes` and `tally`. What it does not know: Gradio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app import chips
from app.chat import reading, stage, tally, transcript, votes
from app.chat.stage import Room, Seat
from app.chat.tally import Tally
from app.chat.transcript import Side, Transcript
from app.seam import Trouble
from app.seam.chat import TalksLike

HIDDEN = "Names are still hidden, and this file would tell them. Vote first, or leave blind mode."
NOTHING = "Nothing was said yet."
PAIRS = 12  # that the page counts; the file has every vote


@dataclass(frozen=True)
class File:
    """What the browser saves."""

    name: str
    text: str
    kind: str


def talk(talks: TalksLike, room: Room, seats: Sequence[Seat], markdown: bool) -> File:
    """The talk of the sides that stand there. `Trouble` while names are hidden, or where nothing was said."""
    turns = stage.finished(room, seats)
    if any(t.hidden for t in turns):
        raise Trouble(HIDDEN)
    if not turns:
        raise Trouble(NOTHING)
    sides = []
    for seat in stage.taken(seats):
        said = [t.answers[t.models.index(seat.model)] for t in turns if seat.model in t.models]
        sides.append(Side(seat.model, seat.talk, tuple(transcript.turn(a.done) for a in said if a is not None and a.done is not None)))
    data = next((m.data for m in talks.models() if m.key == sides[0].model), "")
    whole = Transcript(room.user, data, tuple(sides))
    if markdown:
        return File("llmrec-talk.md", reading.to_markdown(whole, talks.card), "text/markdown")
    return File("llmrec-talk.json", transcript.to_json(whole, talks.card), "application/json")


def ballots(visitor: str, path: Path | None) -> File:
    """The votes of one visitor's session, a line each."""
    cast = votes.read(path, visitor).votes
    if not cast:
        raise Trouble("You have not voted yet: switch Blind on, ask something, and say which answer is better.")
    return File("llmrec-votes.jsonl", votes.exported(cast), "application/jsonl")


def counted(names: dict[str, str], path: Path | None) -> str:
    """All blind votes of this machine, as HTML. names: labels of the models that are still there."""
    cast = [v for v in votes.read(path).votes if v.hidden]
    if not cast:
        return '<p class="quiet">No blind votes yet. Switch Blind on, ask something, and say which answer is better.</p>'
    lines = "".join(_line(one, names) for one in tally.models(cast))
    pairs = "".join(_pair(one, names) for one in tally.pairs(cast)[:PAIRS])
    many = f"{len(cast):,} blind {'vote' if len(cast) == 1 else 'votes'} on this machine; bars are 95 % intervals."
    return f'<div class="lm-tally"><p class="quiet">{many}</p>{lines}<h4>Pair by pair</h4>{pairs}</div>'


def _line(one: Tally, names: dict[str, str]) -> str:
    told = f"{one.wins} won, {one.ties} tied, {one.losses} lost" + (f", {one.bad} all bad" if one.bad else "")
    return f'<div class="lm-count"><b>{_name(one.model, names)}</b>{_bar(one)}<span class="quiet">{told}</span></div>'


def _pair(one: Tally, names: dict[str, str]) -> str:
    score = f"{one.wins} : {one.losses}" + (f", {one.ties} tied" if one.ties else "")
    both = f"{_name(one.model, names)} <i>against</i> {_name(one.other, names)}"
    return f'<div class="lm-count"><b>{both}</b>{_bar(one)}<span class="quiet">{score}</span></div>'


def _bar(one: Tally) -> str:
    if one.share is None:
        return '<span class="lm-interval none">no vote that tells</span>'
    s = one.share
    told = f"{s.mean:.0%} won, between {s.low:.0%} and {s.high:.0%}"
    drawn = f'<i style="left:{s.low:.1%};width:{s.high - s.low:.1%}"></i><u style="left:{s.mean:.1%}"></u>'
    return f'<span class="lm-interval" role="img" aria-label="{told}" title="{told}">{drawn}</span><span class="v">{s.mean:.0%}</span>'


def _name(key: str, names: dict[str, str]) -> str:
    return chips.text(names.get(key, key))
