"""`llmrec ids` and its verbs: names fitted, opened again by name, folder and file, measured, compared, given to newcomers, exported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmrec.__main__ import main
from llmrec.commands.ids.fit import recipe_of
from llmrec.ids.exchange import files, official
from llmrec.runs import store
from tests.commands.at_work import own_home, place
from tests.runs.worlds import board

__all__ = ["own_home", "place"]

BOARD = ("--data", "checkerboard", "--set", "data.n_users=30", "--set", "data.n_items=20")
QUICK = ("--set", "embed.d=8", "--set", "embed.epochs=3", "--set", "embed.walks_per_node=4", "--set", "scheme.n_clusters=4")
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def metaid(home: Path) -> dict[str, Any]:
    """META ID's names for a small board, fitted by the command in a process of its own; the other tests read them."""
    env = {**os.environ, "LLMREC_HOME": str(home), "LLMREC_RUNS": str(home / "runs")}
    words = ["-m", "llmrec", "ids", "fit", "metaid", *BOARD, *QUICK, "--seed", "3", "--json"]
    done = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True, env=env, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    assert "names: " in done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture
def ids(capsys: pytest.CaptureFixture[str]) -> Call:
    """What `llmrec ids ...` says: its JSON with `--json`, its text without; a refusal is the one line on standard error."""

    def call(*words: str, refused: bool = False) -> Any:
        code = main(["ids", *words])
        out, err = capsys.readouterr()
        if refused:
            assert (code, out) == (2, ""), (code, out, err)
            *progress, line = err.splitlines()
            assert line.startswith("llmrec: ") and not any(other.startswith("llmrec: ") for other in progress)
            return line
        assert code == 0, err
        return json.loads(out) if "--json" in words else out

    return call


def test_fit_tells_what_came_out_and_keeps_it(metaid: dict[str, Any], home: Path) -> None:
    assert (metaid["scheme"], metaid["data"], metaid["seed"]) == ("metaid", "checkerboard", 3)
    assert (metaid["n_items"], metaid["n_users"], metaid["distinct_items"], metaid["collisions"]) == (20, 30, 20, 0)
    assert [len(e["pieces"]) for e in metaid["examples"]] == [2] * 5
    assert (metaid["levels"][0]["book"], metaid["levels"][0]["size"]) == ("c", 4)
    folder = Path(metaid["path"])
    assert folder.parent == home / "tables" and folder.name == metaid["table"]
    assert {p.name for p in folder.iterdir()} == {"recipe.toml", "table.json", "ids", "vectors", "catalog"}
    assert "n_clusters = 4" in (folder / "recipe.toml").read_text()


def test_the_same_fit_is_the_same_table_and_comes_from_the_cache(ids: Call, metaid: dict[str, Any]) -> None:
    again = ids("fit", "metaid", *BOARD, *QUICK, "--seed", "3", "--json")
    assert (again["path"], again["examples"]) == (metaid["path"], metaid["examples"])
    other = ids("fit", "metaid", *BOARD, *QUICK, "--seed", "4", "--json")
    assert other["path"] != metaid["path"]


def test_fit_into_a_folder_or_a_file(ids: Call, metaid: dict[str, Any], tmp_path: Path) -> None:
    told = ids("fit", "metaid", *BOARD, *QUICK, "--seed", "3", "--out", str(tmp_path / "mine"), "--json")
    assert (told["path"], told["table"], told["examples"]) == (str(tmp_path / "mine"), "mine", metaid["examples"])
    ids("fit", "metaid", *BOARD, *QUICK, "--seed", "3", "--out", str(tmp_path / "mine"))  # a table gives way to a table
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    assert "is not an empty folder" in ids("fit", "metaid", *BOARD, "--out", str(tmp_path / "letters"), refused=True)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "keep me"
    told = ids("fit", "metaid", *BOARD, *QUICK, "--seed", "3", "--out", str(tmp_path / "n.parquet"), "--json")
    keyed = official.read(told["path"])
    assert [str(p) for p in keyed.table.items.spell(0)] == metaid["examples"][0]["pieces"]
    assert "written as .json or .parquet" in ids("fit", "metaid", *BOARD, "--out", str(tmp_path / "n.csv"), refused=True)


