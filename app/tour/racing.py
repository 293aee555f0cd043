"""Retrieval against beam search on one person: each way of ranking called again and again, in turns, by the clock.

Where it stands: under the story of TokenRec. What it does not know: Streamlit, quantizers.

The trie needs a name for each item, and TokenRec's names are shared by items of almost the same vector: here the first of those who share
a name speaks for all. Its model was tuned to retrieve and not to spell, so what it finds that way says little; what it takes says it all.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from app import exhibits
from app.library import Library
from app.seam.stories import Race
from app.seam.values import Answer, Exhibit, Pick, Trouble
from llmrec.contracts import IdTable, Ints, Names, Queries, Ranked

CALLS, K = 7, 10
BEAMS = (10, 20)
RETRIEVE, METAID = "retrieve (its own head)", "META ID's run, its own trie"


class Ranks(Protocol):
    """What can be timed."""

    def recommend(self, queries: Queries, k: int) -> Ranked: ...


class Spelled:
    """The same model and prompts behind a trie: `own` is the run's recommender. Items that share a name are found as the first of them."""

    def __init__(self, own: Any, beams: int) -> None:
        from llmrec.lm.heads.trie import Trie

        self.own, self._head = own, Trie(beams)
        self.kept = first_of_names(own.table)
        few = Names(own.table.items.codes[self.kept], own.table.items.books)
        self._tree = self._head.compile(own.lm, dataclasses.replace(own.table, items=few))

    def recommend(self, queries: Queries, k: int) -> Ranked:
        """The k best items a query; excluded items never come back."""
        prompts = [self.own.prompt(int(u), h) for u, h in zip(queries.users, queries.histories, strict=True)]
        out = None if queries.exclude is None else tuple(self._places(items) for items in queries.exclude)
        ranked = self._head.rank(self.own.lm, self._tree, prompts, k, out)
        found = ranked.items >= 0
        return Ranked(np.where(found, self.kept[np.where(found, ranked.items, 0)], -1).astype(np.int32), ranked.scores)

    def _places(self, items: Ints) -> Ints:
        """Where those of some items that speak for their name stand among the kept."""
        return np.searchsorted(self.kept, items[np.isin(items, self.kept)])


def first_of_names(table: IdTable) -> Ints:
    """One item for every name, the first that has it, ascending."""
    return np.sort(np.unique(table.items.codes, axis=0, return_index=True)[1])


def racers(library: Library, tokenrec: Any, metaid: Any) -> tuple[str, ...]:
    """Who would race. tokenrec, metaid: the runs, or None."""
    if not _trained(tokenrec) or not _retrieves(tokenrec):
        return ()
    ways = [RETRIEVE, *(f"trie, {beams} beams, same model" for beams in BEAMS)]
    return (*ways, METAID) if _trained(metaid) and _spells(metaid) else tuple(ways)


def race(library: Library, tokenrec: Any, metaid: Any, user: int, dark: bool) -> Iterator[Race]:
    """Every way once uncounted, then all in turn, `CALLS` times; a look at the clock after each turn."""
    ways = racers(library, tokenrec, metaid)
    if not ways:
        raise Trouble("No TokenRec run with a retrieve head is trained on this data: train one on the Train page, then race it here.")
    world = library.world(tokenrec.name)
    person = world.person(user)
    if not person.history:
        raise Trouble(f"User {world.card('user', user).key} took nothing that the model may read: choose another user.")
    query = Queries.of_history(person.history, person.history, world.known_as(user))
    ranked = _entrants(library, tokenrec, metaid)
    found = {way: _timed(library, run, ranks, query)[1] for way, (run, ranks) in ranked.items()}  # uncounted: the first call is slow
    worlds = {way: library.world(run) for way, (run, _) in ranked.items()}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(1, CALLS + 1):
        for way, (run, ranks) in ranked.items():
            times[way].append(_timed(library, run, ranks, query)[0])
        yield _stands(worlds, times, turn, found if turn == CALLS else {}, person, dark)


