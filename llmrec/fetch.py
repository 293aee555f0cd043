"""stub, replaced within minutes"""
from __future__ import annotations
from pathlib import Path
from llmrec.home import downloads


def fetch(name: str) -> Path:
    return downloads() / name
