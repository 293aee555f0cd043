"""Documents: a header and a user's history written in names, packed so that one causal pass supervises every next item.

Where it stands: between the split and the training loop. Pure: (seed, epoch) decide the documents, so a resumed run sees the same ones.
It says where each item's name begins; every head makes its own targets from that.
What it does not know: the language model's weights, the heads and the loop.

Expanding each prefix into a sample of its own (what P5, OpenP5, META ID and RecBole's SASRec do) costs tens of times more for the same
gradients.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from llmrec import rng as streams
from llmrec.contracts import Id, IdTable, Interactions, Ints
from llmrec.lm import prompts
from llmrec.lm.names import Array
from llmrec.lm.processes import Share
from llmrec.lm.vocab import Ragged, Vocab


@dataclass(frozen=True)
class Batch:
    """Documents side by side. ids, mask: (b, t); items: (p,) the supervised items in order of reading; starts: (p, 2) the row and the
    column where the name of each begins: the state at column - 1 predicts it. items and starts stay on the host, where targets are made.

    Where several processes work on one step, each has a batch of its share: step is then what the whole step supervises, over which a
    loss is normalised, and draws the stream of what all must draw alike. None with one process.
    """

    ids: Tensor
    mask: Tensor
    starts: Array
    items: Array
    step: Array | None = None
    draws: torch.Generator | None = None

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def of_step(self) -> Array:
        """The supervised items of the whole step: (p',)."""
        return self.items if self.step is None else self.step

    def taken(self, share: Share) -> Batch:
        """This process's documents of a step that all have written, less the padding they don't need; none where none falls to it."""
        if share.alone:
            return self
        mine = self.starts[:, 0] % share.world == share.rank
        starts = self.starts[mine] // np.asarray([share.world, 1])
        ids, mask = trimmed(self.ids[share.part], self.mask[share.part])
        return Batch(ids, mask, starts, self.items[mine], self.items, share.draws)

    def before(self, states: Tensor) -> Tensor:
        """The state each supervised item is predicted from. states: (b, t, d); returns (p, d)."""
        at = torch.from_numpy(self.starts).to(states.device)
        return states[at[:, 0], at[:, 1] - 1]

    def to(self, device: torch.device) -> Batch:
        return Batch(self.ids.to(device), self.mask.to(device), self.starts, self.items, self.step, self.draws)


@dataclass(frozen=True)
class Window:
    """What one document is about: a user, some of their items, and the task whose templates head it."""

    user: int
    items: Ints
    task: str = "sequential"


@dataclass(frozen=True)
class Writer:
    """Writes headers and histories as row numbers.

    names: each item's row numbers, as `Vocab.names` gives them; max_items: the longest history in a document; shares: the share of users
    who, each epoch, get documents of a task: "sequential", in order of time, and "direct", in a random order under a header that says so;
    anonymous: the share of documents whose user is not named, so that new people are known. Interactions of one second come in a fresh
    order each epoch: their order in the file says nothing.
    """

    vocab: Vocab
    names: Ragged
    table: IdTable
    max_items: int = 50
    shares: Mapping[str, float] = field(default_factory=lambda: {"sequential": 1.0, "direct": 0.0})
    anonymous: float = 0.2

    def header(self, user: int | Id, template: int = 0, unseen: bool = False, task: str = "sequential") -> list[int]:
        """The row numbers of a header; user -1 is a new person, and one who was named meanwhile comes as that name."""
        return self.vocab.encode(prompts.header(self.called(user), template, task, unseen))

    def history(self, items: Ints) -> Array:
        """The names of some items, one after another."""
        return self.names.ids[self.names.places(items)]

    def prompt(
        self, user: int | Id, history: Ints | Sequence[int], template: int = 0, unseen: bool = False, task: str = "sequential"
    ) -> list[int]:
        """What the model reads before it recommends: the newest `max_items` of a history under (and over) a task's words."""
        items = self.told(history, task)
        footer = self.vocab.encode(prompts.footer(self.called(user), template, task, unseen))
        return [*self.header(user, template, unseen, task), *self.history(items).tolist(), *footer]

    def told(self, history: Ints | Sequence[int], task: str = "sequential") -> Array:
        """Which items of a history a prompt names, as it names them: the newest `max_items`, (n,).

        In time's order for tasks that are learned in it; for every other in an order that the history alone decides.
        """
        items = np.asarray(history, dtype=np.int64)[-self.max_items :]
        if not prompts.ordered(task):
            items = items[streams.stream(0, "order", hashlib.sha256(items.tobytes()).hexdigest()).permutation(len(items))]
        return items

    def called(self, user: int | Id) -> Id | None:
        """The name that a prompt gives a person; None: "a person"."""
        if isinstance(user, tuple):
            return user
        return None if user < 0 or self.table.users is None else self.table.users.spell(user)

    def windows(self, train: Interactions, rng: np.random.Generator) -> list[Window]:
        """One epoch: the histories of the users that each task falls on, in order of time or in none."""
        out: list[Window] = []
        for user in range(train.n_users):
            items = train.history(user)
            n = len(items)
            if self.shares["sequential"] >= 1 or rng.random() < self.shares["sequential"]:
                out += self._cut(user, items[np.lexsort((rng.random(n), train.times(user)))], "sequential", rng)
            if rng.random() < self.shares["direct"]:
                out += self._cut(user, items[rng.permutation(n)], "direct", rng)
        return out

    def _cut(self, user: int, items: Ints, task: str, rng: np.random.Generator) -> list[Window]:
        """Windows of at most `max_items` that begin at a fresh offset each time."""
        n = len(items)
        offset = int(rng.integers(1, self.max_items + 1)) if n > self.max_items else n
        cuts = [0, *range(offset, n, self.max_items), n]
        return [Window(user, items[a:b], task) for a, b in itertools.pairwise(cuts) if b > a]

    def epoch(self, train: Interactions, seed: int, epoch: int, size: int) -> list[list[Window]]:
        """The windows of an epoch in batches of `size` with similar lengths, in random order."""
        rng = streams.stream(seed, "documents", str(epoch))
        windows = self.windows(train, rng)
        order = np.argsort([len(w.items) + 15 * rng.random() for w in windows], kind="stable")
        batches = [[windows[i] for i in order[a : a + size]] for a in range(0, len(windows), size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def write(self, windows: list[Window], rng: np.random.Generator) -> Batch:
        """A batch from windows: a template each, some users left unnamed, padded at the end."""
        rows, starts = [], []
        for row, window in enumerate(windows):
            user = -1 if rng.random() < self.anonymous else window.user
            head = self.header(user, int(rng.integers(prompts.count(window.task))), task=window.task)
            rows.append(np.asarray([*head, *self.history(window.items).tolist()], dtype=np.int64))
            lengths = np.diff(self.names.offsets)[window.items]
            starts.append(np.stack([np.full(len(lengths), row), len(head) + np.cumsum(lengths) - lengths], 1))
        ids, mask = pad(rows, self.vocab.subwords.pad_token_id or 0)
        return Batch(ids, mask, np.concatenate(starts), np.concatenate([w.items for w in windows]).astype(np.int64))


def pad(rows: list[Array], filler: int) -> tuple[Tensor, Tensor]:
    """Rows of unequal length as (ids, mask), both (b, t) int64, padded at the end."""
    t = max(len(r) for r in rows)
    ids, mask = np.full((len(rows), t), filler, dtype=np.int64), np.zeros((len(rows), t), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = row, 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def trimmed(ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Both without the columns behind the longest row."""
    t = int(mask.sum(1).max()) if len(mask) else 0
    return ids[:, :t], mask[:, :t]
