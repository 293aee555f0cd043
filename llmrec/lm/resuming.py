"""What lies in a run's folder when a training begins: whether all is whole that it goes on from.

Where it stands: under the loop, over checkpoints. What it does not know: how a training goes, and what a model's files mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from llmrec import artifacts
from llmrec.lm import checkpoint, trouble
from llmrec.lm.average import Average
from llmrec.lm.checkpoint import Saved
from llmrec.lm.trained import Trained

CHECKPOINT = "checkpoint"  # the folder's name in a run


def whole(folder: Path, kept: Sequence[str], model: Trained, average: Average, warn: Callable[[str], None]) -> Saved | None:
    """The checkpoint, if all is whole that it goes on from. What is damaged is put aside, and training begins anew: to the same end.

    kept: the folders of the best model so far; warn: hears what was put aside and why.
    """
    at = folder / CHECKPOINT
    for name in (*kept, at.name):
        artifacts.recover(folder / name)
    try:
        saved = checkpoint.read(at, model, average)
    except artifacts.BadArtifact as error:
        warn(f"{error}; {_put_aside([at])}, and training begins anew")
        return None
    if saved is None or not saved.done.best_step:
        return saved
    damaged, why = list[Path](), list[str]()
    for name in kept:
        try:
            artifacts.check(folder / name)
        except artifacts.BadArtifact as error:
            damaged.append(folder / name)
            why.append(str(error))
    if not damaged:
        return saved
    # without that model the checkpoint leads to no same end; but it is whole, and hours of work: a person may want it
    warn(f"the best model so far cannot be read ({'; '.join(why)}); {_put_aside([*damaged, at])}, and training begins anew")
    return None


def taken(folder: Path, kept: Sequence[str]) -> int:
    """The bytes of what a training has in its run's folder already, which it replaces."""
    files = [path for name in (*kept, CHECKPOINT) for path in (folder / name).rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())


def _put_aside(folders: Sequence[Path]) -> str:
    """Put aside those that are there; what was moved, in words."""
    names = [(folder.name, trouble.set_aside(folder).name) for folder in folders if folder.exists()]
    if len(names) == 1 and names[0][0] == CHECKPOINT:
        return f"the checkpoint was put aside as {names[0][1]}"
    return f"{' and '.join(name for name, _ in names)} were put aside as {' and '.join(aside for _, aside in names)}"
