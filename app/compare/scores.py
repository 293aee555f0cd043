"""The room behind the Compare page: which runs may stand together, their table, their charts, and what is still to be measured.

Where it stands: behind `seam.ScoresLike`, over `llmrec.runs.compared`. What it does not know: Streamlit.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from dataclasses import replace
from typing import Any, get_args

from app.compare import drawing, matrix
from app.library import Library, told
from app.seam.scores import KINDS, Ask, Board, Going, Ground, Matrix, Offer
from app.seam.values import Exhibit, Trouble
from llmrec.contracts import Part
from llmrec.report.comparison import Comparison
from llmrec.report.standings import Standing

ERRAND = "app.compare.measuring"
KEPT = 64  # lines of tables
GROWING, DOORS = 12, 64  # tables, and locks that questions are spread over
FRESH = 1.5  # seconds for which a table that still grows is taken as it was
# seconds to fit and rank MovieLens-100K (98,114 interactions in training) on two cores, out of the results book; others are scaled by size
SECONDS = {"bprmf": 3.0, "lightgcn": 6.0, "multvae": 19.0, "sasrec": 56.0}
SCALE = 98_114


class Scores:
    """See `seam.ScoresLike`."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._making = [threading.Lock() for _ in range(DOORS)]
        self._growing: dict[Any, tuple[float, Comparison]] = {}
        self._standings: dict[Any, Standing] = {}

    def grounds(self) -> tuple[Ground, ...]:
        """What runs are measured on, the one of the newest run first; runs of one ground may be compared."""
        with told():
            found: dict[str, list[tuple[Any, Any]]] = {}
            for run in self._ready():
                ground = self._ground(run)
                if ground is not None:
                    found.setdefault(ground.mark, []).append((ground, run))
            labels = [(g[0][0].data, g[0][0].protocol) for g in found.values()]
            return tuple(_ground(pairs, labels.count((pairs[0][0].data, pairs[0][0].protocol)) > 1) for pairs in found.values())

    def offers(self, ground: str) -> tuple[Offer, ...]:
        """Every baseline, the quick ones first."""
        from llmrec import registry
        from llmrec.report.standings import TITLES
        from llmrec.runs import measured

        with told():
            run = self._runs_of(ground)[0]
            known = self._ground(run)
            names = sorted(registry.names("baseline"), key=lambda name: name not in registry.QUICK_BASELINES)
            size = known.n_train / SCALE if known is not None else 1.0
            return tuple(
                Offer(
                    name,
                    TITLES.get(name, name),
                    name in registry.QUICK_BASELINES,
                    measured.of_baseline(run, name, measure=False) is not None,
                    SECONDS.get(name, 1.0) * size,
                )
                for name in names
            )

    def board(self, ask: Ask, again: bool = False) -> Board:
        """The table as far as it is known; what is missing is measured beside. again: try once more what failed."""
        with told():
            compared = self._compared(ask)
            missing = [one for one in compared.standings if not _whole(one)]
            errand = self._errand(ask, missing, again) if missing else None
            if errand is not None and errand.state == "done":  # it ended between the look and the question
                compared = self._compared(ask, anew=True)
            key = ("board", ask, self._stamp(ask), _known(compared))
            board = self._library.kept(key, lambda: drawing.board(compared))
            if errand is None or errand.state == "done":
                return board
            if errand.state == "failed":
                return replace(board, going=Going(trouble=errand.reason))
            waiting = tuple(one.title for one in missing)
            return replace(board, going=Going(waiting, compared.title_of(errand.stage), errand.share))

    def exhibit(self, ask: Ask, kind: str, metric: str, dark: bool = False) -> Exhibit:
        """One of the charts of `seam.scores.KINDS`."""
        with told():
            if kind not in KINDS:
                raise Trouble(f"There is no chart {kind!r:.50} here: choose another part of the page.")
            compared = self._compared(ask)
            if metric not in compared.metrics:
                raise Trouble(f"This protocol does not measure {metric!r:.50}: it measures {', '.join(compared.metrics)}.")
            key = ("scores", kind, metric, dark, ask, self._stamp(ask), _known(compared))
            return self._library.kept(key, lambda: drawing.exhibit(compared, kind, metric, dark))

    def matrix(self, ground: str, metric: str, dark: bool = False) -> Matrix:
        """Schemes and heads: this machine's runs, and beside them what ships with the project."""
        with told():
            runs = self._runs_of(ground)
            key = ("matrix", metric, dark, tuple(self._library.made(run.name, model=True) for run in runs))
            return self._library.kept(key, lambda: matrix.matrix(runs, metric, dark))

    def file(self, ask: Ask, form: str) -> bytes:
        """The comparison in one of the forms of `llmrec.report.files`."""
        from llmrec.report import files

        with told():
            return files.written(self._compared(ask), form).encode()

    def close(self) -> None:
        """Nothing to end: the library ends the errands."""

    def _ready(self) -> list[Any]:
        return [run for run in self._library.runs() if not run.broken and run.status.state == "done" and (run.path / "model").exists()]

    def _ground(self, run: Any) -> Any:
        """What a run stands on; None where its data is gone, which its own pages tell."""
        from llmrec.runs import measured

        try:
            return self._library.kept(("ground", self._library.made(run.name)), lambda: measured.ground(run))
        except (ValueError, FileNotFoundError):
            return None

    def _runs_of(self, ground: str) -> list[Any]:
        found = [run for run in self._ready() if (known := self._ground(run)) is not None and known.mark == ground]
        if not found:
            raise Trouble("No finished run stands on this data and split any more: choose another above, or train one.")
        return found

    def _stamp(self, ask: Ask) -> tuple[Any, ...]:
        return tuple(self._library.made(name, model=True) for name in ask.runs)

    def _compared(self, ask: Ask, anew: bool = False) -> Comparison:
        """The comparison: made once where it is whole, else looked up again every second or two."""
        whole = (ask, self._stamp(ask))
        with self._making[hash(whole) % DOORS]:  # one question is worked once, and others meanwhile
            when, kept = self._growing.get(whole, (0.0, None))
            if kept is not None and not anew and (all(map(_whole, kept.standings)) or time.monotonic() - when < FRESH):
                return kept
            made = self._made(ask)
            with self._lock:
                self._growing[whole] = (time.monotonic(), made)
                while len(self._growing) > GROWING:
                    del self._growing[next(iter(self._growing))]
            return made

    def _made(self, ask: Ask) -> Comparison:
        from llmrec.report.standings import of_name
        from llmrec.runs import compared, machine

        if ask.part not in get_args(Part):
            raise Trouble("There are two parts to be measured on: test and valid.")
        runs = {run.name: run for run in self._runs_of(ask.ground)}
        unknown = [name for name in ask.runs if name not in runs]
        if unknown:
            raise Trouble(f"No finished run on this data and split is called {unknown[0]!r:.100}: choose among those above.")
        chosen = [runs[name] for name in ask.runs]
        part: Part = "test" if ask.part == "test" else "valid"
        chosen = chosen or [next(iter(runs.values()))]
        found = [
            self._standing((run.name, part, ask.masked), run, functools.partial(compared.of_run, run, part, ask.masked)) for run in chosen
        ]
        for name in map(of_name, ask.baselines):
            made = functools.partial(compared.of_baseline, chosen[0], name, part, ask.masked)
            found.append(self._standing((name, part, ask.masked, ask.ground), chosen[0], made))
        bands, groups = self._library.kept(("bands", ask.ground), lambda: compared.told_apart(chosen[0].split()))
        seen = "masked" if ask.masked else "unmasked"
        ground = self._ground(chosen[0])
        return Comparison(ground, part, seen, tuple(found), bands, groups, ask.against, machine.here()).ranked()

    def _standing(self, key: Any, run: Any, make: Any) -> Standing:
        """One line, kept once it is whole."""
        key = (key, self._library.made(run.name, model=True))
        kept = self._standings.get(key)
        if kept is None:
            kept = make(measure=False)
            if _whole(kept):
                with self._lock:
                    self._standings[key] = kept
                    while len(self._standings) > KEPT:
                        del self._standings[next(iter(self._standings))]
        return kept

    def _errand(self, ask: Ask, missing: list[Any], again: bool) -> Any:
        given = {
            "ground": ask.runs[0],
            "runs": [one.name for one in missing if one.kind == "run"],
            "baselines": [one.name for one in missing if one.kind == "baseline"],
            "part": ask.part,
            "masked": ask.masked,
        }
        key = ("scores", ask.runs, ask.baselines, ask.part, ask.masked, self._stamp(ask))
        return self._library.errands.ask(key, ERRAND, text=json.dumps(given), again=again)


def _ground(pairs: list[tuple[Any, Any]], twice: bool) -> Ground:
    from llmrec.report.standings import short
    from llmrec.runs import compared

    ground, runs = pairs[0][0], [run for _, run in pairs]
    rules = ground.rules
    metrics = (*rules.headline, *(m for m in rules.metrics if m not in rules.headline))
    label = f"{ground.data} · {ground.protocol} · {ground.n_users:,} users" + (f" · {ground.mark}" if twice else "")
    usual = tuple(run.name for run in compared.newest(runs))
    return Ground(ground.mark, label, rules.what, {run.name: _what(run) for run in runs}, usual, {m: short(m) for m in metrics})


def _what(run: Any) -> str:
    info = run.info
    return f"{info.get('scheme')} · {info.get('head')} · {info.get('lm')} · seed {info.get('seed')}"


def _whole(one: Standing) -> bool:
    return one.places is not None and "latency" in one.costs


def _known(compared: Comparison) -> tuple[tuple[str, bool, bool], ...]:
    return tuple((one.name, one.places is not None, _whole(one)) for one in compared.standings)
