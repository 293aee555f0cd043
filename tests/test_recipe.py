"""Recipes: round trips, refusals by name, fingerprints that move with every setting and with nothing else."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec import recipe
from llmrec.recipe import BadRecipe

BOARD: dict[str, Any] = {"data": {"name": "checkerboard"}, "scheme": {"name": "metaid", "n_clusters": 4}, "lm": {"name": "tiny"}}
SHIPPED = sorted((Path(__file__).parents[1] / "benchmarks" / "recipes").glob("*.toml"))


@dataclass(frozen=True)
class Sample:
    """Every kind of setting a stage may have."""

    whole: int = 1
    share: float = 0.5
    text: str = "a"
    on: bool = False
    maybe: float | None = 2.0
    word: Literal["a", "b"] = "a"
    number: Literal[1, 2] = 1
    many: tuple[int, ...] = (1, 2)
    pair: tuple[int, str] = (1, "x")
    names: dict[str, str] = field(default_factory=dict)
    place: Path | None = None
    either: int | str = 1


def round_trip(sample: Sample) -> Sample:
    text = "".join(f"{key} = {recipe.toml_value(value)}\n" for key, value in recipe._differences(sample).items())
    return recipe.build(Sample, tomllib.loads(text), "sample")  # type: ignore[no-any-return]


SAMPLES = st.builds(
    Sample,
    whole=st.integers(-(2**60), 2**60),
    share=st.floats(allow_nan=False),
    text=st.text(st.characters(exclude_categories=["Cs"])),
    on=st.booleans(),
    maybe=st.none() | st.floats(allow_nan=False),
    word=st.sampled_from(["a", "b"]),
    number=st.sampled_from([1, 2]),
    many=st.lists(st.integers(0, 9)).map(tuple),
    pair=st.tuples(st.integers(0, 9), st.text(st.characters(exclude_categories=["Cs"]))),
    names=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
    place=st.none() | st.sampled_from([Path("a/b"), Path("/c d/é")]),
    either=st.integers(0, 9) | st.sampled_from(["x", "none", "a = 1"]),
)


@given(SAMPLES)
def test_every_setting_comes_back_from_toml(sample: Sample) -> None:
    assert round_trip(sample) == sample


def test_none_survives_where_the_default_is_something() -> None:
    assert round_trip(Sample(maybe=None)).maybe is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("whole", 1.5),
        ("whole", True),
        ("whole", "1"),
        ("share", "x"),
        ("share", True),
        ("text", 3),
        ("on", 1),
        ("on", "yes"),
        ("maybe", "x"),
        ("word", "c"),
        ("number", True),
        ("many", 3),
        ("many", [1, "x"]),
        ("pair", [1]),
        ("pair", ["x", 1]),
        ("names", {"a": 1}),
        ("place", 3),
        ("either", 1.5),
        ("either", None),
    ],
)
def test_a_wrong_type_is_refused_by_section_key_and_value(key: str, value: Any) -> None:
    with pytest.raises(BadRecipe, match=rf"\[sample\] {key}"):
        recipe.build(Sample, {key: value}, "sample")


def test_a_whole_number_passes_as_a_float() -> None:
    built = recipe.build(Sample, {"share": 2}, "sample")
    assert built.share == 2.0
    assert isinstance(built.share, float)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ({**BOARD, "scheem": {}}, "unknown section 'scheem': did you mean 'scheme'"),
        ({**BOARD, "scheme": {"name": "metaid", "n_cluster": 3}}, "no setting 'n_cluster': did you mean 'n_clusters'"),
        ({**BOARD, "scheme": {"name": "metaid", "n_clusters": 0}}, "n_clusters is 0"),
        ({**BOARD, "scheme": {"n_clusters": 3}}, r"\[scheme\] needs a name"),
        ({**BOARD, "scheme": "metaid"}, r"\[scheme\] must be a table"),
        ({**BOARD, "data": {"name": "table"}}, "needs the setting 'path'"),
        ({**BOARD, "seed": -1}, "seed = -1"),
        ({**BOARD, "seed": True}, "seed = True"),
        ({**BOARD, "seed": "1"}, "seed = '1'"),
        ({}, r"\[scheme\] needs a name"),
    ],
)
def test_a_bad_recipe_is_refused_by_name(plain: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRecipe, match=said):
        recipe.read(plain)


def test_reading_leaves_its_argument_alone() -> None:
    plain = {"data": {"name": "checkerboard"}, "scheme": {"name": "metaid"}}
    recipe.read(plain)
    assert plain == {"data": {"name": "checkerboard"}, "scheme": {"name": "metaid"}}


def test_a_recipe_comes_back_from_its_dictionary_and_from_its_toml() -> None:
    first = recipe.read({**BOARD, "seed": 7, "filter": {"user": 3}, "head": {"beams": 5}, "train": {"lr": 0.0005}})
    assert recipe.read(first.to_dict()) == first
    assert recipe.read(tomllib.loads(first.to_toml())) == first
    assert recipe.read(tomllib.loads(first.to_toml())).fingerprint() == first.fingerprint()


def test_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=r"there is no recipe .*nowhere\.toml"):
        recipe.load(tmp_path / "nowhere.toml")
    (tmp_path / "half.toml").write_text('[data]\nname = "check', encoding="utf-8")
    with pytest.raises(BadRecipe, match=r"half\.toml is not a TOML file"):
        recipe.load(tmp_path / "half.toml")
    (tmp_path / "latin.toml").write_bytes('x = "é"'.encode("latin-1"))
    with pytest.raises(BadRecipe, match=r"latin\.toml is not a TOML file"):
        recipe.load(tmp_path / "latin.toml")
    (tmp_path / "typo.toml").write_text("[scheme]\nname = 'metadi'\n", encoding="utf-8")
    with pytest.raises(BadRecipe, match=r"typo\.toml: no scheme is called 'metadi': did you mean metaid"):
        recipe.load(tmp_path / "typo.toml")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_text(recipe.read(BOARD).to_toml(), encoding="utf-8-sig")
    assert recipe.load(tmp_path / "bom.toml") == recipe.read(BOARD)


def test_changes_by_dotted_keys() -> None:
    changed = recipe.with_settings(recipe.read(BOARD), {"seed": 3, "scheme.n_clusters": 9, "filter.user": 5})
    assert (changed.seed, changed.scheme.n_clusters, changed.filter.user) == (3, 9, 5)
    base = recipe.read(BOARD | {"train": {"tasks": {"direct": 0.5}}})
    more = recipe.with_settings(base, {"train.tasks.rating": 0.25, "train.epochs": 2})
    assert more.train.tasks == {"direct": 0.5, "rating": 0.25} and more.train.epochs == 2 and base.train.tasks == {"direct": 0.5}
    assert recipe.with_settings(recipe.read(BOARD), {"train.tasks.direct": 0.5}) == base and hash(base) != hash(more)
    with pytest.raises(recipe.BadRecipe, match="no task is called 'ratin'"):
        recipe.with_settings(base, {"train.tasks.ratin": 0.25})
    with pytest.raises(recipe.BadRecipe, match=r"epochs is a single value"):
        recipe.with_settings(more, {"train.epochs.x": 1})
    with pytest.raises(BadRecipe, match="no setting"):
        recipe.with_settings(recipe.read(BOARD), {"seed.x": 1})
    with pytest.raises(BadRecipe, match="unknown section"):
        recipe.with_settings(recipe.read(BOARD), {"traim.lr": 1})


def test_changes_stay_as_they_were_given() -> None:
    changes = {"train": {"tasks": {"direct": 0.5}}, "train.epochs": 3, "train.tasks.rating": 0.25}
    changed = recipe.with_settings(recipe.read(BOARD), changes)
    assert (changed.train.epochs, changed.train.tasks) == (3, {"direct": 0.5, "rating": 0.25})
    assert changes == {"train": {"tasks": {"direct": 0.5}}, "train.epochs": 3, "train.tasks.rating": 0.25}


def test_a_fingerprint_moves_with_every_setting_and_with_nothing_else() -> None:
    base = recipe.read(BOARD)
    assert (
        recipe.read({**BOARD, "scheme": {"name": "metaid", "n_clusters": 4, "restarts": base.scheme.restarts}}).fingerprint()
        == base.fingerprint()
    )
    assert dataclasses.replace(base, name="other").fingerprint() == base.fingerprint()
    changes = [{"seed": 1}, {"scheme.n_clusters": 5}, {"embed.d": 16}, {"train.batch": 8}, {"head.beams": 3}, {"data.n_users": 60}]
    prints = [recipe.with_settings(base, change).fingerprint() for change in changes]
    assert len({base.fingerprint(), *prints}) == len(changes) + 1


def test_a_section_s_fingerprint_ignores_the_other_sections() -> None:
    base = recipe.read(BOARD)
    other = recipe.with_settings(base, {"train.batch": 8})
    assert other.fingerprint("data", "filter") == base.fingerprint("data", "filter")
    assert other.fingerprint("train") != base.fingerprint("train")


def test_a_fingerprint_is_the_same_in_another_process() -> None:
    code = f"from llmrec import recipe; print(recipe.read({BOARD!r}).fingerprint())"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}, cwd=Path(__file__).parents[1]
    )
    assert told.stdout.strip() == recipe.read(BOARD).fingerprint()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_every_shipped_recipe_loads_and_is_named_by_its_stages(path: Path) -> None:
    from llmrec.runs.store import stage_names

    shipped = recipe.load(path)
    named = stage_names(shipped)
    assert path.stem.startswith(f"{named['scheme']}-{named['data']}-")
    assert recipe.read(shipped.to_dict()) == shipped
