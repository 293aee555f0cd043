"""The command line as its users meet it: shapes of the JSON, exit codes, one-line remedies, nothing but JSON on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmrec.__main__ import COMMANDS, main
from tests.commands.at_work import own_home, place
from tests.runs.worlds import BOARD

__all__ = ["own_home", "place"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recipe_file(home: Path) -> Path:
    path = home / "metaid-checkerboard-tiny.toml"
    path.write_text(BOARD, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(home: Path, recipe_file: Path) -> dict[str, Any]:
    """The smallest run through the whole flow, trained by the command itself in a process of its own."""
    env = {**os.environ, "LLMREC_HOME": str(home), "LLMREC_RUNS": str(home / "runs")}
    done = subprocess.run(
        [sys.executable, "-m", "llmrec", "train", str(recipe_file), "--json"],
        check=False,
        capture_output=True,
        text=True,
        env=env,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert "validation at step" in done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


class Told:
    """What one command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        assert len(self.out.splitlines()) == 1, "one JSON object and nothing else"
        return json.loads(self.out)


@pytest.fixture
def llmrec(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> Told:
        code = main(list(words))
        captured = capsys.readouterr()
        return Told(code, captured.out, captured.err)

    return call


def refused(told: Told, *said: str) -> None:
    """Exit code 2, one line on standard error that begins with our name, nothing on standard output."""
    assert told.code == 2, (told.code, told.err)
    assert told.out == ""
    line = told.err.strip()
    assert "\n" not in line
    assert line.startswith("llmrec: ")
    for part in said:
        assert part in line


def test_training_ends_done_with_numbers(trained: dict[str, Any]) -> None:
    assert set(trained) == {"run", "path", "state", "reason", "seconds", "metrics"}
    assert (trained["run"], trained["state"]) == ("metaid-checkerboard-tiny-1", "done")
    assert {(p, s) for p, seen in trained["metrics"].items() for s in seen} == {
        (p, s) for p in ("valid", "test") for s in ("masked", "unmasked")
    }


def test_a_run_s_folder_holds_what_the_issue_lists(trained: dict[str, Any]) -> None:
    names = {p.name for p in Path(trained["path"]).iterdir()}
    assert {"recipe.toml", "run.json", "ids", "vectors", "model", "metrics.json", "events.jsonl", "status.json"} <= names
    assert not any(p.suffix in (".pkl", ".pt", ".bin") for p in Path(trained["path"]).rglob("*"))


def test_evaluate(llmrec: Any, trained: dict[str, Any]) -> None:
    told = llmrec("evaluate", trained["run"], "--baselines", "popularity,ease", "--json").json
    assert {"run", "data", "split", "seen", "n_users", "seed", "metrics", "baselines"} <= set(told)
    assert (told["run"], told["data"], told["seen"], told["n_users"], told["seed"]) == (trained["run"], "checkerboard", "masked", 30, 3)
    assert {"hit@10", "ndcg@10"} <= set(told["metrics"])
    assert list(told["baselines"]) == ["popularity", "ease"]
    assert told["metrics"]["hit@10"] == trained["metrics"]["test"]["masked"]["metrics"]["hit@10"], "the saved model is the measured one"


def test_evaluate_other_questions(llmrec: Any, trained: dict[str, Any]) -> None:
    told = llmrec("evaluate", trained["run"], "--part", "valid", "--seen", "unmasked", "--beams", "3", "--baselines", "none", "--json").json
    assert (told["split"], told["part"], told["seen"], told["baselines"]) == ("loo", "valid", "unmasked", {})
    refused(llmrec("evaluate", trained["run"], "--baselines", "pop"), "'pop'", "popularity")
    refused(llmrec("evaluate", trained["run"], "--beams", "0"), "beams")


def test_recommend_for_a_user(llmrec: Any, trained: dict[str, Any]) -> None:
    told = llmrec("recommend", trained["run"], "--user", "u3", "-k", "4", "--json").json
    assert set(told) == {"items", "seconds"}
    assert [i["rank"] for i in told["items"]] == [1, 2, 3, 4]
    assert all(set(i) == {"rank", "key", "title", "score", "pieces"} and len(i["pieces"]) == 2 for i in told["items"])
    scores = [i["score"] for i in told["items"]]
    assert scores == sorted(scores, reverse=True)


def test_recommend_for_a_new_person(llmrec: Any, trained: dict[str, Any]) -> None:
    masked = llmrec("recommend", trained["run"], "--history", "even 2; Evn 4", "-k", "20", "--json").json
    assert not {"i2", "i4"} & {i["key"] for i in masked["items"]}
    free = llmrec("recommend", trained["run"], "--history", "even 2; even 4", "-k", "20", "--unmasked", "--json").json
    assert len(free["items"]) > 0


def test_recommend_refusals(llmrec: Any, trained: dict[str, Any]) -> None:
    refused(llmrec("recommend", trained["run"], "--history", "Casablanca"), "no item is called 'Casablanca': the nearest are")
    refused(llmrec("recommend", trained["run"], "--user", "u999"), "no user has the key 'u999'")
    refused(llmrec("recommend", trained["run"], "--history", "even 2", "-k", "0"), "-k 0 must be 1 or more")
    refused(llmrec("recommend", trained["run"]), "--user --history is required", "llmrec recommend --help")
    refused(llmrec("recommend", trained["run"], "--user", "u1", "--history", "x"), "not allowed with")


def test_ids(llmrec: Any, trained: dict[str, Any]) -> None:
    item = llmrec("ids", trained["run"], "--item", "even 2", "--json").json
    assert set(item) == {"title", "key", "pieces", "shared_with"}
    assert (item["title"], item["key"], list(item["shared_with"])) == ("Even 2", "i2", item["pieces"])
    assert llmrec("ids", trained["run"], "--item", "i2", "--json").json == item
    user = llmrec("ids", trained["run"], "--user", "u1", "--json").json
    assert set(user) == {"key", "pieces", "shared_with"}
    token = llmrec("ids", trained["run"], "--token", item["pieces"][0], "--json").json
    assert {i["title"] for i in token["items"]} == {"Even 2", *item["shared_with"][item["pieces"][0]]}
    refused(llmrec("ids", trained["run"], "--token", "<zzz9>"), "'<zzz9>'", "look like")


def test_runs_lists_shows_and_deletes(llmrec: Any, trained: dict[str, Any], recipe_file: Path, home: Path, tmp_path: Path) -> None:
    from llmrec import recipe
    from llmrec.runs import store

    other = store.create(recipe.load(recipe_file))
    (other.path / "run.json").write_text('{"kind": ')
    listed = {r["name"]: r for r in llmrec("runs", "--json").json["runs"]}
    assert (listed[trained["run"]]["state"], listed[other.name]["state"]) == ("done", "broken")
    assert "truncated" in listed[other.name]["reason"]
    shown = llmrec("runs", "show", trained["run"], "--json").json
    assert shown["recipe"]["scheme"] == {"name": "metaid", "n_clusters": 4}
    assert llmrec("runs", "delete", other.name, "--json").json["deleted"] == other.name
    assert not other.path.exists()
    refused(llmrec("runs", "show", other.name), "no run is called")
    refused(llmrec("runs", "show"), "which run?")
    foreign = tmp_path / "letters"
    foreign.mkdir()
    (foreign / "dear.txt").write_text("keep me")
    refused(llmrec("runs", "delete", str(foreign)), "run.json is missing")
    assert (foreign / "dear.txt").read_text() == "keep me"
    refused(llmrec("runs", "delete", "../../no-such-folder"), "no run is called")


def test_data(llmrec: Any, tmp_path: Path) -> None:
    told = llmrec("data", "checkerboard", "--set", "data.n_users=30", "--json").json
    assert (told["n_users"], told["name"]) == (30, "checkerboard")
    (tmp_path / "mine.csv").write_text("user,item,time\n" + "".join(f"u{n % 3},i{n},{n}\n" for n in range(12)))
    assert llmrec("data", str(tmp_path / "mine.csv"), "--json").json["n_interactions"] == 12
    refused(llmrec("data", "ml-10k"), "neither a data set nor a path", "ml-100k")
    refused(llmrec("data", str(tmp_path / "none.csv")), "there is no file or folder")
    refused(llmrec("data", "checkerboard", "--set", "train.lr=1"), "only data.KEY and filter.KEY")
    refused(llmrec("data", "checkerboard", "--set", "data.n_user=1"), "did you mean 'n_users'")
    refused(llmrec("data", "checkerboard", "--set", "nonsense"), "section.key=value")


def test_train_refusals(llmrec: Any, recipe_file: Path, tmp_path: Path, trained: dict[str, Any]) -> None:
    refused(llmrec("train"), "no recipe was given")
    refused(llmrec("train", "metaid-ml-100k-skech"), "there is no recipe 'metaid-ml-100k-skech'")
    refused(llmrec("train", str(recipe_file), "--set", "scheme.n_cluster=1"), "did you mean 'n_clusters'")
    refused(llmrec("train", str(recipe_file), "--set", "train.lr=fast"), "train] lr = 'fast' must be a number")
    refused(llmrec("train", str(recipe_file), "--out", trained["path"]), "already holds a run: add --resume")
    refused(llmrec("train", str(recipe_file), "--out", trained["path"], "--resume", "--set", "seed=9"), "other settings")
    refused(llmrec("train", "--out", str(tmp_path / "nowhere"), "--resume"), "no run is called")
    refused(llmrec("train", str(recipe_file), "--resume"), "no unfinished run")
    assert not (tmp_path / "nowhere").exists()


def test_a_finished_run_resumes_at_once(llmrec: Any, trained: dict[str, Any]) -> None:
    told = llmrec("train", trained["run"], "--resume", "--json").json
    assert (told["state"], told["metrics"]) == ("done", trained["metrics"])


def test_a_damaged_model_is_refused_by_name(llmrec: Any, trained: dict[str, Any], tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(trained["path"], tmp_path / "copy"))
    weights = next((copy / "model").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    refused(llmrec("recommend", str(copy), "--user", "u1"), weights.name, "damaged")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, llmrec: Any) -> None:
    told = llmrec(command, "--help")
    assert told.code == 0
    assert "Example" in told.out
    assert "--json" in told.out


@pytest.mark.parametrize("words", [[], ["trian"], ["runs", "--jsno"], ["app", "--port", "70000"], ["evaluate", "x", "--part", "train"]])
def test_wrong_use_is_one_line_and_exit_code_2(words: list[str], llmrec: Any) -> None:
    refused(llmrec(*words), "--help")


def test_a_fault_of_the_program_is_exit_code_1_and_debug_shows_where(llmrec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.runs import store

    def broken() -> Any:
        raise RuntimeError("a fault")

    monkeypatch.setattr(store, "list_runs", broken)
    plain = llmrec("runs")
    assert (plain.code, plain.out) == (1, "")
    assert "RuntimeError: a fault" in plain.err
    assert "Traceback" not in plain.err
    assert "Traceback" in llmrec("runs", "--debug").err


def test_ctrl_c_is_130(llmrec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.runs import store

    def interrupted() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "list_runs", interrupted)
    assert llmrec("runs").code == 130


def test_the_readable_texts(llmrec: Any, trained: dict[str, Any]) -> None:
    for words, said in (
        (("runs",), trained["run"]),
        (("runs", "show", trained["run"]), "scheme.n_clusters"),
        (("evaluate", trained["run"], "--baselines", "popularity"), "popularity"),
        (("recommend", trained["run"], "--user", "u1"), "<c"),
        (("ids", trained["run"], "--item", "even 2"), "is named"),
        (("ids", trained["run"], "--user", "u1"), "user u1 is named"),
        (("ids", trained["run"], "--token", "<c0>"), "Items"),
        (("data", "checkerboard"), "n_interactions"),
        (("fetch", "--list"), "ml-100k"),
    ):
        told = llmrec(*words)
        assert told.code == 0, told.err
        assert said in told.out


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from llmrec.__main__ import main; main(['train', '--help']); main(['--version'])\n"
        "heavy = {'torch', 'transformers', 'pandas', 'numpy', 'streamlit', 'gradio'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
