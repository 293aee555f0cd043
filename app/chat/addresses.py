"""Addresses that open the panel as somebody left it: which models, which person, blind or not, a message to begin with.

Where it stands: between the address bar and the panel. What it does not know: Gradio, which models there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.chat.stage import MOST

KEYS = ("models", "user", "blind", "message")
LONGEST = 2000  # letters of a message that an address may bring


@dataclass(frozen=True)
class Wanted:
    """What an address asks for. Nothing of it is known to exist."""

    models: tuple[str, ...] = ()
    user: str = ""
    blind: bool = False
    message: str = ""


def read(params: Mapping[str, str]) -> Wanted:
    """?models=a,b&user=196&blind=1&message=...; ?run=a, as the other pages write it, asks for one model."""
    named = [m.strip() for m in params.get("models", "").split(",")] or []
    named = [m for m in dict.fromkeys(named) if m] or [m for m in [params.get("run", "").strip()] if m]
    blind = params.get("blind", "").casefold() in ("1", "true", "yes", "on")
    return Wanted(tuple(named[:MOST]), params.get("user", "").strip(), blind, params.get("message", "")[:LONGEST])


def write(models: Sequence[str], user: str = "", blind: bool = False, message: str = "") -> str:
    """The part behind the question mark."""
    told = {"models": ",".join(models), "user": user, "blind": "1" if blind else "", "message": message}
    return urlencode({k: v for k, v in told.items() if v}, safe=",@")
