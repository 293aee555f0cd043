"""A conversation held through the acts of the chat, as the panel's events hold it: for tests that look at what is shown."""

from __future__ import annotations

import asyncio
from typing import Any

from app.chat.acts import Acts
from app.chat.stage import MOST, Room, Seat

WHO = "somebody"


class Visit:
    """What the browser of one visitor holds: the memory, and every part as it stands."""

    def __init__(self, acts: Acts, visitor: str = WHO) -> None:
        self.acts, self.visitor = acts, visitor
        self.parts: dict[str, Any] = {"room": Room(), **{f"seat{n}": Seat() for n in range(MOST)}}
        self.grown: list[dict[str, Any]] = []

    @property
    def room(self) -> Room:
        room: Room = self.parts["room"]
        return room

    @property
    def seats(self) -> tuple[Seat, ...]:
        return tuple(self.parts[f"seat{n}"] for n in range(MOST))

    def take(self, parts: dict[str, Any]) -> dict[str, Any]:
        """An act came back."""
        self.parts |= parts
        return parts

    def open(self, **address: str) -> dict[str, Any]:
        return self.take(self.acts.open(address))

    def send(self, message: str) -> dict[str, Any]:
        return self.take(self.acts.send(message, self.room, self.seats, self.visitor))

    def say(self, message: str, k: int = 5) -> dict[str, Any]:
        """A message, and all answers to their end."""
        drawn = self.send(message)
        asyncio.run(self.answers(k))
        return drawn

    async def answers(self, k: int = 5) -> None:
        """All sides at once."""
        await asyncio.gather(*(self.answer(place, k) for place in range(MOST)))

    async def answer(self, place: int, k: int = 5) -> None:
        """One side to its end."""
        async for drawn in self.acts.answer(place, self.room, self.seats[place], k, self.visitor):
            self.grown.append(self.take(drawn))

    def vote(self, choice: str) -> dict[str, Any]:
        return self.take(self.acts.vote(choice, self.room, self.seats, self.visitor))

    def html(self) -> list[str]:
        """Every part that is HTML."""
        kept = ("box", "who", "picker")  # these go into fields, which escape by themselves
        return [v for n, v in self.parts.items() if isinstance(v, str) and not n.startswith(kept)]


def shown(acts: Acts, address: dict[str, str], *messages: str) -> list[str]:
    """All HTML of a visit: opened, spoken to, voted on."""
    visit = Visit(acts)
    visit.open(**address)
    found = visit.html()
    for message in messages:
        visit.say(message)
        found += visit.html()
        found += [v for drawn in visit.grown for v in drawn.values() if isinstance(v, str)]
        visit.vote("A")
        found += visit.html()
    return found
