"""The real backend over a real small run: the pages' values are the library's values."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.backend import Backend
from app.errands import Errand, Errands
from app.library import Kept
from app.seam import Person, Trouble
from app.train import first_run
from tests.browser import small_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    small_run.train(folder)
    return folder


@pytest.fixture
def backend(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("LLMREC_RUNS", str(runs))
    monkeypatch.setattr(Errands, "ask", _Ending())
    made = Backend()
    yield made
    made.close()


class _Ending:
    """A UMAP process that runs when first asked, and has failed after that."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, *_: Any) -> Errand:
        self.asked += 1
        return Errand("running") if self.asked == 1 else Errand("failed", reason="its process ended with code 3")


@pytest.fixture
def name(backend: Backend) -> str:
    (info,) = backend.runs()
    assert info.ready and info.scheme == "metaid" and "hit@10" in info.metrics
    return info.name


def test_an_item_is_shown_with_the_name_the_table_gives_it(backend: Backend, name: str) -> None:
    from llmrec.runs import store

    table = store.open_run(name).table()
    card = backend.card(name, "item", 5)
    assert card.pieces == table.items.spell(5) and card.title == "Odd 5" and card.genres == ("odd",)
    seen = backend.names().inspect(name, card.node)
    coarse = table.items.codes[:, 0] == table.items.codes[5, 0]
    assert seen.shared[0].n_items == coarse.sum() - 1  # all but itself
    assert len(seen.neighbours) == 12 and seen.neighbours[0].cosine >= seen.neighbours[-1].cosine
    assert card.node in backend.names().nodes(name) and f"token:{card.pieces[0]}" in backend.names().nodes(name)


def test_recommend_equals_the_runs_own_recommender(backend: Backend, name: str) -> None:
    from llmrec.contracts import Queries
    from llmrec.runs import store

    person = backend.person(name, 3)
    answer = backend.recommend(name, None, person, 5)
    ranked = store.open_run(name).recommender().recommend(Queries.of_history(person.history, user=3), 5)
    assert [p.card.index for p in answer.picks] == ranked.items[0].tolist()
    assert not {p.card.index for p in answer.picks} & set(person.history)


def test_a_model_that_was_trained_on_is_loaded_again(backend: Backend, name: str, runs: Path) -> None:
    import os

    def loaded() -> Any:
        backend.recommend(name, None, person, 3)
        return next(reversed(backend._library._models._values.values()))

    person = backend.person(name, 3)
    first = loaded()
    assert loaded() is first
    os.utime(runs / name / "model" / "manifest.json", (1, 1))
    assert loaded() is not first


def test_seen_and_rejected(backend: Backend, name: str) -> None:
    person = Person(history=(0, 2, 4), rejected=(6,))
    everything = {p.card.index for p in backend.recommend(name, "popularity", person, 40, seen=True).picks}
    assert everything == set(range(40)) - {6}
    assert not {p.card.index for p in backend.recommend(name, "popularity", person, 40).picks} & {0, 2, 4, 6}


def test_the_held_out_item_is_marked_and_not_known(backend: Backend, name: str) -> None:
    person = backend.person(name, 0)
    answer = backend.recommend(name, "popularity", person, 40)
    marked = [p.card.index for p in answer.picks if p.target]
    assert len(marked) == 1 and marked[0] not in person.history
    assert backend.history(name, 0)["part"].tolist()[-2:] == ["validation", "test"]


