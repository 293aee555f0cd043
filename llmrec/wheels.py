"""A wheel by name and hash: found in a folder or on a package index, downloaded in pieces that can be resumed.

Where it stands: below `fetch`. What it does not know: what is inside a wheel.

Indexes, folders and certificates are those of pip: its configuration and its PIP_* variables. LLMREC_WHEELS names a folder that may hold
the wheels already, for machines without a network.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import html.parser
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import Any

Progress = Callable[[int, int], None]

PYPI = "https://pypi.org/simple"
PIECE = 1 << 18
PATIENCE = 30.0  # seconds a server may stay silent
RETRIES = 5


class FetchError(ValueError):
    """Something could not be fetched. The message names it, the reason and the remedy."""


class _BrokenError(Exception):
    """A download that stopped before its end; what came is kept."""


@dataclass(frozen=True)
class Wheel:
    """One file of a package index, fixed by its hash."""

    project: str
    file: str
    sha256: str

    def is_at(self, path: Path) -> bool:
        """Whether that file is this wheel, by hash."""
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256


def on_this_machine(wheel: Wheel) -> Path | None:
    """The wheel in LLMREC_WHEELS or in one of pip's find-links folders, or None. A file of that name with another hash is an error."""
    own = os.environ.get("LLMREC_WHEELS")
    for place in ([own] if own else []) + _pip("find-links"):
        path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(place).path) if place.startswith("file:") else place).expanduser()
        if (path / wheel.file).is_file():
            if wheel.is_at(path / wheel.file):
                return path / wheel.file
            raise FetchError(f"{path / wheel.file} has the wrong sha256; replace it by the file of the package index, or delete it")
    return None


def download(wheel: Wheel, folder: Path, progress: Progress | None = None) -> Path:
    """The wheel in `folder`, verified. A broken download is resumed from `<file>.part`, now or on the next call."""
    target, part = folder / wheel.file, folder / f"{wheel.file}.part"
    if target.is_file() and wheel.is_at(target):
        return target
    address = _address(wheel)
    for resumed in (part.exists(), False):
        _receive(address, part, wheel, progress)
        if wheel.is_at(part):
            os.replace(part, target)
            return target
        part.unlink()
        if not resumed:
            break
    raise FetchError(
        f"{wheel.file} from {_shown(address)} has the wrong sha256 and was deleted; "
        f"try again, and if it stays wrong, ask who runs that index"
    )


def _receive(address: str, part: Path, wheel: Wheel, progress: Progress | None) -> None:
    """All of the file into `part`, over as many connections as it takes while each brings something."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            return _piecewise(address, part, progress)
        except (_BrokenError, HTTPException, urllib.error.URLError, TimeoutError, ConnectionError, ssl.SSLError) as error:
            grown = part.exists() and part.stat().st_size > before
            failures = 1 if grown else failures + 1
            fatal = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if fatal or failures >= RETRIES:
                raise _unreachable(wheel, [f"{_shown(address)}: {_reason(error)}"]) from None
            time.sleep(min(0.2 * 2**failures, 5.0))
        except OSError as error:
            raise FetchError(
                f"{part} cannot be written ({error.strerror or error}); make room or set LLMREC_HOME to another folder"
            ) from None


def _piecewise(address: str, part: Path, progress: Progress | None) -> None:
    """One connection's worth, appended to `part`; a server that ignores Range starts the file again."""
    have = part.stat().st_size if part.exists() else 0
    try:
        answer = _open(address, {"Range": f"bytes={have}-"} if have else {})
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        whole = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
        if whole and int(whole[1]) == have:
            return
        part.unlink()
        raise _BrokenError("the file on the server is shorter than what is here; started again") from None
    with answer:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range") or "")
        goes_on = answer.status == 206 and span is not None and int(span[1]) == have
        if answer.status == 206 and not goes_on:
            part.unlink()
            raise _BrokenError("the server sent another piece than asked for; started again")
        done = have if goes_on else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else 0
        with part.open("ab" if goes_on else "wb") as stream:
            while piece := answer.read(PIECE):
                stream.write(piece)
                done += len(piece)
                if progress:
                    progress(done, max(total, done))
    if done < total:
        raise _BrokenError(f"the connection broke off after {done:,} of {total:,} bytes")


