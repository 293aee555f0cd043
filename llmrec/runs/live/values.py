"""What the picture of a run is made of: plain frozen values.

Where it stands: between `folding`, which makes them of events, and whoever shows them. What it does not know: files, runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from llmrec.runs.status import State

Metrics = dict[str, float]


@dataclass(frozen=True)
class StageLine:
    """One stage of the attempt in hand. seconds: None while it is worked; cached: it was taken from the cache; share: in 0..1;
    seconds_left: of this stage, None where nobody can tell."""

    label: str
    seconds: float | None = None
    cached: bool = False
    share: float = 0.0
    seconds_left: float | None = None

    @property
    def worked(self) -> float:
        """Seconds spent on it so far, as far as they are known."""
        if self.seconds is not None:
            return self.seconds
        return self.seconds_left * self.share / (1 - self.share) if self.seconds_left is not None and self.share < 1 else 0.0


@dataclass(frozen=True)
class Pace:
    """Where training is and how fast. step: None until this attempt trains; loss: as last told; memory_bytes: of the training process;
    seconds: spent in training, those before a resumed checkpoint included; whole: that training takes in all, also before it goes on."""

    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    tokens_per_s: float | None = None
    items_per_s: float | None = None
    memory_bytes: float | None = None
    seconds: float = 0.0
    whole: float | None = None


@dataclass(frozen=True)
class Curves:
    """What rises and falls. losses: (step, loss); validations: (step, metrics, whether it was the best so far); steps rise strictly."""

    losses: tuple[tuple[int, float], ...] = ()
    validations: tuple[tuple[int, Metrics, bool], ...] = ()


@dataclass(frozen=True)
class Log:
    """What happened. stages: of this attempt, oldest first; warnings: of all; evaluations: (part, seen items, metrics).

    seconds: spent on stages other than training, in all attempts; resumed: this attempt goes on from an earlier one;
    ranking: seconds that one evaluation takes, once one was seen.
    """

    stages: tuple[StageLine, ...] = ()
    warnings: tuple[str, ...] = ()
    evaluations: tuple[tuple[str, str, Metrics], ...] = ()
    seconds: float = 0.0
    resumed: bool = False
    ranking: float | None = None


@dataclass(frozen=True)
class Live:
    """A run in one picture.

    stage: what is done at the moment, in words ("walks", "skip-gram", "fine-tuning"); fraction: of the whole run, in 0..1, never falling
    within one attempt; seconds_left: of the whole run, None until training has a pace.
    """

    state: State = "new"
    reason: str = ""
    stage: str = ""
    fraction: float = 0.0
    seconds_left: float | None = None
    pace: Pace = field(default_factory=Pace)
    curves: Curves = field(default_factory=Curves)
    log: Log = field(default_factory=Log)

    @property
    def seconds(self) -> float:
        """Seconds worked so far: by the stages' own clocks, in which nobody waited in a queue and no clock went backwards."""
        line = self.log.stages[-1] if self.log.stages else None
        open_ = line.worked if line is not None and line.seconds is None and line.label != "training" else 0.0
        return self.log.seconds + open_ + self.pace.seconds
