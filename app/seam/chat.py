"""What the chat sees: who can answer, whom they answer, and an answer as it grows.

Where it stands: in the seam. What it does not know: llmrec's stages, Gradio. Conversations and events are the library's own values, plain
and frozen; a talk is a `Conversation`, and whoever keeps it keeps all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from app.seam.values import Card
from llmrec.recommend.chat.values import Conversation, Event


@dataclass(frozen=True)
class Model:
    """Somebody who can answer. key: its name in addresses, a run's, or "itemknn@<run>" for a baseline fitted on a run's train;
    label: as a person reads it; data: models of equal data may stand side by side; scheme: "" for a baseline; tuned: whether the words are
    its own; about: one sentence on what it is."""

    key: str
    label: str
    data: str
    scheme: str = ""
    tuned: bool = False
    about: str = ""


class TalksLike(Protocol):
    """Speakers over one frozen base, opened when first asked for and then kept. `Trouble` where a model or a user is unknown."""

    def models(self) -> tuple[Model, ...]:
        """All that can answer: tuned runs first, newest first, then other runs, then baselines."""
        ...

    def people(self, model: str) -> list[str]:
        """Keys of the users of its data."""
        ...

    def person(self, model: str, user: str) -> Conversation:
        """A talk that begins with a user of the data, all but the held-out item known; "" gives a new person's."""
        ...

    def known(self, model: str, talk: Conversation) -> tuple[Card, ...]:
        """What is known of the person, newest first: history, and what they liked in the talk."""
        ...

    def targets(self, model: str, user: str) -> frozenset[int]:
        """The items held out for a user of the data; none for a new person."""
        ...

    def card(self, model: str, item: int) -> Card:
        """One item with its facts and its name under this model (a baseline's has no pieces)."""
        ...

    def complete(self, model: str, begun: str, n: int = 8) -> tuple[Card, ...]:
        """Titles that go on as somebody began to type them, better known ones first; typos are forgiven where nothing begins so."""
        ...

    def examples(self, model: str) -> tuple[str, ...]:
        """Messages to begin with, over titles, genres and decades that this catalogue really has."""
        ...

    def reply(
        self, model: str, talk: Conversation, message: str, k: int = 5, stop: Callable[[], bool] = lambda: False, visitor: str = ""
    ) -> Iterator[Event]:
        """Answer one message, growing; the last event is `Done`. visitor: who asks, so that nobody waits for one who asks much."""
        ...

    def close(self) -> None:
        """Let everything go."""
        ...
