"""Genres and decades that a message asks for or shuts out, in people's words: "something scary", "no love stories", "from the nineties".

Where it stands: under the fixed speaker; the words are those of phrasings.toml, which dialogues for training are made of, and else the
catalogue's own. What it does not know: talks, titles beyond where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmrec.lm.dialogue import asking
from llmrec.lm.dialogue.language import DECADE, Language
from llmrec.recommend.chat import against
from llmrec.recommend.chat.values import Mention

_AROUND = {"a", "an", "something", "anything", "{things}", "with", "for", "about", "of", "from"}  # words of a phrasing that name no genre
_DECADES = re.compile(rf"(?<![\w.])(?:(1[89]|20)?'?(\d)0'?s|({'|'.join(t for t in asking.TENS if t)}))(?!\w)", re.I)
_NOT_ASKED = r"(?<!\bmy )(?<!are you )(?<!\bi am )(?<!\bi'm )(?<!\bthat's )(?<!\bthat is )(?<!\bhow )"  # "are you serious?"


class Wishes:
    """Of one catalogue. Its genres go by their own spelling and by what people call them; several may go by one word."""

    def __init__(self, language: Language) -> None:
        self.words = [w for w in language.bearers if not w.isdigit()]
        self._called: dict[str, list[str]] = {}
        for word in self.words:
            if not DECADE.fullmatch(word):
                for form in _forms(word):
                    self._called.setdefault(form, []).append(word)
        patterns = (f"(?P<g{n}>{_bent(form)})" for n, form in enumerate(self._ordered()))
        self._genres = re.compile(rf"(?<!\w){_NOT_ASKED}(?:{'|'.join(patterns) or '(?!)'})(?!\w)", re.I)

    def read(self, text: str, mentions: Sequence[Mention] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is wanted and what is not, genres before decades. Said twice, the last word stands. mentions: titles, which ask nothing."""
        plain = text.replace("’", "'")
        for m in mentions:
            plain = plain[: m.start] + " " * len(m.text) + plain[m.start + len(m.text) :]
        said: dict[str, bool] = {}
        for start, end, words in sorted([*self._found(plain), *self._when(plain)]):
            said |= dict.fromkeys(words, against.turned(text, start, end, mentions))
        order = {w: place for place, w in enumerate(sorted(self.words, key=lambda w: DECADE.fullmatch(w) is not None))}
        known = sorted(said, key=lambda w: order.get(w, len(order)))
        return tuple(w for w in known if not said[w]), tuple(w for w in known if said[w])

    def _ordered(self) -> list[str]:
        """Longer forms first: "science fiction" is no "fiction"."""
        return sorted(self._called, key=lambda f: (-len(f), f))

    def _found(self, text: str) -> Iterator[tuple[int, int, list[str]]]:
        forms = self._ordered()
        for match in self._genres.finditer(text):
            yield match.start(), match.end(), self._called[forms[int(str(match.lastgroup)[1:])]]

    def _when(self, text: str) -> Iterator[tuple[int, int, list[str]]]:
        """Decades, also those that the catalogue lacks: nothing fits them. "20s" is of the century that it has."""
        for match in _DECADES.finditer(text):
            tens = str(asking.TENS.index(match[3].casefold())) if match[3] else match[2]
            may = [f"{match[1]}{tens}0s"] if match[1] else [f"{c}{tens}0s" for c in ("19", "20", "18")]
            if not re.search(r"\bmy $", text[: match.start()], re.I):
                yield match.start(), match.end(), [next((d for d in may if d in self.words), may[0])]


def _forms(word: str) -> set[str]:
    """What a genre is called, without the words around it: "something scary" and "scary {things}" are "scary"."""
    known = asking.book()["attributes"].get(word, {})
    forms = {word.casefold()}
    for phrase in (*known.get("things", ()), *known.get("matter", ())):
        parts = str(phrase).casefold().split()
        while parts and parts[0] in _AROUND:
            parts = parts[1:]
        while parts and parts[-1] in _AROUND:
            parts = parts[:-1]
        forms.add(" ".join(parts))
    return forms - {""}


def _bent(form: str) -> str:
    """A form as a pattern, one or many of it: "comedy" and "comedies", "sci-fi" and "sci fi"."""
    root, ending = form, "(?:e?s)?"
    if form.endswith("'s"):
        root, ending = form[:-2], "'?s"
    elif form.endswith("ies"):
        root, ending = form[:-3], "(?:y|ies)"
    elif form.endswith("y"):
        root, ending = form[:-1], "(?:y|ies)"
    elif form.endswith("s") and not form.endswith("ss"):
        root, ending = form[:-1], "s?"
    return re.sub(r"(?:\\?[-\s])+", r"[-\\s]?", re.escape(root)) + ending
