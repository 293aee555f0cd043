"""The talk behind the chat: what a message means, what is remembered, and the answer as it grows.

Where it stands: between `chat_panel` and the backend; it makes HTML through `chips` alone. What it does not know: Gradio, models.
The sentences are fixed templates. Which items come, and in which order, the run's model decides each time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from app import chips
from app.seam import Answer, BackendLike, Mention, Person, Trouble
from llmrec.recommend.chat.fixed import ABOUT, ASKING, GREETING, MORE, THANKS

LONGEST = 2000
OVER = re.compile(r"\b(start over|forget (it|that|everything|all)|new person|reset|from scratch)\b", re.I)
AGAINST = re.compile(
    r"(\bnot|n't|n’t|\bhated?|\bdislikes?d?|\bexcept|\bwithout|\bboring|\bbored by|\bno more|\bnever)\b"
    r"(?:(?!\b(?:but|yet|and)\s+(?:i\s+)?(?:really\s+)?(?:liked?|loved?|enjoyed?|adored?)\b)[^.;,!?]){0,24}$",
    re.I,
)
SPELLED = re.compile(r"<[a-z]{1,3}\d+>")


@dataclass(frozen=True)
class Talk:
    """What is remembered: liked items (oldest first), rejected ones, those already shown, and who speaks (-1: a new person)."""

    liked: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    user: int = -1


@dataclass(frozen=True)
class Reply:
    """An answer as far as it has grown: HTML, and what is remembered if it ends here."""

    html: str
    talk: Talk


def reply(backend: BackendLike, run: str, talk: Talk, message: str, k: int = 5, pause: float = 0.06) -> Iterator[Reply]:
    """Answer one message, growing. `pause`: seconds between two items, so that a reader can follow."""
    started = time.monotonic()
    said, opening = _trimmed(message)
    try:
        mentions = backend.mentions(run, said)
        if OVER.search(said):
            talk = Talk(user=talk.user)
            opening += "<p>Forgotten; we start over.</p>"
        talk, heard = _listen(talk, mentions, said, backend, run)
        opening += heard
        if SPELLED.search(said):
            opening += "<p>A Token that is typed by hand stays text here; I read it as words.</p>"
        if heard:
            yield Reply(opening, talk)
        other = "" if any(m.item is not None for m in mentions) else _without_titles(backend, run, said, bool(mentions))
        if other:
            yield Reply(opening + other, talk)
        else:
            yield from _recommend(backend, run, talk, k, opening, started, pause)
    except Trouble as trouble:
        yield Reply(f"{opening}<p>{chips.text(str(trouble))}</p>", talk)


def _trimmed(message: str) -> tuple[str, str]:
    """The message in one line and not too long, and the sentence that says so where it was."""
    said = " ".join(message.split())
    if len(said) <= LONGEST:
        return said, ""
    return said[:LONGEST], f"<p>That was a long message ({len(said):,} characters); I read the first {LONGEST:,}.</p>"


def _without_titles(backend: BackendLike, run: str, said: str, unknown: bool) -> str:
    """What to say to a message that names nothing known; nothing where it asks for items all the same."""
    if not re.search(r"\w", said):
        return _hint(backend, run, "I found no words in that.")
    if GREETING.match(said) or ABOUT.search(said):
        return _hint(backend, run, "Hello! My sentences are fixed in this version; the trained model behind me chooses the items.")
    if THANKS.match(said):
        return "<p>You are welcome. Say “something else” for more, or name another title.</p>"
    if MORE.search(said):
        return ""
    if unknown:
        return "<p>Tell me a title of this catalogue, or correct the spelling.</p>"
    if ASKING.search(said):
        return ""
    return _hint(backend, run, "I found no title of this catalogue in that, and free talk is beyond this version.")


def _listen(talk: Talk, mentions: tuple[Mention, ...], said: str, backend: BackendLike, run: str) -> tuple[Talk, str]:
    """Take the mentioned titles in, as liked or rejected, and say what was understood."""
    liked: list[int] = []
    rejected: list[int] = []
    unknown = ""
    for mention in mentions:
        if mention.item is None:
            near = " ".join(_film(backend, run, i) for i in mention.near)
            unknown += f"<p>I know no title “{chips.text(mention.text)}”" + (
                f". Near it: {near}</p>" if near else ", and nothing in this catalogue is near it.</p>"
            )
            continue
        before = said[: max(0, said.casefold().find(mention.text.casefold()))]
        (rejected if AGAINST.search(before) else liked).append(mention.item)
    html = ""
    if liked:
        html += "<p>You liked " + " ".join(_film(backend, run, i) for i in liked) + "</p>"
    if rejected:
        html += "<p>Not for you: " + " ".join(_film(backend, run, i) for i in rejected) + "</p>"
    kept = tuple(i for i in talk.liked if i not in liked and i not in rejected)
    return replace(talk, liked=(*kept, *liked), rejected=tuple(dict.fromkeys((*talk.rejected, *rejected)))), html + unknown


def _recommend(backend: BackendLike, run: str, talk: Talk, k: int, opening: str, started: float, pause: float) -> Iterator[Reply]:
    """Ask the model and lay its items out one by one."""
    person = backend.person(run, talk.user) if talk.user >= 0 else Person()
    history = (*(i for i in person.history if i not in talk.liked), *talk.liked)
    if not history:
        yield Reply(opening + _hint(backend, run, "I know nothing of you yet."), talk)
        return
    yield Reply(f'{opening}<p class="quiet">Asking the model …</p>', talk)
    answer = backend.recommend(run, None, Person(talk.user, history, (*talk.rejected, *talk.shown)), k)
    first = time.monotonic() - started
    if not answer.picks:
        yield Reply(f"{opening}<p>The model has nothing more for you. Name another title, or say “start over”.</p>", talk)
        return
    words = _words(talk, len(answer.picks))
    rows: list[str] = []
    for number, pick in enumerate(answer.picks, 1):
        rows.append(chips.row(pick.card, str(number), "", "held-out item" if pick.target else ""))
        talk = replace(talk, shown=(*talk.shown, pick.card.index))
        yield Reply(f"{opening}<p>{words}</p>{chips.listing(rows)}", talk)
        if pause and number < len(answer.picks):
            time.sleep(pause)
    yield Reply(f"{opening}<p>{words}</p>{chips.listing(rows)}{_timing(answer, first, time.monotonic() - started)}", talk)


def _words(talk: Talk, count: int) -> str:
    many = "This one comes next" if count == 1 else f"These {count} come next"
    if talk.shown:
        return "Something else, none of it shown before:"
    return f"{many} for user {talk.user + 1}:" if talk.user >= 0 and not talk.liked else f"{many}, says the model:"


def _timing(answer: Answer, first: float, total: float) -> str:
    note = f" · {answer.note}" if answer.note else ""
    return f'<p class="lm-timing">{chips.text(f"first item {first:.2f} s · model {answer.seconds:.2f} s · total {total:.2f} s{note}")}</p>'


def _film(backend: BackendLike, run: str, item: int) -> str:
    return f'<span class="chip film">{chips.text(chips.label(backend.card(run, "item", item)))}</span>'


def _hint(backend: BackendLike, run: str, first: str) -> str:
    example = chips.text(examples(backend, run)[0])
    return f"<p>{first}</p><p>Name a few titles you liked, for example: “{example}” Then say “something else” for more.</p>"


def examples(backend: BackendLike, run: str) -> list[str]:
    """Messages to start from, with titles that this run really knows."""
    titles = backend.titles(run)
    wanted = [t for t in ("Alien", "Blade Runner", "Toy Story", "Fargo", "Casablanca") if t in set(titles)]
    names = [*wanted, *(t for t in titles if t not in wanted)][:5]
    if len(names) < 4:
        return [f"I liked {names[0]}, what next?"] if names else ["What next?"]
    return [f"I liked {names[0]} and {names[1]}, what next?", f"{names[2]} was great, but I hated {names[3]}.", "Something else, please."]
