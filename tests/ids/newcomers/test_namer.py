"""Many newcomers named at once: as if each came alone, with the name that `name_user` gives, by one map."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import pytest

from llmrec.contracts import Floats, IdTable, Interactions, Ints, Side, Token, Vectors
from llmrec.data.split import LeaveOneOut
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.lightgcn import LightGcn
from llmrec.ids.cllm4rec import Cllm4Rec
from llmrec.ids.metaid import MetaId
from llmrec.ids.newcomers.namer import Namer
from llmrec.ids.newcomers.naming import CannotName, name_user
from llmrec.ids.sid import Sid
from llmrec.ids.tokenrec import TokenRec
from llmrec.rng import stream

WORLD = Checkerboard(n_users=40, n_items=30).load()
TRAIN = LeaveOneOut().split(WORLD.interactions, stream(0, "split")).train
EMBEDDER = LightGcn(d=8, epochs=20)
VECTORS = EMBEDDER.fit(TRAIN, WORLD.catalog, stream(0, "embed"))
EVEN, ODD = np.arange(0, 12, 2, dtype=np.int32), np.arange(1, 13, 2, dtype=np.int32)
HISTORIES = (EVEN, ODD, EVEN[:1], ODD[::-1], EVEN)


@functools.cache
def tokenrec() -> IdTable:
    return TokenRec(2, 4, steps=60).fit(TRAIN, WORLD.catalog, VECTORS, stream(0, "tokenrec"))


@functools.cache
def metaid() -> IdTable:
    return MetaId(n_clusters=4).fit(TRAIN, WORLD.catalog, VECTORS, stream(0, "metaid"))


@pytest.mark.parametrize("named", ["tokenrec", "metaid"])
def test_each_name_is_the_one_that_comes_alone(named: str) -> None:
    table = {"tokenrec": tokenrec, "metaid": metaid}[named]()
    namer = Namer.of(table, EMBEDDER, VECTORS, TRAIN)
    names = namer(HISTORIES)
    assert names == [name_user(table, EMBEDDER, VECTORS, TRAIN, h.tolist()).pieces for h in HISTORIES]
    assert names[0] == names[4] and names[0] != names[1]
    known = set(table.tokens)
    assert all(piece in known and isinstance(piece, Token) for name in names for piece in name or ())


def test_all_are_folded_in_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Counting(LightGcn):
        def fold_in(self, vectors: Vectors, train: Interactions, took: Sequence[Ints], side: Side) -> Floats:
            calls.append((len(took), side))
            return super().fold_in(vectors, train, took, side)

    namer = Namer.of(tokenrec(), Counting(d=8), VECTORS, TRAIN)
    assert len(namer(HISTORIES)) == 5 and namer([]) == []
    assert calls == [(5, "user")]


def test_a_history_that_says_nothing_gives_no_name() -> None:
    """Nothing taken, or only items that nobody took in train: their vectors are zero."""
    nothing = dataclasses.replace(VECTORS, items=np.where(np.arange(30)[:, None] == 29, 0, VECTORS.items).astype(np.float32))
    names = Namer.of(tokenrec(), EMBEDDER, nothing, TRAIN)([np.array([29]), np.array([], dtype=np.int32), EVEN])
    assert names[:2] == [None, None] and names[2] is not None


def test_who_cannot_name_says_why() -> None:
    sid, cllm4rec = (s.fit(TRAIN, WORLD.catalog, None, stream(0, "x")) for s in (Sid(), Cllm4Rec()))
    for table, why in ((sid, "order of first appearance"), (cllm4rec, "learned for it alone")):
        with pytest.raises(CannotName, match=why):
            Namer.of(table, EMBEDDER, VECTORS, TRAIN)
    with pytest.raises(CannotName, match="items only"):
        Namer.of(dataclasses.replace(sid, users=None), EMBEDDER, VECTORS, TRAIN)
    with pytest.raises(CannotName, match="place a new user"):
        Namer.of(tokenrec(), object(), VECTORS, TRAIN)
