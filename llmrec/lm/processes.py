"""Several processes on one training: which of them this one is, what part of a step is its own, and the few words they exchange.

Where it stands: under the loop and the documents. `accelerate launch` or torchrun starts the processes; each runs the same program. Every
process writes each step's documents alike, from the same random stream, and scores its share of them; gradients are summed over all, so
that losses and weights are those of one process but for the order of a sum. Nothing is wrapped: the model stays as it is.
What it does not know: models, heads, runs.

Tried with torchrun and accelerate over Gloo, on CPUs. Over NCCL on several GPUs, and under MPI's launchers, it is written for and untried.

Dropout is the exception: each process drops out of its own share, from a stream of (seed, step, rank), so that a resumed training still
equals the uninterrupted one, while another number of processes drops out otherwise.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmrec.lm.trouble import Trouble, no_memory

if TYPE_CHECKING:
    import torch

# what torchrun and `accelerate launch` say, and the launchers of MPI
RANK = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
WORLD = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
PLACE = ("LOCAL_RANK", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_RANK")
PATIENCE = 7  # days: the others wait while the main process prepares, ranks or saves; over Gloo, who dies is noticed at once


class Deserted(Trouble):
    """Another process of this training is gone."""


def rank() -> int:
    """Which of the processes this one is, from 0, the main one."""
    return _said(RANK, 0)


def place() -> int | None:
    """Which of this machine's processes this one is, from 0; None where no launcher says so."""
    found = _said(PLACE, -1)
    return None if found < 0 else found


def world() -> int:
    """How many processes work on this training. ValueError where a launcher was asked for several and started one."""
    n = _said(WORLD, 1)
    if n == 1 and os.environ.get("ACCELERATE_USE_CPU", "").lower() == "true" and "MASTER_ADDR" in os.environ:
        raise ValueError(
            "accelerate was asked for several processes and started one, as it does with --cpu where there is no MPI: leave --cpu out and "
            "say `accelerate launch --multi_gpu --num_processes 2 ...`, which takes the CPU where there is no GPU, or use torchrun"
        )
    return n


def _said(names: Sequence[str], otherwise: int) -> int:
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), otherwise)


@dataclass(frozen=True)
class Share:
    """One process's part in a training, and its word with the others.

    rank, world: which of how many; draws: the stream of what all must draw alike (None: torch's own, as ever with one process).
    """

    rank: int = 0
    world: int = 1
    draws: torch.Generator | None = None

    @property
    def main(self) -> bool:
        """Whether this process alone writes files, ranks and tells what happens."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world == 1

    @property
    def part(self) -> slice:
        """Which of a step's documents are this process's: every world-th."""
        return slice(self.rank, None, self.world)

    def told(self, value: Any = None) -> Any:
        """What the main process says: any JSON value; all must ask at the same place."""
        if self.alone:
            return value
        import torch

        said = json.dumps(value).encode() if self.main else b""
        size = torch.tensor([len(said)], device=_device())
        with _together():
            torch.distributed.broadcast(size, 0)
            letters = torch.zeros(int(size), dtype=torch.uint8, device=size.device)
            if self.main:
                letters.copy_(torch.frombuffer(bytearray(said), dtype=torch.uint8))
            torch.distributed.broadcast(letters, 0)
            heard = bytes(letters.cpu().tolist())  # reading is waiting, where the sending went on beside
        return json.loads(heard)

    def anyone(self, says: bool) -> bool:
        """Whether some process says yes; all must ask at the same place, and all hear the same."""
        if self.alone:
            return says
        import torch

        votes = torch.tensor([float(says)], device=_device())
        with _together():
            torch.distributed.all_reduce(votes)
            some = bool(votes.item())
        return some

    def alike(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give all processes the main one's values."""
        if not self.alone:
            import torch

            with _together():
                for tensor in tensors:
                    torch.distributed.broadcast(tensor.detach(), 0)

    def summed(self, weights: Sequence[torch.nn.Parameter], loss: float) -> float:
        """Put the sum of all processes' gradients in the place of each, and return the sum of `loss`.

        A weight that has a gradient nowhere keeps none, so that the optimizer leaves it alone.
        """
        if self.alone:
            return loss
        import torch

        sizes = [w.numel() for w in weights]
        flat = torch.zeros(sum(sizes) + len(weights) + 1, device=weights[0].device)
        *grads, has, value = flat.split([*sizes, len(weights), 1])
        for place, (weight, mine) in enumerate(zip(weights, grads, strict=True)):
            if weight.grad is not None:
                mine.copy_(weight.grad.flatten())
                has[place] = 1
        value.fill_(loss)
        with _together():
            torch.distributed.all_reduce(flat)
            owned, total = has.tolist(), float(value)
        for weight, whole, owners in zip(weights, grads, owned, strict=True):
            weight.grad = whole.view_as(weight) if owners else None
        return total

    @contextlib.contextmanager
    def dropping(self, seed: int, step: int) -> Iterator[None]:
        """Inside, dropout draws from this process's own stream of a step; `draws` goes on from where torch's own stands, alike for all."""
        if self.draws is None:
            yield
            return
        import torch

        from llmrec import rng

        self.draws.set_state(torch.get_rng_state())
        torch.manual_seed(int(rng.stream(seed, "dropout", str(step), str(self.rank)).integers(2**62)))
        try:
            yield
        finally:
            torch.set_rng_state(self.draws.get_state())


WHOLE = Share()


def join() -> Share:
    """Meet the other processes, over NCCL on GPUs and Gloo on CPUs, and get this one's share; alone there is nobody to meet."""
    if world() == 1:
        return WHOLE
    from datetime import timedelta

    import torch
    from accelerate import PartialState

    from llmrec.lm.precision import best_device

    cpu = best_device().type == "cpu"
    state = PartialState(cpu=cpu, backend="gloo" if cpu else None, timeout=timedelta(days=PATIENCE))
    return Share(state.process_index, state.num_processes, torch.Generator())


def leave() -> None:
    """Part from the other processes, if there are any."""
    if world() == 1:
        return
    import torch

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _device() -> torch.device:
    from accelerate import PartialState

    device: torch.device = PartialState().device
    return device


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """Inside, what fails is taken for another process's end, but for want of memory, which is one's own."""
    try:
        yield
    except RuntimeError as error:
        if no_memory(error):
            raise
        raise Deserted("another process of this training ended in the middle; its own output says why, and --resume goes on") from error
