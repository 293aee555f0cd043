"""A fake that speaks `seam.ScoresLike`: six users of the fake backend, two runs and two baselines with places that were made up."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from app.compare import drawing, matrix
from app.seam import Exhibit, Trouble
from app.seam.scores import Ask, Board, Gap, Going, Ground, Matrix, Offer
from llmrec.report import comparison, files
from llmrec.report.places import Places
from llmrec.report.standings import Standing
from llmrec.view.matrix import Cell

PLACES = {"alpha": [1, 2, 0, 4, 1, 9], "beta": [2, 0, 0, 30, 3, 0], "popularity": [0, 0, 12, 0, 0, 0], "ease": [11, 2, 0, 4, 0, 1]}
COSTS = {"pieces": 2.0, "new rows": 12.0, "parameters": 5000.0, "steps": 40.0, "training": 61.0, "latency": 3.5, "size": 2.5}
GROUND = comparison.Ground("films", "loo", "0123456789ab", 6, 12, 60)
HOSTILE = "<script>alert(1)</script>"


def places(name: str, asked: str = "test masked") -> Places:
    """The made-up places of one recommender."""
    whole = np.arange(6, dtype=np.int32)
    item = np.array([0, 3, 4, 2, 5, 9], dtype=np.int32)
    return Places(asked, whole, whole, item, np.asarray(PLACES[name], dtype=np.int32), np.ones(5, dtype=np.int32), 30, 0.1)


class FakeScores:
    """`backend`: the fake backend, for its films and names; `late`: who is not measured yet; `trouble`: why somebody could not be."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.late: tuple[str, ...] = ()
        self.trouble = ""
        self.again = 0
        self.asked: list[Ask] = []
        self.second = False

    def grounds(self) -> tuple[Ground, ...]:
        names = [name for name in self.backend.called if name in PLACES]
        if not names:
            return ()
        rules = GROUND.rules
        runs = {name: "metaid · trie · tiny · seed 0" for name in names}
        metrics = {"hit@10": "H@10", "ndcg@10": "NDCG@10", "hit@5": "H@5"}
        first = Ground(GROUND.mark, "films · loo · 6 users", rules.what, runs, tuple(names), metrics)
        other = Ground("ba9876543210", "books · loo · 6 users", rules.what, runs, tuple(names[:1]), metrics)
        return (first, other) if self.second else (first,)

    def offers(self, ground: str) -> tuple[Offer, ...]:
        return (
            Offer("popularity", "Popularity", True, True, 1.0),
            Offer("ease", "EASE", True, True, 1.0),
            Offer("sasrec", "SASRec", False, False, 56.0),
        )

    def compared(self, ask: Ask) -> comparison.Comparison:
        self.asked.append(ask)
        if "sasrec" in ask.baselines:
            raise Trouble("SASRec cannot be fitted on six users: choose another baseline.")
        asked = f"{ask.part} {'masked' if ask.masked else 'unmasked'}"
        facts = {"scheme": "metaid", "head": "trie", "model": "tiny", "seed": 0, "recipe": f"# {HOSTILE}", "created": "2026"}
        found = [
            Standing(
                name,
                "run" if name in ask.runs else "baseline",
                facts if name in ask.runs else {"seed": 0},
                COSTS if name in ask.runs else {"training": 0.5, "latency": 0.2},
                None if name in self.late else places(name, asked),
                {"metrics": {"hit@10": 0.5}, "intervals": {"hit@10": [0.4, 0.6]}},
            )
            for name in (*ask.runs, *ask.baselines)
        ]
        bands = {"head": np.arange(12) < 4, "tail": np.arange(12) >= 4}
        return comparison.Comparison(
            GROUND, ask.part, asked.partition(" ")[2], tuple(found), bands, reference=ask.against, machine="a test"
        ).ranked()

    def board(self, ask: Ask, again: bool = False) -> Board:
        self.again += again
        return dataclasses.replace(
            drawing.board(self.compared(ask)), going=Going(self.late, "alpha" if self.late else "", None, self.trouble)
        )

    def exhibit(self, ask: Ask, kind: str, metric: str, dark: bool = False) -> Exhibit:
        return drawing.exhibit(self.compared(ask), kind, metric, dark)

    def matrix(self, ground: str, metric: str, dark: bool = False) -> Matrix:
        cells = {("metaid", "trie"): Cell(0.2, 0.1, 0.3, f"alpha {HOSTILE}")}
        own = matrix.drawn("matrix", "Here", "By hand.", cells, ["metaid", "title"], ["trie", "items"], metric, dark)
        gaps = (
            Gap("metaid", "items", "alpha", "no run yet: llmrec runs again alpha --set head.name=items"),
            Gap("title", "items", None, "", "refused: text alone"),
        )
        return Matrix(own, gaps)

    def file(self, ask: Ask, form: str) -> bytes:
        return files.written(self.compared(ask), form).encode()

    def close(self) -> None: ...
