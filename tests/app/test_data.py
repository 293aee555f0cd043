"""Files on their way to a data set, over the real library."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from app.data import drafts, reading
from app.data.intake import Intake
from app.library import Library
from app.seam.intake import Reading, Wait
from app.seam.values import Trouble
from llmrec.data import uploads
from tests.app.seen import chosen, html, metrics

PLAYS = [f"u{u},i{(u + s) % 7},{1_000_000_000 + 3_000_000 * s},{1 + s % 5}" for u in range(8) for s in range(6)]
TABLE = "customer,product,when,stars,name\n" + "".join(f'{play},"<b>Film</b> {play[4]}, the"\n' for play in PLAYS)
CSV = ("plays.csv", TABLE.encode(), "text/csv")

# which data


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMREC_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("LLMREC_DATA", str(tmp_path / "data"))
    return tmp_path / "home"


@pytest.fixture
def room(home: Path) -> Iterator[Intake]:
    library = Library()
    made = Intake(library)
    yield made
    made.close()
    library.close()


ROLES = {"user": "customer", "item": "product", "time": "when", "rating": "stars", "title": "name"}


def read(room: Intake, *files: tuple[str, bytes], roles: dict[str, str] = ROLES) -> Reading:
    draft = room.open(files)
    deadline = time.monotonic() + 60
    while isinstance(found := room.read(draft, roles), Wait):
        assert time.monotonic() < deadline, "it took more than a minute"
        time.sleep(0.05)
    return found


def test_a_file_becomes_a_set_that_is_shown_found_trained_on_and_deleted(room: Intake) -> None:
    from llmrec import recipe
    from llmrec.runs import store

    found = read(room, CSV[:2])
    assert found.sizes == (8, 7, 48) and "the <b>Film</b> 0" not in found.titles and "<b>Film</b> 0, the" in found.titles
    sections: dict[str, dict[str, Any]] = {"filter": {"user": 2}, "split": {"name": "loo", "min_history": 2}}
    parts = room.parts(found, sections)
    assert parts.left == (8, 7, 48) and dict((label, value) for label, value, _ in parts.sizes)["Test"] == "8"
    assert room.keep(found, "plays", sections) == "plays"
    assert [s.name for s in room.sets(None)] == ["plays"] or [s.name for s in room.sets(None)] == ["ml-100k", "plays"]
    assert room.waiting(None, "plays") is None
    shown = room.overview(None, "plays")
    assert shown.name == "plays" and {"activity", "ratings", "longtail", "histories"} <= {e.name for e in shown.exhibits}
    ratings = next(e for e in shown.exhibits if e.name == "ratings")
    assert ratings.table["interactions"].tolist() == [16, 8, 8, 8, 8] and "2.67 on average" in ratings.caption
    assert list(room.history(None, "plays", "u3")["part"]) == ["train"] * 4 + ["validation", "test"]
    (hit,) = room.find(None, "plays", "film 3")
    title, takers = room.takers(None, "plays", hit[0])
    assert "3" in title and len(takers) == 48 // 7 + (takers["user"].nunique() - 48 // 7) and takers["date"].is_monotonic_increasing
    assert 'set = "plays"' in room.recipe("plays") and "min_history = 2" in room.recipe("plays")
    assert room.readers("plays") == ()
    waits = store.create(recipe.read({"data": {"name": "upload", "set": "plays"}, "scheme": {"name": "sid"}}), executor="local")
    with pytest.raises(Trouble, match=f"run {waits.name} learns from, which is queued"):
        room.delete("plays")
    assert uploads.names() == ["plays"]
    waits.delete()
    assert "is deleted" in room.delete("plays") and uploads.names() == []
    with pytest.raises(Trouble, match="no data set called 'plays'"):
        room.overview(None, "plays")


def test_what_is_kept_is_read_once_and_read_as_its_files_are(room: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec import artifacts, recipe
    from llmrec.runs import stages

    found = read(room, CSV[:2])
    room.keep(found, "plays", {"filter": {"item": 3}, "split": {"name": "loo"}})
    wanted = recipe.read({**uploads.fragment("plays"), "scheme": {"name": "sid"}})
    assert {"data", "split"} <= set(stages.cached(wanted))
    kept = stages.dataset(wanted)
    assert artifacts.fingerprint(kept) == artifacts.fingerprint(wanted.filter.apply(wanted.data.load()))
    monkeypatch.setattr(uploads.Upload, "load", lambda self: pytest.fail("read again"))
    stages.dataset(wanted)


def test_large_files_are_read_by_a_process_of_their_own(room: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", 10)
    draft = room.open([CSV[:2]])
    assert isinstance(room.read(draft, ROLES), Wait)
    monkeypatch.setattr(reading, "draft", lambda *_: pytest.fail("read here"))
    assert read(room, CSV[:2]).sizes == (8, 7, 48)
    wrong = ("w.csv", TABLE.replace("1003000000", "never", 1).encode())
    with pytest.raises(Trouble, match="w.csv, line 3, column 'when': 'never' is not a number"):
        read(room, wrong)
    assert uploads.names() == []


@pytest.mark.slow
def test_a_set_of_another_machine_is_read_by_a_process(room: Intake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_text(TABLE)
    from llmrec.data import importing

    importing.bring([tmp_path / "plays.csv"], "plays", {"data": ROLES})
    monkeypatch.setattr(reading, "SMALL", 10)
    assert isinstance(room.waiting(None, "plays"), Wait)
    deadline = time.monotonic() + 60
    while room.waiting(None, "plays") is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert room.overview(None, "plays").counts[0][1] == "8"


def packed(name: str, content: bytes = b"x") -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


HOSTILE: list[tuple[str, bytes, str]] = [
    ("../../x.csv", TABLE.encode(), "rename it"),
    ("<script>.csv", TABLE.encode(), "rename it"),
    ("x.csv", b"", "is empty"),
    ("x.pkl", b"\x80\x04x.", "may hold pickled objects"),
    ("x.csv", b"\x80\x04x.", "is a pickle"),
    ("x.zip", packed("../x.csv"), "leads out of the folder"),
    ("x.zip", packed("x.csv", b"0" * 250_000_000), "larger than 200 MB unpacked"),
    ("x.parquet", b"PAR1\x00\x00PAR1", "no readable Parquet"),
    ("x.exe", b"MZ", "no format that is known"),
]


@pytest.mark.parametrize(("name", "raw", "told"), HOSTILE, ids=[f"{n} {t}" for n, _, t in HOSTILE])
def test_hostile_files_leave_nothing_anywhere(
    room: Intake, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, raw: bytes, told: str
) -> None:
    drafted = tmp_path / "drafted"
    drafted.mkdir()
    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(drafted))
    with pytest.raises(Trouble, match=told):
        room.open([(name, raw)])
    assert list(drafted.iterdir()) == [] and not (home / "uploads").exists()


def test_a_page_may_not_ask_for_more_than_a_recipe_may(room: Intake) -> None:
    found = read(room, CSV[:2])
    for sections in (
        {"split": {"name": "loo", "min_history": 10**12}},
        {"filter": {"user": -1}},
        {"split": {"name": "../x"}},
        {"filter": {"x": 1}},
    ):
        with pytest.raises(Trouble):
            room.parts(found, sections)
        with pytest.raises(Trouble):
            room.keep(found, "plays", sections)
    for name in ("../x", "ml-100k", "<b>", ""):
        with pytest.raises(Trouble):
            room.keep(found, name, {})
    for name in ("../x", "/etc", "nothing"):
        with pytest.raises(Trouble):
            room.overview(None, name)
    assert uploads.names() == []


def test_drafts_are_few_and_go_with_the_server(room: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "KEPT", 2)
    first = room.open([CSV[:2]])
    root = room._drafts._root
    assert root is not None and room.open([CSV[:2]]) == first and len(list(root.iterdir())) == 1
    for n in range(3):
        room.open([(f"p{n}.csv", TABLE.encode())])
    assert len(list(root.iterdir())) == 2
    with pytest.raises(Trouble, match="choose them again"):
        room.read(first, ROLES)
    room.close()
    assert not root.exists()


def test_large_files_of_one_do_not_keep_others_out(room: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmrec.data import importing

    unpacking, go_on, plain = threading.Event(), threading.Event(), importing.open_files
    slow = [("slow.csv", TABLE.encode())]
    quick = next(f for n in range(99) if drafts._digest(f := [(f"q{n}.csv", TABLE.encode())])[0] != drafts._digest(slow)[0])

    def opened(given: Any, *more: Any) -> Any:
        if given[0][0] == "slow.csv":
            unpacking.set()
            assert go_on.wait(60)
        return plain(given, *more)

    monkeypatch.setattr(importing, "open_files", opened)
    with ThreadPoolExecutor(3) as pool:
        try:
            waiting = [pool.submit(room.open, slow) for _ in range(2)]
            assert unpacking.wait(60)
            assert pool.submit(room.open, quick).result(30).seen.columns
            assert not any(one.done() for one in waiting)
        finally:
            go_on.set()
        assert waiting[0].result(60) is waiting[1].result(60)


@pytest.mark.slow
def test_the_page_imports_for_real(home: Path, page: Any) -> None:
    from app import shared
    from app.backend import Backend

    backend = Backend()
    shared.use(backend)
    try:
        at = chosen(page("views/data.py", show="import"), CSV)
        assert [at.selectbox(key=k.key).value for k in at.selectbox if k.key.startswith("role_")] == [
            "customer",
            "product",
            "when",
            "stars",
            "name",
        ]
        at.button(key="import").click().run()
        assert not at.exception and uploads.names() == ["plays"]
        at.button(key="look_at").click().run()
        assert not at.exception and metrics(at)["Interactions"] == "48"
        assert "<b>Film" not in html(at)
    finally:
        shared.use(None)
        backend.close()


def test_the_process_says_what_is_wrong_in_a_line_of_json(tmp_path: Path) -> None:
    from llmrec.runs import launch

    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "r.csv").write_text("user,item\n")
    asked = json.dumps({"name": "table", "path": "r.csv"})
    words = launch.command("app.data.reading", "draft", str(tmp_path / "files"), str(tmp_path / "out"))
    done = subprocess.run(words, check=False, input=asked, env=launch.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "holds a header and no rows" in json.loads(done.stdout)["trouble"]
    assert sorted(os.listdir(tmp_path)) == ["files"]
