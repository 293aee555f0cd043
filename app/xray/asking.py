"""A question of the X-ray as the library asks it: the run's model, the query, the template; and traces, kept per question.

Where it stands: under the room `xray`. What it does not know: Streamlit, figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.library import Library
from app.seam.values import Trouble
from app.seam.xray import Bit, Question
from app.world import World
from llmrec.contracts import Piece, Queries, Token

if TYPE_CHECKING:
    from llmrec.recommend.language import LanguageRecommender
    from llmrec.recommend.trace.looking import Trace
    from llmrec.recommend.trace.reading import Template

LEADING = "·"  # how a blank before a subword is shown


@dataclass(frozen=True)
class Asked:
    """One question, ready to be asked."""

    world: World
    model: LanguageRecommender
    query: Queries
    words: Template
    question: Question

    def title(self, item: int) -> str:
        """How an item is written: title and year."""
        from app import chips

        return chips.label(self.world.card("item", item))

    def bit(self, row: int, place: int = 0) -> Bit:
        """One row of the vocabulary as a piece that can be shown."""
        vocab = self.model.lm.vocab
        (piece,) = vocab.decode([row])
        if isinstance(piece, Token):
            special = vocab.ends and row == vocab.size - 1
            tone = self.world.levels.token(str(piece)) if self.world.levels is not None else None
            return Bit(str(piece), place, row, "special" if special else "token", tone)
        return Bit(shown(piece), place, row, "special" if row in vocab.subwords.all_special_ids else "text")

    def written(self, row: int) -> str:
        """The same as text alone."""
        return self.bit(row).text


def shown(piece: Piece) -> str:
    """A subword with its blanks and line ends made visible."""
    lines = str(piece).replace("\n", "↵").replace("\t", "⇥")
    rest = lines.lstrip(" ")
    return LEADING * (len(lines) - len(rest)) + rest or LEADING


def asked(library: Library, run: str, question: Question) -> Asked:
    """What is asked of whom. `Trouble` where the run has no prompt, no such template, or no such item."""
    from llmrec.recommend.language import LanguageRecommender
    from llmrec.recommend.trace import reading

    world = library.world(run)
    model: Any = library.recommender(run)
    if not isinstance(model, LanguageRecommender):
        raise Trouble(f"{run} is no language model: there is no prompt to look into. Choose another run.")
    person = question.person
    for item in (*person.history, *(() if question.follow is None else (question.follow,))):
        world.card("item", item)
    out = person.rejected if question.seen else (*person.history, *person.rejected)
    query = Queries.of_history(person.history, tuple(dict.fromkeys(out)), world.known_as(person.user))
    return Asked(world, model, query, reading.template(model.task, question.template), question)


def trace(library: Library, run: str, given: Asked) -> Trace:
    """The trace of this question, made once."""
    from llmrec.recommend.trace import looking

    def make() -> Trace:
        with library.answering(run):
            return looking.look(given.model, given.query, given.question.follow, given.words)

    return library.kept(("xray trace", library.made(run, model=True), given.question), make)
