"""Presets: the shipped recipes again where they were measured, more or less reading elsewhere, unknown names refused with near ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmrec import recipe, registry
from llmrec.recipe import BadRecipe, Recipe
from llmrec.registry import UnknownName
from llmrec.runs import machine, presets
from llmrec.runs.presets import KNOWN, PRESETS, TWO_CORES, Device
from llmrec.runs.queue import dispatch

RECIPES = Path(__file__).parents[2] / "benchmarks" / "recipes"
SCHEMES = [name for name in registry.names("scheme") if name != "imported"]
GPU = Device(cores=16, memory_gib=128, gpu_gib=80)


def passes(plan: Recipe) -> float:
    return float(plan.train.epochs * plan.train.shares["sequential"])


def test_on_two_cores_the_presets_of_movielens_100k_are_the_shipped_recipes() -> None:
    found = 0
    for scheme in registry.names("scheme"):
        for preset in PRESETS:
            file = RECIPES / f"{scheme}-ml-100k-{preset}.toml"
            if file.exists():
                shipped, made = recipe.load(file), presets.recipe(scheme, preset=preset, on=TWO_CORES)
                assert (made, made.name) == (shipped, shipped.name), file.name
                found += 1
    assert found >= 11


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("head", registry.names("head"))
def test_every_head_can_be_asked_for(scheme: str, head: str) -> None:
    made = presets.recipe(scheme, head=head, on=TWO_CORES)
    assert registry.name_of("head", made.head) == head
    assert made.embed is not None or not made.head.needs_vectors
    assert recipe.read(made.to_dict()) == made


def test_the_head_is_the_paper_s_where_none_is_named() -> None:
    heads = {scheme: registry.name_of("head", presets.recipe(scheme, on=TWO_CORES).head) for scheme in SCHEMES}
    assert {scheme: head for scheme, head in heads.items() if head != "trie"} == {"tokenrec": "retrieve", "cllm4rec": "items"}


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ({"scheme": "metid"}, "metaid"),
        ({"scheme": "metaid", "data": "ml-100"}, "ml-100k"),
        ({"scheme": "metaid", "preset": "sketsch"}, "sketch"),
        ({"scheme": "metaid", "head": "tri"}, "trie"),
        ({"scheme": "metaid", "lm": "smollm2"}, "smollm2-135m"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(given: dict[str, str], near: str) -> None:
    with pytest.raises(UnknownName, match=f"did you mean .*{near}"):
        presets.recipe(**given, on=TWO_CORES)


def test_what_no_recipe_can_be_is_refused_in_the_recipe_s_words() -> None:
    with pytest.raises(BadRecipe, match=r"\[scheme\] needs the setting 'items'"):
        presets.recipe("imported", on=TWO_CORES)
    with pytest.raises(BadRecipe, match=r"\[data\] needs the setting"):
        presets.recipe("metaid", data="table", on=TWO_CORES)


def test_sections_may_stand_for_names() -> None:
    made = presets.recipe({"name": "imported", "items": "names.json"}, {"name": "checkerboard", "n_users": 30, "n_items": 20}, on=TWO_CORES)
    assert (made.scheme.items, made.data.n_users, made.name) == ("names.json", 30, "imported-checkerboard-sketch")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("lm", ["nano", "smollm2-135m"])
def test_larger_data_is_read_less_often_and_never_less_than_a_hundredth(preset: str, lm: str) -> None:
    sizes = [(100, 50, 1_000), (943, 1_682, 100_000), (6_040, 3_416, 999_611), (500_000, 50_000, 50_000_000)]
    read = [passes(presets.recipe("metaid", preset=preset, lm=lm, on=TWO_CORES, size=size)) for size in sizes]
    assert read == sorted(read, reverse=True)
    assert read[0] <= 3 * presets.PASSES[preset]
    assert read[-1] >= 0.01


def test_where_one_pass_is_too_much_a_share_of_the_users_is_read() -> None:
    made = presets.recipe("metaid", data="ml-1m", on=TWO_CORES)
    assert made.train.epochs == 1
    # as many items as four passes over MovieLens-100K: 4 x (100,000 + 8 x 943) / (999,611 + 8 x 6,040)
    assert made.train.shares["sequential"] == pytest.approx(0.41, abs=0.005)


def test_names_that_cost_more_are_read_less_often_in_the_same_time() -> None:
    read = {scheme: passes(presets.recipe(scheme, preset="demo", on=TWO_CORES)) for scheme in SCHEMES}
    assert read["title"] == 10 and read["metaid"] == 20  # 900 s / (60 s x 1.5), and the preset's own


@pytest.mark.parametrize("data", [name for name in KNOWN])
@pytest.mark.parametrize("lm", ["nano", "smollm2-135m"])
def test_a_better_device_reads_no_less(data: str, lm: str) -> None:
    one, two, gpu = (
        [presets.recipe("metaid", data, preset, lm=lm, on=on) for preset in PRESETS] for on in (Device(1, 4.0), TWO_CORES, GPU)
    )
    for slow, middle, fast in zip(one, two, gpu, strict=True):
        assert passes(slow) <= passes(middle) <= passes(fast) + 1e-9
        assert (slow.lm.layers or 99) <= (fast.lm.layers or 99)


def test_pretrained_weights_get_lora_a_lower_rate_and_fewer_documents() -> None:
    nano, tuned = (presets.recipe("metaid", lm=lm, on=TWO_CORES, preset="demo") for lm in ("nano", "smollm2-135m"))
    assert (tuned.lm.pretrained, tuned.lm.tuned) == (True, "lora")
    assert tuned.train.lr < nano.train.lr and passes(tuned) < passes(nano)
    slower = presets.recipe("metaid", lm="smollm2-135m", on=Device(2, 16, bf16=False), preset="demo")
    assert passes(slower) < passes(tuned) / 5


def test_data_of_unknown_size_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path))
    section = {"name": "checkerboard", "n_users": 30, "n_items": 20}
    assert presets.recipe("metaid", section, on=TWO_CORES).train.epochs == 12  # three times as often as 100,000 interactions
    assert any((tmp_path / "stages" / "data").iterdir())


@pytest.mark.parametrize("lm", ["nano", "smollm2-135m"])
@pytest.mark.parametrize("preset", PRESETS)
def test_less_memory_never_asks_for_more(lm: str, preset: str) -> None:
    for of in (lambda gib: Device(16, 128.0, gpu_gib=gib), lambda gib: Device(2, gib)):
        made = [presets.recipe("metaid", lm=lm, preset=preset, on=of(gib)) for gib in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 80.0)]
        asked = [(plan.train.batch, plan.lm.layers or 99) for plan in made]
        assert asked == sorted(asked) and min(asked) >= (1, 1)


def test_a_small_gpu_gets_smaller_batches_and_then_fewer_layers() -> None:
    of = {gib: presets.recipe("metaid", lm="smollm2-135m", preset="full", on=Device(16, 128.0, gpu_gib=gib)) for gib in (1.5, 2, 8, 80)}
    assert [(plan.train.batch, plan.lm.layers) for plan in of.values()] == [(1, 3), (1, None), (8, None), (16, None)]


def test_cores_are_shared_by_the_runs_worked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_cores", lambda: 8)
    monkeypatch.setattr(machine, "gpus", lambda: 0)
    monkeypatch.setattr(machine, "describe", lambda: {"memory_gib": 32.0})
    monkeypatch.delenv("LLMREC_SLOTS", raising=False)
    assert (presets.device().cores, presets.device().memory_gib) == (2, 8.0)
    monkeypatch.setenv("LLMREC_SLOTS", "1")
    assert (presets.device().cores, presets.device().memory_gib) == (8, 32.0)
    monkeypatch.delenv("LLMREC_SLOTS")
    monkeypatch.setattr(machine, "gpus", lambda: 1)
    assert presets.device().cores == 8  # one run a GPU, with all cores


def test_this_machine_is_a_device() -> None:
    found = presets.device()
    assert found.cores >= 1 and found.memory_gib > 0
