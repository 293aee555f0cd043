"""Search over titles, keys and Tokens, fast enough for every letter that is typed.

Where it stands: behind `seam.MapsLike`. What it does not know: pages, runs. Case and accents are taken off once; a search then
walks through all lines, which for 150,000 of them takes some hundredths of a second.
"""

from __future__ import annotations

import heapq
import unicodedata

from app.seam.maps import Found

RANKED = 5_000  # a letter or two may stand in nearly every line: then those that begin with it are enough


def plain(text: str) -> str:
    """Without case, without accents, in one line."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


class Index:
    """What can be found. nodes: node -> how it is written."""

    def __init__(self, nodes: dict[str, str]) -> None:
        self._nodes = list(nodes.items())
        self._lines = [plain(label) for label in nodes.values()]

    def __len__(self) -> int:
        return len(self._nodes)

    def find(self, words: str, k: int = 30) -> Found:
        """The nodes whose label has every word, the best first: the label itself, its beginning, a word's beginning, anywhere; shorter
        labels before longer ones. No words: nothing."""
        wanted = plain(words)
        rest = sorted(wanted.split(), key=len)
        if not rest:
            return Found()
        longest = rest.pop()
        hits = [n for n, line in enumerate(self._lines) if longest in line]
        hits = [n for n in hits if all(part in self._lines[n] for part in rest)]
        if len(hits) > RANKED:
            begin = [n for n in hits if self._lines[n].startswith(wanted)]
            ranked = list(dict.fromkeys([*begin[:RANKED], *hits[:RANKED]]))
        else:
            ranked = hits
        best = heapq.nsmallest(k, ranked, key=lambda n: (*_rank(self._lines[n], wanted), n))
        return Found(dict(self._nodes[n] for n in best), len(hits) - len(best))


def _rank(line: str, wanted: str) -> tuple[int, int]:
    title = line.partition("  ·  ")[0].rpartition(" (")[0] or line
    if wanted in (line, title):
        return 0, len(line)
    if line.startswith(wanted):
        return 1, len(line)
    return (2 if f" {wanted}" in line or f"({wanted}" in line else 3), len(line)
