"""One sentence on a trace: where the followed item stands, at which piece it was lost, and what stood in its place.

Where it stands: last of what is traced. What it does not know: pages; it is told titles and how pieces are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmrec.contracts import Token
from llmrec.lm.vocab import Vocab
from llmrec.recommend.trace.beam import Beam
from llmrec.recommend.trace.looking import Trace
from llmrec.recommend.trace.whole import Nearness

Fate = Literal["found", "below", "lost", "barred", "unknown", "nobody"]


@dataclass(frozen=True)
class Verdict:
    """fate: "found" among the first k, "below" them in the list, "lost" on the way, "barred" from it, "unknown" to the head, or "nobody"
    was followed. head: the short form; text: the sentences."""

    fate: Fate
    head: str
    text: str


def verdict(trace: Trace, titles: Sequence[str], vocab: Vocab, k: int = 10) -> Verdict:
    """What became of the followed item in a list of k. titles: by item."""
    best = f"“{titles[int(trace.items[0])]}”" if len(trace.items) else "nothing"
    if trace.target is None:
        return Verdict("nobody", "No item is followed", f"No item was held out here. First comes {best}.")
    title = f"“{titles[trace.target]}”"
    if trace.barred:
        text = f"{title} is among the items that must not come back, so no ranking can hold it. First comes {best}."
        return Verdict("barred", "Barred", text)
    lost = trace.evidence.lost if isinstance(trace.evidence, Beam) else None
    if lost is not None:
        return _lost(trace, trace.evidence, lost, title, best, vocab)  # type: ignore[arg-type]
    if trace.place is None:
        return Verdict("unknown", "Cannot be found", f"Nothing is known of {title}, so this head never recommends it. First comes {best}.")
    exact = _exact(trace)
    if trace.place <= k:
        others = "" if trace.place == 1 else f" First comes {best}."
        return Verdict("found", f"Found at place {trace.place}", f"{title} comes {ordinal(trace.place)} of the {k} shown.{exact}{others}")
    instead = f"“{titles[int(trace.items[k - 1])]}”" if len(trace.items) >= k else best
    how = ""
    if isinstance(trace.evidence, Nearness) and len(trace.items) >= k:
        own, last = (float(trace.evidence.cosines[i]) for i in (trace.target, int(trace.items[k - 1])))
        how = f", at cosine {own:.3f} against {last:.3f} for the last one shown"
    text = f"{title} is found at place {trace.place:,} of {len(trace.items):,}, below the {k} shown{how}."
    return Verdict("below", f"Place {trace.place:,}", f"{text}{exact} {instead} stands {ordinal(k)}, and {best} first.")


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"


def _lost(trace: Trace, beam: Beam, lost: int, title: str, best: str, vocab: Vocab) -> Verdict:
    pace, depth = beam.path[lost - 1], beam.depths[lost - 1]
    (read,) = vocab.decode([pace.row])
    piece = str(read) if isinstance(read, Token) else f"“{read.strip()}”"
    text = (
        f"{title} was lost at piece {lost} of {len(beam.path)}: {piece} came {ordinal(pace.rank or 0)} of {depth.n_open:,}, "
        f"and the beam keeps {beam.width}."
    )
    if beam.needed is not None:
        text += f" A beam of {beam.needed:,} would have kept it."
    return Verdict("lost", f"Lost at piece {lost} of {len(beam.path)}", f"{text}{_exact(trace)} First comes {best}.")


def _exact(trace: Trace) -> str:
    """The exact rank, where it says more than the place in the list does."""
    if trace.rank is None or trace.rank == trace.place:
        return ""
    return f" By exact scores it is {ordinal(trace.rank)} of {trace.n_ranked:,}."
