"""What sort of message it is, by its words alone: a greeting, thanks, a wish for items, for others, or something that nobody here can do.

Where it stands: under the fixed speaker. What it does not know: catalogues, talks; titles and genres are found elsewhere.
Simple rules: they know many ways of asking, not all, and whatever they do not know is said to be not understood.
"""

from __future__ import annotations

import re

from llmrec.recommend.chat.hearing import NUMBER

_SEE = r"(?:watch|see|read|play|hear|listen|try|take|pick|choose|get|rent|buy|enjoy|like|start|view|put on)\b"
_THING = r"(?:titles?|films?|movies?|books?|items?|things?|recommendations?|suggestions?|ideas?|picks?|ones?)\b"
_MAY = r"(?:should|shall|can|could|do|must|will|would)"

GREETING = re.compile(
    r"^\W*(hi|hello|hey|howdy|good (morning|evening|afternoon|day)|greetings|yo|hallo|servus|moin)\b[\w\s,']{0,25}\W*$", re.I
)
THANKS = re.compile(
    r"^\W*(thanks?|many thanks|thank you|thx|cheers|great|perfect|cool|nice|wonderful|ok(ay)?|bye|goodbye)\b[\w\s,]{0,30}\W*$|"
    r"^[\w\s,']{0,30}\b(thanks|thank you|thx|bye)\W*$",
    re.I,
)
ABOUT = re.compile(r"\b(who are you|what are you|what can you|how do you work|help(?! me \w)|how does this work)\b", re.I)
MORE = re.compile(
    r"\b(something|anything|some) (else|different|other|new)\b|"
    r"(?<!\bno )(?<!\bnot )\bmore\b|^\W*next( please)?\W*$|\bkeep (them|it) coming\b|"
    r"\b(what else|others?|another|further|next ones?|again|different ones?|other ones?|go on|continue)\b|"
    r"\b(seen|know|knew|watched|read|none|not|any) (all )?(of )?(these|those|them)\b",
    re.I,
)
# A wish that is to hold beside what was asked for before; any other stands alone
NARROWING = re.compile(
    r"^\W*(and|but|preferably|ideally|best if|rather)\b|"
    r"\b(they|them|those|these|among|also|too|same|rest|narrow|that (kind|sort)|make it|can it|could it|preferably|ideally)\b",
    re.I,
)
ANEW = re.compile(r"\b(instead|change of plan)\b", re.I)
ASKING = re.compile(
    r"\b(?:recommend\w*|suggest\w*|surprise me|bored|ideas?|what(?: comes)? next|for tonight|fits? (?:me|my))\b|"
    rf"\b(?:what|which)(?: \w+){{0,2}} {_MAY} (?:i|we) {_SEE}|\bwant to {_SEE}|\bwhat do you (?:think|have|say)\b|"
    rf"\b(?:what|something|anything|one|me|a film|a movie|{_THING}) to {_SEE}|\b(?:you (?:have )?got|got (?:any|some|a)\w*)\b|"
    r"\b(?:find|show|give|get|pick)(?: me)? (?:something|anything|some)\b(?=\W*(?:please)?\W*$)|"
    r"\b(?:find|show|give|get|pick|choose|need|want|like|have)(?: me)? (?:something|anything|some|a) "
    rf"(?!\w+ (?:about|to eat|to drink))(?:\w+ )?(?:{_THING}|good|nice|new|for|to {_SEE})|"
    rf"\b(?:something|anything|best|choice|{_THING})[^.?!]{{0,20}} for me\b",
    re.I,
)
BEYOND = re.compile(
    r"^\W*(?:and |but )?(?:why|how come|explain|would i|will i|am i|is it|"
    r"what(?: is|'s)(?! (?:next|close|similar|like)\b)|tell me about|describe|my taste|"
    r"who|where|when (?:is|was|did)|how (?:tall|old|far|big|much|many|long|do|does|did|is|are|was))\b",
    re.I,
)
# What nobody asks of a catalogue: what to eat, which pills to take, who, where and when
OUTSIDE = re.compile(
    rf"\b(?:what|where|when|how|who)(?: else)? {_MAY} (?:i|we)(?: \w+ly)? (?!{_SEE}|do\b)\w+|"
    rf"\b(?:which|what) (?!{_THING}|else|next|new|good|of|other)\w+ {_MAY} (?:i|we) (?!watch|see\b|read|play|hear|listen)|"
    r"\bto (?:eat|drink|cook|wear)\b|^\W*(?:who|where|when|how (?:tall|far|big|much|many))\b|"
    r"^\W*(?:please )?(?:write|compose|draft|translate|solve|calculate|cook|book|order) |"
    r"\b(?:play|sing) (?:me )?(?:some|a) (?:music|songs?)\b",
    re.I,
)
_BEFORE_COUNT = re.compile(r"\b(?:give|show|name|pick|find|get|list|top|best|only|just|exactly|have)(?:\W+\w+){0,4}\W*$|^\W*$", re.I)
_BEHIND_COUNT = re.compile(rf"^\W+{_THING}|^\W*(?:please)?\W*$", re.I)


def counted(text: str) -> bool:
    """Whether a message asks for so many, such as "give me 3": a number may also stand in what asks for nothing. text: without titles."""
    found = NUMBER.search(text)
    return found is not None and bool(_BEFORE_COUNT.search(text[: found.start()]) or _BEHIND_COUNT.search(text[found.end() :]))
