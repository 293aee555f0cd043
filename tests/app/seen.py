"""What a person reads on a page that Streamlit's AppTest has run."""

from __future__ import annotations

from html import unescape
from typing import Any

WORDS = ("title", "header", "subheader", "caption", "markdown", "info", "success", "warning", "error")


def said(at: Any) -> str:
    """Everything the page says in Streamlit's own elements."""
    return unescape(" ".join(e.value for kind in WORDS for e in at.get(kind)))


def html(at: Any) -> str:
    """The page's own HTML, as it is sent; no style sheets."""
    return " ".join(block.proto.body for block in at.get("html") if "<style>" not in block.proto.body)


def chosen(at: Any, *files: tuple[str, bytes, str]) -> Any:
    """The page after these files were given to its uploader."""
    return at.file_uploader[0].set_value(list(files)).run()


def metrics(at: Any) -> dict[str, str]:
    return {m.label: m.value for m in at.metric}
