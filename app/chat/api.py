"""The chat for programs: functions under names that stay, which gradio_client calls over the panel's own server (docs/chat.md).

Where it stands: inside the panel's Blocks, which call `register`; the same room and the same fair turns as the panel's.
What it does not know: how an answer is made, how it is shown.

Nothing is remembered here between two calls: `ask` gives the talk back, and takes it to go on. Whatever cannot be answered is refused
with a sentence (`gr.Error`), and a message is checked before any model is opened.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import gradio as gr

from app.chat import reading, tally, transcript, votes
from app.chat.transcript import Side, Transcript
from app.seam import BackendLike, Trouble
from app.seam.chat import Model, TalksLike
from app.seam.values import Card
from llmrec.recommend.chat.memory import MOST
from llmrec.recommend.chat.values import Done, Event

SIDES, LETTERS, KEYS = 4, 20_000, 1000
AT_ONCE = 8  # questions that are answered at the same time; others wait in the queue
ASKED = {"concurrency_id": "chat-api", "concurrency_limit": AT_ONCE}
NAMES = ("models", "people", "complete", "ask", "votes", "probe")


def register(backend: Callable[[], BackendLike]) -> None:
    """Put the functions into the Blocks that are being built. `backend` is asked for only when somebody calls."""
    for name, made in zip(NAMES, (_models, _people, _complete, _ask, _votes, _probe), strict=True):
        gr.api(made(backend), api_name=name, **ASKED)


def _models(backend: Callable[[], BackendLike]) -> Callable[..., Any]:
    def models() -> list[dict[str, Any]]:
        """All that can answer: [{"key", "label", "data", "scheme", "tuned", "about"}]. Models of equal data may be asked together."""
        with _told():
            return [dataclasses.asdict(model) for model in backend().talks().models()]

    return models


def _people(backend: Callable[[], BackendLike]) -> Callable[..., Any]:
    def people(model: str, begun: str = "", n: int = 50) -> list[str]:
        """Keys of the users of a model's data that begin so; at most n, 1 to 1000."""
        with _told():
            most = _number(n, 1, KEYS, "n")
            typed = _text(begun, 300, "begun")
            return [key for key in backend().talks().people(_key(model)) if key.startswith(typed)][:most]

    return people


def _complete(backend: Callable[[], BackendLike]) -> Callable[..., Any]:
    def complete(model: str, begun: str, n: int = 8) -> list[dict[str, Any]]:
        """Titles that go on as they were begun: [{"key", "title", "year", "genres"}]; at most n, 1 to 50."""
        with _told():
            cards = backend().talks().complete(_key(model), _text(begun, LETTERS, "begun"), _number(n, 1, 50, "n"))
            return [_item(card) for card in cards]

    return complete