def _entrants(library: Library, tokenrec: Any, metaid: Any) -> dict[str, tuple[str, Ranks]]:
    """The ways of ranking, by name: whose model each asks, and what ranks."""
    own: Any = library.recommender(tokenrec.name)
    made = library.made(tokenrec.name, True)
    out: dict[str, tuple[str, Ranks]] = {RETRIEVE: (tokenrec.name, own)}
    for beams in BEAMS:
        spelled = library.kept(("spelled", made, beams), functools.partial(Spelled, own, beams))
        out[f"trie, {beams} beams, same model"] = (tokenrec.name, spelled if spelled.own is own else Spelled(own, beams))
    if METAID in racers(library, tokenrec, metaid):
        out[METAID] = (metaid.name, library.recommender(metaid.name))
    return out


def _timed(library: Library, run: str, ranks: Ranks, query: Queries) -> tuple[float, Ranked]:
    """Milliseconds of one call, and what it found."""
    with library.answering(run):
        began = time.perf_counter()
        ranked = ranks.recommend(query, K)
        return 1000 * (time.perf_counter() - began), ranked


def _stands(worlds: dict[str, Any], times: dict[str, list[float]], turn: int, found: dict[str, Ranked], person: Any, dark: bool) -> Race:
    from llmrec.view import race as drawing

    table = drawing.table(times)
    figure = exhibits.dressed(drawing.bars(table, dark), 90 + 56 * len(table))
    medians = dict(zip(table["way"], table["median ms"], strict=True))
    least = dict(zip(table["way"], table["quickest ms"], strict=True))
    quick, slow = min(medians, key=medians.__getitem__), f"trie, {BEAMS[-1]} beams, same model"
    said = (
        f"Median of {turn} calls each: {quick} is quickest with {medians[quick]:.1f} ms a person. On the same model, beam search with "
        f"{BEAMS[-1]} beams takes {medians[slow] / medians[RETRIEVE]:.1f} times as long as retrieval; by the quickest calls, which a busy "
        f"machine disturbs least, {least[slow] / least[RETRIEVE]:.1f} times."
    )
    caption = "Bars: the median of the calls so far; whiskers: the quickest and the slowest. The first call of each is not counted."
    exhibit = Exhibit("race", "Milliseconds to ten items", caption, table, figure, drawing.moving(table, dark))
    answers = tuple(_answer(worlds[way], way, ranked, medians[way], person.user) for way, ranked in found.items())
    return Race(turn, CALLS, exhibit, said, answers, _notes(worlds[RETRIEVE]) if found else ())


def _answer(world: Any, way: str, ranked: Ranked, ms: float, user: int) -> Answer:
    target = world.targets.get(user, frozenset())
    pairs = [(int(i), float(s)) for i, s in zip(ranked.items[0], ranked.scores[0], strict=True) if i >= 0]
    picks = tuple(Pick(world.card("item", i), score, i in target) for i, score in pairs)
    return Answer(way, picks, ms / 1000, "" if len(picks) == K else f"found {len(picks)} of {K}")


def _notes(world: Any) -> tuple[str, ...]:
    m, names = len(world.table.items), len(first_of_names(world.table))
    return (
        "This model was tuned to retrieve, never to spell: what the trie finds on it is a by-product, what it takes is the point.",
        f"{m:,} items have {names:,} different names here; the first of those who share a name speaks for all in the trie.",
        "Each call writes the prompt, reads it with the model and ranks the whole catalogue, in this server, with whatever else it does.",
    )


def _trained(run: Any) -> bool:
    return run is not None and (run.path / "model").exists()


def _retrieves(run: Any) -> bool:
    return str(run.info.get("head")) == "retrieve"


def _spells(run: Any) -> bool:
    return str(run.info.get("head")) == "trie"
