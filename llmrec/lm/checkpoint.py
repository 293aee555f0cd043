"""Checkpoints: everything a training needs to go on as if it had never stopped.

Where it stands: under the loop. Safetensors and JSON in one folder that appears in one step; the RNG states are bytes in a tensor. A
damaged or foreign one is refused by name before anything is touched.
What it does not know: when one is due, and what becomes of a damaged one.
"""

from __future__ import annotations

import math
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from llmrec import artifacts
from llmrec.lm.average import Average
from llmrec.lm.trained import Trained

KIND = "Checkpoint"
STATE, TOLD = "state.safetensors", "progress.json"
SLOT = ("step", "exp_avg", "exp_avg_sq")  # what AdamW keeps of a weight that has had a gradient


@dataclass
class Progress:
    """Where a training is: steps done, the best score on validation and its step, validations since then, seconds spent."""

    step: int = 0
    best: float = -1.0
    best_step: int = 0
    worse: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds, whole and fitting. tensors: by "weight.", "average.", "adam." and "rng." names."""

    done: Progress
    tensors: dict[str, Tensor]


def save(folder: Path, model: Trained, optimizer: Any, average: Average, done: Progress) -> None:
    """Write weights, optimizer, average, RNG states and progress. OSError where there is no room; what was there before then stays."""
    names = list(model.trained())
    state = optimizer.state_dict()["state"]
    tensors: dict[str, Tensor] = {f"weight.{n}": p.detach() for n, p in model.trained().items()}
    tensors |= {f"average.{n}": t for n, t in average.mean.items()}
    tensors |= {f"adam.{names[i]}.{key}": torch.as_tensor(value) for i, slot in state.items() for key, value in slot.items()}
    tensors["rng.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["rng.cuda"] = torch.cuda.get_rng_state()
    with artifacts.writing(folder, KIND) as fresh:
        artifacts.write_json({"done": asdict(done), "names": names}, fresh / TOLD)  # a file, so that the manifest vouches for it
        save_file({k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}, fresh / STATE)


def size(model: Trained, average: Average) -> int:
    """About how many bytes `save` writes: the weights, AdamW's two moments of them, and their average."""
    weights = sum(p.numel() * p.element_size() for p in model.trained().values())
    return 3 * weights + sum(t.numel() * t.element_size() for t in average.mean.values())


def read(folder: Path, model: Trained, average: Average) -> Saved | None:
    """A checkpoint that fits this model; None where there is none. Raises `BadArtifact` when damaged or foreign."""
    if not folder.exists():
        return None
    manifest = artifacts.check(folder, KIND)
    told = artifacts.read_json(folder / TOLD) if TOLD in manifest["files"] else manifest["card"]  # the card: as it was first
    weights = model.trained()
    if told.get("names") != list(weights):
        raise artifacts.BadArtifact(f"{folder} belongs to another model: delete it to start this run afresh")
    done = _progress(told.get("done"), folder)
    try:
        tensors = load_file(folder / STATE)
    except (OSError, SafetensorError) as error:
        raise artifacts.BadArtifact(f"{folder / STATE} is damaged: {error}") from None
    odd = _odd(tensors, weights, average)
    if odd:
        raise artifacts.BadArtifact(f"{folder / STATE} belongs to another model (it differs in {', '.join(odd[:3])})")
    return Saved(done, tensors)


def _progress(told: Any, folder: Path) -> Progress:
    """What was written of a progress: every field, in its own kind of number."""
    ours = asdict(Progress())
    kinds = {name: (int,) if type(first) is int else (int, float) for name, first in ours.items()}
    if not isinstance(told, dict) or told.keys() != ours.keys() or not all(_number(told[name], kinds[name]) for name in ours):
        raise artifacts.BadArtifact(f"{folder} does not say how far its training was, which takes {', '.join(ours)}, a number each")
    return Progress(**told)


def _number(value: Any, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and math.isfinite(value)  # true and false are no numbers


def _odd(tensors: dict[str, Tensor], weights: dict[str, nn.Parameter], average: Average) -> list[str]:
    """The tensors that a training of these weights could not go on from, by name: absent ones and those of another shape."""
    shapes = {f"weight.{name}": p.shape for name, p in weights.items()} | {f"average.{name}": t.shape for name, t in average.mean.items()}
    for name, p in weights.items():
        if any(f"adam.{name}.{part}" in tensors for part in SLOT):
            shapes |= {f"adam.{name}.{part}": p.shape if part != "step" else torch.Size() for part in SLOT}
    shapes["rng.cpu"] = torch.get_rng_state().shape
    return [name for name, shape in shapes.items() if name not in tensors or tensors[name].shape != shape]


def restore(saved: Saved, model: Trained, optimizer: Any, average: Average) -> None:
    """Put a saved state back in place: weights, average, optimizer, RNG states."""
    tensors = saved.tensors
    with torch.no_grad():
        for name, parameter in model.trained().items():
            parameter.copy_(tensors[f"weight.{name}"])
            if name in average.mean:
                average.mean[name].copy_(tensors[f"average.{name}"])
    whole = optimizer.state_dict()
    for i, name in enumerate(model.trained()):
        prefix = f"adam.{name}."
        slot = {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}
        if slot:
            whole["state"][i] = slot
    optimizer.load_state_dict(whole)
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["rng.cuda"])


def remove(folder: Path) -> None:
    """Drop a checkpoint that is no longer needed."""
    shutil.rmtree(folder, ignore_errors=True)