def _ask(backend: Callable[[], BackendLike]) -> Callable[..., Any]:
    def ask(
        message: str,
        models: list[str],
        user: str = "",
        k: int = 5,
        talk: dict[str, Any] | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """One message to 1 to 4 models of equal data, as a user of it or as a new person (""). k: items in an answer, 1 to 10.

        talk: what the answer before gave under this name, to go on; its models and its user stand then. Gives {"answers": [{"model",
        "label", "tuned", "text", "items", "understood", "sure", "timing", "raw"}], "talk"}.
        """
        with _told():
            talks = backend().talks()
            said, most = _text(message, LETTERS, "message"), _number(k, 1, MOST, "k")
            begun = _begun(talks, _keys(models), _text(user, 300, "user"), talk)
            ended = _answers(talks, begun, said, most, str(getattr(request, "session_hash", None) or ""))
            return _told_of(talks, begun, ended)

    return ask


def _votes(backend: Callable[[], BackendLike]) -> Callable[..., Any]:
    def counted(blind: bool = True) -> dict[str, Any]:
        """The votes cast on this machine, counted: {"votes", "damaged", "models": [..], "pairs": [..]}; docs/chat.md tells how.
        blind: only those whose models were hidden."""
        with _told():
            found = votes.read()
            cast = [v for v in found.votes if v.hidden or not blind]
            both = {"models": tally.models(cast), "pairs": tally.pairs(cast)}
            return {"votes": len(cast), "damaged": found.damaged, **{name: list(map(_counted, rows)) for name, rows in both.items()}}

    return counted


def _probe(backend: Callable[[], BackendLike]) -> Callable[..., Any]:
    def probe(models: list[str], users: int = 1, only: str = "", seed: int = 0) -> dict[str, Any]:
        """Ask models the shipped probes; call again until "waiting" is empty. only: skills, set apart by commas."""
        from app.chat import probing

        with _told():
            return probing.probe(
                backend().probes(), _keys(models), _number(users, 1, probing.PEOPLE, "users"), _text(only, 300, "only"), seed
            )

    return probe


def _begun(talks: TalksLike, models: list[str], user: str, talk: dict[str, Any] | None) -> Transcript:
    """The talk as it stands before the message."""
    known = {model.key: model for model in talks.models()}
    if talk:
        found = transcript.read(talk, talks)
        sides = [side.model for side in found.sides]
        if (models and models != sides) or (user and user != found.person):
            raise Trouble("A talk goes on with its own models and its own user: leave both out, or start a new talk.")
        _equal([_known(known, key) for key in sides])
        return found
    data = _equal([_known(known, key) for key in models])
    return Transcript(user, data, tuple(Side(key, talks.person(key, user)) for key in models))


def _equal(models: list[Model]) -> str:
    """What the models' data are called, which must be one."""
    if not models:
        raise Trouble("Nobody was asked: name 1 to 4 models, as `models` lists them.")
    if len({model.data for model in models}) > 1:
        raise Trouble("These models know different data: ask only those together whose data are equal.")
    return models[0].data


def _known(known: dict[str, Model], key: str) -> Model:
    if key not in known:
        raise Trouble(f"There is no model “{key[:80]}” to talk to: call `models` for those that there are.")
    return known[key]


def _answers(talks: TalksLike, begun: Transcript, message: str, k: int, visitor: str) -> list[Done]:
    """What each side said, all at once as far as there are turns; the first trouble ends the others."""
    over = threading.Event()

    def one(side: Side) -> Done:
        try:
            return _last(talks.reply(side.model, side.talk, message, k, over.is_set, visitor))
        except BaseException:
            over.set()
            raise

    with ThreadPoolExecutor(len(begun.sides)) as pool:
        going = [pool.submit(one, side) for side in begun.sides]
        return [answer.result() for answer in going]


def _last(events: Iterator[Event]) -> Done:
    *_, last = events
    if not isinstance(last, Done):
        raise Trouble("The answer broke off: ask again.")
    return last


def _told_of(talks: TalksLike, begun: Transcript, ended: list[Done]) -> dict[str, Any]:
    known = {model.key: model for model in talks.models()}
    after = begun
    answers = []
    for side, done in zip(begun.sides, ended, strict=True):
        after = transcript.gone_on(after, side.model, done)
        answers.append(_answer(talks, known.get(side.model) or Model(side.model, side.model, begun.data), done))
    return {"answers": answers, "talk": transcript.written(after, talks.card)}


def _answer(talks: TalksLike, model: Model, done: Done) -> dict[str, Any]:
    said = done.conversation.exchanges[-1]
    cards = {item: talks.card(model.key, item) for item in said.items}
    items = [{"rank": n, **_item(cards[i]), "pieces": [str(p) for p in cards[i].pieces]} for n, i in enumerate(said.items, 1)]
    return {
        "model": model.key,
        "label": model.label,
        "tuned": model.tuned,
        "text": reading.answered(said.said, said.items, lambda item: cards[item].title),
        "items": items,
        "understood": _understood(talks, model.key, done),
        "sure": done.sure,
        "timing": dataclasses.asdict(done.timing),
        "raw": done.raw,
    }


def _understood(talks: TalksLike, model: str, done: Done) -> dict[str, Any]:
    """What was understood, items by their keys."""
    told = dataclasses.asdict(done.understood)
    for name in ("among", "like"):
        told[name] = None if told[name] is None else [talks.card(model, item).key for item in told[name]]
    return told


def _item(card: Card) -> dict[str, Any]:
    return {"key": card.key, "title": card.title, "year": card.year, "genres": list(card.genres)}


def _counted(one: tally.Tally) -> dict[str, Any]:
    return dataclasses.asdict(one)


@contextmanager
def _told() -> Iterator[None]:
    """What a person can mend reaches the caller as its sentence."""
    try:
        yield
    except Trouble as trouble:
        raise gr.Error(str(trouble), print_exception=False) from trouble


def _text(given: Any, most: int, name: str) -> str:
    if not isinstance(given, str):
        raise Trouble(f"`{name}` must be a text.")
    if len(given) > most:
        raise Trouble(f"`{name}` has {len(given):,} letters, and at most {most:,} are read: shorten it.")
    return given


def _number(given: Any, least: int, most: int, name: str) -> int:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not least <= given <= most or given != int(given):
        raise Trouble(f"`{name}` must be a whole number from {least} to {most:,}.")
    return int(given)


def _key(given: Any) -> str:
    return _text(given, 300, "model")


def _keys(given: Any) -> list[str]:
    """Up to four different models."""
    if not isinstance(given, list):
        raise Trouble("`models` must be a list of keys, as `models` lists them.")
    keys = [_key(one) for one in given]
    if len(keys) > SIDES or len(set(keys)) < len(keys):
        raise Trouble(f"Ask up to {SIDES} different models at once, not {len(keys)}.")
    return keys