def test_an_imported_file_is_fitted_like_a_scheme(ids: Call, metaid: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    ids("export", metaid["table"], str(path))
    told = ids("fit", "imported", *BOARD, "--set", f"scheme.items={path}", "--json")
    assert (told["scheme"], told["examples"]) == ("imported", metaid["examples"])
    assert "needs the setting 'items'" in ids("fit", "imported", *BOARD, refused=True)
    assert "no name for 4 of the 24 items" in ids(
        "fit", "imported", "--data", "checkerboard", "--set", "data.n_items=24", "--set", f"scheme.items={path}", refused=True
    )


def test_a_table_is_looked_at_by_name_folder_and_file(ids: Call, metaid: dict[str, Any], tmp_path: Path) -> None:
    path = str(tmp_path / "n.json")
    ids("export", metaid["table"], path)
    told = [ids(table, "--item", "even 2", "--json") for table in (metaid["table"], metaid["path"], path)]
    assert told[0] == told[1] == told[2]
    assert (told[0]["key"], told[0]["pieces"]) == ("i2", metaid["examples"][2]["pieces"])
    assert ids("--item", "i2", path, "--json") == told[0], "options may come first"
    assert told[0]["pieces"][0] in ids(path, "--token", told[0]["pieces"][0])
    assert "user u1 is named" in ids(path, "--user", "u1")


def test_export_says_what_it_wrote(ids: Call, metaid: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "n.parquet"
    told = ids("export", metaid["table"], str(path), "--json")
    assert told["files"] == [str(path), f"{path}.safetensors"]
    assert (told["n_items"], told["n_users"], len(pd.read_parquet(path))) == (20, 30, 50)
    assert files.load(path).table.item_quantizer is not None
    assert "must end in .json or .parquet" in ids("export", metaid["table"], str(tmp_path / "n.xlsx"), refused=True)


def test_health_of_a_fit_and_of_a_file_on_the_same_data(ids: Call, metaid: dict[str, Any], tmp_path: Path) -> None:
    told = ids("health", metaid["table"], "--json")
    assert told["health"]["distinct_items"] == 20
    assert told["memorization"]["pearson"] > 0, "names by behaviour mirror behaviour"
    path = str(tmp_path / "n.json")
    ids("export", metaid["table"], path)
    bare = ids("health", path, "--json")
    assert bare["memorization"] is None and any("memorization" in note for note in bare["notes"])
    with_data = ids("health", path, *BOARD, "--json")
    assert with_data["memorization"] == told["memorization"]
    assert "20 items bear 20 different names" in ids("health", metaid["table"])


def test_who_collides_is_named_by_key(ids: Call, tmp_path: Path) -> None:
    rows = [{"key": key, "title": key.upper(), "codes": [0]} for key in "ab"]
    (tmp_path / "n.json").write_text(json.dumps({"scheme": "s", "books": [{"prefix": "c", "size": 1}], "items": rows}))
    shared = ids("health", str(tmp_path / "n.json"), "--json")["health"]["shared"]
    assert shared["groups"] == [
        {"name": ["<c0>"], "size": 2, "items": [{"key": "a", "title": "A"}, {"key": "b", "title": "B"}], "users": []}
    ]
    assert "A (a), B (b)" in ids("health", str(tmp_path / "n.json"))


def test_diff_aligns_by_key_and_names_what_moved(ids: Call, tmp_path: Path) -> None:
    def write(name: str, codes: dict[str, int]) -> str:
        rows = [{"key": key, "title": key.upper(), "codes": [code]} for key, code in codes.items()]
        (tmp_path / name).write_text(json.dumps({"scheme": name[0], "books": [{"prefix": "c", "size": 9}], "items": rows}))
        return str(tmp_path / name)

    a = write("a.json", {"w": 0, "x": 0, "y": 1, "z": 1})
    b = write("b.json", {"z": 5, "y": 5, "x": 3, "w": 3, "new": 3})
    same = ids("diff", a, b, "--json")
    assert (same["items"]["n"], same["items"]["agreement"][0]["ari"], same["items"]["moved"], same["users"]) == (4, 1.0, [], None)
    c = write("c.json", {"w": 0, "x": 0, "y": 1, "z": 0})
    moved = ids("diff", a, c, "--most", "1", "--json")["items"]["moved"]
    assert [(m["key"], m["title"], m["left"], m["joined"]) for m in moved] == [("z", "Z", ["y"], ["w", "x"])]
    assert "Z moved by 1.000: left Y (1), joined W, X (2)" in ids("diff", a, c)
    assert "depth must be 1 or more" in ids("diff", a, c, "--depth", "0", refused=True)


def test_newcomers(ids: Call, metaid: dict[str, Any], tmp_path: Path) -> None:
    told = ids("name", metaid["table"], "--history", "Even 2; Even 4; Even 6", "--json")
    assert (told["side"], len(told["pieces"]), told["pieces"][0][:2]) == ("user", 2, "<c")
    assert {"key", "shared"} == set(told["users"][0]) and {"key", "title", "shared"} == set(told["items"][0])
    assert all(int(user["key"][1:]) % 2 == 0 for user in told["users"]), "people who like even items"
    item = ids("name", metaid["table"], "--item-users", "u1, u3, u5", "--json")
    assert item["side"] == "item" and all(n["title"].startswith("Odd") for n in item["items"])
    assert "The new user is named <c" in ids("name", metaid["table"], "--history", "Even 2")
    assert "reads no text" in ids("name", metaid["table"], "--text", "Even 100", refused=True)
    assert "no item is called" in ids("name", metaid["table"], "--history", "Casablanca", refused=True)
    assert "no user has the key 'u999'" in ids("name", metaid["table"], "--item-users", "u999", refused=True)
    path = str(tmp_path / "n.json")
    ids("export", metaid["table"], path)
    assert "holds names alone" in ids("name", path, "--history", "Even 2", refused=True)


def test_a_run_is_a_table_too(ids: Call, metaid: dict[str, Any]) -> None:
    run = store.create(board())
    shown = ids(run.name, "--item", "i2", "--json")
    assert len(shown["pieces"]) == 2
    assert ids("diff", run.name, metaid["table"], "--json")["items"]["n"] == 20
    assert ids("health", run.name, "--json")["table"] == run.name
    assert ids("name", run.name, "--history", "Even 2; Even 4", "--json")["side"] == "user"
    assert "leave --data out" in ids("health", run.name, "--data", "checkerboard", refused=True)


def test_health_of_a_trained_run_looks_at_learned_rows(ids: Call) -> None:
    from llmrec.lm.model import LanguageModel

    recipe = board()
    run = store.create(recipe)
    LanguageModel.create(recipe.lm, run.table(), run.dataset().catalog, 0).save(run.path / "model")
    told = ids("health", run.name, "--json")
    assert told["memorization"]["by"] != ids("health", store.create(recipe).name, "--json")["memorization"]["by"]
    assert told["health"]["pieces"]["unit"] == "subwords"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fit",), "`llmrec ids fit SCHEME` is the form"),
        (("diff", "a"), "`llmrec ids diff TABLE TABLE` is the form, but 1 words came after 'diff'"),
        (("some-run",), "needs exactly one of --item, --user, --token"),
        (("some-run", "--item", "a", "--user", "b"), "needs exactly one of"),
        (("some-run", "other", "--item", "a"), "`llmrec ids TABLE` is the form"),
        (("fit", "rid", "--item", "x"), "`llmrec ids fit` takes no --item: it belongs to `llmrec ids TABLE`"),
        (("name", "x"), "needs exactly one of --history, --item-users, --text"),
        (("fit", "metaidd"), "did you mean metaid"),
        (("fit", "metaid", "--data", "nowhere"), "neither a data set nor a path"),
        (("fit", "metaid", "--set", "train.lr=1"), "names are fitted from data, filter, split, embed, scheme"),
        (("fit", "metaid", "--set", "scheme.n_cluster=1"), "did you mean 'n_clusters'"),
        (("fit", "metaid", "--seed", "-1"), "seed"),
        (("health", "no-such-table"), "there is no table, run or file 'no-such-table'"),
        (("health", "../../no-such-folder"), "there is no table, run or file"),
        (("health", "x" * 300), "cannot be used (File name too long): give the name of a table or a run, or another file"),
        (("fit", "rid", "--data", "x" * 300), "cannot be used (File name too long): choose another file or folder"),
        (("fit", "rid", *BOARD, "--out", f"{__file__}/inside"), "inside cannot be used (File exists): choose another folder"),
        (("fit", "rid", *BOARD, "--out", "x" * 300), "cannot be used (File name too long): choose another folder"),
        (("fit", "rid", *BOARD, "--out", f"{__file__}/inside.json"), "inside.json cannot be used (Not a directory): choose another file"),
    ],
)
def test_wrong_use_is_one_line_with_a_remedy(words: tuple[str, ...], said: str, ids: Call) -> None:
    assert said in ids(*words, refused=True)


