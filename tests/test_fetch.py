"""Fetching against a server of our own that obeys Range, ignores it, breaks off, or hands out the wrong file."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from llmrec import fetch as fetching
from llmrec import wheels
from llmrec.fetch import Source, fetch, is_fetched, text_progress
from llmrec.wheels import FetchError, Wheel

FILE = "films-1.0-py3-none-any.whl"
BODY = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(40_000))  # does not compress


def wheel_bytes() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("films/a.inter", BODY)
        z.writestr("films/a.item", b"item")
        z.writestr("../../evil.txt", b"evil")
    return packed.getvalue()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.ranges, self.break_after, self.breaks, self.falters = body, True, 0, 0, 0
        self.asked: list[str | None] = []
        self.logins: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *args: object) -> None: ...

    def do_GET(self) -> None:
        if self.server.falters > 0:
            self.server.falters -= 1
            self.send_error(503)
            return
        self.server.logins.append(self.headers.get("Authorization"))
        if self.path == "/simple/films/":
            page = f'<a href="/x/films-0.9.tar.gz">old</a><a data-x="1" href="../../files/{FILE}#sha256=00">{FILE}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            return
        if self.path != f"/files/{FILE}":
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        body, start = self.server.body, 0
        if wanted and self.server.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        piece = body[start:]
        if self.server.breaks > 0:
            self.server.breaks -= 1
            piece = piece[: self.server.break_after]
        self.wfile.write(piece)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A package index with one wheel, known under the name "films", and an empty cache."""
    body = wheel_bytes()
    served = Server(body)
    threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True).start()
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "LLMREC_WHEELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(wheels, "_pip_files", dict)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{served.server_port}/simple")
    monkeypatch.setenv("LLMREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(wheels.time, "sleep", lambda seconds: None)
    wheel = Wheel("films", FILE, hashlib.sha256(body).hexdigest())
    source = Source("films", "films for tests", wheel, ("films/a.inter", "films/a.item"))
    monkeypatch.setitem(fetching.SOURCES, "films", source)
    yield served
    served.shutdown()
    served.server_close()


def part(tmp_path: Path) -> Path:
    return tmp_path / "home" / "downloads" / f"{FILE}.part"


def test_fetches_once_and_is_silent_afterwards(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch("films", lambda done, total: seen.append((done, total)))
    assert (folder / "a.inter").read_bytes() == BODY and (folder / "a.item").read_bytes() == b"item"
    assert seen[-1] == (len(server.body), len(server.body)) and [d for d, _ in seen] == sorted(d for d, _ in seen)
    assert not list(tmp_path.rglob("evil*")) and not list(tmp_path.rglob("*.part")) and not list(tmp_path.rglob("*.whl"))
    server.shutdown()
    assert fetch("films", lambda done, total: pytest.fail("fetched again")) == folder
    assert server.asked == [None]


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_with_what_an_interrupted_fetch_left(server: Server, tmp_path: Path, ranges: bool) -> None:
    server.ranges = ranges
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(server.body[:100_000])
    seen: list[tuple[int, int]] = []
    assert (fetch("films", lambda done, total: seen.append((done, total))) / "a.inter").read_bytes() == BODY
    assert seen[-1] == (len(server.body), len(server.body)) and (seen[0][0] > 100_000) and len({total for _, total in seen}) == 1
    assert server.asked == ["bytes=100000-"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_breaks_off_is_resumed_at_once(server: Server, ranges: bool) -> None:
    server.ranges, server.breaks, server.break_after = ranges, 3, 300_000
    assert (fetch("films") / "a.inter").read_bytes() == BODY
    expected = [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert server.asked == (expected if ranges else [None] + ["bytes=300000-"] * 3)


def test_an_index_that_falters_is_asked_again(server: Server) -> None:
    server.falters = 2
    assert (fetch("films") / "a.inter").read_bytes() == BODY
    assert len(server.logins) == 2


def test_a_complete_part_needs_no_byte_more(server: Server, tmp_path: Path) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(server.body)
    assert is_fetched("films") is False and (fetch("films") / "a.item").exists()


def test_a_spoilt_part_is_thrown_away_and_fetched_afresh(server: Server, tmp_path: Path) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(b"x" * 1000)
    assert (fetch("films") / "a.inter").read_bytes() == BODY
    assert server.asked == ["bytes=1000-", None]
    spoilt = part(tmp_path)
    spoilt.write_bytes(b"x" * (len(server.body) + 5))
    (tmp_path / "home/downloads/films/manifest.json").unlink()
    assert (fetch("films") / "a.inter").read_bytes() == BODY


def test_a_wrong_hash_is_refused_deleted_and_told(server: Server, tmp_path: Path) -> None:
    server.body = server.body[:-1] + b"?"
    with pytest.raises(FetchError, match=rf"{FILE}.*wrong sha256.*deleted"):
        fetch("films")
    assert not part(tmp_path).exists() and not is_fetched("films")


def test_offline_is_one_sentence_with_a_remedy(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(FetchError, match=r"could not be fetched .*go online.*LLMREC_WHEELS"):
        fetch("films")


def test_an_index_without_the_file_says_so_and_hides_the_login(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{server.server_port}/empty")
    with pytest.raises(FetchError) as told:
        fetch("films")
    assert "/empty/films/" in str(told.value) and "secret" not in str(told.value)


def test_a_login_goes_to_the_index_and_its_files(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{server.server_port}/simple")
    fetch("films")
    assert server.logins == ["Basic bWU6c2VjcmV0"] * 2


def test_the_second_index_is_asked_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/empty")
    assert fetch("films").is_dir()


@pytest.mark.parametrize("variable", ["LLMREC_WHEELS", "PIP_FIND_LINKS"])
def test_wheels_at_hand_need_no_network(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    (tmp_path / "wheels").mkdir()
    held = tmp_path / "wheels" / FILE
    held.write_bytes(server.body)
    monkeypatch.setenv(variable, str(tmp_path / "wheels"))
    assert (fetch("films") / "a.inter").read_bytes() == BODY
    assert server.asked == [] and held.exists()
    held.write_bytes(b"other")
    (tmp_path / "home/downloads/films/a.item").unlink()
    with pytest.raises(FetchError, match="wrong sha256; replace it"):
        fetch("films")


def test_a_damaged_cache_is_noticed_and_mended(server: Server) -> None:
    folder = fetch("films")
    (folder / "a.item").write_bytes(b"ITEM")  # the same size
    assert not is_fetched("films")
    assert (fetch("films") / "a.item").read_bytes() == b"item"
    (folder / "a.item").touch()  # touched only: still good
    assert is_fetched("films")


def test_a_kill_between_download_and_unpacking_costs_no_second_download(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(fetching.shutil, "copyfileobj", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch("films")
    assert not is_fetched("films")
    assert (fetch("films") / "a.inter").read_bytes() == BODY
    assert len(server.asked) == 1


def test_two_processes_fetch_it_once(server: Server) -> None:
    fork = multiprocessing.get_context("fork")
    others = [fork.Process(target=fetch, args=("films",)) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(20)
    assert [other.exitcode for other in others] == [0, 0, 0]
    assert is_fetched("films") and server.asked == [None]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(FetchError, match=r"'ml-1b'.*ml-100k, smollm2-135m"):
        fetch("ml-1b")


def test_progress_off_a_terminal_is_a_line_per_tenth() -> None:
    out = io.StringIO()
    show = text_progress("films", out)
    for done in range(0, 10_000_001, 50_000):
        show(done, 10_000_000)
    lines = out.getvalue().splitlines()
    assert len(lines) == 11 and lines[-1].startswith("films: 10.0 of 10.0 MB")
