"""Whether words that happen to be a title are meant as one: "I trust you" names no film, "something like trust" does.

Where it stands: under `mentions`, over `ordinary`. What it does not know: catalogues.
Marks tell first: "@", quotation marks, a capital inside a sentence. Without any, words that people talk with are no title, several others
are one, and one word is where a title may stand: at the beginning, behind what is said of titles, or in a row with another.
"""

from __future__ import annotations

import re

from llmrec.recommend import titles
from llmrec.recommend.chat.ordinary import ORDINARY

NEAR = 80  # letters before a word that are looked at
PERSONS = re.compile(r" (?:me|you|us|him|her|it|them|that|this|my|your|his|their|our|myself|yourself|i|we|they|he|she)\b", re.I)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SPEAKING = re.compile(
    r"(?:\b(?:like[ds]?|lov(?:e|ed|es|ing)|enjoy(?:ed)?|adored?|prefer(?:red)?|saw|seen?|watch(?:ed|ing)?|try|tried|take|hated?|disliked?|"
    r"but|without|except|drop|skip|remove|leave|avoid|minus|(?:similar|close|next|compared) to|(?<!lot )of|about|after|with|than|as|"
    r"is|are|was|were|why|how come|explain|describe|recommend|suggest|pick|name|choose|between|among|from|for|resembl(?:es?|ing)|"
    r"rank|sort|order|know|stand|film|movie|title|called|either|again|does|(?:why|how|what) would|(?:\w+n't|not) want|"
    r"(?:facts|details|thoughts|opinion) on|(?:^|[.,;:!?] ?|\b(?:please|and|or|but) )(?:would|not|no))|"
    r"[\"“«:;(@])(?: (?:the|a|an|my|really|both|either|these))* ?$",
    re.I,
)
_LISTED = re.compile(
    r"(?:[,:]|\b(?:have|got)) ?\0(?:$|[,?!.;]| (?:or|and|here)\b)|\b(?:think|say) \0 (?:is|was|suits?|would|fits?)\b", re.I
)
_JOINED = re.compile(r"(?:,|/|&|\band|\bor) ?$", re.I)


def meant(text: str, start: int, end: int, among: bool = False) -> bool:
    """Whether text[start:end], which spells a title, names it. among: whether titles are spoken of before it."""
    words = _WORD.findall(text[start:end])
    lead, behind = text[:start].rstrip(" "), text[end:]
    if lead and (lead[-1] == "@" or (lead[-1] in '"“«' and behind[:1] in ('"', "”", "»"))):
        return True
    begins = not lead or lead[-1] in ".!?\n"
    if all(w.casefold() in ORDINARY for w in words):
        return all(w[0].isupper() for w in words) and not begins and text[start:end] != "I"
    if " " in titles.normal(text[start:end] + " ")[0] or (words[-1][0].isupper() and not begins):
        return True
    if PERSONS.match(behind):
        return False
    before = text[max(0, start - NEAR) : start]
    if begins or _SPEAKING.search(before) or _LISTED.search(f"{before}\0{behind[:NEAR]}"):
        return True
    return among and _JOINED.search(before) is not None
