"""Progress: told to whoever listens, seldom, in order; silent otherwise; a listener may leave; the bits of a stage do not hang on it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from llmrec import progress
from llmrec.contracts import Vectors
from llmrec.data.synthetic import Checkerboard
from llmrec.embed.bpr import Bpr
from llmrec.embed.lightgcn import LightGcn
from llmrec.embed.metapath import MetaPath
from llmrec.ids.cid import Cid
from llmrec.ids.tiger import Tiger
from llmrec.ids.tokenrec import TokenRec
from llmrec.recommend.multvae import MultVae
from llmrec.recommend.popularity import Popularity
from llmrec.recommend.sasrec import SasRec
from llmrec.report.evaluate import evaluate

BOARD = Checkerboard(n_users=40, n_items=30).load()
Told = list[dict[str, Any]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The only clock of `progress`, set by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)


class Left(Exception):
    """What a listener raises to leave a stage."""


def test_nobody_listens_and_nothing_happens() -> None:
    progress.say("walks", 1, 2)
    progress.voice()("walks", 1, 2)
    with progress.part(0, 2):
        progress.say("walks", 1, 2)


def test_the_first_and_the_last_are_told_and_between_them_two_a_second(clock: list[float]) -> None:
    told: Told = []
    with progress.listening(told.append):
        for step in range(1001):  # ten seconds
            progress.say("walks", step, 1000)
            clock[0] += 0.01
    assert told[0] == {"event": "progress", "stage": "walks", "share": 0.0, "seconds_left": None}
    assert told[-1] == {"event": "progress", "stage": "walks", "share": 1.0, "seconds_left": 0.0}
    assert 18 <= len(told) <= 22
    halfway = min(told, key=lambda e: abs(e["share"] - 0.5))
    assert halfway["seconds_left"] == pytest.approx(10 * (1 - halfway["share"]), abs=0.1)


def test_each_stage_has_its_own_turn_and_the_last_is_told_once(clock: list[float]) -> None:
    told: Told = []
    with progress.listening(told.append):
        for stage in ("walks", "skip-gram"):
            progress.say(stage, 0, 4)
            progress.say(stage, 1, 4)
            progress.say(stage, 4, 4)
            progress.say(stage, 4, 4)
    assert [(e["stage"], e["share"]) for e in told] == [("walks", 0.0), ("walks", 1.0), ("skip-gram", 0.0), ("skip-gram", 1.0)]


def test_a_stage_that_begins_again_is_timed_anew(clock: list[float]) -> None:
    told: Told = []
    with progress.listening(told.append):
        progress.say("evaluation", 0, 2)
        clock[0] += 100
        progress.say("evaluation", 2, 2)
        progress.say("evaluation", 0, 2)
        clock[0] += 1
        progress.say("evaluation", 1, 2)
    assert [(e["share"], e["seconds_left"]) for e in told] == [(0.0, None), (1.0, 0.0), (0.0, None), (0.5, 1.0)]


def test_parts_make_one_stage_of_two_halves(clock: list[float]) -> None:
    told: Told = []
    with progress.listening(told.append):
        for side in range(3):
            with progress.part(side, 3):
                for done in (0, 1, 2):
                    progress.say("masked codes", done, 2)
                    clock[0] += 1
    shares = [e["share"] for e in told]
    assert shares == pytest.approx([0, 1 / 6, 1 / 3, 1 / 3, 1 / 2, 2 / 3, 2 / 3, 5 / 6, 1], abs=1e-4)
    assert all(e["seconds_left"] is not None for e in told[1:])  # the second part is no new beginning


@pytest.mark.parametrize(("done", "total", "share"), [(0, 0, 1.0), (5, 4, 1.0), (-1, 4, 0.0)])
def test_shares_stay_within_nothing_and_all(done: float, total: float, share: float) -> None:
    told: Told = []
    with progress.listening(told.append):
        progress.say("walks", done, total)
    assert [e["share"] for e in told] == [share]


def test_the_inner_listener_hears_and_the_outer_again_after_it() -> None:
    outer, inner = [], []
    with progress.listening(lambda e: outer.append(e["stage"])):
        with progress.listening(lambda e: inner.append(e["stage"])):
            progress.say("b", 0, 1)
        with progress.listening(None):
            progress.say("c", 0, 1)
        progress.say("d", 0, 1)
    progress.say("e", 0, 1)
    assert (outer, inner) == (["d"], ["b"])


def test_a_voice_reaches_the_listener_from_another_thread_and_no_longer_than_the_block() -> None:
    told: list[str] = []
    with progress.listening(lambda e: told.append(e["stage"])):
        voice = progress.voice()
        thread = threading.Thread(target=lambda: (progress.say("unheard", 0, 1), voice("heard", 0, 1)))
        thread.start()
        thread.join()
    voice("late", 0, 1)
    assert told == ["heard"]


def metapath() -> Vectors:
    return MetaPath(d=4, epochs=2, walks_per_node=2, walk_length=6).fit(BOARD.interactions, None, np.random.default_rng(0))


def test_vectors_are_the_same_to_the_bit_whether_somebody_listens_or_not(always: None) -> None:
    t = BOARD.interactions
    for make in (
        metapath,
        lambda: LightGcn(d=4, epochs=2).fit(t, None, np.random.default_rng(0)),
        lambda: Bpr(d=4, epochs=2).fit(t, None, np.random.default_rng(0)),
    ):
        told: Told = []
        alone = make()
        with progress.listening(told.append):
            heard = make()
        assert alone.users.tobytes() == heard.users.tobytes() and alone.items.tobytes() == heard.items.tobytes()
        assert len(told) > 2 and told[-1]["share"] == 1.0


def test_names_and_baselines_are_the_same_to_the_bit_too(always: None) -> None:
    t, vectors = BOARD.interactions, LightGcn(d=4, epochs=2).fit(BOARD.interactions, None, np.random.default_rng(0))
    schemes = [TokenRec(n_codes=4, steps=20, hidden=8, quantizer=q) for q in ("masked", "rqvae")]
    schemes += [TokenRec(n_codes=4, quantizer=q) for q in ("kmeans", "rqkmeans")]
    for scheme in (*schemes, Tiger(n_codes=4, steps=20), Cid(n_clusters=2, leaf=4)):
        told: Told = []
        alone = scheme.fit(t, BOARD.catalog, vectors, np.random.default_rng(0)).items.codes
        with progress.listening(told.append):
            heard = scheme.fit(t, BOARD.catalog, vectors, np.random.default_rng(0)).items.codes
        assert alone.tobytes() == heard.tobytes()
        shares = [e["share"] for e in told]
        assert len({e["stage"] for e in told}) == 1 and shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    for baseline in (SasRec(d=4, epochs=2), MultVae(hidden=4, latent=2, epochs=2)):
        told = []
        alone_scores = baseline.fit(t, np.random.default_rng(0)).expected(t.history(0))
        with progress.listening(told.append):
            assert baseline.fit(t, np.random.default_rng(0)).expected(t.history(0)).tobytes() == alone_scores.tobytes()
        assert [told[0]["share"], told[-1]["share"]] == [0, 1]


def test_walks_come_before_the_skip_gram_and_both_reach_their_end(always: None) -> None:
    told: Told = []
    with progress.listening(told.append):
        metapath()
    names = [e["stage"] for e in told]
    assert names == sorted(names, reverse=True) and set(names) == {"walks", "skip-gram"}
    for stage in ("walks", "skip-gram"):
        shares = [e["share"] for e in told if e["stage"] == stage]
        assert shares == sorted(shares) and shares[-1] == 1.0


@pytest.mark.parametrize(("stage", "share"), [("walks", 0.3), ("skip-gram", 0.0), ("skip-gram", 0.3), ("skip-gram", 1.0)])
def test_a_listener_may_leave_anywhere_even_out_of_the_threads_of_gensim(always: None, stage: str, share: float) -> None:
    def leave(event: dict[str, Any]) -> None:
        if event["stage"] == stage and event["share"] >= share:
            raise Left

    before = threading.active_count()
    with pytest.raises(Left), progress.listening(leave):
        metapath()
    for thread in threading.enumerate()[before:]:
        thread.join(60)
        assert not thread.is_alive()
    metapath()  # nothing is left behind that would disturb the next


def test_evaluation_tells_how_many_are_ranked(always: None) -> None:
    from llmrec.data.split import LeaveOneOut

    split = LeaveOneOut().split(BOARD.interactions, np.random.default_rng(0))
    told: Told = []
    with progress.listening(told.append):
        evaluate(Popularity().fit(split.train, np.random.default_rng(0)), split, batch=10)
    assert [e["share"] for e in told] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert {e["stage"] for e in told} == {"evaluation"}
