"""The prompt as the X-ray shows it: every piece with its row number, grouped by whose name it is.

Where it stands: under the room `xray`. What it does not know: Streamlit, HTML.
"""

from __future__ import annotations

from app.seam.xray import Bit, Prompt, Stretch
from app.xray.asking import Asked
from llmrec.recommend.trace.reading import Reading


def prompt(given: Asked, reading: Reading) -> Prompt:
    """The whole prompt."""
    stretches, place = [], 0
    for one in reading.stretches:
        bits = tuple(given.bit(row, place + n) for n, row in enumerate(one.ids))
        place += len(bits)
        stretches.append(Stretch(one.kind, bits, _whose(given, one.kind, one.item)))
    return Prompt(tuple(stretches), reading.text, _note(given, reading), _counts(stretches, given.model.lm.vocab.size))


def _whose(given: Asked, kind: str, item: int) -> str:
    if kind == "item":
        return given.title(item)
    if kind == "words":
        return ""
    user = given.question.person.user
    anonymous = user < 0 or given.world.known_as(user) < 0 or given.model.table.users is None
    return "a person without a name of their own" if anonymous else given.world.card("user", user).title


def _note(given: Asked, reading: Reading) -> str:
    told = sum(one.kind == "item" for one in reading.stretches)
    most = given.model.max_items
    order = "oldest first" if reading.ordered else "in an order drawn from the history itself, since this task knows none"
    cut = f"The {reading.cut:,} oldest are left out: this model reads at most {most:,}." if reading.cut else "Nothing is left out."
    if not told:
        return "No item of this person is told: the model has nothing but the words to go by."
    return f"{told:,} items are told, {order}. {cut}"


def _counts(stretches: list[Stretch], size: int) -> tuple[tuple[str, str, str], ...]:
    bits: list[Bit] = [bit for one in stretches for bit in one.bits]
    named = [one for one in stretches if one.kind == "item"]
    tokens = sum(bit.kind == "token" for bit in bits)
    each = sum(len(one.bits) for one in named) / len(named) if named else 0.0
    return (
        ("Pieces", f"{len(bits):,}", f"What the model reads before it answers, each one of {size:,} rows of its vocabulary."),
        ("Tokens", f"{tokens:,}", "New rows that were added for names and learned from nothing."),
        ("Subwords", f"{len(bits) - tokens:,}", "Pieces of plain text, which the language model knew before."),
        ("Pieces an item", f"{each:.1f}", "How long the items' names are here: the shorter, the more of a history fits."),
    )
