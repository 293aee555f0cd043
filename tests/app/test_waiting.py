"""What the Tour and the Tokens page wait for is asked for every second; where that fails meanwhile, it is a sentence and no error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app import shared
from app.seam import Trouble

SCRIPT = """
import streamlit as st
from app.seam import Card
from app.seam.maps import Lay
from app.tokens import inspector, moved_part, newcomer_part
from app.tour import eight, metaid, telling
from app import shared

card = Card("item", 0, "1", "Alien", 1979, ())
{asks}
st.caption("the page goes on")
"""


class Gone:
    """A backend whose run was deleted while somebody waits."""

    def tour(self) -> Gone:
        return self

    maps = tour

    def names(self, *asked: Any) -> Gone:
        if asked:
            raise Trouble("This run is gone.")
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def asked(*_: Any) -> Any:
            raise Trouble("This run is gone.")

        return asked


@pytest.fixture
def gone() -> Iterator[None]:
    shared.use(Gone())  # type: ignore[arg-type]
    yield
    shared.use(None)


@pytest.mark.parametrize(
    "asks",
    [
        "telling._live(lambda: shared.backend().origin())",
        'eight._waiting("a", card)',
        'metaid._forming("a", card)',
        'metaid._clustering("a", card)',
        'moved_part._waiting("a", "b", Lay(), False)',
        'inspector._counting("a", "<c1>")',
        'newcomer_part._reading("a", "Alien")',
    ],
)
def test_what_is_gone_while_somebody_waits_is_a_sentence(gone: None, asks: str) -> None:
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_string(SCRIPT.format(asks=asks), default_timeout=30).run()
    assert not at.exception and "This run is gone" in at.warning[0].value and "the page goes on" in at.caption[0].value
