"""The real backend over a real small run: the pages' values are the library's values."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import first_run, maps
from app.backend import Backend, Kept
from app.seam import Person, Trouble
from tests.browser import small_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    small_run.train(folder)
    return folder


@pytest.fixture
def backend(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("LLMREC_RUNS", str(runs))
    monkeypatch.setattr(maps, "_start", lambda run: _Ended())
    made = Backend()
    yield made
    made.close()


class _Ended:
    """A UMAP process that failed at once."""

    returncode = 3

    def poll(self) -> int:
        return self.returncode


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
    seen = backend.inspect(name, card.node)
    coarse = table.items.codes[:, 0] == table.items.codes[5, 0]
    assert seen.shared[0].n_items == coarse.sum()
    assert len(seen.neighbours) == 12 and seen.neighbours[0].cosine >= seen.neighbours[-1].cosine
    assert card.node in backend.nodes(name) and f"token:{card.pieces[0]}" in backend.nodes(name)


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
        return next(reversed(backend._models._values.values()))

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
    assert backend.atlas(name).waiting
    atlas = backend.atlas(name, "item:i4")
    assert atlas.how == "PCA" and not atlas.waiting and "code 3" in atlas.trouble
    assert any(trace.name == "selected" for trace in atlas.figure.data)
    assert len(atlas.table) == 100


def test_unknown_things_are_told(backend: Backend, name: str) -> None:
    for ask in (lambda: backend.titles("no-such-run"), lambda: backend.card(name, "item", 999), lambda: backend.inspect(name, "item:zzz")):
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


def test_first_run_reads_progress_from_events() -> None:
    def at(*events: dict[str, Any]) -> Any:
        return first_run.read("r", events, 5.0)

    begin = {"event": "stage", "stage": "training", "state": "begin"}
    step = {"event": "step", "step": 10, "loss": 2.0, "progress": 0.5, "seconds_left": 30.0}
    assert at().stage == "starting"
    middle = at(begin, step)
    assert middle.stage == "training" and middle.seconds_left == 30.0 and 0.3 < middle.fraction < 0.9
    assert middle.losses.to_dict("list") == {"step": [10], "loss": [2.0]}
    assert at(begin, step, {"event": "stage", "stage": "evaluation on test", "state": "begin"}).fraction == 0.9


def test_first_run_trains_beside_the_server_and_is_then_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from llmrec import recipe

    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    file = tmp_path / "small.toml"
    file.write_text(recipe.read(small_run.RECIPE).to_toml())
    backend = Backend(first_run.FirstRun(str(file)))
    backend.start_first_run()
    states = []
    for _ in range(400):
        progress = backend.first_run()
        assert progress is not None
        states.append(progress.state)
        if progress.state != "running":
            break
        time.sleep(0.2)
    assert states[0] == "running" and states[-1] == "done", progress.message
    assert [r.ready for r in Backend().runs()] == [True]
    backend.close()


def test_first_run_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    first = first_run.FirstRun("no-such-recipe")
    first.begin([])
    assert first._process is not None
    first._process.wait(60)
    progress = first.progress([])
    assert progress is not None and progress.state == "failed" and "no-such-recipe" in progress.message
    first.close()


def test_first_run_that_was_stopped_is_not_called_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from llmrec.runs.status import Status

    first = first_run.FirstRun()
    monkeypatch.setattr(first, "_process", SimpleNamespace(pid=7, poll=lambda: 0))  # SIGTERM: the command line ends with 0
    run = SimpleNamespace(name="r", broken=None, status=Status("stopped", "stopped by SIGTERM; resume to go on", 7))
    progress = first.progress([run])
    assert progress is not None and progress.state == "failed" and "SIGTERM" in progress.message


@pytest.mark.parametrize("view", ["views/data.py", "views/tokens.py", "views/recommend.py", "views/chat.py"])
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
