"""Recipes from a page: everything that ships passes, everything hostile is refused in one sentence, and nothing new slips through."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmrec import guard, limits, recipe, registry
from llmrec.data import importing
from llmrec.recipe import BadRecipe

SHIPPED = sorted((Path(__file__).parents[1] / "benchmarks" / "recipes").rglob("*.toml"))
RATINGS = "user,item\n" + "".join(f"u{n},i{n % 7}\n" for n in range(20))


def every_stage() -> Iterator[tuple[str, str, Any]]:
    """(section, registered name, class) of everything that a recipe can name."""
    for section, kind in recipe.SECTIONS.items():
        if kind is None:
            yield section, "", type(recipe.stage(section, {}))
        else:
            for name in registry.names(kind):
                yield section, name, registry.load(kind, name)


STAGES = list(every_stage())
NAMES = [f"{section}.{name}" for section, name, _ in STAGES]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of data sets, and beside it what nobody may read."""
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text(RATINGS)
    (folder / "mine.csv").write_text(RATINGS)
    monkeypatch.setenv("LLMREC_DATA", str(folder))
    return folder


def asked(**sections: Any) -> recipe.Recipe:
    return guard.checked({"scheme": {"name": "sid"}, **sections})


@pytest.mark.parametrize("path", SHIPPED, ids=[f"{p.parent.name}/{p.stem}" for p in SHIPPED])
def test_every_recipe_that_ships_passes_as_it_is(path: Path) -> None:
    assert guard.recipe_from_text(path.read_text(encoding="utf-8")) == recipe.load(path)


def test_what_a_page_wrote_itself_comes_back() -> None:
    for path in SHIPPED:
        mine = recipe.load(path)
        assert guard.recipe_from_text(mine.to_toml()) == mine
        assert guard.recipe_from_text("\ufeff" + mine.to_toml().replace("\n", "\r\n")) == mine


@pytest.mark.parametrize(("section", "name", "cls"), STAGES, ids=NAMES)
def test_every_setting_of_every_stage_is_classified(section: str, name: str, cls: Any) -> None:
    hints = typing.get_type_hints(cls)
    for key in guard.text_settings(cls):
        kind = guard.kind_of(section, name, key, hints[key])
        assert kind is not None, f"say in llmrec/guard.py, TEXTS, what {section}.{name}.{key} is: a path, a model, a word"
        pathlike = any(word in key for word in ("path", "folder", "file", "dir"))
        assert kind == "path" if pathlike else True, f"{section}.{name}.{key} sounds like a path"
    for key, hint in hints.items():
        if typing.get_origin(hint) is not typing.ClassVar and {int, float} & set(guard._parts(hint)):
            assert limits.bound(section, key), f"say in llmrec/limits.py, BOUNDS, how large {section}.{key} may be"


