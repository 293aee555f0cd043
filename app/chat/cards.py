"""Messages and answers as HTML: words, a card at each mark, what was understood, how long it took.

Where it stands: between the stage's values and the browser; every text goes through `chips.text`. What it does not know: Gradio, models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import unescape

from app import chips
from app.chat.stage import BAD, LETTERS, TIE, Answer, Turn
from app.seam import Card
from app.seam.chat import Model
from llmrec.recommend.chat.values import Chosen, Done, Mention, Understood, Words

LONGEST = 600  # letters of a message that its bubble shows
LISTED = 40  # titles that the strip shows
FIXED = '<span class="lm-fixed" title="Not tuned on dialogues: rules read the message, templates answer it.">fixed sentences</span>'
BETWEEN = re.compile(r"[\s,.;]*")
CardOf = Callable[[int], Card]


@dataclass(frozen=True)
class Look:
    """How an answer is shown. card: an item's under this model; held_out: items to be marked; hidden: what tells the model apart is left
    out."""

    card: CardOf
    held_out: frozenset[int] = frozenset()
    hidden: bool = False


def plain(value: str) -> str:
    """Text for controls that escape by themselves: in one direction, without what is not seen."""
    return unescape(chips.text(value))


def bubble(asked: str, answers: Sequence[Answer | None] = (), card: CardOf | None = None) -> str:
    """What the visitor said, with the titles that were recognised in it."""
    from llmrec.lm.dialogue.language import pointed

    shown, mentions = " ".join(asked.split()), tuple[Mention, ...]()
    done = next((a.done for a in answers if a is not None and a.done is not None and a.done.conversation.exchanges), None)
    if done is not None:
        heard = done.conversation.exchanges[-1]
        mentions = tuple(m for m in heard.mentions if not pointed(m.text, (0,) * 10))  # "the first one" is another on each side
        if mentions and not shown.startswith(heard.asked):
            shown = heard.asked
    cut = len(shown) > LONGEST
    body = _mentioned(shown[:LONGEST], mentions, card) + (f" … <small>{len(shown):,} characters</small>" if cut else "")
    return f'<div class="lm-bubble" role="group" aria-label="You said"><p>{body or "…"}</p></div>'


def _mentioned(text: str, mentions: Sequence[Mention], card: CardOf | None) -> str:
    html, at = "", 0
    for m in sorted(mentions, key=lambda m: m.start):
        end = m.start + len(m.text)
        if m.start < at or end > len(text) or text[m.start : end] != m.text:
            continue
        html += chips.text(text[at : m.start]) + _mention(m, card)
        at = end
    return html + chips.text(text[at:])


def _mention(m: Mention, card: CardOf | None) -> str:
    if m.item is None or card is None:
        told = "which of several is asked" if m.near else "not in this catalogue"
        return f'<span class="chip film unsure" title="{told}">{chips.text(m.text)}</span>'
    known = chips.label(card(m.item))
    same = m.text.casefold() in (known.casefold(), card(m.item).title.casefold())
    told = "" if same else f'<span class="means"><span aria-hidden="true">→</span> {chips.text(known)}</span>'
    return f'<span class="chip film" title="{chips.text(known)}">{chips.text(m.text)}</span>{told}'


def label(model: Model | None, letter: str, hidden: bool, won: str = "") -> str:
    """Who speaks: a letter, and the name unless it is hidden. won: what a vote said of it."""
    name = f"Model {letter}" if hidden or model is None else chips.text(model.label)
    more = "" if hidden or model is None or model.tuned else FIXED
    about = "" if hidden or model is None else f' title="{chips.text(model.about)}"'
    mark = f'<span class="lm-won">{chips.text(won)}</span>' if won else ""
    return f'<div class="lm-who"><i aria-hidden="true" class="lm-letter">{letter}</i><b{about}>{name}</b>{more}{mark}</div>'


def answer(given: Answer | None, look: Look) -> str:
    """One side's answer as far as it has grown; "" before it was asked."""
    if given is None:
        return '<div class="lm-answer lm-absent"><p class="quiet">Was not here yet.</p></div>'
    body = _told(given, look)
    if given.trouble:
        body += f'<p class="lm-trouble" role="alert">{chips.text(given.trouble)}</p>'
    elif given.over and not given.events and not given.stopped:
        body += '<p class="quiet">It said nothing.</p>'
    if given.stopped:
        body += '<p class="lm-stopped">Stopped here. What was said stays.</p>'
    if not given.over:
        body += _thinking(given)
        return f'<div class="lm-answer lm-busy" aria-live="polite" aria-busy="true">{body}</div>'
    return f'<div class="lm-answer" aria-live="polite">{body}{_foot(given, look)}{_raw(given, look)}</div>'


def _thinking(given: Answer) -> str:
    if given.events:
        return '<span class="lm-caret" aria-hidden="true"></span>'
    waited = f" opening the model, or waiting for its turn · {given.waited} s" if given.waited else ""
    return f'<p class="lm-dots" role="status"><i></i><i></i><i></i><span class="quiet">{waited or "<s>thinking</s>"}</span></p>'


