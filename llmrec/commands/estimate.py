"""Estimate a recipe before it is trained: seconds by stage, memory, disk, from a short measurement on this machine.

Example: llmrec estimate metaid-ml-100k-sketch --set train.epochs=8
         llmrec estimate --scheme tokenrec --lm smollm2-135m --preset demo
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from llmrec.commands import layout, settings

if TYPE_CHECKING:
    from llmrec.runs.estimate import Estimate


def add(parser: argparse.ArgumentParser) -> None:
    settings.add(parser)


def run(args: argparse.Namespace) -> layout.Told:
    from llmrec.runs import estimate

    recipe = settings.asked(args)
    found = estimate.ask(recipe)
    plain = {"command": settings.typed(args), **found.to_dict()}
    return layout.Told(plain, _text(plain["command"], found))


def text(result: layout.Told) -> str:
    return result.text


def _text(command: str, found: Estimate) -> str:
    from llmrec.commands.progress import clock

    least, most = found.span
    rows = [(stage.label, clock(stage.seconds), stage.how) for stage in found.stages]
    room = [
        ("memory", layout.size(found.memory_bytes), layout.size(found.memory_free)),
        ("disk", layout.size(found.disk_bytes), layout.size(found.disk_free)),
    ]
    blocks = [
        f"About {clock(found.seconds)} ({clock(least)} to {clock(most)}); {'it fits' if found.fits else 'it does not fit'}",
        layout.table("Stages", ("stage", "time", "how known"), rows),
        layout.table("Room", ("", "needed", "free"), room),
        found.advice,
        command,
    ]
    return "\n\n".join(block for block in blocks if block)
