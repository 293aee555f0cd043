"""Answers on their way: each grows in a thread of its own, and anybody's can be stopped.

Where it stands: between the panel's events and `seam.chat.TalksLike`. What it does not know: Gradio, HTML.
A speaker thinks in a thread, and the server's loop only passes on what came: however many think, a stop gets through.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.chat.stage import Answer
from app.seam import Trouble
from app.seam.chat import TalksLike
from llmrec.recommend.chat.values import Chosen, Conversation, Done, Event, Words

ROOM = 40  # answers that may grow at the same time: ten people with four sides
BEAT = 0.07  # seconds between two pictures of a growing answer
PULSE = 0.2  # seconds after which a silent speaker is looked after
GRACE = 1.5  # seconds in which a stopped speaker may end by itself, and say what it remembers
QUIET = 2  # seconds of silence that are worth telling
BROKEN = "This side broke off for a reason of its own. The others go on; ask again, or choose another model here."
log = logging.getLogger(__name__)


class Flag(threading.Event):
    """Set when an answer shall end. dropped: nobody wants what was said either; claimed: the answer has begun."""

    dropped = claimed = False


class Visits:
    """Who is being answered on which sides, so that each can be stopped and not too many are at once. Safe for threads."""

    def __init__(self, most: int = ROOM) -> None:
        self._most, self._lock = most, threading.Lock()
        self._flags: dict[str, dict[int, Flag]] = {}
        self._open: set[str] = set()

    def begin(self, visitor: str, places: Iterable[int]) -> bool:
        """Take the room that a message needs; False where there is not enough."""
        wanted = list(places)
        with self._lock:
            if sum(map(len, self._flags.values())) + len(wanted) > self._most:
                return False
            self._open.discard(visitor)
            self._flags.setdefault(visitor, {}).update({place: Flag() for place in wanted})
            return True

    def claim(self, visitor: str, place: int) -> Flag | None:
        """The flag of an answer that may begin now; None where none was asked for, or it has begun before."""
        with self._lock:
            flag = self._flags.get(visitor, {}).get(place)
            if flag is None or flag.claimed:
                return None
            flag.claimed = True
            return flag

    def end(self, visitor: str, place: int, flag: Flag) -> None:
        """An answer is over."""
        flag.set()
        with self._lock:
            held = self._flags.get(visitor, {})
            if held.get(place) is flag:
                del held[place]
            if not held:
                self._flags.pop(visitor, None)

    def going(self, visitor: str) -> tuple[int, ...]:
        """The sides that are answering now."""
        with self._lock:
            return tuple(sorted(self._flags.get(visitor, {})))

    def stop(self, visitor: str, place: int | None = None) -> None:
        """End one side's answer, or all; what was said stays."""
        with self._lock:
            for at, flag in self._flags.get(visitor, {}).items():
                if place is None or at == place:
                    flag.set()

    def leave(self, visitor: str) -> None:
        """End all answers and forget them: the visitor begins anew, or is gone."""
        with self._lock:
            self._open.discard(visitor)
            for flag in self._flags.pop(visitor, {}).values():
                flag.dropped = True
                flag.set()

    def reveal(self, visitor: str) -> None:
        """A vote was cast: answers that still grow need hide nothing more."""
        with self._lock:
            self._open.add(visitor)

    def revealed(self, visitor: str) -> bool:
        """Whether that was so since the newest message."""
        with self._lock:
            return visitor in self._open


@dataclass(frozen=True)
class Question:
    """What one side is asked."""

    model: str
    talk: Conversation
    message: str
    k: int = 5
    visitor: str = ""


async def grow(talks: TalksLike, question: Question, flag: Flag) -> AsyncIterator[Answer]:
    """An answer again and again while it grows, at most some 14 times a second; the last one is over. flag: set it to end the answer."""
    came: asyncio.Queue[Any] = asyncio.Queue()
    loop, answer, began = asyncio.get_running_loop(), Answer(), time.monotonic()
    asked_to_end = 0.0

    def put(what: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the server has closed its loop
            loop.call_soon_threadsafe(came.put_nowait, what)

    threading.Thread(target=_speak, args=(talks, question, flag, put), name=f"talk-{question.model}", daemon=True).start()
    try:
        while not answer.over:
            try:
                batch = [await asyncio.wait_for(came.get(), PULSE)]
                await asyncio.sleep(BEAT)
                while not came.empty():
                    batch.append(came.get_nowait())
                for event in batch:
                    answer = _grown(answer, event)
            except TimeoutError:
                now = time.monotonic()
                waited = int(now - began) if not answer.events and now - began >= QUIET else 0
                if flag.is_set():
                    asked_to_end = asked_to_end or now
                    if now - asked_to_end >= GRACE:
                        answer = replace(answer, stopped=True, waited=0)
                elif waited == answer.waited:
                    continue
                else:
                    answer = replace(answer, waited=waited)
            if flag.dropped:
                return
            yield answer
    finally:
        flag.set()


def _speak(talks: TalksLike, question: Question, flag: Flag, put: Any) -> None:
    """In its own thread: the events of an answer, or why there are no more."""
    q = question
    try:
        events = talks.reply(q.model, q.talk, q.message, q.k, flag.is_set, q.visitor)
        try:
            for event in events:
                put(event)
                if flag.dropped:
                    return
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()
    except Trouble as trouble:
        put(trouble)
    except Exception:
        log.exception("the answer of %s broke off", q.model)
        put(Trouble(BROKEN))
    else:
        put(None)


def _grown(answer: Answer, event: Event | Trouble | None) -> Answer:
    if answer.over:
        return answer
    answer = replace(answer, waited=0)
    if isinstance(event, Trouble):
        return replace(answer, trouble=str(event))
    if event is None:
        return replace(answer, trouble=BROKEN)
    if isinstance(event, Done):
        return replace(answer, done=event, stopped=event.stopped)
    before = answer.events[-1] if answer.events else None
    if isinstance(event, Words) and isinstance(before, Words):
        return replace(answer, events=(*answer.events[:-1], Words(before.text + event.text)))
    if isinstance(event, (Words, Chosen)):
        return replace(answer, events=(*answer.events, event))
    return answer