@pytest.mark.parametrize(("section", "name", "cls"), STAGES, ids=NAMES)
def test_every_default_lies_within_its_bound(section: str, name: str, cls: Any) -> None:
    given = {f.name: "x" for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    limits.check_numbers(section, recipe.settings(cls(**given)))


@dataclasses.dataclass(frozen=True)
class Stranger:
    """A reader that somebody adds and tells nobody of."""

    origin: str = "/etc/passwd"
    again: tuple[Path, ...] = ()
    depth: int = 10**12

    def load(self) -> None: ...


@pytest.fixture
def upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set that was imported on this machine."""
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "r.csv").write_text("".join(["user,item\n", *(f"u{n % 4},i{n}\n" for n in range(40))]))
    return importing.bring([tmp_path / "given" / "r.csv"], "mine", {})[0]


def test_an_imported_set_is_allowed_by_its_name_and_by_its_path(data: Path, upload: Path) -> None:
    assert len(asked(data={"name": "upload", "set": "mine"}).data.load().interactions) == 40
    read = asked(data={"name": "table", "path": str(upload / "r.csv")})
    assert read.data.path == str(upload / "r.csv") and len(read.data.load().interactions) == 40
    for name in ("../data", "../../given", "mine/..", "/etc", "", "."):
        with pytest.raises(BadRecipe, match=r"\[data\].* is no name of an imported data set"):
            asked(data={"name": "upload", "set": name})


def test_nothing_beside_the_imported_sets_is_named(data: Path, upload: Path) -> None:
    home = upload.parents[1]
    (home / "queue.sqlite").write_text("x")
    (upload / "link.csv").symlink_to(data.parent / "secret.csv")
    (upload.parent / "linked").symlink_to(data.parent)
    outside = [
        home / "queue.sqlite", upload / "../../queue.sqlite", upload / "link.csv", upload, upload.parent / "linked/secret.csv",
        upload.parent / "linked", upload / "nothing.csv", f"{upload.parent}-other/r.csv", "uploads/mine/r.csv", "mine/r.csv",
    ]  # fmt: skip
    for path in outside:
        with pytest.raises(BadRecipe, match=r"\[data\] path"):
            asked(data={"name": "table", "path": str(path)})


def test_a_new_stage_cannot_slip_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.ENTRIES["data"], "stranger", f"{__name__}:Stranger")
    monkeypatch.setattr(registry, "load", lambda kind, name, load=registry.load: Stranger if name == "stranger" else load(kind, name))
    with pytest.raises(BadRecipe, match="depth"):
        asked(data={"name": "stranger"})
    monkeypatch.setitem(limits.BOUNDS, "depth", (0, 10**12))
    with pytest.raises(BadRecipe, match=r"\[data\] origin = '/etc/passwd' cannot be set from a page"):
        asked(data={"name": "stranger"})
    monkeypatch.setitem(guard.TEXTS, "data.origin", "word")
    with pytest.raises(BadRecipe, match=r"\[data\] again"):
        asked(data={"name": "stranger", "again": ["../x"]})


def test_a_file_of_the_data_folder_is_allowed_and_made_absolute(data: Path) -> None:
    for called in ("mine.csv", "./mine.csv", str(data / "mine.csv")):
        read = asked(data={"name": "table", "path": called})
        assert read.data.path == str(data / "mine.csv")
        assert len(read.data.load().interactions) == 20
    assert asked(data={"name": "lastfm"}).data.path is None
    assert asked(data={"name": "lastfm", "path": "."}).data.path == str(data)


OUTSIDE = [
    "../secret.csv",
    "..",
    "a/../../secret.csv",
    "mine.csv/../../secret.csv",
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    "~/.ssh/id_rsa",
    "~root",
    "",
    "link.csv",
    "ring.csv",
    "linked",
    "linked/secret.csv",
    "holder",
    "nothing.csv",
    "x" * 190,
    "file:///etc/passwd",
    "https://example.org/x.csv",
    "mine.csv\u202evsc",
    "//etc/passwd",
    "\\\\host\\share",
    "..\uff0fsecret.csv",
]
PATHS = [
    ("data", {"name": "table", "path": ...}),
    ("data", {"name": "table", "path": "mine.csv", "items_path": ...}),
    ("data", {"name": "sequences", "path": "mine.csv", "titles_path": ...}),
    ("data", {"name": "recbole", "path": ...}),
    ("data", {"name": "movielens", "path": ...}),
    ("data", {"name": "ml-1m", "path": ...}),
    ("scheme", {"name": "imported", "items": ...}),
    ("scheme", {"name": "imported", "items": "mine.csv", "users": ...}),
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_outside_the_data_folder_is_named(data: Path, path: str) -> None:
    outside = data.parent
    (data / "link.csv").symlink_to(outside / "secret.csv")
    (data / "ring.csv").symlink_to(data / "ring.csv")
    (data / "linked").symlink_to(outside)
    (data / "holder").mkdir()
    (data / "holder" / "ratings.csv").symlink_to(outside / "secret.csv")
    for section, body in PATHS:
        filled = {key: path if value is ... else value for key, value in body.items()}
        with pytest.raises(BadRecipe, match=rf"\[{section}\]|{section}\.\w+ is|{section}\.\w+ holds"):
            asked(**{section: filled})


@pytest.mark.parametrize("model", ["org/name", ".", "/tmp", "../models", "smollm2-135M", "nano/", "https://x/y", "", "evil/nano"])
def test_only_models_that_ship_are_named(model: str) -> None:
    for section, key in (("lm", "name"), ("embed", "model")):
        body: dict[str, Any] = {key: model, **({"name": "text"} if section == "embed" else {})}
        with pytest.raises(BadRecipe, match=rf"\[{section}\] {key}"):
            asked(**{section: body})
    assert asked(lm={"name": "tiny"}).lm.name == "tiny"


@pytest.mark.parametrize("encoding", ["zip", "idna", "../../x", "unicode_escape", "uu"])
def test_only_encodings_of_text_are_named(data: Path, encoding: str) -> None:
    with pytest.raises(BadRecipe, match="encoding"):
        asked(data={"name": "table", "path": "mine.csv", "encoding": encoding})
    assert asked(data={"name": "table", "path": "mine.csv", "encoding": "Latin_1"}).data.encoding == "Latin_1"


def numeric() -> Iterator[tuple[str, str, str, Any]]:
    for section, name, cls in STAGES:
        for key, hint in typing.get_type_hints(cls).items():
            if typing.get_origin(hint) is not typing.ClassVar and {int, float} & set(guard._parts(hint)):
                yield section, name, key, hint


@pytest.mark.parametrize(("section", "name", "key", "hint"), list(numeric()), ids=[f"{s}.{n}.{k}" for s, n, k, _ in numeric()])
def test_no_setting_can_be_10_to_the_12(data: Path, section: str, name: str, key: str, hint: Any) -> None:
    for huge in (10**12, 10**30, 1e300, float("inf"), float("nan")):
        value: Any = {"sequential": huge} if key == "tasks" else huge
        if typing.get_origin(hint) is tuple:
            value = [huge] * len(typing.get_args(hint))
        body: dict[str, Any] = {key: value, **({"name": name} if name else {})}
        body |= {"path": "mine.csv"} if name in ("table", "sequences", "recbole", "movielens") else {}
        with pytest.raises(BadRecipe, match=key):
            asked(**{"embed": {"name": "lightgcn"}, section: body})


def test_a_bound_names_key_value_and_bound() -> None:
    with pytest.raises(BadRecipe, match=r"\[train\] epochs = 5,000 must lie in 0 to 1,000 here"):
        asked(train={"epochs": 5000})
    with pytest.raises(BadRecipe, match=r"n_users = 100,000 times n_items = 100,000 is 10,000,000,000, and 20,000,000 is the most"):
        asked(data={"name": "checkerboard", "n_users": 100_000, "n_items": 100_000})
    with pytest.raises(BadRecipe, match="seed = 1,000,000,000,000 must lie"):
        asked(seed=10**12)


DEEP = 20_000
HOSTILE = {
    "empty words": "x" * 70_000,
    "many letters": "# " + "é" * 40_000,
    "arrays in arrays": "seed = " + "[" * DEEP,
    "closed arrays": "seed = " + "[" * DEEP + "]" * DEEP,
    "arrays behind comments": "seed = " + "[ # ]\n" * 10_000,
    "tables in tables": "seed = " + "{a=" * DEEP + "1" + "}" * DEEP,
    "dotted key": "a." * 30_000 + "a = 1",
    "dotted header": "[" + "a." * 30_000 + "a]",
    "spaced dots": "a . " * 15_000 + "a = 1",
    "quoted dots": '"a b".' * 10_000 + "a = 1",
    "dotted lines": "\n".join("a." * 1_900 + f"b{n} = 1" for n in range(16)),
    "a dotted value": "seed." * 7 + "x = 1",
    "six deep": "a.b.c.d.e.f = 1",
    "headers": "[[a]]\n" * 9_000,
    "a number of digits": "seed = " + "1" * 3_900,
    "a number of more digits": "seed = " + "1" * 60_000,
    "a hex number": "seed = 0x" + "f" * 3_900,
    "a long text": f'[lm]\nname = "{"x" * 3_000}"',
    "a long key": "[lm]\n" + "x" * 3_000 + " = 1",
    "a long list": "[train]\nlr = [" + ",\n".join(["1"] * 1_500) + "]",
    "many keys": "[train]\n" + "\n".join(f"k{n} = 1" for n in range(3_000)),
    "zero byte": "seed = 1\x00",
    "escape": "seed = 1 # \x1b[2J",
    "escaped zero": '[lm]\nname = "\\u0000"',
    "escaped escape": '[lm]\nname = "\\u001B[2J"',
    "escaped key": '["\\u001B[2J"]',
    "turned writing": "seed = 1 # \u202e",
    "escaped turn": '[lm]\nname = "\\u202e"',
    "half a character": "seed = 1 # \ud800",
    "not toml": "<script>alert(1)</script>",
    "not closed": '[lm\nname = "',
    "text three quotes": 'a = """' + '\\"' * 10_000,
    "nan": "[train]\nlr = nan",
    "infinity": "[train]\nlr = inf",
    "date": "seed = 1979-05-27T07:32:00Z",
    "unknown section": "[os]\nsystem = 1",
    "unknown setting": "[train]\n__class__ = 1",
    "unknown stage": '[scheme]\nname = "os:system"',
    "stage by path": '[scheme]\nname = "../../x"',
    "stage as list": "[scheme]\nname = [1]",
    "section as list": "scheme = [1, 2]",
    "list of numbers": "[train]\nlr = " + "[" * 60 + "]" * 60,
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(BadRecipe) as error:
        guard.recipe_from_text(text)
    assert len(str(error.value)) < 1_200 and str(error.value).isprintable()


@pytest.mark.parametrize("what", [name for name in HOSTILE if name.startswith(("arrays", "dotted", "spaced", "tables", "many letters"))])
def test_what_would_take_the_reader_long_or_deep_never_reaches_it(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dotted key of 64 KiB keeps `tomllib` busy for 20 seconds, since it takes time by the square of its length."""
    monkeypatch.setattr(tomllib, "loads", lambda text: pytest.fail("read"))
    with pytest.raises(BadRecipe):
        guard.recipe_from_text(HOSTILE[what])


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_a_recipe_or_a_sentence(text: str) -> None:
    try:
        guard.recipe_from_text('[scheme]\nname = "sid"\n' + text)
    except BadRecipe as error:
        assert str(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_form_gives_a_recipe_or_a_sentence(value: Any) -> None:
    for plain in ({"scheme": {"name": "sid"}, "train": value}, {"scheme": {"name": "sid", "first": value}}, {"seed": value}):
        try:
            guard.checked(plain)
        except BadRecipe as error:
            assert str(error)


@pytest.mark.parametrize(
    "form", [None, [], [{"name": "rid"}], "seed = 0", 3, {1: 2}, {None: {}}, {"data": {3: "x"}}, {"train": {"tasks": {(): 1}}}]
)
def test_what_is_no_table_of_texts_is_refused_in_a_sentence(form: Any) -> None:
    with pytest.raises(BadRecipe, match=r"is a table of sections|no text: name it in words"):
        guard.checked(form)
