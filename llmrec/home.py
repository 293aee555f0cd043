"""Where things are kept on disk: a user's folder outside the repository.

LLMREC_HOME names it (default: `$XDG_CACHE_HOME/llmrec` or `~/.cache/llmrec`); LLMREC_RUNS may put the runs elsewhere, LLMREC_DATA the
data sets that a person brings.
"""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The root of everything kept: downloads, models, cached stages, runs."""
    named = os.environ.get("LLMREC_HOME")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmrec"


def downloads() -> Path:
    """Fetched files, verified by hash."""
    return home() / "downloads"


def data() -> Path:
    """Data sets that a person brings, for the readers that know them by name."""
    named = os.environ.get("LLMREC_DATA")
    return Path(named).expanduser() if named else home() / "data"


def uploads() -> Path:
    """Data sets imported on this machine, a folder each (`llmrec.data.uploads`)."""
    return home() / "uploads"


def models() -> Path:
    """Unpacked language-model weights."""
    return home() / "models"


def stages() -> Path:
    """Cached results of stages, by content."""
    return home() / "stages"


def tables() -> Path:
    """Tables of names that were fitted without training a model."""
    return home() / "tables"


def runs() -> Path:
    """The folder of runs."""
    named = os.environ.get("LLMREC_RUNS")
    return Path(named).expanduser() if named else home() / "runs"
