"""The entrance: each page's HTML says where the server is, so that a visit straight to a page does not grope for it.

Where it stands: around Streamlit's ASGI app. What it does not know: what the pages show.
Streamlit's browser code takes `/tokens` for a folder the whole studio might lie in, asks there first, and is refused twice, which stands
as two errors in the console of every deep link. Told its base beforehand, it asks once. Behind a proxy that puts a prefix before the
address the base keeps that prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HTML = b"text/html"


class Entrance:
    """`inner`: the ASGI app of the pages; `pages`: the last parts of their addresses."""

    def __init__(self, inner: Any, pages: Iterable[str]) -> None:
        self._inner = inner
        self._script = script(pages).encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._inner(scope, receive, send)
            return
        plain = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k != b"accept-encoding"]}
        await self._inner(plain if _is_page(scope["path"]) else scope, receive, _Sending(send, self._script))


def script(pages: Iterable[str]) -> str:
    """The words that are put into the head of a page."""
    known = "|".join(sorted(pages))
    base = f'location.origin + location.pathname.replace(/\\/(?:{known})\\/?$/, "/")'
    return f"<script>window.__streamlit = Object.assign({{ BACKEND_BASE_URL: {base} }}, window.__streamlit);</script>"


def _is_page(path: str) -> bool:
    return "." not in path.rpartition("/")[2] and "/_stcore" not in path


class _Sending:
    """Holds an HTML answer back until it is whole, and lets all others through as they come."""

    def __init__(self, send: Any, extra: bytes) -> None:
        self._send, self._extra = send, extra
        self._start: Any = None
        self._body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start" and self._changes(message["headers"]):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._whole()
        else:
            await self._send(message)

    def _changes(self, headers: Any) -> bool:
        told = {k.lower(): v for k, v in headers}
        return told.get(b"content-type", b"").startswith(HTML) and b"content-encoding" not in told

    async def _whole(self) -> None:
        body = self._body.replace(b"</head>", self._extra + b"</head>", 1)
        headers = [(k, v) for k, v in self._start["headers"] if k.lower() not in (b"content-length", b"etag")]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
