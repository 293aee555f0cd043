"""Checkpoints: everything a training needs to go on as if it had never stopped.

Safetensors and JSON in one folder that appears in one step; the RNG states are bytes in a tensor. A damaged one is refused by name.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from llmrec import artifacts
from llmrec.lm.average import Average
from llmrec.lm.trained import Trained

KIND = "Checkpoint"


def save(folder: Path, model: Trained, optimizer: Any, average: Average, done: dict[str, Any]) -> None:
    """Write weights, optimizer, average, RNG states and progress."""
    names = list(model.trained())
    state = optimizer.state_dict()["state"]
    tensors: dict[str, Tensor] = {f"weight.{n}": p.detach() for n, p in model.trained().items()}
    tensors |= {f"average.{n}": t for n, t in average.mean.items()}
    tensors |= {f"adam.{names[i]}.{key}": torch.as_tensor(value) for i, slot in state.items() for key, value in slot.items()}
    tensors["rng.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["rng.cuda"] = torch.cuda.get_rng_state()
    with artifacts.writing(folder, KIND, {"done": done, "names": names}) as fresh:
        save_file({k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}, fresh / "state.safetensors")


def load(folder: Path, model: Trained, optimizer: Any, average: Average) -> dict[str, Any] | None:
    """Put a saved state back in place and return its progress; None where there is none. Raises `BadArtifact` when damaged or foreign."""
    artifacts.recover(folder)
    if not folder.exists():
        return None
    card = artifacts.check(folder, KIND)["card"]
    weights = model.trained()
    if card["names"] != list(weights):
        raise artifacts.BadArtifact(f"{folder} belongs to another model: delete it to start this run afresh")
    tensors = load_file(folder / "state.safetensors")
    with torch.no_grad():
        for name, parameter in weights.items():
            parameter.copy_(tensors[f"weight.{name}"])
            if name in average.mean:
                average.mean[name].copy_(tensors[f"average.{name}"])
    whole = optimizer.state_dict()
    for i, name in enumerate(card["names"]):
        prefix = f"adam.{name}."
        slot = {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}
        if slot:
            whole["state"][i] = slot
    optimizer.load_state_dict(whole)
    torch.set_rng_state(tensors["rng.cpu"])
    if "rng.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["rng.cuda"])
    done: dict[str, Any] = card["done"]
    return done


def remove(folder: Path) -> None:
    """Drop a checkpoint that is no longer needed."""
    shutil.rmtree(folder, ignore_errors=True)
