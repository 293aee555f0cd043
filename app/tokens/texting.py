"""The vector of a new item's text, kept on the disk: a language model that must be loaded first reads it, in a process of its own.

Where it stands: under `newcomer`. What it does not know: names, pages. `python -m app.tokens.texting RUN < text` is that process.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from llmrec.contracts import Floats


@dataclass(frozen=True)
class Read:
    """row: (1, d) what the embedder says of the text."""

    row: Floats


def key(embedder: Any, text: str) -> str:
    """What the vector is kept under: the embedder's settings, its code, and the text."""
    from llmrec.embed import text as reader
    from llmrec.runs import cache

    return cache.key("newtext", type(embedder).__name__, asdict(embedder), cache.code(reader.__name__), text)


def kept(embedder: Any, text: str) -> bool:
    """Whether it was read before."""
    from llmrec.runs import cache

    return cache.holds("newtext", key(embedder, text))


def vector(embedder: Any, text: str) -> Floats:
    """What the embedder says of a text: (1, d); read here where it is not kept."""
    from llmrec.runs import cache

    made = cache.remember("newtext", key(embedder, text), Read, lambda: Read(np.asarray(embedder.read([text]), dtype=np.float32)))
    return made.row


def main(run: str, text: str) -> int:
    """Read one text as a run's embedder does, and keep its vector."""
    from app.tokens.newcomer import as_read
    from llmrec.runs import store

    print(json.dumps({"stage": "loading the model that reads texts"}), flush=True)
    try:
        vector(store.by_name(run).recipe.embed, as_read(text))
    except (ValueError, FileNotFoundError) as error:
        print(json.dumps({"trouble": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    from app.tokens.texting import main as work

    sys.exit(work(sys.argv[1], sys.stdin.read()))
