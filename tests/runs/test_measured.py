"""What a run keeps of where held-out items stood: written beside its means, read back the same, made on demand where it lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from llmrec import artifacts
from llmrec.report.places import Places
from llmrec.runs import accounts, cache, compared, measured, pipeline, store
from llmrec.runs.store import Run
from tests.browser import small_run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one small run, trained for real."""
    folder: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMREC_HOME", str(folder))
        small_run.train(folder / "runs")
    return folder


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LLMREC_HOME", str(root))
    monkeypatch.delenv("LLMREC_RUNS", raising=False)
    monkeypatch.delenv("LLMREC_PRECISION", raising=False)  # as it was trained
    return store.list_runs()[0]


@pytest.fixture
def old(run: Run, root: Path, tmp_path: Path) -> Run:
    """The same run as an older version left it: without places."""
    copy = tmp_path / "old"
    shutil.copytree(run.path, copy)
    shutil.rmtree(copy / "places")
    return store.open_run(copy)


def test_a_run_keeps_where_every_held_out_item_stood(run: Run) -> None:
    metrics = run.metrics
    assert metrics is not None
    for part, masked in pipeline.PARTS:
        kept = artifacts.load(Places, run.path / "places" / measured.asked(part, masked))
        said = metrics[part]["masked" if masked else "unmasked"]
        names = [name for name in said["metrics"] if not name.startswith("coverage")]
        for name, values in kept.per_user(names).items():
            assert values.mean() == pytest.approx(said["metrics"][name], abs=1e-12), (part, masked, name)
        assert kept.coverage(40) == pytest.approx(said["metrics"]["coverage@10"])
        assert kept.users.tolist() == run.split().asked(part).tolist()


def test_an_old_run_is_measured_once_into_the_cache_and_not_touched(old: Run, run: Run) -> None:
    before = sorted(str(p) for p in old.path.rglob("*"))
    assert measured.of_run(old, "test", True, measure=False) is None
    made, own = measured.of_run(old), measured.of_run(run)
    assert made is not None and own is not None
    assert made.place.tolist() == own.place.tolist() and made.item.tolist() == own.item.tolist()
    assert measured.of_run(old, "test", True, measure=False) is not None  # kept
    assert sorted(str(p) for p in old.path.rglob("*")) == before


def test_damaged_places_are_measured_anew(old: Run, run: Run, tmp_path: Path) -> None:
    hurt = old.path / "places" / "test-masked"
    shutil.copytree(run.path / "places" / "test-masked", hurt)
    (hurt / "arrays.safetensors").write_bytes(b"nothing")
    made, own = measured.of_run(old), measured.of_run(run)
    assert made is not None and own is not None and made.place.tolist() == own.place.tolist()


def test_the_model_is_the_same_to_the_bit_with_and_without_numbers(run: Run, root: Path, tmp_path: Path) -> None:
    again = store.create(run.recipe, tmp_path / "again")
    pipeline.train(again, numbers=False)
    assert not (again.path / "places").exists()
    for file in sorted(p for p in (run.path / "model").iterdir() if p.suffix == ".safetensors"):
        assert file.read_bytes() == (again.path / "model" / file.name).read_bytes(), file.name


def test_a_baseline_is_what_evaluate_makes_of_it(run: Run) -> None:
    from llmrec.report.evaluate import evaluate_baselines

    assert measured.of_baseline(run, "ease", measure=False) is None
    found = measured.of_baseline(run, "ease")
    theirs = evaluate_baselines(run.split(), names=["ease"])["ease"]
    assert found is not None and found.per_user(["ndcg@10"])["ndcg@10"].tolist() == theirs.per_user["ndcg@10"].tolist()
    assert measured.of_baseline(run, "ease", measure=False) is not None
    assert measured.of_baseline(run, "ease", "valid", measure=False) is None  # another question


def test_costs_are_counted_and_kept(run: Run) -> None:
    found = measured.costs_of_run(run)
    assert found is not None and found.latency > 0 and found.fit is None
    table = run.table()
    assert found.pieces == np.mean([len(table.items.spell(i)) for i in range(40)])
    weights = sum(int(p.numel()) for p in run.recommender().lm.parameters())  # type: ignore[attr-defined]
    assert found.parameters == weights
    again = measured.costs_of_run(run, measure=False)
    assert again == found
    base = measured.costs_of_baseline(run, "popularity")
    assert base is not None and base.fit is not None and base.latency > 0 and base.parameters is None