RED = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202e"


def hostile(folder: Path, name: str, codes: tuple[int, ...] = (0, 0, 1)) -> str:
    """A file of names whose keys, titles and texts would colour a terminal and move its cursor."""
    texts = [RED, "45", "67"]
    items = [{"key": f"{n}{RED}", "title": f"T{n}{RED}", "codes": [code, 1, 2]} for n, code in enumerate(codes)]
    users = [{"key": f"u{n}{RED}", "codes": [0, 1, 2]} for n in range(2)]
    books = [{"prefix": f"b{n}", "size": 3, "token": False, "texts": texts} for n in range(3)]
    (folder / name).write_text(json.dumps({"scheme": f"s{RED}", "books": books, "items": items, "users": users}))
    return str(folder / name)


def test_nothing_that_a_file_says_reaches_the_terminal_as_a_command(ids: Call, tmp_path: Path) -> None:
    a, b = hostile(tmp_path, "a.json"), hostile(tmp_path, "b.json", (1, 0, 0))
    for words in (
        (a, "--item", f"0{RED}"),
        (a, "--user", f"u0{RED}"),
        (a, "--token", RED),
        ("diff", a, b),
        ("health", a),
        ("export", a, str(tmp_path / "c.json")),
    ):
        told = ids(*words)
        assert all(line.isprintable() for line in told.split("\n")), (words, told)
    for words in ((a, "--token", f"no{RED}"), (a, "--item", f"no{RED}"), ("health", f"no{RED}")):
        assert ids(*words, refused=True).isprintable()