def _told(given: Answer, look: Look) -> str:
    """Words as they stand, items as lists whose numbers go on."""
    html, rows, count = "", list[str](), 0
    for event in given.events:
        if isinstance(event, Chosen):
            count += 1
            card = look.card(event.item)
            shown = replace(card, pieces=(), tones=()) if look.hidden else card
            rows.append(chips.row(shown, str(count), "", "held-out item" if event.item in look.held_out else ""))
        elif not BETWEEN.fullmatch(event.text) or not rows:
            html, rows = html + _cards(rows), []
            html += _words(event)
    return html + _cards(rows)


def _words(event: Words) -> str:
    said = event.text.strip().lstrip(",;") if event.text.strip() else ""
    return f'<p class="lm-words">{chips.text(said.strip())}</p>' if said.strip() else ""


def _cards(rows: Sequence[str]) -> str:
    return chips.listing(rows) if rows else ""


def _foot(given: Answer, look: Look) -> str:
    done = given.done
    if done is None:
        return ""
    sure = (
        "" if done.sure is None else f'<span class="lm-sure" title="The share that its own answer has of yes and no">{_sure(done)}</span>'
    )
    took = chips.text(timing(done, look.hidden))
    return f'<div class="lm-foot">{sure}{_understood(done.understood, look)}<span class="lm-timing">{took}</span></div>'


def _sure(done: Done) -> str:
    share = min(1.0, max(0.0, done.sure or 0.0))
    return f'<span class="lm-gauge" aria-hidden="true"><i style="width:{share:.0%}"></i></span>{share:.0%} sure'


def timing(done: Done, hidden: bool = False) -> str:
    """How long an answer took, in a line. hidden: without the speed, which only a model's own words have."""
    t = done.timing
    told = t.tokens > 1 and t.total > t.first and not hidden
    speed = [f"{t.tokens / (t.total - t.first):.0f} tokens/s"] if told else []
    return " · ".join([f"first word {t.first:.2f} s", *speed, f"total {t.total:.2f} s"])


def _understood(u: Understood, look: Look) -> str:
    """The conditions that the answer went by."""
    made = [f'<span class="lm-cond">{chips.text(w)}</span>' for w in u.wanted]
    made += [f'<span class="lm-cond not"><span aria-hidden="true">−</span><s>without </s>{chips.text(w)}</span>' for w in u.unwanted]
    made += [f'<span class="lm-cond like">like {_title(i, look)}</span>' for i in (u.like or ())[:4]]
    if u.among is not None:
        made.append('<span class="lm-cond">among ' + ", ".join(_title(i, look) for i in u.among[:4]) + "</span>")
    return f'<span class="lm-conds" role="group" aria-label="What was understood">{"".join(made)}</span>' if made else ""


def _title(item: int, look: Look) -> str:
    return chips.text(chips.label(look.card(item)))


def _raw(given: Answer, look: Look) -> str:
    """What was really read and said; kept out of the page while names are hidden, since it would betray them."""
    if given.done is None or look.hidden:
        return ""
    raw = given.done.raw.strip("\n")
    return f'<pre class="lm-raw" tabindex="0" aria-label="Raw text">{chips.text(raw) or "no row was said one by one"}</pre>'


def turn(given: Turn, names: dict[str, Model], looks: Sequence[Look]) -> str:
    """A message with the answers of all sides, side by side."""
    card = looks[0].card if looks else None
    columns = ""
    for at, key in enumerate(given.models):
        said = given.answers[at] if at < len(given.answers) else None
        letter = LETTERS[at]
        head = label(names.get(key), letter, given.hidden, verdict(given, letter))
        columns += f'<section class="lm-side" aria-label="Answer {letter}">{head}{answer(said, looks[at])}</section>'
    return f'<div class="lm-turn">{bubble(given.asked, given.answers, card)}<div class="lm-row">{columns}</div></div>'


def verdict(given: Turn, letter: str) -> str:
    """What stands beside the name after a vote."""
    return "your vote" if given.vote == letter else {TIE: "tie", BAD: "not good"}.get(given.vote, "")


def strip(who: str, cards: Sequence[Card]) -> str:
    """What is known of the person, newest first."""
    if not cards:
        return f'<p class="lm-strip quiet">{chips.text(who)}: nothing is known yet. Pick a few titles, or just write.</p>'
    shown = "".join(f'<li class="chip film">{chips.text(chips.label(c))}</li>' for c in cards[:LISTED])
    more = f'<li class="quiet">and {len(cards) - LISTED:,} more</li>' if len(cards) > LISTED else ""
    return (
        f'<div class="lm-strip"><span class="quiet">{chips.text(who)} knows {len(cards):,}, newest first</span>'
        f'<ul tabindex="0" aria-label="What is known, newest first">{shown}{more}</ul></div>'
    )


def notice(told: str) -> str:
    """A sentence above the message box; "" takes it away."""
    return f'<p class="lm-notice" role="status">{chips.text(told)}</p>' if told else ""
