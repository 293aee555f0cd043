"""Words that people talk with: they are a title only where they are written like one.

Where it stands: under `mentions`. What it does not know: catalogues.
"""

from __future__ import annotations

import re

# "Up", "It" and "Next" are films; so are "War", "Crime" and "Fantasy", which people also ask for
ORDINARY = frozenset(
    """
    a about according action adored adventure adventures adventurous after afternoon again all all-time also am an and animated
    animation another any anybody anyone anything are aren't around arrange as asked at avoid bad based be because been before begin
    beginning best best-rated better between big book books bored boring but by bye can can't cannot cartoon cartoons catalogue chat
    cheers children childrens choice choose classic classics close come comedies comedy comes comfort convince cool could couldn
    couldn't cowboy cowboys crime curious day decade decide describe detail details did didn't different disliked do documentaries
    documentary doesn doesn't don don't down drama dramas drop each eighties either else else's enjoyed enough especially evening ever
    every everything exactly example excellent explain facts family fan fans fantasies fantasy favorite favour favourite feel few
    fiction fifties film films fine first five for forget forgot forties four free friday from fun funny gangster gangsters genre
    genres get give go going gonna good got grateful great greetings guess had happen hard has hasn hasn't hate hated have haven
    haven't having he heard hello help helps her here hey hi him his horror hours how i i'd i'll i'm i've id idea ideas if im in
    instead interested into is isn isn't it it's its ive just kids kind kinds know last lately later leave less let let's lets life
    lighter like like-minded liked list little long look looking lot lots love loved made make man many may maybe me mean mention
    might minus modern mood more morning most mostly movie movies movies' much musical musicals must my mysteries mystery name narrow
    nearly need never new newer next nice night nine nineties no noir noirs none not nothing now number of off okay old older oldest
    on once one only opinion options or order ordered other others ought our out over own packed pair past perhaps person pick picks
    plain play please possible possibly prefer preferably preferences present pretty proper propose put question questions quick quite
    rank ranking rather read real really reason recent recently recommend recommendation recommendations recommended regarding
    remember remind resemble resembling right romance romantic sad said same saw say scariest scary sci science scifi second see seen
    selection sequence serious seven seventies several she short shortlist should shouldn't show shows similar singing single six
    sixties skip so some somebody someone something sometimes sort sound sounds spare spirit stand start started still stories story
    stuff style such suggest suggestion suggestions suit suits sure surprise suspense suspenseful take talk taste tastes tell ten than
    thank thanks that that's the them then there these they thing things think thinking thirties this though three thriller thrillers
    through time tips title titles to today together tomorrow tonight too tried try twenties two type understand until up up-to-date
    us usual usually vein very viewer violence violent want war wars was wasn't watch watched way we week weekend weird well were
    weren't western westerns what what's whatever whats when where which while who whodunit whodunits whole whom why will with without
    won't wonder wonderful world worth would wouldn wouldn't years yep yes yesterday you young your
    """.split()
)
_NUMBER = re.compile(r"\d{1,2}|(?:18|19|20)?\d\ds?")


def ordinary(word: str) -> bool:
    """Whether a word is one of these, or a small number, a year or a decade."""
    return word.casefold().replace("’", "'") in ORDINARY or _NUMBER.fullmatch(word) is not None