def test_a_newcomer_s_neighbours_are_told_in_plain_text() -> None:
    from llmrec.commands.ids import name
    from llmrec.ids.newcomers.naming import Newcomer

    found = Newcomer("item", (0,), (RED,), RED, (), ())
    told = name._text({"items": [{"shared": 1, "key": RED, "title": RED}], "users": [{"key": RED, "shared": 1}]}, found)
    assert all(line.isprintable() for line in told.split("\n"))


def test_texts_of_a_name_are_set_apart(ids: Call, tmp_path: Path) -> None:
    path = hostile(tmp_path, "a.json", (1,))
    assert "is named 45 45 67" in ids(path, "--item", f"0{RED}")
    assert ids(path, "--item", f"0{RED}", "--json")["pieces"] == ["45", "45", "67"]


@pytest.mark.parametrize(
    "words", [("fit", *BOARD, "rid"), (*BOARD, "fit", "rid"), ("fit", "rid", *BOARD), (*BOARD[:2], "fit", *BOARD[2:], "rid")]
)
def test_words_may_stand_before_between_and_after_options(words: tuple[str, ...], ids: Call) -> None:
    assert ids(*words, "--json")["n_items"] == 20


def test_options_may_stand_between_two_tables(ids: Call, tmp_path: Path) -> None:
    a, b = hostile(tmp_path, "a.json"), hostile(tmp_path, "b.json", (1, 0, 0))
    told = ids("diff", a, b, "--depth", "2", "--json")
    assert told["items"]["depth"] == 2
    for words in (("diff", "--depth", "2", a, b), ("diff", a, "--depth", "2", b), ("--depth", "2", "diff", a, b), ("--json", "diff", a, b)):
        assert ids(*words, "--depth", "2", "--json") == told
    assert ids("health", "--place", "1", a, "--json") == ids("health", a, "--place", "1", "--json")


def test_help_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ids", "--help"]) == 0
    told = capsys.readouterr().out
    assert "TABLE|fit|health|diff|name|export [SCHEME|TABLE|FILE ...]" in " ".join(told.split())
    assert all(f"llmrec ids {verb}" in told for verb in ("TABLE", "fit SCHEME", "health", "diff", "name", "export"))
    assert main(["ids", "--itme", "x", "y"]) == 2
    assert "unrecognized arguments: --itme" in capsys.readouterr().err


def test_health_splits_as_the_fit_did(ids: Call, tmp_path: Path) -> None:
    """A file's names, measured on the training part of the seed they were fitted with; another seed has another part."""
    random = (*BOARD, "--set", "split.name=holdout", "--set", "split.test=0.3", "--set", "split.valid=0.2", "--seed", "3")
    path = str(tmp_path / "n.json")
    table = ids("fit", "rid", *random, "--json")["table"]
    ids("export", table, path)
    told = ids("health", table, "--json")["memorization"]
    assert ids("health", path, *random, "--json")["memorization"] == told
    assert ids("health", path, *random[:-2], "--json")["memorization"] != told
    assert "--seed goes with --data" in ids("health", path, "--seed", "3", refused=True)
    assert "--seed -1 must be 0 or more" in ids("health", path, *BOARD, "--seed", "-1", refused=True)


def test_a_fit_remembers_its_files_wherever_it_is_opened(
    ids: Call, metaid: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids("export", metaid["table"], str(tmp_path / "n.json"))
    monkeypatch.chdir(tmp_path)
    told = ids("fit", "imported", *BOARD, "--set", "scheme.items=n.json", "--out", "mine", "--json")
    assert f'items = "{tmp_path / "n.json"}"' in (tmp_path / "mine" / "recipe.toml").read_text()
    assert told["examples"] == metaid["examples"]
    recipe = recipe_of("imported", None, ["scheme.items=a.txt", "scheme.users=b.txt", "data.name=table", "data.path=c.csv"], 0)
    assert [Path(p).parent for p in (recipe.scheme.items, recipe.scheme.users, recipe.data.path)] == [tmp_path] * 3


def test_health_of_official_names_with_their_own_data(ids: Call, shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("tokenrec-lastfm")
    told = ids("health", str(folder), "--json")["health"]
    assert (told["n_items"], told["distinct_items"], told["n_users"], told["distinct_users"]) == (3646, 3636, 1090, 1087)
    assert [level["used"] for level in told["levels"] if level["book"] == "2-"] == [164]
    assert np.isclose(told["pieces"]["items"]["mean"], 3.0)