def _address(wheel: Wheel) -> str:
    """Where the package index says the wheel lies (PEP 503), the first index that has it."""
    reasons = []
    indexes = [] if _pip("no-index")[:1] in (["1"], ["true"]) else (_pip("index-url")[:1] or [PYPI]) + _pip("extra-index-url")
    for index in indexes:
        page = f"{index.rstrip('/')}/{wheel.project}/" + ("index.html" if index.startswith("file:") else "")
        try:
            links, base = _links(page)
        except (OSError, HTTPException) as error:
            missing = isinstance(error, FileNotFoundError) or getattr(error, "code", 0) == 404 or "No such file" in _reason(error)
            reasons.append(f"{_shown(page)}: {'not there' if missing else _reason(error)}")
            continue
        for link in links:
            address, _ = urllib.parse.urldefrag(urllib.parse.urljoin(base, link))
            if urllib.parse.unquote(address.rpartition("/")[2]) == wheel.file:
                return _with_login(address, page)
        reasons.append(f"{_shown(page)}: no such file there")
    raise _unreachable(wheel, reasons or ["pip's setting no-index forbids the network"])


def _links(page: str) -> tuple[list[str], str]:
    """The hrefs of an index page and the address they are relative to; a server that falters is asked again."""
    for attempt in range(3):
        try:
            with _open(page, {"Accept": "text/html"}) as answer:
                links = _Links()
                links.feed(answer.read(1 << 25).decode("utf-8", "replace"))
                return links.found, answer.geturl()
        except (OSError, HTTPException) as error:
            final = page.startswith("file:") or isinstance(getattr(error, "reason", None), ConnectionRefusedError)
            if attempt == 2 or final or getattr(error, "code", 500) < 500:
                raise
            time.sleep(1.0 + attempt)
    raise AssertionError("the loop above returns or raises")


class _Links(html.parser.HTMLParser):
    """Every href of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _open(address: str, headers: dict[str, str]) -> Any:
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in {"http", "https", "file"}:
        raise urllib.error.URLError(f"addresses of kind {parts.scheme!r} are not fetched")
    login = ""
    if parts.username:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        address = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(address, headers={"User-Agent": "llmrec", **headers})
    if login:  # a redirect to another host must not carry it
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    return urllib.request.urlopen(request, timeout=PATIENCE, context=_context())


def _with_login(address: str, page: str) -> str:
    """The index's own login goes along to files on the same host, and nowhere else."""
    at, index = urllib.parse.urlsplit(address), urllib.parse.urlsplit(page)
    same = (at.scheme, at.hostname, at.port) == (index.scheme, index.hostname, index.port)
    return urllib.parse.urlunsplit(at._replace(netloc=index.netloc)) if same and not at.username else address


def _shown(address: str) -> str:
    """An address without its login, for messages."""
    parts = urllib.parse.urlsplit(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _reason(error: BaseException) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _unreachable(wheel: Wheel, reasons: list[str]) -> FetchError:
    return FetchError(
        f"{wheel.file} could not be fetched ({'; '.join(reasons)}); go online and try again, what has come is kept, "
        f"or put that file into a folder and name the folder in LLMREC_WHEELS"
    )


def _context() -> ssl.SSLContext:
    chosen = _pip("cert")[:1] or [v for v in (os.environ.get("REQUESTS_CA_BUNDLE"),) if v]
    if not chosen:
        return ssl.create_default_context()
    place = Path(chosen[0]).expanduser()
    return ssl.create_default_context(cafile=None if place.is_dir() else str(place), capath=str(place) if place.is_dir() else None)


def _pip(setting: str) -> list[str]:
    """The values of one of pip's settings: PIP_* variables before pip's configuration files, several parted by blanks."""
    value = os.environ.get(f"PIP_{setting.upper().replace('-', '_')}")
    return (value if value is not None else _pip_files().get(setting, "")).split()


@cache
def _pip_files() -> dict[str, str]:
    """pip's configuration files as pip itself reads them; nothing where there is no pip."""
    if not sys.executable:
        return {}
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = {}
    for line in asked.stdout.splitlines():
        place, _, value = line.partition("=")
        section, _, name = place.partition(".")
        if section in {"global", "install"}:
            found[name] = str(ast.literal_eval(value)).strip()
    return found