def test_accounts_know_what_the_cache_keeps_of_a_run_and_deleting_frees_it(old: Run, run: Run) -> None:
    measured.of_run(old)
    key = measured._key(old, "test", True)
    assert ("places", key) in measured.cached_keys(old)
    taken = accounts.account(run, [run])
    assert taken.parts["numbers"] >= sum(p.stat().st_size for p in (run.path / "places").rglob("*") if p.is_file())
    assert ("places", key) in {(e.stage, e.key) for e in taken.own}  # the copy has the run's own id
    assert not cache.holds("places", "nothing")


def test_what_is_not_asked_the_same_is_not_compared(run: Run, root: Path) -> None:
    from llmrec import recipe

    plain = {**small_run.RECIPE, "data": {"name": "checkerboard", "n_users": 50, "n_items": 40}}
    other = store.create(recipe.read(plain))
    pipeline.train(other)
    try:
        with pytest.raises(ValueError, match="one data set and split"):
            compared.compare([run, other])
        seeded = store.create(recipe.with_settings(run.recipe, {"seed": 3}))
        seeded_ground, ground = measured.ground(seeded), measured.ground(run)
        assert (seeded_ground.mark == ground.mark) == (seeded.split().test.item.tolist() == run.split().test.item.tolist())
        seeded.delete()
    finally:
        other.delete()


def test_a_comparison_has_everybody_best_first(run: Run) -> None:
    with pytest.raises(ValueError, match="name a run"):
        compared.compare([])
    told: list[str] = []
    found = compared.compare([run], ["popularity", "ease"], tell=told.append)
    assert told == [run.name, "popularity", "ease"]
    means = [spans["hit@10"].mean for spans in found.spans]
    assert means == sorted(means, reverse=True) and {one.name for one in found.standings} == set(told)
    whole = found.table().set_index("name")
    assert whole.loc[run.name, "new rows"] == len(run.table().tokens) and whole.loc[run.name, "steps"] > 0
    known = run.metrics
    assert known is not None and whole.loc[run.name, "H@10"] == pytest.approx(known["test"]["masked"]["metrics"]["hit@10"])
    assert len(found.differences()) == 2 and len(found.segments()) > 0


def test_a_set_and_a_file_are_called_by_their_own_names() -> None:
    from llmrec.data.known import LastFm
    from llmrec.data.tabular import TableFile
    from llmrec.data.uploads import Upload

    assert [measured._called(data) for data in (Upload("my-films"), TableFile("/x/shop.csv"), LastFm("/x/y"))] == [
        "my-films",
        "shop",
        "lastfm",
    ]


def test_two_of_one_name_are_refused(run: Run, tmp_path: Path) -> None:
    twin = store.open_run(shutil.copytree(run.path, tmp_path / run.name))
    with pytest.raises(ValueError, match=r"two runs are called .*: rename the folder"):
        compared.compare([run, twin])
    named_alike = store.open_run(shutil.copytree(run.path, tmp_path / "ease"))
    with pytest.raises(ValueError, match=r"a run is called ease as a baseline is.*: rename"):
        compared.compare([run, named_alike])
    with pytest.raises(ValueError, match="ease is named twice"):
        compared.compare([run], ["ease", "ease"])


def test_a_killed_training_is_counted_whole(old: Run) -> None:
    whole = compared.costs(old, measure=False)["training"]
    facts = artifacts.read_json(old.path / "training.json")
    artifacts.write_json({**facts, "seconds": facts["seconds"] + 1000.0}, old.path / "training.json")  # killed, and resumed
    assert compared.costs(old, measure=False)["training"] == pytest.approx(whole + 1000.0)
    artifacts.write_json({k: v for k, v in facts.items() if k != "seconds"}, old.path / "training.json")  # of an older version
    ends = [e for e in old.events() if e.get("event") == "stage" and e.get("state") == "end"]
    stages = {e["stage"]: e["seconds"] for e in ends}
    assert compared.costs(old, measure=False)["training"] >= stages["training"] > 0
