"""The room behind the Compare page over a real small run: what is missing is measured beside, and the numbers are the run's own."""

from __future__ import annotations

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.backend import Backend
from app.library import Library
from app.seam import Trouble
from app.seam.scores import KINDS, Ask, Board
from tests.app.small_home import backend, home

__all__ = ["backend", "home"]


def ask(backend: Backend, *baselines: str, **more: Any) -> Ask:
    (ground,) = backend.scores().grounds()
    return Ask(ground.key, ground.usual, baselines, **more)


def whole(backend: Backend, asked: Ask) -> Board:
    """The table when everybody is measured."""
    deadline = time.monotonic() + 120
    while (board := backend.scores().board(asked)).going.waiting:
        assert time.monotonic() < deadline, board.going.stage
        time.sleep(0.2)
    return board


def test_runs_stand_on_what_they_were_measured_on(backend: Backend) -> None:
    (ground,) = backend.scores().grounds()
    assert ground.label == "checkerboard · loo · 60 users" and list(ground.metrics)[:2] == ["hit@10", "ndcg@10"]
    assert ground.usual == tuple(ground.runs) and "last item is test" in ground.rules
    offers = {one.name: one for one in backend.scores().offers(ground.key)}
    assert offers["ease"].quick and not offers["sasrec"].quick and 0 < offers["bprmf"].seconds < offers["sasrec"].seconds


@pytest.mark.slow
def test_what_is_missing_is_measured_beside_and_then_there(backend: Backend) -> None:
    asked = ask(backend, "popularity", "ease")
    first = backend.scores().board(asked)
    assert first.measured == asked.runs and first.going.waiting  # the run kept its places; baselines and timings are missing
    board = whole(backend, asked)
    assert not board.going.trouble and set(board.measured) == {*asked.runs, "popularity", "ease"}
    from llmrec.runs import store

    run = store.by_name(asked.runs[0])
    metrics = run.metrics
    assert metrics is not None
    line = board.names.index(run.name)
    assert board.sheet.numbers["H@10"][line] == pytest.approx(metrics["test"]["masked"]["metrics"]["hit@10"])
    assert board.sheet.numbers["latency"].notna().all() and board.sheet.numbers["parameters"].notna().sum() == 1
    low, high = metrics["test"]["masked"]["intervals"]["hit@10"]
    assert board.sheet.numbers["H@10 low"][line] == pytest.approx(low, abs=0.04) and board.sheet.numbers["H@10 high"][
        line
    ] == pytest.approx(high, abs=0.04)
    for kind in KINDS:
        shown = backend.scores().exhibit(asked, kind, "ndcg@10")
        assert shown.figure is not None and len(shown.table) and shown.caption
    html = backend.scores().file(asked, "html").decode()
    assert run.name in html and "n_clusters = 6" in html  # its recipe


def test_a_long_comparison_keeps_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.compare import scores

    room = scores.Scores(Library())
    monkeypatch.setattr(room, "_stamp", lambda ask: ())
    long = Ask("g", ("long",), ())
    other = next(o for n in range(99) if hash(((o := Ask("g", (str(n),), ())), ())) % scores.DOORS != hash((long, ())) % scores.DOORS)
    working, go_on, made = threading.Event(), threading.Event(), []

    def work(ask: Ask) -> Any:
        made.append(ask)
        if ask == long:
            working.set()
            assert go_on.wait(60)
        return SimpleNamespace(standings=())

    monkeypatch.setattr(room, "_made", work)
    with ThreadPoolExecutor(3) as pool:
        try:
            waiting = [pool.submit(room._compared, long) for _ in range(2)]
            assert working.wait(60)
            assert pool.submit(room._compared, other).result(30) is not None
        finally:
            go_on.set()
        assert waiting[0].result(60) is waiting[1].result(60)
    assert made.count(long) == 1


def test_the_matrix_has_the_run_and_says_what_would_fill_the_rest(backend: Backend) -> None:
    asked = ask(backend)
    found = backend.scores().matrix(asked.ground, "hit@10")
    here = found.own.table.set_index(["scheme", "head"])
    assert (
        here.loc[("metaid", "trie"), "hit@10" if "hit@10" in here else "H@10"] > 0 and asked.runs[0] in here.loc[("metaid", "trie"), "note"]
    )
    gap = next(one for one in found.gaps if (one.scheme, one.head) == ("metaid", "retrieve"))
    assert gap.run == asked.runs[0] and gap.words.endswith("--set head.name=retrieve")
    assert any(one.refused for one in found.gaps) and found.shipped is not None and "Shipped measurements" in found.about


def test_the_shipped_matrix_is_the_book_s(backend: Backend) -> None:
    from benchmarks.report import means

    found = backend.scores().matrix(ask(backend).ground, "ndcg@10").shipped
    assert found is not None
    one = means.sample("metaid-ml-100k-sketch", "ndcg@10")
    assert one is not None and found.table.set_index(["scheme", "head"]).loc[("metaid", "trie"), "NDCG@10"] == pytest.approx(one.mean)


def test_without_the_book_there_is_one_matrix(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from app.compare import matrix

    monkeypatch.setitem(sys.modules, "benchmarks.report", None)
    assert matrix.shipped("hit@10") == (None, "")


def test_strangers_are_refused_in_words(backend: Backend) -> None:
    asked = ask(backend)
    for wrong, said in (
        (dataclasses.replace(asked, runs=("../x",)), "No finished run on this data"),
        (dataclasses.replace(asked, ground="0"), "No finished run stands"),
        (dataclasses.replace(asked, part="train"), "two parts"),
        (dataclasses.replace(asked, baselines=("magic",)), "no baseline is called"),
    ):
        with pytest.raises(Trouble, match=said):
            backend.scores().board(wrong)
    with pytest.raises(Trouble, match="does not measure"):
        backend.scores().exhibit(asked, "cuts", "luck@3")
    with pytest.raises(Trouble, match="no chart"):
        backend.scores().exhibit(asked, "pie", "hit@10")


def test_the_errand_goes_on_when_one_fails(home: Path, backend: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from app.compare import measuring

    name = ask(backend).runs[0]
    given = {"ground": name, "runs": [name], "baselines": ["no-such", "popularity"], "part": "valid", "masked": True}
    assert measuring.main(json.dumps(given)) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [one["stage"] for one in told if "stage" in one] == [name, "no-such", "popularity"]
    assert any("no-such could not be measured" in one.get("trouble", "") for one in told)
    from llmrec.runs import measured, store

    assert measured.of_baseline(store.by_name(name), "popularity", "valid", measure=False) is not None


def test_the_page_opens_on_a_real_run(backend: Backend, page: Any) -> None:
    from app import shared

    shared.use(backend)
    try:
        at = page("views/compare.py", baselines="popularity")
        assert not at.error and not at.warning
        shown = at.dataframe[0].value
        assert ask(backend).runs[0] in shown["name"].tolist() and "Popularity" in shown["name"].tolist()
    finally:
        shared.use(None)
