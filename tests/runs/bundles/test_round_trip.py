"""A run through a bundle onto another machine: the same names, the same recommendations to the last digit, a run like every other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmrec import artifacts
from llmrec.contracts import Vectors
from llmrec.runs import store
from llmrec.runs.bundles import agreement, anew, container, coordinates, opening, packing
from llmrec.view import project
from tests.runs.bundles.made import KINDS, METRICS, best, elsewhere, finished


@pytest.mark.parametrize("kind", KINDS)
def test_an_opened_run_recommends_what_the_original_does(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(kind)
    table, expected, trained_with = run.table(), best(run), run.vectors()
    file = packing.pack(run, tmp_path / "out")
    elsewhere(monkeypatch, tmp_path / "other")
    opened = opening.unpack(file)
    again = opened.run
    assert opened.fresh and again.name == run.name and again.status.state == "done" and [r.name for r in store.list_runs()] == [run.name]
    assert best(again) == expected
    kept = again.table()
    assert anew.told(dataclasses.replace(kept, user_quantizer=None)) == anew.told(dataclasses.replace(table, user_quantizer=None))
    assert (kept.user_quantizer is None) == (table.user_quantizer is None or kind == "tokenrec")
    assert again.metrics == METRICS and again.info["id"] == run.info["id"] and again.recipe == run.recipe
    assert "from a bundle: trained " in again.status.reason and opening.origin(again)["sha256"] == container.read(file).sha256
    if kind == "tokenrec":
        vectors = again.vectors()
        assert trained_with is not None and vectors is not None and np.array_equal(vectors.items, trained_with.items)
        assert vectors.users.shape == trained_with.users.shape and not np.array_equal(vectors.users, trained_with.users)


def test_the_same_run_gives_the_same_bytes(one: Any, tmp_path: Path) -> None:
    run, file = one
    assert packing.pack(run, tmp_path / "again").read_bytes() == file.read_bytes()


def test_a_bundle_of_an_opened_run_is_the_same_bundle(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, file = one
    elsewhere(monkeypatch, tmp_path / "other")
    again = opening.unpack(file).run
    assert packing.pack(again, tmp_path / "again").read_bytes() == file.read_bytes()


def test_the_map_lies_where_the_tokens_page_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.seam.maps import Lay
    from app.tokens import projecting

    run = finished("metaid")
    there = coordinates.laid(coordinates.space(run))
    file = packing.pack(run, tmp_path / "out")
    elsewhere(monkeypatch, tmp_path / "other")
    again = opening.unpack(file).run
    monkeypatch.setattr(project, "umap", lambda *_: pytest.fail("the map was made again"))
    assert coordinates.settle(again)
    vectors = again.vectors()
    assert vectors is not None and there is not None
    mark = projecting.fingerprint(vectors)
    assert projecting.key(mark, Lay()) == coordinates.key(mark) and projecting.held(Lay(), mark)
    laid = projecting.project(vectors, Lay(), mark)
    assert np.array_equal(laid.items, there.items) and (laid.method, laid.scored) == (there.method, there.scored)
    assert (again.path / "vectors").exists()


def test_a_run_without_vectors_is_shown_in_the_walks(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.tokens import projecting

    _, file = one
    elsewhere(monkeypatch, tmp_path / "other")
    again = opening.unpack(file).run
    assert projecting.unwalked(again)
    assert coordinates.settle(again) and not projecting.unwalked(again) and not (again.path / "vectors").exists()


def test_half_precision_is_measured(tmp_path: Path) -> None:
    run = finished("metaid")
    whole, half = packing.pack(run, tmp_path / "whole"), packing.pack(run, tmp_path / "half", half=True)
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    same, close = agreement.share(run, whole), agreement.share(run, half)
    assert (same.users, same.same, same.items, same.first) == (30, 1.0, 1.0, 1.0) and same.hits[0] == same.hits[1]
    assert close.items > 0.8
    with artifacts_of(half, tmp_path) as stored:
        assert {str(t.dtype) for t in stored.values()} == {"torch.float16"}


def artifacts_of(file: Path, place: Path) -> Any:
    import contextlib

    from safetensors.torch import load

    return contextlib.nullcontext(load(container.read(file).parts["model/model.safetensors"]))


def test_opened_once_more_it_stays_one_run_and_a_taken_name_is_numbered(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, file = one
    mine = finished("rid")
    number = opening.unpack(file).run
    assert (mine.name, number.name) == (run.name, run.name.removesuffix("1") + "2")
    again = opening.unpack(file)
    assert not again.fresh and again.run.name == number.name
    number.delete()
    assert opening.unpack(file).fresh
    with pytest.raises(ValueError, match="exists: name a new folder"):
        opening.unpack(file, mine.path)


def test_what_is_unfinished_or_bound_to_this_machine_is_not_packed(tmp_path: Path) -> None:
    from llmrec import recipe
    from llmrec.runs import status

    run = finished("rid")
    status.write(run.path, "stopped")
    with pytest.raises(packing.CannotPack, match="is stopped, and a bundle holds a trained and measured run"):
        packing.pack(run, tmp_path)
    (tmp_path / "ratings.csv").write_text("user,item,time\n" + "".join(f"u{u},i{i},{i}\n" for u in range(8) for i in range(12)))
    own = store.create(recipe.read({"data": {"name": "table", "path": str(tmp_path / "ratings.csv")}, "scheme": {"name": "rid"}}))
    (own.path / "model").mkdir()
    artifacts.write_json(METRICS, own.path / "metrics.json")
    status.write(own.path, "done")
    with pytest.raises(packing.CannotPack, match="cannot travel"):
        packing.pack(own, tmp_path)


def test_names_that_come_out_otherwise_are_found_before_they_travel(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, file = one
    from llmrec.ids.rid import Rid

    fit = Rid.fit
    monkeypatch.setattr(Rid, "fit", lambda self, train, catalog, vectors, rng: fit(self, train, catalog, vectors, np.random.default_rng(9)))
    with pytest.raises(packing.CannotPack, match="come out otherwise today"):
        packing.pack(run, tmp_path / "again")
    elsewhere(monkeypatch, tmp_path / "other")
    with pytest.raises(container.BadBundle, match="its names come out otherwise here"):
        opening.unpack(file)
    assert store.list_runs() == []


def test_a_tokenizer_that_comes_out_otherwise_is_refused(one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.lm import prompts

    run, file = one
    monkeypatch.setattr(prompts, "corpus", lambda: ["quite other words about nothing"] * 3)
    with pytest.raises(packing.CannotPack, match="the tokenizer of run"):
        packing.pack(run, tmp_path / "again")
    elsewhere(monkeypatch, tmp_path / "other")
    with pytest.raises(container.BadBundle, match="its tokenizer comes out otherwise here"):
        opening.unpack(file)


def test_users_are_folded_in_by_the_best_linear_map() -> None:
    run = finished("metaid")
    rng, split = np.random.default_rng(0), run.split()
    items = rng.standard_normal((split.train.n_items, 3)).astype(np.float32)
    turn, shift = rng.standard_normal((3, 3)), rng.standard_normal(3)
    took = [np.unique(split.train.history(u)) for u in range(split.train.n_users)]
    users = np.array([items[t].sum(0) / np.sqrt(len(t)) @ turn + shift for t in took], dtype=np.float32)
    vectors = Vectors(users, items)
    assert np.allclose(anew.folded(items, anew.fold(vectors, split), split).users, users, atol=1e-4)


@pytest.mark.slow
def test_an_adapter_of_smollm2_travels_without_its_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished("metaid", lm={"name": "smollm2-135m", "layers": 1})
    expected = best(run)
    file = packing.pack(run, tmp_path / "out")
    bundle = container.read(file)
    assert file.stat().st_size < 3e6 and bundle.manifest["base"]["name"] == "smollm2-135m"
    assert {n for n in bundle.parts if n.startswith("model/")} == {"model/adapter_config.json", "model/adapter_model.safetensors"}
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "other"))
    again = opening.unpack(file).run
    assert best(again) == expected
    assert json.loads((again.path / "model" / "adapter_config.json").read_text())["base_model_name_or_path"].startswith("HuggingFaceTB/")
