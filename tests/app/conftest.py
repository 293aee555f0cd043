"""A fake backend for the pages, put in place and taken away again."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
STUDIO = Path(__file__).resolve().parents[2] / "app" / "studio.py"


def _fake_module() -> Any:
    spec = importlib.util.spec_from_file_location("llmrec_fake_backend", Path(__file__).with_name("fake_backend.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fakes() -> Any:
    """The module of the fake backend."""
    return _fake_module()


@pytest.fixture
def fake(fakes: Any) -> Iterator[Any]:
    """A fake backend that every page asks."""
    from app import shared

    backend = fakes.FakeBackend()
    shared.use(backend)
    yield backend
    shared.use(None)


@pytest.fixture
def page() -> Any:
    """`page("views/data.py", item="1")` runs that page as its address says, and fails on an exception."""
    from streamlit.testing.v1 import AppTest

    def run(view: str = "views/tour.py", **address: str) -> Any:
        at = AppTest.from_file(str(STUDIO), default_timeout=30)
        for name, value in address.items():
            at.query_params[name] = value
        at.run()
        if view != "views/tour.py":
            at.switch_page(view)
            for name in list(at.query_params):  # as a browser does: the address of another page is left behind
                del at.query_params[name]
            for name, value in address.items():
                at.query_params[name] = value
            at.run()
        assert not at.exception, at.exception
        return at

    return run
