"""A trained model as parts of a bundle, and back: adapter and new rows, or all of a small one, at half precision where asked for.

Where it stands: under packing and opening. What it does not know: names, runs; the tokenizer is made anew.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from llmrec.runs.bundles.container import BadBundle

PREFIX = "model/"
TENSORS = ("adapter_model.safetensors", "model.safetensors", "projections.safetensors")
TOLD = ("adapter_config.json", "config.json", "generation_config.json")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
HALF, AS_TRAINED = "fp16", "as trained"
HIGHEST = 65504.0  # of half precision


def parts(folder: Path, files: list[str], half: bool) -> dict[str, bytes]:
    """The files of a saved model as parts. files: what its manifest lists. ValueError for one that is not known to be fit to travel."""
    out: dict[str, bytes] = {}
    for name in files:
        if name in TOKENIZER:
            continue
        if name not in (*TENSORS, *TOLD):
            raise ValueError(f"{folder / name} is not a file that a bundle holds: it may have come from the data; take it out")
        raw = (folder / name).read_bytes()
        out[PREFIX + name] = halved(raw, name) if half and name in TENSORS else _plain(raw) if name in TOLD else raw
    return out


def write(found: dict[str, bytes], folder: Path) -> None:
    """Write the model's parts as files into a folder, in full precision."""
    for name, raw in found.items():
        if name.startswith(PREFIX):
            own = name.removeprefix(PREFIX)
            if own not in (*TENSORS, *TOLD):
                raise BadBundle(f"a bundle's model has no file {own!r}: it is damaged or not ours")
            (folder / own).write_bytes(whole(raw) if own in TENSORS else raw)


def halved(raw: bytes, name: str) -> bytes:
    """A safetensors file with its fp32 tensors in fp16. ValueError where one is too large for that."""
    import torch

    tensors, told = _read(raw)
    for key, tensor in tensors.items():
        if tensor.dtype == torch.float32:
            if tensor.numel() and float(tensor.abs().max()) > HIGHEST:
                raise ValueError(f"{name}: {key} holds numbers beyond {HIGHEST:,.0f}, which half precision cannot: pack without --half")
            tensors[key] = tensor.half()
    return _written(tensors, told)


def whole(raw: bytes) -> bytes:
    """A safetensors file with its fp16 tensors in fp32; any other is left as it is, to the byte."""
    import torch

    tensors, told = _read(raw)
    if not any(t.dtype == torch.float16 for t in tensors.values()):
        return raw
    return _written({k: t.float() if t.dtype == torch.float16 else t for k, t in tensors.items()}, told)


def _read(raw: bytes) -> tuple[dict[str, Any], dict[str, str] | None]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        length = struct.unpack("<Q", raw[:8])[0]
        told = json.loads(raw[8 : 8 + length]).get("__metadata__")
        return load(raw), told
    except (SafetensorError, struct.error, ValueError, AttributeError, RecursionError) as error:
        raise BadBundle(f"the weights cannot be read: {error}") from None


def _written(tensors: dict[str, Any], told: dict[str, str] | None) -> bytes:
    from safetensors.torch import save

    done: bytes = save({k: t.contiguous() for k, t in tensors.items()}, metadata=told)
    return done


def _plain(raw: bytes) -> bytes:
    """A configuration without the folder that the model was once read from."""
    told = json.loads(raw)
    if Path(str(told.get("_name_or_path", ""))).is_absolute():
        del told["_name_or_path"]
    return (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()
