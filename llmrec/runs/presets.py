"""Presets: how long to train, in three sizes, as recipes for a scheme, a data set and the device at hand.

Where it stands: before a run; the Train page and the command line begin here, and `runs.estimate` measures what really comes of it.
What it does not know: how a run goes. The numbers below are rules of thumb for a start; no estimate is made of them.

| preset | for | nano on two CPU cores and MovieLens-100K | elsewhere |
|---|---|---|---|
| sketch | seeing the whole path work, about 60 s | 1 layer, 4 passes, whatever the names cost | as many interactions |
| demo | a model worth talking to, 10 to 15 min | 2 layers, 20 passes, fewer where they take over 15 min | as many seconds |
| full | the best; 10 min on a data-centre GPU | 2 layers, 30 passes, fewer where they take over 30 min | a GPU takes all layers |

What two cores without a GPU cannot: `full` there is the best that a quarter of an hour to half an hour reaches. Small data is read up to
three times as often; where one pass is already too much, a share of the users is read, once (`train.tasks`). Where memory is short, batches
are halved and then layers, by a rough count that leaves a fifth; the estimate measures what is really needed. Where a number comes from:

| number | value | measured on |
|---|---|---|
| seconds a pass, one layer | `PASS` | benchmarks/results/<scheme>-ml-100k-sketch: training seconds of the quietest seed / 4 |
| a second layer costs half as much again | 1.5 | metaid-ml-100k-full (605 s / 30 passes) against metaid-ml-100k-sketch (56 s / 4) |
| a document's header reads like 8 items | 8 | lastfm/tokenrec: 13 s a pass, 12 foretold; beauty/tokenrec: 114 s, 74 foretold |
| batch 128 at lr 2e-3 where documents are short and many | | beauty/tokenrec |
| SmolLM2: 0.4 ms an item and layer, bf16 | `MS` | docs/log.md: 30 layers, LoRA, 38,000 items in 483 s; 2 layers by estimate: 0.42 |
| lr 5e-4 with LoRA | | NOT TUNED: the middle of 1e-4 and 1e-3, which docs/log.md leaves open |
| SmolLM2 without bf16 is 14 times slower | 14 | 480 against 35 tokens/s, all layers, two cores |
| bytes of a process, of a document, of its layers | `NANO_MIB` | estimates on two cores: 580 MiB, and 1 to 4 MiB a document |
| the same for SmolLM2 | `TUNED_MIB` | ASSUMED, by counting: 300 tokens, scores of 49,000 rows thrice, 40 values a unit and layer |
| a GPU is 20 (nano) and 100 (pretrained) times two cores | | ASSUMED: no GPU was at hand; the estimate measures yours |
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmrec import registry
from llmrec.recipe import Recipe, read
from llmrec.registry import UnknownName

PRESETS = ("sketch", "demo", "full")
BACKBONES = ("nano", "tiny", "smollm2-135m")
Size = tuple[int, int, int]  # users, items, interactions
KNOWN: dict[str, Size] = {
    "ml-100k": (943, 1682, 100_000),
    "lastfm": (1_090, 3_646, 52_551),
    "ml-1m": (6_040, 3_416, 999_611),
    "beauty": (22_363, 12_101, 198_502),
}
# seconds of a pass over MovieLens-100K on two cores, one layer of nano
PASS = {"rid": 25, "sid": 24, "cid": 14, "title": 60, "metaid": 14, "tokenrec": 21, "tiger": 25, "cllm4rec": 12}
OTHER = 25  # names of a scheme that nobody has timed
PAPERS = {"tokenrec": "retrieve", "cllm4rec": "items"}  # the head that a scheme's paper uses; trie for all others
PASSES = {"sketch": 4, "demo": 20, "full": 30}
SECONDS = {"demo": 900.0, "full": 1800.0}  # the most that training may take on two cores
LAYERS = {"sketch": 1, "demo": 2, "full": 2}
VALIDATIONS = {"sketch": 2, "demo": 5, "full": 10}
AGAIN = 3.0  # how many times as often small data may be read
SHORT_STEPS = 1_000  # fewer steps than this want a quicker average
MANY_USERS = 20_000
# of a pretrained model: layers (None: all), seconds on two cores, passes at most
PRETRAINED: dict[str, tuple[int | None, float, float]] = {"sketch": (2, 60.0, 1), "demo": (4, 600.0, 4), "full": (6, 1500.0, 10)}
# rough memory in MiB: a process with its model, a document's scores, a document in one layer
NANO_MIB = (600, 3, 1)
TUNED_MIB = (1000, 150, 15)
SMOLLM2_LAYERS = 30
MS = 0.4  # milliseconds an item and layer of SmolLM2


@dataclass(frozen=True)
class Device:
    """What a run is trained on. cores, memory_gib: those that one run gets; bf16: fast here; gpu_gib: None without a GPU."""

    cores: int
    memory_gib: float
    bf16: bool = True
    gpu_gib: float | None = None


TWO_CORES = Device(cores=2, memory_gib=16.0)


def device() -> Device:
    """The machine this runs on."""
    import torch

    from llmrec.lm.precision import best_device, has_bf16
    from llmrec.runs import machine
    from llmrec.runs.queue import dispatch

    gpu = torch.cuda.get_device_properties(0).total_memory / 2**30 if torch.cuda.is_available() else None
    memory = float(str(machine.describe()["memory_gib"] or 8.0)) / dispatch.slots()
    return Device(dispatch.threads(), memory, has_bf16(best_device()), gpu)


def recipe(
    scheme: str | Mapping[str, Any],
    data: str | Mapping[str, Any] = "ml-100k",
    preset: str = "sketch",
    head: str | None = None,
    lm: str = "nano",
    on: Device | None = None,
    seed: int = 0,
    size: Size | None = None,
) -> Recipe:
    """The recipe of a preset, called `<scheme>-<data>-<preset>`.

    scheme, data: a registered name, or a whole section where it needs settings; head: None takes the paper's; lm: nano, smollm2-135m,
    a hub name (org/name) or a folder; on: None takes this machine; size: users, items, interactions, None reads the data where they are
    not known. `UnknownName` with the near names; `BadRecipe` where no recipe can be made of these.
    """
    named: dict[str, Any] = {"name": scheme} if isinstance(scheme, str) else dict(scheme)
    scheme = str(named.get("name"))
    section: dict[str, Any] = {"name": data} if isinstance(data, str) else dict(data)
    called = str(section.get("name", "ml-100k"))
    _known("preset", preset, PRESETS)
    for kind, name in (("scheme", scheme), ("data", called)):
        _known(kind, name, registry.names(kind))
    head = head or PAPERS.get(scheme, "trie")
    _known("head", head, registry.names("head"))
    if lm not in BACKBONES and lm.count("/") != 1 and not Path(lm).is_dir():
        _known("backbone", lm, BACKBONES)
    plain: dict[str, Any] = {"seed": seed, "data": section, "scheme": named, "head": {"name": head}}
    if registry.load("head", head).needs_vectors and registry.load("scheme", scheme).embedder is None:
        plain["embed"] = {"name": "lightgcn"}  # names without vectors, behind a head that compares with some
    bare = read(plain)  # refuses what no recipe can be, before anything is read
    size = size or (KNOWN.get(called) if set(section) <= {"name"} else None) or _counted(bare)
    on = on or device()
    plain["lm"], plain["train"] = _scratch(lm, scheme, preset, on, size) if lm in BACKBONES[:2] else _tuned(lm, preset, on, size)
    return dataclasses.replace(read(plain), name=f"{scheme}-{section.get('set', called)}-{preset}")


def _scratch(lm: str, scheme: str, preset: str, on: Device, size: Size) -> tuple[dict[str, Any], dict[str, Any]]:
    """[lm] and [train] of a model that starts from random weights."""
    layers = LAYERS[preset] if on.gpu_gib is None else {"sketch": 2, "demo": 4, "full": 4}[preset]
    one = PASS.get(scheme, OTHER) * (1 + 0.5 * (layers - 1))  # seconds of a pass where the presets were measured
    there = min(PASSES[preset], SECONDS.get(preset, float("inf")) / one)
    passes = min(there * power(on) / work(size), PASSES[preset] * min(AGAIN, max(1.0, 1 / work(size))))
    layers, batch = within(on, layers, 128 if on.gpu_gib is not None or size[0] > MANY_USERS else 32, NANO_MIB)
    train = _reading(passes, size, batch, preset)
    if batch != 32:
        train |= {"batch": batch}
    if batch > 32:
        train |= {"lr": 2e-3}
    return {"name": lm, "layers": layers if lm == "nano" else min(layers, 2)}, train


def _tuned(lm: str, preset: str, on: Device, size: Size) -> tuple[dict[str, Any], dict[str, Any]]:
    """[lm] and [train] of pretrained weights: a LoRA adapter and the new rows, over fewer documents and at a lower rate."""
    layers, seconds, most = PRETRAINED[preset]
    if on.gpu_gib is not None:
        layers = {"sketch": 4, "demo": 12, "full": None}[preset]
    an_item = MS * 1e-3 * (layers or SMOLLM2_LAYERS) * (1 if on.bf16 else 14)
    affordable = seconds * power(on, pretrained=True) / (an_item * read_like(size))
    fewer, batch = within(on, layers or SMOLLM2_LAYERS, 16, TUNED_MIB)
    if layers is not None or (fewer < SMOLLM2_LAYERS and lm in BACKBONES):  # how deep another model is, is not known here
        layers = fewer
    train = _reading(min(affordable, most), size, batch, preset)
    if preset == "sketch":
        train["validations"] = 1  # one ranking of everybody takes a quarter of the training
    body = {"name": lm, "tuning": "lora"} | ({} if layers is None else {"layers": layers})
    return body, train | {"batch": batch, "lr": 5e-4}


def within(on: Device, layers: int, batch: int, mib: tuple[int, int, int]) -> tuple[int, int]:
    """(layers, batch) that fit: the batch is halved, and where it is 1 the layers, until four fifths of the memory hold them."""
    process, scores, layer = (n * (1 if on.bf16 or at == 0 else 2) for at, n in enumerate(mib))
    left = 0.8 * 1024 * (on.memory_gib if on.gpu_gib is None else on.gpu_gib) - process
    while batch > 1 and batch * (scores + layers * layer) > left:
        batch //= 2
    while layers > 1 and batch * (scores + layers * layer) > left:
        layers //= 2
    return layers, batch


def _reading(passes: float, size: Size, batch: int, preset: str) -> dict[str, Any]:
    """How often the data is read, in whole passes where there is time for one and as a share of the users where there is not."""
    train: dict[str, Any] = {"epochs": max(1, round(passes)), "validations": VALIDATIONS[preset]}
    share = min(1.0, passes)
    if share < 0.95:
        train["tasks"] = {"sequential": max(0.01, round(share, 2))}
        train["validations"] = min(2, VALIDATIONS[preset])
    users, _, interactions = size
    if max(passes, 0.01) * (interactions / 50 + users / 2) / batch < SHORT_STEPS:  # windows of 50 items, the last ones half full
        train["average"] = 0.98
    return train


def read_like(size: Size) -> float:
    """A pass over data of this size, in items: a header costs as much as eight."""
    return size[2] + 8 * size[0]


def work(size: Size) -> float:
    """A pass over data of this size, in passes over MovieLens-100K."""
    return read_like(size) / read_like(KNOWN["ml-100k"])


def power(on: Device, pretrained: bool = False) -> float:
    """How many times two cores this device is. A GPU's is assumed; more than two cores help a small model little."""
    if on.gpu_gib is not None:
        return 100.0 if pretrained else 20.0
    return min(on.cores, 8 if pretrained else 2) / 2


def _counted(bare: Recipe) -> Size:
    """The size of the data as it is read (and kept)."""
    from llmrec.runs import stages

    took = stages.dataset(bare).interactions
    return took.n_users, took.n_items, len(took)


def _known(kind: str, name: str, names: Any) -> None:
    if name in names:
        return
    close = difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)
    raise UnknownName(
        f"no {kind} is called {name!r}" + (f": did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(names)}")
    )
