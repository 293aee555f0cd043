"""Behind `seam.XrayLike`: one recommendation, looked into.

Where it stands: a room of the backend. What it does not know: Streamlit.
"""

from __future__ import annotations

import pandas as pd

from app import exhibits
from app.library import Library, told
from app.seam.values import Card, Exhibit, Pick, Trouble
from app.seam.xray import Following, Look, Question
from app.xray import asking, choosing, nextpiece, prompt
from app.xray.asking import Asked

SHOWN = 10  # how long the list is that a verdict speaks of


class Xray:
    """See `seam.XrayLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def templates(self, run: str) -> dict[str, str]:
        """Every template of the run's task: key -> text."""
        from llmrec.recommend.trace import reading

        with told():
            model = self._library.recommender(run)
            return {one.key: text for one, text in reading.templates(getattr(model, "task", "sequential")).items()}

    def held_out(self, run: str, user: int) -> tuple[Card, ...]:
        """What was held out for a user; nothing for a new person."""
        with told():
            world = self._library.world(run)
            return tuple(world.card("item", item) for item in sorted(world.targets.get(user, ())))

    def first(self, run: str) -> int:
        """A user for whom something was held out, for those who ask for nobody: 42 where the data have one."""
        with told():
            world = self._library.world(run)
            wanted = world.index("user", "42")
            users = sorted(world.targets)
            return wanted if wanted in world.targets and wanted is not None else users[0] if users else 0

    def look(self, run: str, question: Question, dark: bool = False) -> Look:
        """The whole picture but for the next piece and what if."""
        with told():
            given = asking.asked(self._library, run, question)
            return self._library.kept(
                ("xray", self._library.made(run, model=True), question, dark), lambda: _look(self._library, run, given, dark)
            )

    def after(self, run: str, question: Question, prefix: str = "", dark: bool = False) -> Following:
        """What may come next after a prefix of row numbers."""
        with told():
            rows = nextpiece.rows_of(prefix)
            given = asking.asked(self._library, run, question)
            ids = asking.trace(self._library, run, given).reading.ids

            def make() -> Following:
                with self._library.answering(run):
                    return nextpiece.following(given, ids, rows, dark)

            return self._library.kept(("xray next", self._library.made(run, model=True), question, prefix, dark), make)

    def what_if(self, run: str, question: Question, dark: bool = False) -> Exhibit:
        """The rank of the followed item with another past."""
        with told():
            given = asking.asked(self._library, run, question)
            if question.follow is None:
                raise Trouble("Choose an item to follow: what if asks how its rank would change.")
            if not question.person.history:
                raise Trouble("This person has no history that could be changed.")

            def make() -> Exhibit:
                with self._library.answering(run):
                    return _what_if(given, dark)

            return self._library.kept(("xray if", self._library.made(run, model=True), question, dark), make)

    def close(self) -> None:
        """Nothing to end."""


def _look(library: Library, run: str, given: Asked, dark: bool) -> Look:
    from llmrec.recommend.trace import verdict

    trace = asking.trace(library, run, given)
    titles = _Titles(given)
    said = verdict.verdict(trace, titles, given.model.lm.vocab, SHOWN)  # type: ignore[arg-type]
    targets = given.world.targets.get(given.question.person.user, frozenset())
    picks = tuple(
        Pick(given.world.card("item", int(i)), float(s), int(i) in targets)
        for i, s in zip(trace.items[:SHOWN], trace.scores[:SHOWN], strict=True)
    )
    with library.answering(run):
        charts = choosing.chosen(given, trace, dark)
    head = type(given.model.head).__name__.lower()
    return Look(said.fate, said.head, said.text, prompt.prompt(given, trace.reading), picks, _numbers(trace), charts, head)


class _Titles:
    """Titles with their years, by item, as the verdict quotes them."""

    def __init__(self, given: Asked) -> None:
        self._given = given

    def __getitem__(self, item: int) -> str:
        return self._given.title(item)


def _numbers(trace: object) -> tuple[tuple[str, str, str], ...]:
    from llmrec.recommend.trace.beam import Beam
    from llmrec.recommend.trace.looking import Trace

    assert isinstance(trace, Trace)
    out = []
    if trace.target is not None:
        place, rank = trace.place, trace.rank
        out.append(("Place", f"{place:,}" if place else "none", "Where the followed item stands in the list that the head gives."))
        meaning = f"Where its exact score puts it among {trace.n_ranked:,} items, however the head searches."
        out.append(("Exact rank", f"{rank:,}" if rank else "unknown", meaning))
    out.append(("Found", f"{len(trace.items):,}", "How many items the head found at all; a narrow beam finds few."))
    if isinstance(trace.evidence, Beam) and trace.target is not None:
        needed = trace.evidence.needed
        said = f"{needed:,}" if needed else f"{trace.evidence.width:,}" if trace.evidence.lost is None else "unknown"
        out.append(("Beam needed", said, f"How wide a beam would have kept its name to the end; this run has {trace.evidence.width}."))
    return tuple(out)


def _what_if(given: Asked, dark: bool) -> Exhibit:
    from llmrec.recommend.trace import whatif
    from llmrec.view import softmax

    assert given.question.follow is not None
    outcomes = list(whatif.outcomes(given.model, given.query, given.question.follow, given.words))
    base = outcomes[0].rank
    rows = []
    for one in outcomes:
        what = f"without {given.title(one.variant.without)}" if one.variant.without >= 0 else one.variant.what
        gained = base - one.rank if base is not None and one.rank is not None else None
        rows.append({"past": what, "rank": one.rank, "places gained": gained, "score": one.score, "first": given.title(one.first)})
    table = pd.DataFrame(rows).astype({"rank": "Int64", "places gained": "Int64"})
    bars = [
        softmax.Bar(
            str(row["past"]),
            float(row["places gained"] or 0),
            about=(f"rank {row['rank']:,}" if row["rank"] else "no rank",),
            said=f"{row['places gained'] or 0:+,}",
        )
        for row in rows[1:]
    ]
    figure = softmax.bars(bars, "places gained", dark)
    moved = max(rows[1:], key=lambda row: abs(int(row["places gained"] or 0)), default=None)
    told_ = f" The largest change is “{moved['past']}”: rank {moved['rank']:,}." if moved is not None and moved["rank"] else ""
    if base and len(rows) > 1 and all(row["rank"] == base for row in rows):
        told_ = " None of the other pasts changes its place."
    caption = (
        (f"With the past as it is the followed item has rank {base:,}." if base else "Nothing is known of the followed item's rank.")
        + told_
        + " Each line is a real ranking over the whole catalogue; what must not come back stays the same."
    )
    return Exhibit("what_if", "What if the past were another?", caption, table, exhibits.dressed(figure, softmax.height(figure)))
