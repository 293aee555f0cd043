"""The chat as a Gradio panel: sides, one message box, votes, and what to take home.

Where it stands: at /chat, and inside the studio's Chat page. What it does not know: what an act does (`acts`), how a part looks (`cards`).
Every side has an event of its own, so that one may stop, fail or be slow while the others go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from app.chat import api, controls
from app.chat.acts import Acts
from app.chat.controls import Controls
from app.chat.stage import MOST
from app.chat.streaming import ROOM
from app.seam import BackendLike

HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
SIDES = {**HIDDEN, "concurrency_id": "talk", "concurrency_limit": ROOM}
AT_ONCE = {**HIDDEN, "queue": False}


def build(backend: Callable[[], BackendLike]) -> gr.Blocks:
    """The panel over a backend, which is asked for only when somebody comes."""
    acts = Acts(backend)
    with gr.Blocks(title="llmrec chat", fill_width=True, analytics_enabled=False) as panel:
        parts = controls.build(acts.complete)
        _Wiring(acts, parts).all(panel)
        api.register(backend)
    panel.queue(max_size=4 * ROOM)
    return panel


class _Wiring:
    """Which control does what."""

    def __init__(self, acts: Acts, parts: Controls) -> None:
        self.acts, self.parts = acts, parts
        self.memory = [parts.room, *parts.seats]

    def all(self, panel: gr.Blocks) -> None:
        """Every event of the panel."""
        everything = self.parts.all

        def load(request: gr.Request) -> dict[Any, Any]:
            return self.parts.updates(self.acts.open(dict(request.query_params)))

        panel.load(load, None, everything, concurrency_limit=10, **HIDDEN)
        panel.unload(self._left)
        self._talk(everything)
        self._stops()
        self._sides(everything)
        self._person(everything)
        self._blind(everything)
        self._home()

    def _left(self, request: gr.Request) -> None:
        self.acts.leave(visitor(request))

    def _talk(self, everything: list[Any]) -> None:
        """A message, from wherever it comes, and then every side for itself."""
        p = self.parts
        pressed = [p.more, p.why, *p.ideas]

        def send(event: gr.EventData, request: gr.Request, typed: str, *rest: Any) -> dict[Any, Any]:
            labels, (room, *seats) = rest[: len(pressed)], rest[len(pressed) :]
            by_id = {button._id: label for button, label in zip(pressed, labels, strict=True)}
            message = by_id.get(getattr(event.target, "_id", None), typed)
            drawn = self.acts.send(str(message or ""), room, seats, visitor(request))
            if message is not typed:
                drawn.pop("box", None)  # what is being typed stays
            return p.updates(drawn)

        triggers = [p.box.submit, *(b.click for b in pressed)]
        sent = gr.on(triggers, send, [p.box, *pressed, *self.memory], everything, **AT_ONCE)
        for place in range(MOST):
            outputs = [p.lives[place], p.seats[place], p.bubble, p.strip]
            sent.success(self._side(place), [p.room, p.seats[place], p.k], outputs, **SIDES)

    def _side(self, place: int) -> Callable[..., AsyncIterator[dict[Any, Any]]]:
        async def answer(request: gr.Request, room: Any, seat: Any, k: float) -> AsyncIterator[dict[Any, Any]]:
            came = False
            async for drawn in self.acts.answer(place, room, seat, int(k), visitor(request)):
                came = True
                yield self.parts.updates(drawn)
            if not came:
                yield {self.parts.lives[place]: gr.skip()}

        return answer

    def _stops(self) -> None:
        """Stops run in the server's own loop, so that they get through however many think."""
        for place, button in enumerate(self.parts.stops):
            button.click(self._stop(place), None, None, **AT_ONCE)
        self.parts.stop_all.click(self._stop(None), None, None, **AT_ONCE)

    def _stop(self, place: int | None) -> Callable[..., Any]:
        async def stop(request: gr.Request) -> None:
            self.acts.visits.stop(visitor(request), place)

        return stop

    def _sides(self, everything: list[Any]) -> None:
        p = self.parts

        def at(act: Callable[..., Any], place: int) -> Callable[..., dict[Any, Any]]:
            def changed(request: gr.Request, room: Any, *seats: Any) -> dict[Any, Any]:
                return p.updates(act(place, room, seats, visitor(request)))

            return changed

        def chosen(place: int) -> Callable[..., dict[Any, Any]]:
            def change(request: gr.Request, key: str, room: Any, *seats: Any) -> dict[Any, Any]:
                return p.updates(self.acts.choose(place, key or "", room, seats, visitor(request)))

            return change

        def add(request: gr.Request, room: Any, *seats: Any) -> dict[Any, Any]:
            return p.updates(self.acts.add(room, seats, visitor(request)))

        for place in range(MOST):
            p.pickers[place].input(chosen(place), [p.pickers[place], *self.memory], everything, **AT_ONCE)
            p.drops[place].click(at(self.acts.remove, place), self.memory, everything, **AT_ONCE)
        p.add.click(add, self.memory, everything, **AT_ONCE)

    def _person(self, everything: list[Any]) -> None:
        p = self.parts

        def person(sure: bool) -> Callable[..., dict[Any, Any]]:
            def change(request: gr.Request, typed: str, room: Any, *seats: Any) -> dict[Any, Any]:
                if sure:
                    self.acts.leave(visitor(request))
                return p.updates(self.acts.person(typed, room, seats, sure))

            return change

        def like(items: list[int] | None, room: Any, *seats: Any) -> dict[Any, Any]:
            return p.updates(self.acts.like(items or [], room, seats))

        def over(request: gr.Request, room: Any, *seats: Any) -> dict[Any, Any]:
            return p.updates(self.acts.over(room, seats, visitor(request)))

        p.who.input(person(False), [p.who, *self.memory], everything, **AT_ONCE)
        p.yes.click(person(True), [p.who, *self.memory], everything, **AT_ONCE)
        p.no.click(lambda room: p.updates(self.acts.kept(room)), [p.room], everything, **AT_ONCE)
        p.picks.input(like, [p.picks, *self.memory], [*self.memory, p.strip, p.picks], **AT_ONCE)
        p.over.click(over, self.memory, everything, **AT_ONCE)

    def _blind(self, everything: list[Any]) -> None:
        p = self.parts

        def blind(request: gr.Request, on: bool, room: Any, *seats: Any) -> dict[Any, Any]:
            return p.updates(self.acts.blind(on, room, seats, visitor(request)))

        def vote(choice: str) -> Callable[..., dict[Any, Any]]:
            def cast(request: gr.Request, room: Any, *seats: Any) -> dict[Any, Any]:
                return p.updates(self.acts.vote(choice, room, seats, visitor(request)))

            return cast

        p.blind.input(blind, [p.blind, *self.memory], everything, **AT_ONCE)
        for choice, button in p.votes.items():
            button.click(vote(choice), self.memory, everything, **AT_ONCE)
        p.raw.change(None, [p.raw], None, js="(on) => llmrecPanel.raw(on)", api_visibility="private")

    def _home(self) -> None:
        """What is taken home: an address, the talk, the votes."""
        p = self.parts

        def save(what: str) -> Callable[..., dict[Any, Any]]:
            def made(request: gr.Request, room: Any, *seats: Any) -> dict[Any, Any]:
                file, drawn = self.acts.file(what, room, seats, visitor(request))
                return {p.saved: file, **p.updates(drawn)}

            return made

        for what in ("votes", "json", "markdown"):
            asked = p.named[f"save_{what}"].click(save(what), self.memory, [p.saved, p.notice], **AT_ONCE)
            asked.success(None, [p.saved], None, js="(file) => llmrecPanel.save(file)", api_visibility="private")

        def link(message: str, room: Any, *seats: Any) -> str:
            return self.acts.link(message or "", room, seats)

        made = p.copy.click(link, [p.box, *self.memory], [p.carried], **AT_ONCE)
        made.success(None, [p.carried], None, js="(query) => llmrecPanel.copy(query)", api_visibility="private")


def visitor(request: gr.Request | None) -> str:
    """Whose turn it is: the session's hash, or "" where an event comes without one."""
    return str(getattr(request, "session_hash", None) or "")
