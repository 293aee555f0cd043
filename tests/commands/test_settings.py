"""`--set`, the names of recipes, and the command line that equals a recipe."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmrec import recipe
from llmrec.__main__ import parser
from llmrec.commands import settings
from llmrec.recipe import Recipe
from llmrec.registry import UnknownName
from llmrec.runs import presets, store
from tests.runs.worlds import board


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("a.b=3", 3),
        ("a.b=0.5", 0.5),
        ("a.b=true", True),
        ("a.b=[1, 2]", [1, 2]),
        ('a.b="3"', "3"),
        ("a.b=apart", "apart"),
        ("a.b=org/name", "org/name"),
        ("a.b=", ""),
        ("a.b=x=y", "x=y"),
        ("a.b=1\nc = 2", "1\nc = 2"),
    ],
)
def test_a_value_is_toml_or_text(pair: str, value: Any) -> None:
    assert settings.changes([pair]) == {"a.b": value}


def test_later_changes_win_and_nonsense_is_refused() -> None:
    assert settings.changes(["a=1", "a=2"]) == {"a": 2}
    for nonsense in ("a", "=1", ""):
        with pytest.raises(ValueError, match=r"section\.key=value"):
            settings.changes([nonsense])


def test_recipes_by_path_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "benchmarks" / "recipes"
    shipped.mkdir(parents=True)
    (shipped / "rid-x-demo.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert settings.recipe_path("rid-x-demo").resolve() == shipped / "rid-x-demo.toml"
    assert settings.recipe_path("rid-x-demo.toml").resolve() == shipped / "rid-x-demo.toml"
    assert settings.recipe_path(str(shipped / "rid-x-demo.toml")) == shipped / "rid-x-demo.toml"
    with pytest.raises(ValueError, match="did you mean .*rid-x-demo"):
        settings.recipe_path("rid-x-dmo")
    with pytest.raises(ValueError, match="there is no recipe"):
        settings.recipe_path("../recipes/rid-x-demo")


# What a command line says of a recipe, and what it reads back as.


def parsed(line: str) -> argparse.Namespace:
    """The arguments that a shell would hand over."""
    words = shlex.split(line)
    assert words[:2] == ["llmrec", "train"]
    return parser().parse_args(words[1:])


def read_back(line: str, wanted: Recipe, folder: Path) -> Recipe:
    """The recipe that this line trains; where it names a file that is not there, the file is written first."""
    args = parsed(line)
    if args.recipe is not None and args.recipe == settings.file_name(wanted):
        (folder / args.recipe).write_text(wanted.to_toml(), encoding="utf-8")
    return settings.asked(args)


def shipped(name: str, **changed: Any) -> Recipe:
    base = recipe.load(settings.recipe_path(name))
    return recipe.with_settings(base, {key.replace("__", "."): value for key, value in changed.items()})


def test_a_shipped_recipe_is_its_name() -> None:
    assert settings.command_line(shipped("metaid-ml-100k-sketch")) == "llmrec train metaid-ml-100k-sketch"
    assert settings.command_line(shipped("metaid-ml-100k-sketch", seed=7)) == "llmrec train metaid-ml-100k-sketch --set seed=7"


def test_changes_are_quoted_where_a_shell_would_read_them_otherwise() -> None:
    changed = shipped("metaid-ml-100k-sketch", lm__name="my models/a b", train__lr=0.5)
    assert settings.command_line(changed) == "llmrec train metaid-ml-100k-sketch --set 'lm.name=my models/a b' --set train.lr=0.5"


def test_a_preset_is_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "device", lambda: presets.TWO_CORES)
    made = presets.recipe("tiger", "lastfm", "demo", on=presets.TWO_CORES)
    assert settings.command_line(made) == "llmrec train --scheme tiger --data lastfm --preset demo"
    seeded = dataclasses.replace(presets.recipe("tokenrec", "lastfm", "sketch", "trie", on=presets.TWO_CORES), seed=4)
    assert settings.command_line(seeded) == "llmrec train --scheme tokenrec --data lastfm --head trie --preset sketch --set seed=4"


def test_what_is_near_nothing_is_a_file() -> None:
    assert settings.command_line(board()) == "llmrec train metaid-checkerboard-tiny.toml"
    odd = dataclasses.replace(board(), name="--out ../$(x)")
    assert shlex.split(settings.command_line(odd))[-1] == "out-..-x.toml"


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "seed": st.integers(0, 2**40),
    "train.epochs": st.integers(1, 99),
    "train.lr": st.floats(1e-9, 1.0),
    "train.tasks.direct": st.floats(0.01, 1.0),
    "train.tasks.rating": st.floats(0.01, 1.0),
    "embed.centred": st.booleans(),
    "embed.d": st.integers(1, 512),
    "embed": st.just({"name": "lightgcn", "d": 16}),
    "head.name": st.sampled_from(["trie", "items", "retrieve"]),
    "lm.layers": st.just("none") | st.integers(1, 4),
    "lm.name": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    "split.name": st.sampled_from(["loo", "holdout", "unseen-users"]),
    "filter.user": st.integers(2, 20),
    "data.name": st.sampled_from(["ml-100k", "lastfm", "checkerboard"]),
}


@hypothesis.settings(deadline=None, max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_spelled_reads_back_as_the_same_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presets, "device", lambda: presets.TWO_CORES)
    base = recipe.load(settings.recipe_path(data.draw(st.sampled_from(settings.recipe_names()))))
    chosen = data.draw(st.lists(st.sampled_from(sorted(CHANGES)), unique=True, max_size=4))
    try:
        wanted = recipe.with_settings(base, {key: data.draw(CHANGES[key], label=key) for key in chosen})
    except (ValueError, UnknownName):
        hypothesis.reject()
    line = settings.command_line(wanted)
    assert "\n" not in line
    assert read_back(line, wanted, tmp_path) == wanted


@pytest.mark.parametrize("scheme", ["metaid", "rid", "cllm4rec"])
@pytest.mark.parametrize("preset", presets.PRESETS)
@pytest.mark.parametrize("lm", ["nano", "smollm2-135m"])
def test_presets_read_back_as_the_same_recipe(scheme: str, preset: str, lm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(presets, "device", lambda: presets.TWO_CORES)
    wanted = presets.recipe(scheme, "ml-100k", preset, None, lm)
    assert read_back(settings.command_line(wanted), wanted, tmp_path) == wanted


def test_what_the_arguments_do_not_say_together(tmp_path: Path) -> None:
    for words, said in (
        (["metaid-ml-100k-sketch", "--scheme", "rid"], "both the recipe 'metaid-ml-100k-sketch' and --scheme"),
        (["metaid-ml-100k-sketch", "--preset", "demo"], "--preset goes with --scheme"),
        ([], "no recipe was given"),
    ):
        with pytest.raises(ValueError, match=said):
            settings.asked(parser().parse_args(["train", *words]))
    for words, said in ((["--scheme", "metadi"], "metaid"), (["--scheme", "rid", "--preset", "sketsch"], "sketch")):
        with pytest.raises(UnknownName, match=f"did you mean {said}"):
            settings.asked(parser().parse_args(["train", *words]))


def test_a_preset_of_a_table_of_one_s_own_reads_it_with_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    table = tmp_path / "mine.csv"
    table.write_text("wer,was,wann\n" + "".join(f"u{n % 9},i{n % 7},{n}\n" for n in range(90)))
    words = ["train", "--scheme", "rid", "--data", str(table)]
    words += [word for key, column in (("user", "wer"), ("item", "was"), ("time", "wann")) for word in ("--set", f"data.{key}={column}")]
    made = settings.asked(parser().parse_args([*words, "--set", "filter.user=2", "--set", "filter.item=2"]))
    assert (made.data.path, made.data.user, made.filter.user) == (str(table), "wer", 2)


def test_an_unknown_recipe_is_told_in_a_line_that_can_be_read() -> None:
    with pytest.raises(ValueError, match="there is no recipe 'zzz'") as found:
        settings.recipe_path("zzz")
    names = settings.recipe_names()
    assert all(name in str(found.value) for name in names[:3])
    assert f"and {len(names) - 3} more" in str(found.value)
    assert len(str(found.value)) < 300


def test_a_missing_file_is_told_to_be_a_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no recipe '.*zzz.toml': check the path$"):
        settings.recipe_path(str(tmp_path / "zzz.toml"))
    with pytest.raises(ValueError, match="check the path, or did you mean metaid-ml-100k-sketch"):
        settings.recipe_path("metaid-ml-100k-sketsh.toml")


def test_a_run_in_the_place_of_a_recipe_is_told_what_to_do_with_it() -> None:
    found = store.create(recipe.load(settings.recipe_path("metaid-ml-100k-sketch")))
    with pytest.raises(
        ValueError, match=f"'{found.name}' is a run: `llmrec train {found.name} --resume`.*`llmrec runs again {found.name}`"
    ):
        settings.recipe_path(found.name)
