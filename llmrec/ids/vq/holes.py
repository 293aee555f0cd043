"""What quantizers make of a vector with holes in it: the masked one step by step, and how often any of them keeps its codes.

Where it stands: beside the quantizers, for whoever wants to look inside; nothing is learned here. What it does not know: names, figures.

A hole is a number that the encoder does not see. In its place stands what is known of nobody in particular: the mean of all directions, as
when the masked quantizer learned. So all quantizers are shown the same vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmrec.contracts import Floats, Ints, Quantizer
from llmrec.ids.vq.directions import Directions, directions
from llmrec.ids.vq.masked import Masked

Holes = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Look:
    """One vector on its way through a masked quantizer. All d numbers are as the nets see them: length 1, less the mean, over the scale.

    row: (d,) the whole vector; hidden: (d,) bool; said: (K, c) what each encoder makes of what it sees; codes: (K,); far: (K, L) the
    distance from `said` to every codeword of its book; told: (d,) what the decoder makes of the codewords' mean.
    """

    row: Floats
    hidden: Holes
    said: Floats
    codes: Ints
    far: Floats
    told: Floats


def look(quantizer: Masked, row: Floats, hidden: Holes) -> Look:
    """Encode, snap and reconstruct one (d,) vector of which the encoders do not see `hidden`, (d,) bool."""
    whole = (directions(row[None]) - quantizer.mean) / quantizer.scale
    said = _says(quantizer, np.where(hidden, np.float32(0), whole))[:, 0]
    far = np.sqrt(((said[:, None] - quantizer.books) ** 2).sum(-1))
    codes = far.argmin(1)
    v1, u1, v2, u2 = quantizer.decoder
    mean = quantizer.books[np.arange(len(codes)), codes].mean(0)
    told = np.maximum(mean @ v1 + u1, 0) @ v2 + u2
    return Look(whole[0].astype(np.float32), hidden, said, codes.astype(np.int32), far, np.asarray(told, dtype=np.float32))


def drawn(shape: tuple[int, ...], share: float, rng: np.random.Generator) -> Holes:
    """Every number is hidden on its own with probability `share`, as in training."""
    return np.asarray(rng.random(shape) < share)


def kept(quantizer: Quantizer, mean: Floats, rows: Floats, hidden: Holes) -> NDArray[np.bool_]:
    """Which codes stay what they are without holes: (n, draws, K). rows: (n, d); hidden: (n, draws, d); mean: (d,) of the directions."""
    n, draws, d = hidden.shape
    whole = directions(rows)
    seen = np.where(hidden, mean, whole[:, None]).astype(np.float32).reshape(-1, d)
    same = _codes(quantizer, seen).reshape(n, draws, -1) == _codes(quantizer, whole)[:, None]
    return np.asarray(same)


def _codes(quantizer: Quantizer, seen: Floats) -> Ints:
    """Codes of (n, d) directions as they are: whoever brings rows to length 1 would blow up those with holes."""
    if isinstance(quantizer, Directions):
        return quantizer.inner.encode(seen)
    if not isinstance(quantizer, Masked):
        return quantizer.encode(seen)
    said = _says(quantizer, (seen - quantizer.mean) / quantizer.scale)
    near = [s @ book.T - (book**2).sum(1) / 2 for s, book in zip(said, quantizer.books, strict=True)]
    return np.stack([n.argmax(1) for n in near], axis=1).astype(np.int32)


def _says(quantizer: Masked, rows: Floats) -> Floats:
    """What each encoder makes of (n, d) rows as the nets see them: (K, n, c)."""
    w1, b1, w2, b2 = quantizer.encoders
    return np.asarray(np.maximum(rows @ w1 + b1[:, None], 0) @ w2 + b2[:, None], dtype=np.float32)