def test_the_map_falls_back_to_pca_and_says_so(backend: Backend, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.runs import cache

    monkeypatch.setattr(cache, "holds", lambda *_: False)
    assert backend.maps().atlas(name).waiting
    atlas = backend.maps().atlas(name, "item:i4")
    assert atlas.how == "PCA" and not atlas.waiting and "code 3" in atlas.trouble
    assert any(trace.name == "selected" for trace in atlas.figure.data)
    assert len(atlas.table) == 100


def test_unknown_things_are_told(backend: Backend, name: str) -> None:
    asks = (
        lambda: backend.titles("no-such-run"),
        lambda: backend.card(name, "item", 999),
        lambda: backend.names().inspect(name, "item:zzz"),
    )
    for ask in asks:
        with pytest.raises(Trouble):
            ask()
    with pytest.raises(Trouble):
        backend.titles("../outside")
    assert backend.index(name, "user", "zzz") is None


def test_a_broken_run_hides_no_other(backend: Backend, name: str, runs: Path) -> None:
    (runs / "junk").mkdir(exist_ok=True)
    (runs / "junk" / "run.json").write_text("{")
    assert [r.name for r in Backend().runs()] == [name]


def test_two_threads_make_a_value_once() -> None:
    kept, made, gate = Kept(2), [], threading.Barrier(4)

    def make() -> int:
        made.append(1)
        return 7

    def work() -> None:
        gate.wait()
        assert kept.get("k", make) == 7

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    kept.get("a", int)
    kept.get("b", int)
    kept.get("k", make)
    assert made == [1, 1]  # two newer ones had taken its place


@pytest.mark.slow
def test_first_run_is_a_run_of_the_queue_and_is_then_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec import recipe

    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    file = tmp_path / "small.toml"
    file.write_text(recipe.read(small_run.RECIPE).to_toml())
    backend = Backend(first_run.FirstRun(str(file)))
    backend.start_first_run()
    states = []
    deadline = time.monotonic() + 120
    while not states or states[-1] == "running":
        assert time.monotonic() < deadline
        progress = backend.first_run()
        assert progress is not None
        states.append(progress.state)
        time.sleep(0.2)
    assert states[0] == "running" and states[-1] == "done", progress.message
    assert [r.ready for r in Backend().runs()] == [True]
    assert [j.state for j in backend.workshop().jobs()] == ["done"]
    backend.close()


def test_first_run_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    first = first_run.FirstRun("no-such-recipe")
    first.begin([])
    progress = first.progress()
    assert progress is not None and progress.state == "failed" and "no-such-recipe" in progress.message


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run of the small recipe that stands in the folder and is worked on by nobody."""
    from llmrec import recipe
    from llmrec.runs import store

    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    return store.create(dataclasses.replace(recipe.read(small_run.RECIPE), name="small"))


def test_first_run_follows_what_is_under_way(waiting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.runs import events, status

    first = first_run.FirstRun("another-recipe")
    with status.held(waiting.path):
        status.write(waiting.path, "running")
        step = {"event": "step", "step": 10, "steps": 20, "loss": 2.0, "progress": 0.5, "seconds_left": 30.0}
        for event in ({"event": "start"}, {"event": "stage", "stage": "training", "state": "begin"}, step):
            events.append(waiting.path / "events.jsonl", event)
        first.begin([waiting])
        progress = first.progress()
    assert progress is not None and (progress.run, progress.state) == (waiting.name, "running")
    assert progress.losses.to_dict("list") == {"step": [10], "loss": [2.0]} and 0 < progress.fraction < 1
    waiting.delete()
    assert first.progress() is None


def test_first_run_that_somebody_stopped_is_left_alone(waiting: Any) -> None:
    from llmrec.runs import status, store

    status.write(waiting.path, "stopped", "stopped by request")
    first = first_run.FirstRun("small")
    first.begin([waiting])
    assert first.progress() is None and [r.status.state for r in store.list_runs()] == ["stopped"]


def test_first_run_that_is_stopped_is_not_called_done(waiting: Any) -> None:
    from llmrec.runs import status

    first = first_run.FirstRun("small")
    with status.held(waiting.path):
        status.write(waiting.path, "running")
        first.begin([waiting])
    status.write(waiting.path, "stopped", "stopped by SIGTERM; resume to go on")
    progress = first.progress()
    assert progress is not None and progress.state == "failed" and "SIGTERM" in progress.message


@pytest.mark.parametrize("view", ["views/data.py", "views/train.py", "views/tokens.py", "views/recommend.py", "views/chat.py"])
def test_every_view_opens_on_a_real_run(backend: Backend, name: str, page: Any, view: str) -> None:
    from app import shared

    shared.use(backend)
    try:
        at = page(view, run=name, item="i4")
        assert not at.error and at.title[0].value
        shown = " ".join(block.proto.body for block in at.get("html"))
        if view in ("views/tokens.py", "views/recommend.py"):
            assert "Even" in shown and "chip tok" in shown
    finally:
        shared.use(None)
