"""What an estimate says: seconds by stage with their range, memory and disk needed and free, and what would fit.

Where it stands: between `trial`, which makes it, and those who ask. What it does not know: how anything was measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

How = Literal["cached", "measured", "extrapolated"]
TIGHT = 0.8  # of what is free: above it another program, or a longer document, is one too many
GIB, MIB = 2**30, 2**20


@dataclass(frozen=True)
class Stage:
    """One stage's seconds. how: taken from the cache, worked whole, or worked in part; give: how many seconds it may be off, either way."""

    label: str
    seconds: float
    how: How
    give: float = 0.0


@dataclass(frozen=True)
class Room:
    """Bytes that are needed, at the highest moment, and those that are free for it."""

    needed: int
    free: int

    @property
    def fits(self) -> bool:
        return self.needed <= self.free

    @property
    def tight(self) -> bool:
        return self.needed > TIGHT * self.free


@dataclass(frozen=True)
class Line:
    """Memory as a line: `fixed` bytes for weights, optimizer and data, and `each` for every document of a batch."""

    fixed: int
    each: int

    @classmethod
    def through(cls, small: tuple[int, int], large: tuple[int, int]) -> Line | None:
        """The line through two measurements (batch, bytes); None where the two batches are one."""
        if small[0] == large[0]:
            return None
        each = max(0, round((large[1] - small[1]) / (large[0] - small[0])))
        return cls(large[1] - each * large[0], each)

    def at(self, batch: int) -> int:
        """The bytes that a batch of this size needs."""
        return self.fixed + batch * self.each

    def batch_within(self, free: int) -> int:
        """The largest power of two that leaves a fifth of `free`; 0 where not even one document fits."""
        over = TIGHT * free - self.fixed
        if over <= 0:
            return 0
        most = 2**40 if not self.each else math.floor(over / self.each)
        return 0 if most < 1 else int(2 ** math.floor(math.log2(most)))


@dataclass(frozen=True)
class Estimate:
    """What a run will take on this machine, as it was while this was measured.

    stages: in order; memory: of the process, or of the GPU where there is one, optimizer and evaluation included; disk: the run's folder
    at its fullest, and what the stages will keep; line: how memory follows from the batch, None where one batch alone was measured;
    now: the settings that advice speaks of, such as {"train.batch": 32}. A training that stops early, by `patience`, takes less.
    """

    stages: tuple[Stage, ...]
    memory: Room
    disk: Room
    line: Line | None = None
    now: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    @property
    def span(self) -> tuple[float, float]:
        """Seconds at least and at most, as far as the measured spread tells."""
        give = sum(stage.give for stage in self.stages)
        return max(0.0, self.seconds - give), self.seconds + give

    @property
    def memory_bytes(self) -> int:
        return self.memory.needed

    @property
    def memory_free(self) -> int:
        return self.memory.free

    @property
    def disk_bytes(self) -> int:
        return self.disk.needed

    @property
    def disk_free(self) -> int:
        return self.disk.free

    @property
    def fits(self) -> bool:
        return self.memory.fits and self.disk.fits

    @property
    def advice(self) -> str:
        """A sentence that names the setting that would fit; "" where there is room to spare."""
        said = [about_memory(self.memory, self.line, self.now), about_disk(self.disk, self.now)]
        return " ".join(sentence for sentence in said if sentence)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, what follows from the rest included."""
        names = ("seconds", "span", "memory_bytes", "memory_free", "disk_bytes", "disk_free", "fits", "advice")
        return {**{name: getattr(self, name) for name in names}, **asdict(self), "now": dict(self.now)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Estimate:
        """What `to_dict` gave."""
        line = plain["line"]
        return cls(
            tuple(Stage(**stage) for stage in plain["stages"]),
            Room(**plain["memory"]),
            Room(**plain["disk"]),
            None if line is None else Line(**line),
            dict(plain["now"]),
        )


def about_memory(room: Room, line: Line | None, now: Mapping[str, int]) -> str:
    """What to set where memory is short or tight; "" where it is neither."""
    if not room.tight:
        return ""
    said = f"Training needs {size(room.needed)} of memory and {size(room.free)} are free"
    begin = f"{said}, which is tight" if room.fits else said
    return f"{begin}: {setting(room, line, now)}."


def setting(room: Room, line: Line | None, now: Mapping[str, int]) -> str:
    """The setting that makes memory fit: a smaller batch, else fewer layers, else another machine."""
    batch, layers = now.get("train.batch", 1), now.get("lm.layers", 1)
    fitting = 0 if line is None else min(line.batch_within(room.free), batch)
    if 0 < fitting < batch:
        return f"set train.batch = {fitting} (now {batch})"
    if layers > 1:
        fewer = max(1, min(layers - 1, math.floor(layers * TIGHT * room.free / max(1, room.needed))))
        smaller = f"train.batch = 1 (now {batch}) and " if batch > 1 and line is not None and not fitting else ""
        return f"set {smaller}lm.layers = {fewer} (now {layers})"
    return "close other programs, choose a smaller backbone (lm.name), or train on a machine with more memory"


def about_disk(room: Room, now: Mapping[str, int]) -> str:
    """What to do where the disk is too full; "" where it is not."""
    if room.fits:
        return ""
    fewer = f", or set lm.layers = {max(1, now['lm.layers'] // 2)} (now {now['lm.layers']})" if now.get("lm.layers", 1) > 1 else ""
    short = size(room.needed - room.free)
    return (
        f"The run needs {size(room.needed)} of disk and {size(room.free)} are free: free {short} (`llmrec runs` shows what is kept){fewer}."
    )


def size(n: int) -> str:
    """Bytes for people: 1.5 GiB, 230 MiB."""
    return f"{n / GIB:.1f} GiB" if n >= GIB else f"{max(1, round(n / MIB))} MiB"


def mean_and_give(seconds: Sequence[float]) -> tuple[float, float]:
    """The mean of some measured steps, and how far the mean may be off: two standard errors, and a tenth at the least."""
    mean = math.fsum(seconds) / len(seconds)
    if len(seconds) < 2:
        return mean, 0.5 * mean
    spread = math.sqrt(math.fsum((s - mean) ** 2 for s in seconds) / (len(seconds) - 1))
    return mean, max(0.1 * mean, 2 * spread / math.sqrt(len(seconds)))
