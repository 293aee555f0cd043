"""The cache of stages: made once, shared, safe with two writers, mended when damaged."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from llmrec import home
from llmrec.contracts import Vectors
from llmrec.runs import cache

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))


def vectors(fill: float = 1) -> Vectors:
    return Vectors(np.full((2, 3), fill, np.float32), np.zeros((4, 3), np.float32))


def test_made_once_then_read(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> Vectors:
        made.append(1)
        return vectors()

    first, second = (cache.remember("embed", "k", Vectors, make) for _ in range(2))
    assert made == [1]
    assert np.array_equal(first.users, second.users)
    assert cache.holds("embed", "k")
    assert not cache.holds("embed", "other")


def test_a_damaged_entry_is_dropped_with_a_word_and_made_again(caplog: pytest.LogCaptureFixture) -> None:
    cache.remember("embed", "k", Vectors, vectors)
    path = home.stages() / "embed" / "k" / "arrays.safetensors"
    path.write_bytes(path.read_bytes()[:40])
    with caplog.at_level(logging.WARNING):
        again = cache.remember("embed", "k", Vectors, lambda: vectors(2))
    assert again.users[0, 0] == 2
    assert "arrays.safetensors is damaged" in caplog.text
    assert cache.remember("embed", "k", Vectors, lambda: vectors(3)).users[0, 0] == 2


def test_a_stage_that_fails_leaves_nothing() -> None:
    def make() -> Vectors:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.remember("embed", "k", Vectors, make)
    assert cache.usage() == []
    assert not list(home.stages().glob("*/*"))


def test_the_loser_of_a_race_takes_the_winner_s() -> None:
    def make() -> Vectors:  # another process finishes while this one works
        cache.remember("embed", "k", Vectors, lambda: vectors(7))
        return vectors(1)

    assert cache.remember("embed", "k", Vectors, make).users[0, 0] == 7
    assert [p.name for p in (home.stages() / "embed").iterdir()] == ["k"]


def test_two_processes_at_once(tmp_path: Path) -> None:
    code = (
        "import numpy as np; from llmrec.contracts import Vectors; from llmrec.runs import cache\n"
        "for i in range(20): print(cache.remember('embed', f'k{i}', Vectors,"
        " lambda: Vectors(np.random.default_rng().random((9, 9)).astype('f'), np.zeros((1, 9), 'f'))).users.tobytes().hex())\n"
    )
    pair = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)]
    first, second = (p.communicate(timeout=60)[0] for p in pair)
    assert len(first.split()) == 20
    assert first == second
    assert len(cache.usage()) == 20


def test_usage_counts_and_clear_frees() -> None:
    cache.remember("embed", "a", Vectors, vectors)
    cache.remember("scheme", "b", Vectors, vectors)
    entries = cache.usage()
    assert {(e.stage, e.key) for e in entries} == {("embed", "a"), ("scheme", "b")}
    assert all(e.size == sum(p.stat().st_size for p in e.path.iterdir()) for e in entries)
    assert cache.clear() == sum(e.size for e in entries)
    assert cache.usage() == []


def test_keys_move_with_every_part() -> None:
    keys = {cache.key("a"), cache.key("b"), cache.key("a", "b"), cache.key(["a", "b"]), cache.key("a", 1), cache.key("a", {"b": 1})}
    assert len(keys) == 6
    assert cache.key("a", {"b": 1, "c": 2}) == cache.key("a", {"c": 2, "b": 1})


def test_an_edited_file_makes_another_key(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    table = tmp_path / "in" / "x.csv"
    table.write_text("a,b\n")
    before = cache.files_behind({"path": str(tmp_path / "in"), "user": "no such column file", "n": 3, "none": None})
    table.write_text("a,b\n1,2\n")
    after = cache.files_behind({"path": str(tmp_path / "in")})
    assert len(before) == len(after) == 1
    assert before != after
