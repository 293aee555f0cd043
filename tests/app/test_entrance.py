"""The entrance: pages say where the server is, and nothing else is touched."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app import pages
from app.entrance import Entrance, script

PAGE = "<html><head><title>x</title></head><body>é</body></html>"


async def html(request: Request) -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"etag": "1"})


async def parts(request: Request) -> StreamingResponse:
    async def words():
        yield PAGE[:20]
        yield PAGE[20:]

    return StreamingResponse(words(), media_type="text/html; charset=utf-8")


async def other(request: Request) -> JSONResponse:
    return JSONResponse({"</head>": 1})


@pytest.fixture
def client() -> TestClient:
    return TestClient(Entrance(Starlette(routes=[Route("/tokens", html), Route("/parts", parts), Route("/x.json", other)]), ["tokens"]))


@pytest.mark.parametrize("path", ["/tokens", "/parts"])
def test_a_page_gets_its_base_once(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.text == PAGE.replace("</head>", script(["tokens"]) + "</head>")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers  # it named another text


def test_everything_else_goes_through(client: TestClient) -> None:
    assert client.get("/x.json").json() == {"</head>": 1}
    assert client.get("/none").status_code == 404


def test_the_base_is_what_stands_before_the_pages_name() -> None:
    pattern = re.search(r"replace\(/(.*)/, \"/\"\)", script(pages.ADDRESSES))
    assert pattern is not None
    told = re.compile(pattern[1].replace("\\/", "/"))
    for path, base in (("/tokens", "/"), ("/", "/"), ("/lab/tokens", "/lab/"), ("/lab/talk/", "/lab/"), ("/lab/", "/lab/")):
        assert told.sub("/", path) == base
