"""New rows in a language model's vocabulary: the only module that touches the embedding matrix.

Where it stands: between names and the language model. `Vocab` turns pieces into row numbers, `Rows` holds the vectors of the new rows.
What it does not know: schemes, heads, training.

Text is read by the model's own subword tokenizer with every special spelling switched off, so a title or a chat message that spells `<c3>`
stays text; a `Token` is a row of its own. Tokens take the row numbers after the tokenizer's last, in the table's fixed order.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from llmrec.contracts import IdTable, Ints, Names, Piece, Token

END = Token("<end>")


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length. offsets: (n + 1,) int64; ids: flat (total,) int64. Row i is ids[offsets[i]:offsets[i + 1]]."""

    offsets: NDArray[np.int64]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[np.int64]:
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def places(self, rows: Ints) -> NDArray[np.int64]:
        """Where some rows lie in `ids`, one row after another: (total of their lengths,) int64."""
        begin = self.offsets[:-1][rows]
        lengths = np.diff(self.offsets)[rows]
        places: NDArray[np.int64] = np.arange(lengths.sum()) + np.repeat(begin - np.cumsum(lengths) + lengths, lengths)
        return places


@dataclass(frozen=True)
class Vocab:
    """The subwords of a language model and the Tokens after them. `subwords` is a Hugging Face fast tokenizer without the Tokens."""

    subwords: Any
    tokens: tuple[Token, ...]

    @classmethod
    def of_table(cls, subwords: Any, table: IdTable) -> Vocab:
        """The table's Tokens, and the end mark where some item's name is the beginning of another's."""
        bare = cls(subwords, table.tokens)
        names = bare.names(table.items)
        return bare if _prefix_free(names) else cls(subwords, (*table.tokens, END))

    @cached_property
    def first(self) -> int:
        """The row number of the first Token."""
        return len(self.subwords)

    @cached_property
    def row(self) -> dict[str, int]:
        return {str(t): self.first + j for j, t in enumerate(self.tokens)}

    @property
    def size(self) -> int:
        return self.first + len(self.tokens)

    @property
    def ends(self) -> bool:
        """Whether names carry an end mark."""
        return bool(self.tokens) and self.tokens[-1] == END

    def encode(self, pieces: Sequence[Piece]) -> list[int]:
        """Row numbers of pieces: a Token is one row, text is subwords. A Token the vocabulary lacks raises `KeyError` with its spelling."""
        out: list[int] = []
        for piece in pieces:
            if isinstance(piece, Token):
                if piece not in self.row:
                    raise KeyError(f"the vocabulary has no Token {piece!s}")
                out.append(self.row[piece])
            else:
                out.extend(self.subwords.encode(piece, add_special_tokens=False, split_special_tokens=True))
        return out

    def decode(self, ids: Sequence[int]) -> list[Piece]:
        """One piece per row number: Tokens as Tokens, subwords as text."""
        return [self.tokens[i - self.first] if i >= self.first else self.subwords.decode([i]) for i in ids]

    def names(self, names: Names, which: Sequence[int] | None = None) -> Ragged:
        """Row numbers of every name (or of `which`), end marks included. Books of Tokens are looked up as arrays, nothing is spelled."""
        codes = names.codes if which is None else names.codes[np.asarray(which, dtype=np.int64)]
        if all(book.token and book.texts is None for book in names.books):
            starts = np.asarray([self.row[str(book.spell(0))] for book in names.books])
            used = codes >= 0
            flat, lengths = (codes + starts)[used].astype(np.int64), used.sum(1)
        else:
            rows = self._written(names, codes)
            flat, lengths = np.asarray([i for row in rows for i in row], dtype=np.int64), np.asarray([len(r) for r in rows], dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        if not self.ends:
            return Ragged(offsets, flat)
        return Ragged(offsets + np.arange(len(offsets)), np.insert(flat, offsets[1:], self.row[END]))

    def _written(self, names: Names, codes: Ints) -> list[list[int]]:
        """Row numbers of names in which some book is text: every text that occurs is read once, all of a book in one call."""
        rows: list[list[int]] = [[] for _ in range(len(codes))]
        for column, book in zip(codes.T, names.books, strict=True):
            bearers = np.flatnonzero(column >= 0)
            used, which = np.unique(column[bearers], return_inverse=True)
            pieces = [book.spell(int(code)) for code in used]
            if not pieces:
                continue
            if isinstance(pieces[0], Token):
                read = [self.encode([piece]) for piece in pieces]
            else:
                read = self.subwords(_spaced(pieces), add_special_tokens=False, split_special_tokens=True)["input_ids"]
            for bearer, text in zip(bearers.tolist(), which.tolist(), strict=True):
                rows[bearer] += read[text]
        return rows

    def tokenizer(self) -> Any:
        """A standard tokenizer with the Tokens added, whose row numbers are the same."""
        import copy

        from transformers import AddedToken

        full = copy.deepcopy(self.subwords)
        added = [AddedToken(str(t), special=False, normalized=False) for t in self.tokens]
        known = self.subwords.get_vocab()
        taken = next((str(t) for t in self.tokens if str(t) in known), None)
        if taken is not None:
            raise ValueError(f"the subword tokenizer already has an entry {taken!r}: choose another prefix for the scheme's book")
        full.add_tokens(added)
        return full

    def save(self, folder: Path) -> None:
        """Write the standard tokenizer into a folder."""
        self.tokenizer().save_pretrained(folder)

    @classmethod
    def load(cls, folder: Path, n_tokens: int) -> Vocab:
        """Read a saved tokenizer back and take its last `n_tokens` entries as Tokens."""
        from transformers import AutoTokenizer

        full = AutoTokenizer.from_pretrained(folder)
        first = len(full) - n_tokens
        tokens = tuple(Token(t) for t in full.convert_ids_to_tokens(list(range(first, len(full)))))
        return cls(_without(folder, set(map(str, tokens))), tokens)


class Rows(nn.Module):
    """The embedding matrix of a backbone and the new rows after it.

    META ID's representation augmentation: row t is E[t] + scale (W f_t + b), with f_t what the scheme knows of Token t. It acts wherever
    a row is read, as input and as output, in training and in generation. `base` is the backbone's embedding, `head` its output matrix
    where that is not tied (None otherwise).
    """

    features: Tensor | None

    def __init__(
        self, base: nn.Embedding, head: nn.Linear | None, first: int, start: Tensor, features: Tensor | None, scale: float
    ) -> None:
        super().__init__()
        self.base, self.head, self.first, self.scale = base, head, first, scale
        self.new = nn.Parameter(start.clone())  # (n_new, d), fp32
        self.new_out = nn.Parameter(start.clone()) if head is not None else None
        self.register_buffer("features", features if scale else None, persistent=False)
        width = start.shape[1]
        self.augment = nn.Linear(features.shape[1], width) if features is not None and scale else None

    def rows(self, out: bool = False) -> Tensor:
        """The new rows as the model reads them: (n_new, d). out: the output side, where it is not tied."""
        rows = self.new_out if out and self.new_out is not None else self.new
        if self.augment is None or self.features is None:
            return rows
        extra: Tensor = self.augment(self.features)
        return rows + self.scale * torch.nn.functional.pad(extra, (0, 0, 0, len(rows) - len(extra)))

    def forward(self, ids: Tensor) -> Tensor:
        """Input vectors. ids: any shape; returns (*ids.shape, d)."""
        return self._pick(self.base.weight, self.rows(), ids)

    def outputs(self, ids: Tensor) -> Tensor:
        """Output vectors of some rows: the columns of the softmax. ids: (c,); returns (c, d)."""
        return self._pick(self.base.weight if self.head is None else self.head.weight, self.rows(out=True), ids)

    def words(self) -> Tensor:
        """The text's columns of the softmax: (first, d), a view."""
        weight: Tensor = self.base.weight if self.head is None else self.head.weight
        return weight[: self.first]

    def _pick(self, weight: Tensor, rows: Tensor, ids: Tensor) -> Tensor:
        new = ids >= self.first
        if bool(new.all()):
            return rows[ids - self.first]
        text = nn.functional.embedding(ids.clamp(max=self.first - 1), weight).to(rows.dtype)
        if not len(rows):
            return text
        return torch.where(new[..., None], rows[(ids - self.first).clamp(min=0)], text)


def start_rows(base: Tensor, n: int, generator: torch.Generator, spread: float = 1.0) -> Tensor:
    """Where new rows start: around the mean of the old ones, `spread` times as wide. base: (v, d); returns (n, d) fp32.

    Beside pretrained rows a small spread lets all Tokens begin about equally likely; at full width SmolLM2 starts at 18 nats an item, where
    a uniform guess over MovieLens-100K costs 7.4.
    """
    old = base.detach().float()
    return old.mean(0) + spread * old.std(0) * torch.randn(n, old.shape[1], generator=generator)


def _prefix_free(names: Ragged) -> bool:
    """Whether no name is the beginning of another, different one. Sorted, a name stands right before those that begin with it."""
    rows = sorted({tuple(names[i].tolist()) for i in range(len(names))}) if len(set(np.diff(names.offsets).tolist())) > 1 else []
    return all(b[: len(a)] != a for a, b in itertools.pairwise(rows))


def _spaced(pieces: Sequence[Piece]) -> list[Piece]:
    """Text begins with a blank, as words inside a sentence do."""
    return [p if isinstance(p, Token) else f" {p}" for p in pieces]


def _without(folder: Path, tokens: set[str]) -> Any:
    """The saved tokenizer without its Tokens, made from the folder's files alone."""
    import json
    import shutil
    import tempfile

    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as temporary:
        bare = Path(temporary)
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
            if (folder / name).exists():
                shutil.copy(folder / name, bare / name)
        plain = json.loads((bare / "tokenizer.json").read_text(encoding="utf-8"))
        plain["added_tokens"] = [t for t in plain.get("added_tokens", []) if t["content"] not in tokens]
        (bare / "tokenizer.json").write_text(json.dumps(plain), encoding="utf-8")
        config = json.loads((bare / "tokenizer_config.json").read_text(encoding="utf-8"))
        decoder = config.get("added_tokens_decoder", {})
        config["added_tokens_decoder"] = {k: v for k, v in decoder.items() if v["content"] not in tokens}
        (bare / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
        return AutoTokenizer.from_pretrained(bare)
