"""Documents in words: a prompt that is read, then words and Tokens that are said, each supervised; and greedy generation of the same.

Where it stands: under the tasks of this folder. Training and generation read and score every row through `lm.rows`, so that META ID's
representation augmentation acts in both (the release bypasses it in `generate`).
What it does not know: what the words mean; the tasks make the documents.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from llmrec.contracts import IdTable, Ints
from llmrec.data.titles import clean
from llmrec.lm import prompts
from llmrec.lm.documents import pad, trimmed
from llmrec.lm.model import LanguageModel
from llmrec.lm.names import Array
from llmrec.lm.precision import autocast
from llmrec.lm.processes import Share
from llmrec.lm.vocab import Ragged, Vocab

_SLOT = re.compile(r"(\{(?:user|item|history)\})")
LONGEST = 64  # row numbers that one document says at most, where its task does not know better


@dataclass(frozen=True)
class Document:
    """Row numbers. read: the prompt; said: what follows and is supervised, the end mark included; also: stretches of the prompt that are
    supervised too, (first, after the last) in order: what was said in a talk before."""

    read: list[int]
    said: list[int]
    also: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Said:
    """What a model said. rows: row numbers, without the end mark; ended: whether the end mark came."""

    rows: list[int]
    ended: bool


class Guide(Protocol):
    """What may be said next after one prompt, and what was."""

    def next(self) -> set[int]: ...
    def say(self, row: int) -> None: ...


@dataclass(frozen=True)
class Speech:
    """Documents side by side. ids, mask: (b, t); at: (p, 2) row and column of the state that foresees each row said; right: (p,) that row.

    documents: how many they are; step: how many rows the whole step says, where this is one process's share of it.
    """

    ids: Tensor
    mask: Tensor
    at: Array
    right: Tensor
    step: int | None = None

    @property
    def documents(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device) -> Speech:
        return Speech(self.ids.to(device), self.mask.to(device), self.at, self.right.to(device), self.step)

    def taken(self, share: Share) -> Speech:
        """This process's documents of a step that all have written; none where none falls to it."""
        if share.alone:
            return self
        mine = self.at[:, 0] % share.world == share.rank
        ids, mask = trimmed(self.ids[share.part], self.mask[share.part])
        return Speech(ids, mask, self.at[mine] // np.asarray([share.world, 1]), self.right[torch.from_numpy(mine)], len(self.right))


@dataclass(frozen=True)
class Speaker:
    """Writes prompts of the tasks as row numbers. names: each item's row numbers; table: the users' names."""

    vocab: Vocab
    names: Ragged
    table: IdTable
    known: dict[str, list[int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def end(self) -> int:
        """The row number that ends what is said. ValueError for a backbone that has none."""
        end = self.vocab.subwords.eos_token_id
        if end is None:
            raise ValueError("this backbone's tokenizer has no end-of-text mark, without which words never end: choose another backbone")
        return int(end)

    def prompt(self, task: str, user: int, item: int, history: Ints | None = None, template: int = 0, unseen: bool = False) -> list[int]:
        """One template of a task, filled; user -1 is a new person. A blank before a name falls away: names bring their own."""
        book = prompts.templates()[task]
        parts = [p for p in _SLOT.split(book["unseen" if unseen else "seen"][template]) if p]
        out: list[int] = []
        for part, after in zip(parts, [*parts[1:], ""], strict=True):
            if part == "{user}":
                nameless = user < 0 or self.table.users is None
                out += self.vocab.encode((book["anonymous"],) if nameless or self.table.users is None else self.table.users.spell(user))
            elif part == "{item}":
                out += self.names[item].tolist()
            elif part == "{history}":
                items = np.zeros(0, dtype=np.int64) if history is None else history
                out += self.names.ids[self.names.places(items)].tolist()
            else:
                out += self.phrase(part.rstrip(" ") if after in ("{item}", "{history}") else part)
        return out

    def text(self, words: str) -> list[int]:
        """Plain words, in which no Token can be spelled."""
        return self.vocab.encode([words])

    def phrase(self, words: str) -> list[int]:
        """As `text`, remembered: for words that come again and again."""
        if words not in self.known:
            self.known[words] = self.text(words)
        return self.known[words]

    def spelled(self, rows: Sequence[int]) -> str:
        """Row numbers as a line of text, Tokens as they are spelled."""
        runs = [(old, list(run)) for old, run in itertools.groupby(rows, key=lambda row: row < self.vocab.first)]
        return clean("".join(self.vocab.subwords.decode(r) if old else "".join(map(str, self.vocab.decode(r))) for old, r in runs))

    def ended(self, said: list[int], longest: int = LONGEST) -> list[int]:
        """What is said with the end mark after it; words beyond `longest` are cut off, and then nothing ends."""
        return [*said, self.end] if len(said) < longest else said[:longest]


def speech(documents: Sequence[Document]) -> Speech:
    """Documents as one batch, padded at the end."""
    ids, mask = pad([np.asarray([*d.read, *d.said], dtype=np.int64) for d in documents], 0)
    own = [[*d.also, (len(d.read), len(d.read) + len(d.said))] for d in documents]
    column = np.concatenate([np.arange(first, last) for stretches in own for first, last in stretches])
    row = np.repeat(np.arange(len(documents)), [sum(last - first for first, last in stretches) for stretches in own])
    return Speech(ids, mask, np.stack([row, column - 1], 1), ids[torch.from_numpy(row), torch.from_numpy(column)])


def loss(lm: LanguageModel, batch: Speech) -> Tensor:
    """Mean over the rows said of -log p(row | what came before), under the softmax over all subwords and Tokens. A scalar, in nats.

    Of one process's share of a step it is the part that it adds to the step's mean.
    """
    states = lm(batch.ids, batch.mask)  # (b, t, d)
    at = torch.from_numpy(batch.at).to(states.device)
    value: Tensor = torch.nn.functional.cross_entropy(_trained(lm, states[at[:, 0], at[:, 1]]), batch.right, reduction="sum")
    return value / (batch.step or len(batch.right))


def _trained(lm: LanguageModel, h: Tensor) -> Tensor:
    """As `scores`, for training: the text's columns as precise as the model keeps them, which is half where they are frozen, and no
    gradient for those. h: (p, d); returns (p, v) in fp32."""
    text, new = lm.rows.words(), lm.rows.rows(out=True)
    with torch.autocast(h.device.type, enabled=False):
        return torch.cat([(h.to(text.dtype) @ text.T).float(), h.float() @ new.T], 1)


def scores(lm: LanguageModel, h: Tensor, of: Sequence[int] | None = None) -> Tensor:
    """(…, d) states to (…, v) scores of every row of the vocabulary (or `of` some), as augmented; in fp32: bf16 makes ties."""
    which = torch.arange(lm.vocab.size, device=h.device) if of is None else torch.tensor(list(of), device=h.device)
    with torch.autocast(h.device.type, enabled=False):
        out: Tensor = h.float() @ lm.rows.outputs(which).float().T
    return out


@torch.no_grad()
def generate(
    lm: LanguageModel, read: Sequence[list[int]], end: int, longest: int = LONGEST, guides: Sequence[Guide] | None = None
) -> list[Said]:
    """What the model says after each prompt, the likeliest row at each step, up to the end mark or `longest` rows.

    One pass over the prompts, then one row a step beside the key-value cache. Ties go to the lower row number. guides: one for each
    prompt, each used up; then the likeliest row among those that may come.
    """
    from transformers import DynamicCache

    ids, mask = (x.to(lm.device) for x in pad([np.asarray(p, dtype=np.int64) for p in read], 0))
    lengths, cache = mask.sum(1), DynamicCache()
    said: list[list[int]] = [[] for _ in read]
    open_ = torch.ones(len(ids), dtype=torch.bool)
    with autocast(lm.device):
        states = lm(ids, mask, cache=cache)
        h, sees = states[torch.arange(len(ids), device=ids.device), lengths - 1], mask.bool()
        for step in range(longest):
            found = scores(lm, h)
            chosen = (found if guides is None else _among(found, guides, open_)).argmax(-1)
            open_ &= chosen.cpu() != end
            for row in torch.nonzero(open_)[:, 0].tolist():
                said[row].append(int(chosen[row]))
                if guides is not None:
                    guides[row].say(int(chosen[row]))
            if not open_.any() or step + 1 == longest:
                break
            sees = torch.cat([sees, torch.ones_like(sees[:, :1])], dim=1)
            h = lm(chosen[:, None], sees[:, None, None, :], (lengths + step)[:, None], cache)[:, 0]
    return [Said(rows, not unended) for rows, unended in zip(said, open_.tolist(), strict=True)]


def _among(found: Tensor, guides: Sequence[Guide], open_: Tensor) -> Tensor:
    """Scores with those of rows that may not come next at -inf, where a prompt is still answered."""
    barred = torch.zeros(found.shape, dtype=torch.bool)
    for row in torch.nonzero(open_)[:, 0].tolist():
        barred[row] = True
        barred[row, list(guides[row].next())] = False
    return found.masked_fill(barred.to(found.device), -torch.inf)


def generate_all(
    lm: LanguageModel,
    read: Sequence[list[int]],
    end: int,
    longest: int = LONGEST,
    guides: Sequence[Guide] | None = None,
    batch: int = 64,
) -> list[Said]:
    """`generate` in batches of prompts of like length, in evaluation mode; in the order of the prompts."""
    training = lm.training
    lm.eval()
    order = np.argsort([len(p) for p in read], kind="stable")
    said: dict[int, Said] = {}
    try:
        for first in range(0, len(read), batch):
            part = order[first : first + batch]
            guided = None if guides is None else [guides[i] for i in part]
            said |= dict(zip(part.tolist(), generate(lm, [read[i] for i in part], end, longest, guided), strict=True))
    finally:
        lm.train(training)
    return [said[place] for place in range(len(read))]
