"""The real map over a real small run: areas against plain Python, search, settings, and two runs on one layout."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.backend import Backend
from app.errands import Errand, Errands
from app.seam.maps import Area, Lay
from app.seam.values import Trouble
from app.tokens import projecting
from app.world import World
from tests.browser import small_run

PCA = Lay("PCA")


class _Never:
    """An errand that nobody runs: what must be there at once is made here."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.state: Any = "failed"

    def __call__(self, *words: Any) -> Errand:
        self.asked.append(words)
        return Errand(self.state, "laying out", None, 4.2, reason="not tried here")


NEVER = _Never()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def backend(folder: Path) -> Iterator[Backend]:
    made = Backend()
    yield made
    made.close()


@pytest.fixture
def world(folder: Path, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> tuple[Backend, list[str]]:
    """Three runs that nobody trained: two schemes over one data set, and one run over other items."""
    from llmrec import recipe
    from llmrec.runs import store

    monkeypatch.setenv("LLMREC_RUNS", str(folder / "runs"))
    monkeypatch.setenv("LLMREC_HOME", str(folder / "home"))
    monkeypatch.setattr(Errands, "ask", NEVER)
    names = ["metaid-checkerboard-run-1", "rid-checkerboard-run-1", "metaid-checkerboard-run-2"]
    if not (folder / "runs").exists():
        for scheme, items in (({"name": "metaid", "n_clusters": 6}, 40), ({"name": "rid"}, 40), ({"name": "metaid", "n_clusters": 4}, 30)):
            data = {"name": "checkerboard", "n_users": 60, "n_items": items}
            assert store.create(recipe.read({**small_run.RECIPE, "scheme": scheme, "data": data})).name in names
    return backend, names


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> _Never:
    monkeypatch.setattr(NEVER, "asked", [])
    monkeypatch.setattr(NEVER, "state", "failed")
    return NEVER


def test_pca_is_there_at_once_and_umap_is_asked_for_with_its_settings(world: Any, asked: _Never) -> None:
    backend, (run, *_) = world
    asked.state = "running"
    lay = Lay("UMAP", 9, 0.3, 5)
    atlas = backend.maps().atlas(run, None, False, lay)
    assert atlas.how == "PCA" and atlas.waiting and atlas.points == len(atlas.table) == 100
    assert "laying out, 4 s" in atlas.waiting and [q.how for q in atlas.quality] == ["PCA"]
    key, module, *words = asked.asked[-1]
    assert module == "app.tokens.projecting" and words == [run, "9", "0.3", "5"] and key[0] == "umap"
    asked.asked.clear()
    assert not backend.maps().atlas(run, None, False, PCA).waiting and not asked.asked


def test_each_settings_map_is_kept_by_itself_and_its_seed_with_it() -> None:
    keys = {projecting.key("f", lay) for lay in (Lay(), Lay(seed=1), Lay(neighbors=16), Lay(dist=0.2), PCA)}
    assert len(keys) == 5 and projecting.key("f", Lay("PCA", seed=3)) == projecting.key("f", PCA) and projecting.key("g", PCA) not in keys


@pytest.mark.slow
def test_the_errand_makes_the_map_that_the_page_then_shows(world: Any, asked: _Never) -> None:
    backend, (run, *_) = world
    assert projecting.main(run, "6", "0.2", "3") == 0
    atlas = backend.maps().atlas(run, "item:i4", False, Lay("UMAP", 6, 0.2, 3))
    assert atlas.how == "UMAP" and not atlas.waiting and [q.how for q in atlas.quality] == ["UMAP", "PCA"] and not asked.asked
    assert any(trace.name == "selected" for trace in atlas.figure.data)
    beside = backend.maps().atlas(run, None, False, Lay("PCA", 6, 0.2, 3))
    assert beside.how == "PCA" and [q.how for q in beside.quality] == ["UMAP", "PCA"]


def test_an_area_holds_those_whose_coordinates_lie_in_it(world: Any, asked: _Never) -> None:
    backend, (run, *_) = world
    points = backend.maps().coordinates(run, PCA)
    x, y = points["x"].to_numpy(), points["y"].to_numpy()
    box = Area("box", (float(np.median(x)), float(x.min()) - 1), (float(y.min()) - 1, float(y.max()) + 1))
    expected = {f"{side}:{key}" for side, key, at in zip(points["side"], points["key"], x, strict=True) if at <= np.median(x)}
    found = backend.maps().within(run, PCA, (box,))
    assert set(found) == expected and len(found) == len(expected) > 10
    corner = Area("lasso", (0.0, 9.0, 9.0), (0.0, 0.0, 9.0))  # right of the middle and below the diagonal
    lower = {f"{s}:{k}" for s, k, at, up in zip(points["side"], points["key"], x, y, strict=True) if at > up > 0}
    assert set(backend.maps().within(run, PCA, (corner,))) == lower and lower
    assert set(backend.maps().within(run, PCA, (box, corner))) == expected | lower
    assert backend.maps().within(run, PCA, ()) == []


def test_an_area_reaches_points_that_are_not_drawn(world: Any, asked: _Never, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.view import atlas as drawing

    backend, (_, _, run) = world
    everything = Area("box", (-99.0, 99.0), (-99.0, 99.0))
    monkeypatch.setattr(drawing, "LIMIT", 12)
    monkeypatch.setattr(drawing.atlas, "__defaults__", (None, None, None, False, 12, 0))
    atlas = backend.maps().atlas(run, None, True, PCA)
    assert len(atlas.table) == sum(len(t.x) for t in atlas.figure.data[:2]) == 12 and atlas.points == 90 and "12 of 90 points" in atlas.note
    assert len(backend.maps().within(run, PCA, (everything,))) == len(backend.maps().coordinates(run, PCA)) == 90


def test_an_outline_is_drawn_where_it_lies(world: Any, asked: _Never) -> None:
    backend, (run, *_) = world
    areas = (Area("lasso", (0.0, 1.0, 0.5), (0.0, 0.0, 1.0)), Area("box", (0.0, 1.0), (2.0, 3.0)))
    shapes = backend.maps().atlas(run, None, False, PCA, areas).figure.layout.shapes
    assert shapes[0].path == "M0.0,0.0L1.0,0.0L0.5,1.0Z" and (shapes[1].x0, shapes[1].y1) == (0.0, 3.0)
    assert not backend.maps().atlas(run, None, False, PCA).figure.layout.shapes


def test_titles_keys_and_tokens_are_found(world: Any, asked: _Never) -> None:
    backend, (run, *_) = world
    assert next(iter(backend.maps().find(run, "even 4").nodes)) == "item:i4"
    assert any(node.startswith("token:") for node in backend.maps().find(run, "token <").nodes)


def test_two_runs_on_one_layout(world: Any, asked: _Never) -> None:
    backend, (run, other, foreign) = world
    change = backend.maps().change(run, other, "item:i4", False, PCA)
    assert change.how == "PCA" and len(change.nodes) == len(change.table) and {"title", "moved", "kept", "lost", "new"} <= set(change.table)
    table = backend._library.world(run).table
    companions = {n: int((table.items.codes[:, 0] == table.items.codes[n, 0]).sum()) - 1 for n in range(40)}
    for node, row in zip(change.nodes, change.table.to_dict("records"), strict=True):
        assert row["kept"] + row["lost"] == companions[int(node.removeprefix("item:i"))]
        assert row["moved"] == pytest.approx(1 - row["kept"] / max(1, row["kept"] + row["lost"] + row["new"]))
    for wrong, says in ((run, "same run twice"), (foreign, "same items and users")):
        with pytest.raises(Trouble, match=says):
            backend.maps().change(run, wrong, None, False, PCA)


def test_every_point_is_told_with_both_of_its_names(world: Any, asked: _Never) -> None:
    from app import shared
    from app.tokens import moved_part
    from llmrec.ids.lookup import written

    backend, (run, other, _) = world
    shared.use(backend)
    try:
        told = moved_part.points(run, other, PCA)
    finally:
        shared.use(None)
    assert len(told) == len(backend.maps().coordinates(run, PCA)) > 40 and {"x", "y"} <= set(told)
    tables = [(name, backend._library.world(name)) for name in (run, other)]
    for row in told.to_dict("records"):
        for name, its in tables:
            names = its.table.items if row["side"] == "item" else its.table.users
            assert row[f"name in {name}"] == written(names.spell(its.index(row["side"], row["key"])))


def test_a_run_without_vectors_waits_for_a_space_instead_of_walking_it_here(
    world: Any, asked: _Never, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, (_, run, _) = world
    made = dataclasses.replace(backend._library.world(run).run.recipe, seed=991)
    monkeypatch.setattr(projecting, "_walking", lambda _: dataclasses.replace(made, embed=_walks()))
    asked.state = "running"
    atlas = backend.maps().atlas(run, None, False, PCA)
    assert atlas.figure is None and atlas.waiting and asked.asked[-1][1:] == ("app.tokens.projecting", run)
    assert backend.maps().change(run, "any", None, False, PCA).figure is None
    vars(backend._library.world(run)).pop("_space", None)
    seen = backend.names().inspect(run, "item:i3")
    assert seen.neighbours is None and seen.cosine is None and "waits for the space of walks" in seen.note
    assert seen.card.pieces and seen.shared and len({key for key, *_ in asked.asked}) == 1
    assert backend.names().inspect(run, "token:" + str(seen.card.pieces[0])).neighbours == ()
    asked.state = "failed"
    assert "not tried here" in backend.names().inspect(run, "item:i3").note
    with pytest.raises(Trouble, match="not tried here"):
        backend.maps().atlas(run, None, False, PCA)
    projecting.space(backend._library.world(run).run)  # what the process does
    assert backend.names().inspect(run, "item:i3").neighbours and backend.maps().atlas(run, None, False, PCA).figure is not None


def test_runs_that_walk_alike_wait_for_one_walk(world: Any, asked: _Never, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, (_, run, _) = world
    made = backend._library.world(run).run.recipe
    there = backend._library.world(run).run
    keys = []
    for seed, name in ((992, "one"), (992, "two"), (993, "three")):
        recipe = dataclasses.replace(made, seed=seed)
        projecting.lending(backend._library.errands, World(SimpleNamespace(recipe=recipe, name=name, path=there.path)))
        keys.append(asked.asked[-1][0])
    assert keys[0] == keys[1] != keys[2]


def _walks() -> Any:
    from llmrec.embed.metapath import MetaPath

    return MetaPath(d=7)
