"""Whether somebody speaks against what they name: "no horror", "keep me away from thrillers", "Alien was boring", "leave Alien out".

Where it stands: under `memory` and `wishes`, for titles and for attributes alike. What it does not know: catalogues, talks.
Rules, and no more: the word against stands somewhere before the thing in its part of the sentence, or right behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from llmrec.recommend.chat.values import Mention

NEAR = 120  # letters before that are looked at
_TITLE = "¤"  # stands for a title, so that no word of one counts
_FINE = r"(?:bad|boring|awful|terrible|horrible|dull|stupid)\b"  # "not bad" speaks for it
# What may follow "not" without turning it against what comes then: "not only", "I cannot get enough of", "haven't seen any"
_NOT = (
    r"(?:(?<!\bwhy )(?<!\bor )\bnot|n't|\bcannot|\bnever)\b"
    r"(?! (?:only|sure|get enough|wait|you|we|there|know|mind|care|seen|heard|watched|read|tried)\b)"
    r"(?: (?:really|particularly|very|so|too|much|at all|ever))*"
    r"(?: (?:want|like|love|need|enjoy|prefer|show|give|recommend|suggest|name)(?:d|ed)?)?"
)
_WORDS = (
    r"\b(?:hate[ds]?|loathe|detest|despise|dislike[ds]?|without|except(?: for)?|excluding|exclude|avoid|skip|drop|omit|remove|ban|stop|"
    r"minus|less|leave|leaving|(?:anything|everything|all) but|nothing(?! (?:else )?but\b)|spare (?:me|us)|away from|(?<!get )enough of|"
    r"(?:tired|sick|free) of|fed up with|bor(?:ed|ing)(?: (?:by|of|with))?|(?:other|rather) than|instead of|(?:apart|aside) from|"
    r"already (?:seen|saw|know|watched|read)|no\b(?! (?:idea|clue|matter|doubt|preference|problem|one|wonder|thanks)\b))"
)
# Where another wish begins
_TURNING = r"\b(?:but|only|just|so|rather|show|give|recommend|suggest|want|prefer|like[ds]?|love[ds]?|enjoy(?:ed)?|adored?)\b"
_BEFORE = re.compile(rf"(?:{_NOT}|{_WORDS})\b(?:(?!{_TURNING})[^.;,!?:]){{0,40}}$", re.I)
_BAD = (
    r"(?:bor(?:ing|ed)|bad|awful|terrible|horrible|dull|dreadful|stupid|disappointing|overrated|too \w+|a waste|the worst|out|"
    rf"not (?!{_FINE}))"
)
_VERY = r"(?: (?:just|really|so|very|quite|rather|pretty|simply|far|a bit|a little))*"
_WAS = rf"(?: (?:was|is|'s)| (?:are|were)|(?:(?: and| or|,)* {_TITLE})+ (?:are|were))"
_BEHIND = re.compile(
    rf"^(?: (?:films?|movies?|titles?|books?|ones))?(?:{_WAS}{_VERY} {_BAD}| (?:was|is|are|were)n't (?!{_FINE})|"
    r" (?:bore[ds]?|disappoint(?:s|ed)|annoy(?:s|ed)) me| (?:put|puts|left|leaves) me (?:to sleep|cold)| (?:does|did) nothing for me|"
    r" suck(?:s|ed)| (?:out|aside|away|alone|already|off the list)\b|(?: again)?\? no\b| again, no\b|, no thanks)",
    re.I,
)


def turned(text: str, start: int, end: int, mentions: Iterable[Mention] = ()) -> bool:
    """Whether the words around a part of a message speak against it. mentions: the message's titles, whose words say nothing."""
    text = text.replace("’", "'")
    return bool(_BEFORE.search(_plain(text, 0, start, mentions)[-NEAR:]) or _BEHIND.search(_plain(text, end, len(text), mentions)))


def _plain(text: str, start: int, end: int, mentions: Iterable[Mention]) -> str:
    """A part of a message with one sign for each title that lies in it."""
    out, at = "", start
    for m in sorted(mentions, key=lambda m: m.start):
        if m.text and at <= m.start and m.start + len(m.text) <= end:
            out += text[at : m.start] + _TITLE
            at = m.start + len(m.text)
    return out + text[at:end]
